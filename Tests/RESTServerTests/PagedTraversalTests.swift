import FileSystem
import GraphModel
import JSON
import RESTServer
import Storage
import Synchronization
import Testing
import Traversal

/// 18.13.5 to 18.13.8: traversals page by page.
@Suite struct PagedTraversalTests {
    private static let data = "/db/data"

    /// A chain of nodes from 1 on.
    private func chain(_ client: HTTPClient, _ count: Int) async throws {
        let query = "UNWIND range(1, \(count)) AS i CREATE ({i: i})"
        let join = "MATCH (a), (b) WHERE a.i + 1 = b.i CREATE (a)-[:NEXT]->(b)"
        for text in [query, join] {
            #expect(try await client.send("POST", Self.data + "/cypher", body: "{\"query\": \"CYPHER 9 \(text)\"}").status == 200)
        }
    }

    private let body = """
        {"prune_evaluator": {"language": "builtin", "name": "none"}, "return_filter": {"language": "builtin", "name": "all"},
         "relationships": {"type": "NEXT", "direction": "out"}}
        """

    private func begin(_ client: HTTPClient, _ query: String, _ returnType: String = "node") async throws -> Reply {
        try await client.send("POST", "\(Self.data)/node/1/paged/traverse/\(returnType)\(query)", body: body)
    }

    private func count(_ reply: Reply) throws -> Int {
        guard case .list(let list) = try JSONParser.parse(reply.body) else { return -1 }
        return list.elements.count
    }

    /// Where the next page is, below the server.
    private func place(_ reply: Reply) -> String {
        let location = reply["Location"] ?? ""
        return location.hasPrefix("http://localhost:7474") ? String(location.dropFirst("http://localhost:7474".count)) : ""
    }

