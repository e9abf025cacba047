import GraphModel
import JSON
import RESTServer
import Testing

/// 18.14: paths between two nodes.
@Suite struct PathTests {
    private static let data = "/db/data"

    /// 1-a->2 costs 1, 2-a->4 costs 1, 1-a->3 costs 1, 3-a->4 costs 2, 4-a->5 has no cost.
    private func graph(_ client: HTTPClient) async throws {
        for _ in 0..<6 { #expect(try await client.send("POST", Self.data + "/node").status == 201) }
        for (start, end, cost) in [(1, 2, 1), (2, 4, 1), (1, 3, 1), (3, 4, 2), (4, 5, nil)] as [(Int, Int, Int?)] {
            let properties = cost.map { #"{"cost": \#($0)}"# } ?? "{}"
            let body = #"{"to": "http://h/db/data/node/\#(end)", "type": "to", "data": \#(properties)}"#
            #expect(try await client.send("POST", Self.data + "/node/\(start)/relationships", body: body).status == 201)
        }
    }

    private func find(
        _ client: HTTPClient, _ what: String, _ end: String, _ more: String = "", from start: Int = 1
    ) async throws -> Reply {
        let body = #"{"to": "http://localhost:7474/db/data/node/\#(end)", "relationships": {"type": "to", "direction": "out"}\#(more)}"#
        return try await client.send("POST", "\(Self.data)/node/\(start)/\(what)", body: body)
    }

    private func count(_ reply: Reply) throws -> Int {
        guard case .list(let list) = try JSONParser.parse(reply.body) else { return -1 }
        return list.elements.count
    }

    @Test func shortestAndAllPaths() async throws {
        try await withServer { client in
            try await graph(client)
            #expect(try await count(find(client, "paths", "4", #", "max_depth": 3"#)) == 2)
            // Not deeper than 1 when nothing is said.
            #expect(try await count(find(client, "paths", "4")) == 0)
            let one = try await find(client, "path", "2")
            let base = "http://localhost:7474/db/data"
            #expect(
                one.text == """
                    {
                      "start" : "\(base)/node/1",
                      "nodes" : [ "\(base)/node/1", "\(base)/node/2" ],
                      "length" : 1,
                      "relationships" : [ "\(base)/relationship/0" ],
                      "end" : "\(base)/node/2"
                    }
                    """)
            for algorithm in ["allPaths", "allSimplePaths"] {
                let all = try await find(client, "paths", "5", #", "max_depth": 9, "algorithm": "\#(algorithm)""#)
                #expect(try count(all) == 2)
            }
            let itself = try await find(client, "path", "1")
            #expect(itself.status == 200 && itself.text.contains("\"length\" : 0"))
        }
    }

    @Test func cheapestPaths() async throws {
        try await withServer { client in
            try await graph(client)
            let dijkstra = #", "algorithm": "dijkstra", "cost_property": "cost""#
            let one = try await find(client, "path", "4", dijkstra)
            #expect(one.text.hasPrefix("{\n  \"weight\" : 2.0,\n  \"start\""), "\(one.text)")
            #expect(try await count(find(client, "paths", "4", dijkstra)) == 1)
            let missing = try await find(client, "path", "5", dijkstra)
            #expect(missing.status == 400 && missing.text.contains("no property \\\"cost\\\""))
            let filled = try await find(client, "path", "5", dijkstra + #", "default_cost": 0.5"#)
            #expect(filled.text.contains("\"weight\" : 2.5"))
            let counted = try await find(client, "paths", "5", #", "algorithm": "dijkstra", "default_cost": 2"#)
            #expect(try count(counted) == 2 && counted.text.contains("\"weight\" : 6.0"))
        }
    }

    @Test func misuseIsRefusedByName() async throws {
        try await withServer { client in
            try await graph(client)
            for (more, named) in [
                (#", "algorithm": "guess""#, "shortestPath, allSimplePaths, allPaths, dijkstra"),
                (#", "max_depth": -2"#, "max_depth"), (#", "algorithm": "dijkstra""#, "cost_property"),
                (#", "algorithm": "dijkstra", "default_cost": -1"#, "default_cost"),
                (#", "algorithm": "dijkstra", "cost_property": 5"#, "must be a string"),
            ] {
                let reply = try await find(client, "path", "4", more)
                #expect(reply.status == 400 && reply.text.contains(named), "\(more): \(reply.text)")
                #expect(reply.text.contains("BadInputException"), "\(more): \(reply.text)")
            }
            #expect(try await client.send("POST", Self.data + "/node/1/path", body: "{}").text.contains("\\\"to\\\" must be"))
            #expect(try await find(client, "path", "x").status == 400)
            for (start, end) in [(1, "999"), (999, "1")] {
                let reply = try await find(client, "paths", end, from: start)
                #expect(reply.status == 404 && reply.text.contains("[999]"))
            }
            let none = try await find(client, "path", "6", #", "max_depth": 9"#)
            #expect(none.status == 404 && none.text.contains("no path from node 1 to node 6"))
        }
    }
}
