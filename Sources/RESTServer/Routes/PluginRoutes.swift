internal import GraphModel
internal import HTTPTypes

/// 10.1, 18.17, 18.18: the plugins that come with the server. Cypher is one, under the name it once had.
struct PluginRoutes: Sendable {
    /// A plugin with its one method.
    struct Plugin: Sendable {
        let name: String
        let method: String
        let description: String
        let parameters: [(name: String, description: String, isOptional: Bool, type: String)]

        var path: String { "/db/data/ext/\(name)/graphdb/\(method)" }
    }

    static let cypher = Plugin(
        name: "CypherPlugin", method: "execute_query", description: "execute a query",
        parameters: [
            ("query", "The query string", false, "string"), ("params", "The query parameters", true, "map"),
        ])
    static let gremlin = Plugin(
        name: "GremlinPlugin", method: "execute_script",
        description: "execute a Gremlin script with 'g' set to the graph and 'results' containing the results; no other code is run",
        parameters: [
            ("script", "The Gremlin script", false, "string"), ("params", "JSON Map of additional parameters", true, "map"),
        ])
    private static let all = [cypher, gremlin]

    /// What answers a query to the Cypher plugin.
    let cypherQuery: Handler
    /// What answers a script to the Gremlin plugin.
    let gremlinScript: Handler

    func add(to table: inout RouteTable) {
        table.add("/db/data/ext", [(.get, .own(list))])
        for plugin in Self.all {
            table.add("/db/data/ext/\(plugin.name)", [(.get, .own { call in methods(plugin, call) })])
        }
        table.add(Self.cypher.path, [(.post, cypherQuery), (.get, .own { call in describe(Self.cypher, call) })])
        table.add(Self.gremlin.path, takesAnyBody: true, [
            (.post, gremlinScript), (.get, .own { call in describe(Self.gremlin, call) }),
        ])
    }

    /// The plugins of the database as a whole, as the service root shows them.
    static func writeExtensions(_ base: BaseURI, _ json: inout JSONWriter) {
        json.beginObject()
        for plugin in all {
            json.key(plugin.name)
            json.beginObject()
            json.key(plugin.method)
            json.string(base.text + plugin.path)
            json.endObject()
        }
        json.endObject()
    }

    private func list(_ call: Call) -> Answer {
        call.json(.ok) { json in
            json.beginObject()
            for plugin in Self.all {
                json.key(plugin.name)
                json.string("\(call.base.text)/db/data/ext/\(plugin.name)")
            }
            json.endObject()
        }
    }

    private func methods(_ plugin: Plugin, _ call: Call) -> Answer {
        call.json(.ok) { json in
            json.beginObject()
            json.key("graphdb")
            json.beginObject()
            json.key(plugin.method)
            json.string(call.base.text + plugin.path)
            json.endObject()
            json.endObject()
        }
    }

    private func describe(_ plugin: Plugin, _ call: Call) -> Answer {
        call.json(.ok) { json in
            json.beginObject()
            json.key("extends")
            json.string("graphdb")
            json.key("description")
            json.string(plugin.description)
            json.key("name")
            json.string(plugin.method)
            json.key("parameters")
            json.beginList()
            for parameter in plugin.parameters {
                json.beginObject()
                json.key("description")
                json.string(parameter.description)
                json.key("optional")
                json.value(parameter.isOptional)
                json.key("name")
                json.string(parameter.name)
                json.key("type")
                json.string(parameter.type)
                json.endObject()
            }
            json.endList()
            json.endObject()
        }
    }
}
