import FileSystem
import GraphModel
import JSON
import RESTServer
import Storage
import Testing

/// 18.13: traversals, and what they refuse.
@Suite struct TraversalTests {
    private static let data = "/db/data"

    /// Root knows Mattias and Johan, Johan knows Emil, Emil knows Peter and Tobias, Tobias loves Sara: ids from 1 on.
    static func people(_ client: HTTPClient) async throws {
        for name in ["Root", "Mattias", "Johan", "Emil", "Peter", "Tobias", "Sara"] {
            #expect(try await client.send("POST", data + "/node", body: #"{"name": "\#(name)"}"#).status == 201)
        }
        for (start, type, end) in [
            (1, "knows", 2), (1, "knows", 3), (3, "knows", 4), (4, "knows", 5), (4, "knows", 6), (6, "loves", 7),
        ] {
            let body = #"{"to": "http://h/db/data/node/\#(end)", "type": "\#(type)"}"#
            #expect(try await client.send("POST", data + "/node/\(start)/relationships", body: body).status == 201)
        }
    }

    private func traverse(
        _ client: HTTPClient, _ body: String, from node: String = "1", _ returnType: String = "node",
        _ fields: [String] = []
    ) async throws -> Reply {
        try await client.send("POST", "\(Self.data)/node/\(node)/traverse/\(returnType)", fields, body: body)
    }

    private func names(_ reply: Reply) throws -> [String] {
        guard case .list(let list) = try JSONParser.parse(reply.body) else { return ["\(reply.status)"] }
        return list.elements.map { element in
            guard case .map(let node) = element, case .map(let data)? = node["data"], case .string(let name)? = data["name"]
            else { return "?" }
            return name.text
        }
    }

    private let all = #""return_filter": {"language": "builtin", "name": "all"}"#
    private let none = #""prune_evaluator": {"language": "builtin", "name": "none"}"#

    @Test func aFilterOfTheManual() async throws {
        try await withServer { client in
            try await Self.people(client)
            let body = """
                {"order": "breadth_first",
                 "return_filter": {"body": "position.endNode().getProperty('name').toLowerCase().contains('t')", "language": "javascript"},
                 "prune_evaluator": {"body": "position.length() > 10", "language": "javascript"},
                 "uniqueness": "node_global",
                 "relationships": [{"direction": "all", "type": "knows"}, {"direction": "all", "type": "loves"}],
                 "max_depth": 3}
                """
            let reply = try await traverse(client, body)
            #expect(reply.status == 200 && reply["Content-Type"] == "application/json")
            #expect(try names(reply) == ["Root", "Mattias", "Peter", "Tobias"])
        }
    }

