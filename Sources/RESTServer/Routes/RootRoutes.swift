internal import GraphModel
internal import HTTPTypes
internal import Storage

/// The documents from which a client finds its way.
struct RootRoutes: Sendable {
    func add(to table: inout RouteTable) {
        // Browsers ask for a page, and are sent to one.
        table.add("/", isStatus: true, [(.get, .own(discovery))])
        table.add("/db", [(.get, .own(discovery))])
        table.add("/db/data", [(.get, .lookup(serviceRoot))])
        table.add("/db/manage", [(.get, .own(management))])
    }

    private func discovery(_ call: Call) -> Answer {
        if call.head.headerFields[.accept]?.lowercased().contains("text/html") ?? false {
            var answer = Answer(.seeOther)
            answer.location = call.base.text + "/webadmin/"
            return answer
        }
        var json = JSONWriter(call.layout)
        json.beginObject()
        json.key("management")
        json.string(call.base.text + "/db/manage/")
        json.key("data")
        json.string(call.base.text + "/db/data/")
        json.endObject()
        return call.json(.ok, json.bytes)
    }

    private func management(_ call: Call) -> Answer {
        var json = JSONWriter(call.layout)
        json.beginObject()
        // The service root has the manual's keys and no more, and the manual's version.
        json.key("martlet_version")
        json.string(martletVersion)
        json.key("services")
        json.beginObject()
        json.key("jmx")
        json.string(call.base.text + "/db/manage/server/jmx")
        for name in ["members", "branched-stores", "switch-master", "remove-member", "update", "master", "slave", "available"] {
            json.key("ha/" + name)
            json.string(call.base.text + "/db/manage/server/ha/" + name)
        }
        json.endObject()
        json.endObject()
        return call.json(.ok, json.bytes)
    }

    /// 18.1: with the reference node only if it exists.
    private func serviceRoot(_ call: Call, _ transaction: Transaction) -> Answer {
        let referenceNode = NodeID(0)
        let hasReferenceNode = transaction.nodeExists(referenceNode)
        let data = call.base.text + "/db/data"
        var json = JSONWriter(call.layout, capacity: 768)
        json.beginObject()
        json.key("extensions")
        PluginRoutes.writeExtensions(call.base, &json)
        func entry(_ key: StaticString, _ path: String) {
            json.key(key)
            json.string(data + path)
        }
        entry("node", "/node")
        if hasReferenceNode { entry("reference_node", "/node/\(referenceNode.rawValue)") }
        entry("node_index", "/index/node")
        entry("relationship_index", "/index/relationship")
        entry("extensions_info", "/ext")
        entry("relationship_types", "/relationship/types")
        entry("batch", "/batch")
        entry("cypher", "/cypher")
        // Clients of the time read the version to know the dialect of this API: it is the manual's, not our own.
        json.key("neo4j_version")
        json.string("1.8")
        json.endObject()
        return call.json(.ok, json.bytes)
    }
}