    @Test func pageAfterPageToTheEnd() async throws {
        try await withServer { client in
            try await chain(client, 120)
            let first = try await begin(client, "")
            #expect(first.status == 201)
            let token = place(first).split(separator: "/").last ?? ""
            #expect(token.count == 32 && token.allSatisfy(\.isHexDigit))
            #expect(try count(first) == 50)
            // Looking does not turn the page.
            #expect(try await client.send("HEAD", place(first)).status == 200)
            #expect(try await count(client.get(place(first))) == 50)
            #expect(try await count(client.get(place(first))) == 20)
            for method in ["GET", "HEAD"] { #expect(try await client.send(method, place(first)).status == 404) }
        }
    }

    @Test func aLastPageThatIsFull() async throws {
        try await withServer { client in
            try await chain(client, 4)
            let first = try await begin(client, "?pageSize=2&leaseTime=20", "path")
            #expect(try count(first) == 2)
            #expect(try await count(client.get(place(first))) == 2)
            #expect(try await client.get(place(first)).status == 404)
            // Another return type or start node in the URI.
            let second = try await begin(client, "?pageSize=1")
            #expect(try await client.get(place(second).replacing("/node/1/", with: "/node/2/")).status == 404)
            #expect(try await client.get(place(second).replacing("traverse/node", with: "traverse/fullpath")).status == 200)
            #expect(try await client.get(Self.data + "/node/1/paged/traverse/node/abc").status == 404)
        }
    }

    @Test func misuseIsRefusedByName() async throws {
        try await withServer { client in
            try await chain(client, 2)
            for query in ["?pageSize=0", "?pageSize=x", "?pageSize=10001", "?leaseTime=0", "?leaseTime=3601", "?leaseTime="] {
                let reply = try await begin(client, query)
                #expect(reply.status == 400 && reply.text.contains("whole number"), "\(query): \(reply.text)")
            }
            let missing = try await client.send("POST", Self.data + "/node/999/paged/traverse/node", body: body)
            #expect(missing.status == 404)
            let broken = try await client.send(
                "POST", Self.data + "/node/1/paged/traverse/node",
                body: #"{"return_filter": {"language": "javascript", "body": "position.endNode().getProperty('x') == 1"}}"#)
            #expect(broken.status == 400)
        }
    }

    /// A page is read from the graph as it is then, and no snapshot is held between pages.
    @Test func theGraphMayChangeBetweenPages() async throws {
        try await withServer { client in
            try await chain(client, 6)
            let first = try await begin(client, "?pageSize=2")
            let cut = #"{"query": "CYPHER 9 MATCH ()-[r]->(n) WHERE n.i IN [5, 6] DELETE r"}"#
            #expect(try await client.send("POST", Self.data + "/cypher", body: cut).status == 200)
            let join = #"{"query": "CYPHER 9 MATCH (a {i: 4}), (b {i: 6}) CREATE (a)-[:NEXT]->(b)"}"#
            #expect(try await client.send("POST", Self.data + "/cypher", body: join).status == 200)
            #expect(try await count(client.get(place(first))) == 2)
            let last = try await client.get(place(first))
            #expect(try count(last) == 1 && last.text.contains("\"i\" : 6"))
        }
    }

    @Test func theirNumberIsBounded() async throws {
        var options = RESTService.Options()
        options.pagedTraversals.countMaximum = 2
        try await withServer(options) { client in
            try await chain(client, 4)
            let first = try await begin(client, "?pageSize=1")
            #expect(try await begin(client, "?pageSize=1").status == 201)
            let refused = try await begin(client, "?pageSize=1")
            #expect(refused.status == 503 && refused["Retry-After"] != nil && refused.text.contains("2 paged traversals"))
            for _ in 0..<3 { #expect(try await client.get(place(first)).status == 200) }
            #expect(try await client.get(place(first)).status == 404)
            // The one that has ended makes room; so does one that fits one page, and one that fails.
            #expect(try await begin(client, "?pageSize=9").status == 201)
            #expect(try await begin(client, "?pageSize=1").status == 201)
        }
    }

    @Test func theirMemoryIsBounded() async throws {
        var options = RESTService.Options()
        options.pagedTraversals.totalByteCountMaximum = 100
        try await withServer(options) { client in
            try await chain(client, 9)
            let refused = try await begin(client, "?pageSize=3")
            #expect(refused.status == 503 && refused.text.contains("hold 100 bytes"))
            // What ends with its first page holds nothing.
            #expect(try await begin(client, "?pageSize=20").status == 201)
        }
        options.pagedTraversals = PagedTraversalLimits()
        options.pagedTraversals.pageByteCount = 1
        try await withServer(options) { client in
            try await chain(client, 3)
            // A page that has become long enough ends, whatever its size may be.
            #expect(try await count(begin(client, "")) == 1)
        }
    }
}

/// The table of what waits, with a clock that tests turn.
@Suite struct PagedTraversalTableTests {
    private final class Clock: Sendable {
        let nanoseconds = Atomic<UInt64>(1)
        func turn(_ time: Milliseconds) { nanoseconds.add(time.rawValue * 1_000_000, ordering: .relaxed) }
    }

    private func table(_ clock: Clock) -> PagedTraversals {
        PagedTraversals(PagedTraversalLimits()) { clock.nanoseconds.load(ordering: .relaxed) }
    }

    private func state() throws -> TraversalState {
        TraversalState(
            TraversalDescription(), from: [NodeID(0)], in: try storeInMemory().beginRead(), control: TraversalControl())
    }

    @Test func aLeaseRunsOutAndIsRenewed() throws {
        let clock = Clock()
        let table = table(clock)
        let token = try table.begin(start: NodeID(1), pageSize: 5, lease: 1000)
        try table.giveBack(try state(), token)
        clock.turn(999)
        #expect(try table.take(token, start: NodeID(1)) == 5)
        try table.giveBack(try state(), token)
        clock.turn(999)
        #expect(table.isOpen(token, start: NodeID(1)))
        #expect(table.expire(token) == 2)
        clock.turn(1)
        #expect(!table.isOpen(token, start: NodeID(1)))
        #expect(throws: GraphError.self) { try table.take(token, start: NodeID(1)) }
        #expect(table.open.count == 1 && table.open.byteCount > 0)
        #expect(table.expire(token) == nil)
        #expect(table.open.count == 0 && table.open.byteCount == 0)
    }

    @Test func onePageAtATime() throws {
        let clock = Clock()
        let table = table(clock)
        let token = try table.begin(start: NodeID(1), pageSize: 5, lease: 1000)
        try table.giveBack(try state(), token)
        #expect(throws: GraphError.self) { try table.take(token, start: NodeID(2)) }
        _ = try table.take(token, start: NodeID(1))
        // As long as a page is read the lease does not end, and nobody else reads one.
        clock.turn(100_000)
        #expect(table.expire(token) == 1000)
        do throws(GraphError) {
            _ = try table.take(token, start: NodeID(1))
            Issue.record("taken twice")
        } catch { #expect(error.code == .conflict) }
        try table.giveBack(try state(), token)
        #expect(table.isOpen(token, start: NodeID(1)))
        table.end(token)
        #expect(table.open.count == 0 && table.open.byteCount == 0)
    }
}