    @Test func defaults() async throws {
        try await withServer { client in
            try await Self.people(client)
            // One relationship far, without the start node, as the original had it.
            #expect(try await names(traverse(client, "")) == ["Mattias", "Johan"])
            #expect(try await names(traverse(client, "{\(all)}")) == ["Root", "Mattias", "Johan"])
            // A prune evaluator takes the limit away, a limit beside it stays.
            #expect(try await names(traverse(client, "{\(all), \(none)}")).count == 7)
            #expect(try await names(traverse(client, #"{\#(all), \#(none), "max_depth": 2}"#)).count == 4)
            #expect(
                try await names(traverse(client, #"{\#(none), "return_filter": {"language": "builtin", "name": "none"}}"#)) == [])
        }
    }

    @Test func ordersDirectionsAndSpellings() async throws {
        try await withServer { client in
            try await Self.people(client)
            let breadth = try await names(traverse(client, #"{"order": "breadth first", \#(all), \#(none)}"#))
            #expect(breadth == ["Root", "Mattias", "Johan", "Emil", "Peter", "Tobias", "Sara"])
            let depth = try await names(traverse(client, #"{"order": "DEPTH_FIRST", \#(all), "max_depth": 2}"#))
            #expect(depth == ["Root", "Mattias", "Johan", "Emil"])
            let up = #"{"relationships": {"type": "knows", "direction": "in"}, "max_depth": 9}"#
            #expect(try await names(traverse(client, up, from: "4")) == ["Johan", "Root"])
            // What remembers one node alone goes back and forth.
            let recent = #"{"uniqueness": {"name": "node_recent", "value": 1}, \#(none), "max_depth": 2}"#
            #expect(try await names(traverse(client, recent)).filter { $0 == "Root" }.count == 2)
        }
    }

    @Test func returnTypes() async throws {
        try await withServer { client in
            try await Self.people(client)
            let body = #"{"relationships": {"type": "knows", "direction": "out"}, \#(all), "max_depth": 1}"#
            let relationships = try await traverse(client, body, from: "3", "relationship")
            #expect(relationships.text.contains("\"self\" : \"http://localhost:7474/db/data/relationship/2\""))
            let base = "http://localhost:7474/db/data"
            let paths = try await traverse(client, body, from: "3", "path")
            #expect(
                paths.text == """
                    [ {
                      "start" : "\(base)/node/3",
                      "nodes" : [ "\(base)/node/3" ],
                      "length" : 0,
                      "relationships" : [ ],
                      "end" : "\(base)/node/3"
                    }, {
                      "start" : "\(base)/node/3",
                      "nodes" : [ "\(base)/node/3", "\(base)/node/4" ],
                      "length" : 1,
                      "relationships" : [ "\(base)/relationship/2" ],
                      "end" : "\(base)/node/4"
                    } ]
                    """)
            let full = try await traverse(client, body, from: "3", "fullpath")
            guard case .list(let list) = try JSONParser.parse(full.body), case .map(let path) = list.elements[1],
                case .map(let end)? = path["end"], case .list(let steps)? = path["relationships"],
                case .map(let step) = steps.elements[0]
            else {
                Issue.record("\(full.text)")
                return
            }
            #expect(end["data"] == .map(MapValue([("name", .string("Emil"))])) && step["type"] == .string("knows"))
        }
    }

    // MARK: Misuse

    private struct Misuse {
        let body: String
        let named: String
        init(_ body: String, _ named: String) {
            self.body = body
            self.named = named
        }
    }

    @Test func misuseIsRefusedByName() async throws {
        let cases = [
            Misuse("[]", "JSON object"), Misuse(#"{"order": "random"}"#, "breadth_first, depth_first"),
            Misuse(#"{"order": 1}"#, "\\\"order\\\" must be a string"), Misuse(#"{"uniqueness": "some"}"#, "node_global"),
            Misuse(#"{"uniqueness": {"name": "node_recent", "value": 0}}"#, "at least 1"),
            Misuse(#"{"max_depth": -1}"#, "max_depth"), Misuse(#"{"max_depth": 1.5}"#, "whole number"),
            Misuse(#"{"max_depth": "2"}"#, "must be a number"), Misuse(#"{"relationships": "knows"}"#, "list of objects"),
            Misuse(#"{"relationships": [{"direction": "in"}]}"#, "type"),
            Misuse(#"{"relationships": {"type": "knows", "direction": "up"}}"#, "all, in, out"),
            Misuse(#"{"return_filter": "all"}"#, "must be an object"), Misuse(#"{"return_filter": {"name": "all"}}"#, "language"),
            Misuse(#"{"return_filter": {"language": "groovy", "body": "1"}}"#, "builtin, javascript"),
            Misuse(#"{"return_filter": {"language": "builtin"}}"#, "all, all_but_start_node"),
            Misuse(#"{"return_filter": {"language": "builtin", "name": "most"}}"#, "all, all_but_start_node"),
            Misuse(#"{"prune_evaluator": {"language": "builtin", "name": "all"}}"#, "allowed are none"),
            Misuse(#"{"return_filter": {"language": "javascript"}}"#, "body"),
            Misuse(#"{"return_filter": {"language": "javascript", "body": "position.((("}}"#, "character"),
            Misuse(#"{"return_filter": {"language": "javascript", "body": "java.lang.System.exit(1)"}}"#, "Cypher"),
            Misuse(#"{"return_filter": {"language": "javascript", "body": "position.length()"}}"#, "true or false"),
            Misuse(
                #"{"return_filter": {"language": "javascript", "body": "position.endNode().getProperty('age') == 1"}}"#,
                "has no property"),
        ]
        try await withServer { client in
            try await Self.people(client)
            for misuse in cases {
                let reply = try await traverse(client, misuse.body)
                #expect(reply.status == 400 && reply.text.contains(misuse.named), "\(misuse.body): \(reply.text)")
                #expect(reply.text.contains("BadInputException"), "\(misuse.body): \(reply.text)")
            }
            let rules = Array(repeating: #"{"type": "t"}"#, count: 1001).joined(separator: ",")
            #expect(try await traverse(client, #"{"relationships": [\#(rules)]}"#).status == 400)
            #expect(try await traverse(client, "{}", "edges").status == 404)
            let missing = try await traverse(client, "{}", from: "800000")
            #expect(missing.status == 404 && missing.text.contains("NodeNotFoundException"))
            #expect(try await client.get(Self.data + "/node/1/traverse/node").status == 405)
        }
    }

    // MARK: Long ones

    /// All of 9 nodes joined with all others: endless, and more than any answer, without a uniqueness.
    private func clique(_ client: HTTPClient) async throws {
        let query = "CREATE (a {i: 0}) WITH a UNWIND range(1, 8) AS i CREATE (b {i: i})"
        let join = "MATCH (a), (b) WHERE a.i < b.i CREATE (a)-[:R]->(b)"
        for text in [query, join] {
            #expect(try await client.send("POST", Self.data + "/cypher", body: "{\"query\": \"CYPHER 9 \(text)\"}").status == 200)
        }
    }

    @Test func anEndlessTraversalEndsInTime() async throws {
        try await withServer { client in
            try await clique(client)
            let body = """
                {"uniqueness": "none", \(none),
                 "return_filter": {"language": "javascript", "body": "position.length() < 0"}}
                """
            let reply = try await traverse(client, body, "node", ["Max-Execution-Time: 100"])
            #expect(reply.status == 400 && reply.text.contains("GuardTimeoutException"), "\(reply.text)")
        }
    }

    @Test func aLongResultIsStreamed() async throws {
        try await withServer { client in
            try await clique(client)
            // 8 neighbours each: 8 + 64 + 512 + 4096 + 32768 paths.
            let body = #"{"uniqueness": "none", "order": "breadth_first", "max_depth": 5}"#
            for fields in [["X-Stream: true"], []] {
                let reply = try await traverse(client, body, "path", fields)
                #expect(reply.status == 200 && reply.isComplete)
                #expect(reply["Transfer-Encoding"] == "chunked")
                let lengths = reply.text.split(separator: "\"length\"").count - 1
                #expect(lengths == 8 + 64 + 512 + 4096 + 32768)
            }
        }
    }

    // MARK: In a batch

    @Test func traversalsAndPathsAreJobsOfABatch() async throws {
        try await withServer { client in
            try await Self.people(client)
            let jobs = """
                [{"method": "POST", "to": "/node", "body": {"name": "New"}, "id": 0},
                 {"method": "POST", "to": "/node/7/relationships", "body": {"to": "{0}", "type": "knows"}, "id": 1},
                 {"method": "POST", "to": "/node/7/traverse/node", "body": {"relationships": {"type": "knows"}}, "id": 2},
                 {"method": "POST", "to": "/node/6/path", "body": {"to": "{0}", "max_depth": 4}, "id": 3}]
                """
            let reply = try await client.send("POST", Self.data + "/batch", body: jobs)
            guard case .list(let results) = try JSONParser.parse(reply.body), results.elements.count == 4,
                case .map(let walked) = results.elements[2], case .list(let nodes)? = walked["body"],
                case .map(let found) = results.elements[3], case .map(let path)? = found["body"]
            else {
                Issue.record("\(reply.status) \(reply.text)")
                return
            }
            #expect(nodes.elements.count == 1 && path["length"] == .integer(2))
            let paged = #"[{"method": "POST", "to": "/node/1/paged/traverse/node", "body": {}}]"#
            #expect(try await client.send("POST", Self.data + "/batch", body: paged).status >= 400)
            // What only reads needs no transaction that writes.
            let reading = #"[{"method": "POST", "to": "/node/1/traverse/node", "body": {}}]"#
            #expect(try await client.send("POST", Self.data + "/batch", body: reading)["X-HA-Tx"] == nil)
        }
    }
}
