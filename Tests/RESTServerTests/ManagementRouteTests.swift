import Database
import GraphModel
import JSON
import RESTServer
import Testing

/// Plugins, WADL and the management beans.
@Suite struct ManagementRouteTests {
    private let base = "http://localhost:7474"

    @Test func pluginsAreListedAndDescribed() async throws {
        try await withServer { client async throws in
            let list = try await client.get("/db/data/ext", ["X-Stream: true"])
            #expect(list.text == #"{"CypherPlugin":"\#(base)/db/data/ext/CypherPlugin","GremlinPlugin":"\#(base)/db/data/ext/GremlinPlugin"}"#)
            let one = try await client.get("/db/data/ext/GremlinPlugin", ["X-Stream: true"])
            #expect(one.text == #"{"graphdb":{"execute_script":"\#(base)/db/data/ext/GremlinPlugin/graphdb/execute_script"}}"#)
            let described = try await client.get("/db/data/ext/GremlinPlugin/graphdb/execute_script", ["X-Stream: true"])
            #expect(described.text.hasPrefix(#"{"extends":"graphdb","description":"execute a Gremlin script"#))
            #expect(described.text.contains(#""name":"execute_script""#))
        }
    }

    private static let scripts = "/db/data/ext/GremlinPlugin/graphdb/execute_script"
    private static let form = "application/x-www-form-urlencoded"

    @Test func scriptsAreRunWhateverTheirForm() async throws {
        try await withServer { client async throws in
            for (body, type, result) in [
                (#"{"script": "x + 1", "params": {"x": 1}}"#, "application/json", "2"),
                (#"{"script": "x + 1", "params": "{\"x\": 1}"}"#, "application/json; charset=UTF-8", "2"),
                ("script=x+%2B+1&params=%7B%22x%22%3A1%7D", Self.form, "2"),
                (#"{"script": "v = g.addVertex([name: 'a']); v.name"}"#, "application/json", "\"a\""),
                ("script=g.V.has('name','a').count()", Self.form, "1"),
                // What only a run can tell to be a write.
                (#"{"script": "g.V.has('name','a').each{it.age = 3}; g.V.has('name','a').age.next()"}"#, "application/json", "3"),
            ] {
                let reply = try await client.send("POST", Self.scripts, body: body, contentType: type)
                #expect(reply.status == 200, "\(body)")
                #expect(reply.text == result, "\(body)")
            }
        }
    }

    /// 18.18.2, for who may load documents.
    @Test func documentsAreLoadedByTheServerOnly() async throws {
        let script = #"{"script": "g.loadGraphML('http://docs/a.xml'); g.V.has('name', 'you').name.toList()"}"#
        try await withServer { client async throws in
            let reply = try await client.send("POST", Self.scripts, body: script)
            #expect(reply.status == 400 && reply.text.contains("loadGraphML is refused"), "\(reply.text)")
        }
        var options = RESTService.Options()
        options.loadDocument = { address throws(GraphError) in
            guard address == "http://docs/a.xml" else { throw GraphError(.scriptFailure, "not \(address)") }
            let key = #"<key id="n" for="node" attr.name="name" attr.type="string"/>"#
            return Array(#"<graphml>\#(key)<graph><node id="1"><data key="n">you</data></node></graph></graphml>"#.utf8)
        }
        try await withServer(options) { client async throws in
            let reply = try await client.send("POST", Self.scripts, body: script)
            #expect(reply.status == 200 && reply.text == #"[ "you" ]"#, "\(reply.text)")
            let other = try await client.send(
                "POST", Self.scripts, body: script.replacing("docs", with: "others"))
            #expect(other.status == 400 && other.text.contains("not http://others/a.xml"), "\(other.text)")
        }
    }

    @Test func failingScriptsChangeNothing() async throws {
        try await withServer { client async throws in
            let counting = #"{"script": "g.V.count()"}"#
            let before = try await client.send("POST", Self.scripts, body: counting).text
            for (body, type) in [
                (#"{"script": "g.addVertex(); g.addVertex([name:{}])"}"#, "application/json"),
                (#"{"script": "g.addVertex(); g.stopTransaction(TransactionalGraph.Conclusion.FAILURE)"}"#, "application/json"),
                (#"{"script": "try { g.addVertex(); throw new Exception('x') } catch (e) { return e }"}"#, "application/json"),
                ("script=new+File('x')", Self.form), ("{", "application/json"), ("{}", "application/json"),
                (#"{"script": "1", "params": 2}"#, "application/json"), ("script=%FF", Self.form),
            ] {
                let reply = try await client.send("POST", Self.scripts, body: body, contentType: type)
                #expect(reply.status == 400, "\(body)")
                #expect(reply.text.contains(#""exception" : "BadInputException""#), "\(body): \(reply.text)")
            }
            #expect(try await client.send("POST", Self.scripts, body: counting).text == before)
            let other = try await client.send("POST", Self.scripts, body: "g.V", contentType: "text/plain")
            #expect(other.status == 415)
        }
    }

    @Test func formsAreForScriptsOnly() async throws {
        try await withServer { client async throws in
            // Nothing else takes forms.
            let form = try await client.send("POST", "/db/data/node", body: "a=b", contentType: "application/x-www-form-urlencoded")
            #expect(form.status == 415)
        }
    }

    @Test func wadlOnlyWhereItIsEnabled() async throws {
        try await withServer { client async throws in
            let reply = try await client.get("/db/data/application.wadl")
            #expect(reply.status == 404)
            #expect(reply.text.contains("unsupported_wadl_generation_enabled=true"))
        }
        var options = RESTService.Options()
        options.generatesWADL = true
        try await withServer(options) { client async throws in
            let reply = try await client.get("/db/data/application.wadl", ["Accept: application/vnd.sun.wadl+xml"])
            #expect(reply.status == 200)
            #expect(reply["content-type"] == "application/vnd.sun.wadl+xml")
            #expect(reply.text.contains(#"<resources base="http://localhost:7474/">"#))
            #expect(reply.text.contains(#"<resource path="db/data/node/{id}">"#))
            let (opened, closed) = (reply.text.ranges(of: "<resource ").count, reply.text.ranges(of: "</resource>").count)
            #expect(opened == closed && opened > 60)
        }
    }

    private func names(_ reply: Reply) throws -> [String] {
        guard case .list(let list) = try JSONParser.parse(reply.body) else { throw GraphError(.general, "no list") }
        return list.elements.compactMap { bean in
            guard case .map(let map) = bean, case .string(let name)? = map["name"] else { return nil }
            return String(name.text.split(separator: "=").last ?? "")
        }
    }

    @Test func beansAreFoundByPatterns() async throws {
        try await withServer { client async throws in
            func query(_ body: String) async throws -> Reply {
                try await client.send("POST", "/db/manage/server/jmx/query", body: body)
            }
            let all = [
                "Cache/NodeCache", "Cache/RelationshipCache", "Configuration", "Diagnostics", "Kernel", "Locking", "Memory Mapping",
                "Primitive count", "Store file sizes", "Transactions", "XA Resources",
            ]
            for pattern in ["org.neo4j:*", "*:*", "org.neo?j:instance=kernel#0,name=*", "org.neo4j:*,instance=kernel#0"] {
                #expect(try names(try await query("[\"\(pattern)\"]")) == all, "\(pattern)")
            }
            #expect(try names(try await query(#"["org.neo4j:*,name=K*l", "org.neo4j:*,name=Kernel"]"#)) == ["Kernel"])
            for pattern in ["java.lang:*", "org.neo4j", "org.neo4j:name=Kernel", "org.neo4j:*,name=kernel", ""] {
                #expect(try names(try await query("[\"\(pattern)\"]")) == [], "\(pattern)")
            }
            for wrong in ["{}", "[1]", "", "1"] { #expect(try await query(wrong).status == 400, "\(wrong)") }
            let sizes = try await query(#"["org.neo4j:*,name=Store file sizes"]"#)
            let log = try #require(sizes.text.firstMatch(of: #/"name" : "LogicalLogSize",\s+"value" : ([0-9]+)/#))
            #expect((Int(log.1) ?? 0) > 0)
        }
    }

    @Test func oneBeanByItsURL() async throws {
        try await withServer { client async throws in
            let domain = try await client.get("/db/manage/server/jmx/domain/org.neo4j")
            let url = try #require(domain.text.firstMatch(of: #/"url" : "(\S*Primitive\S*)"/#)).1
            let bean = try await client.get("/db/manage/server/jmx/domain/\(url)")
            #expect(try names(bean) == ["Primitive count"])
            #expect(bean.text.contains("\"name\" : \"NumberOfNodeIdsInUse\",\n    \"value\" : 1,"))
            #expect(try await client.get("/db/manage/server/jmx/domain/org.neo4j/name=other").status == 404)
            #expect(try await client.get("/db/manage/server/jmx/domain/java.lang").status == 404)
            #expect(try await client.get("/db/manage/server/jmx/domain").text == #"[ "org.neo4j" ]"#)
        }
    }

    @Test func aClusterShowsItsMembers() async throws {
        try await withServer(try FakePipeline(masterStatus())) { client async throws in
            let reply = try await client.send(
                "POST", "/db/manage/server/jmx/query", ["X-Stream: true"], body: #"["org.neo4j:*,name=High Availability"]"#)
            #expect(reply.text.contains(
                #"{"description":"org.neo4j.management.InstanceInfo","value":[{"description":"address","name":"address","value":"127.0.0.1:6002"},{"description":"instanceId","name":"instanceId","value":"2"},{"description":"lastCommittedTransactionId","name":"lastCommittedTransactionId","value":41},{"description":"machineId","name":"machineId","value":2},{"description":"master","name":"master","value":false}],"type":"org.neo4j.management.InstanceInfo"}"#))
        }
    }
}
