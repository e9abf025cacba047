import Database
import FileSystem
import GraphModel
import NIOCore
import RESTServer
import Storage
import Synchronization
import Testing

/// Results on their way to a client, and what rows hold.
@Suite struct ResultTests {
    private func pipe(_ start: Int, _ queued: Int, stall: Milliseconds = 600_000) -> ResultPipe {
        var limits = ResultPipe.Limits(startByteCount: start, queuedByteCountMaximum: queued)
        limits.stall = stall
        return ResultPipe(limits) { $0() }
    }

    private func encoder(_ pipe: ResultPipe) -> RowEncoder {
        RowEncoder(.compact, base: BaseURI("http://h"), pipe: pipe)
    }

    /// Sends pieces of 100 bytes on a thread of their own; the box gets the error, and how many were taken.
    private func sender(_ pipe: ResultPipe, count: Int, _ outcome: GraphError? = nil) -> Sent {
        let sent = Sent()
        let encoder = encoder(pipe)
        _ = DedicatedThread(name: "test-query") {
            do throws(GraphError) {
                for index in 0..<count {
                    try pipe.send([UInt8](repeating: UInt8(index % 256), count: 100))
                    sent.count.add(1, ordering: .relaxed)
                }
                pipe.finish(outcome.map { .failure($0) } ?? .success(ResultPipe.Ending(kept: encoder.kept)))
            } catch {
                sent.error.withLock { $0 = error }
                pipe.finish(.failure(error))
            }
        }
        return sent
    }

    private final class Sent: Sendable {
        let count = Atomic<Int>(0)
        let error = Mutex<GraphError?>(nil)
    }

    @Test func everythingArrivesInOrderHoweverSlowly() async throws {
        let pipe = pipe(1000, 2000)
        let sent = sender(pipe, count: 500)
        guard case .started = await pipe.start() else {
            Issue.record("not started")
            return
        }
        var bytes: [UInt8] = []
        while let chunks = try await pipe.next() {
            for chunk in chunks { bytes += chunk.readableBytesView }
            // Never more ahead than the queue holds and one piece.
            #expect(sent.count.load(ordering: .relaxed) * 100 <= bytes.count + 2000 + 100)
        }
        #expect(bytes.count == 50_000)
        #expect((0..<500).allSatisfy { bytes[$0 * 100] == UInt8($0 % 256) })
    }

    @Test func aShortResultIsNotStarted() async {
        let pipe = pipe(1000, 2000)
        _ = sender(pipe, count: 9)
        guard case .ended(.success, let chunks) = await pipe.start() else {
            Issue.record("not ended")
            return
        }
        #expect(chunks.reduce(0) { $0 + $1.readableBytes } == 900)
    }

    @Test func anErrorAmongTheFirstRowsIsAnAnswerOfItsOwn() async {
        let pipe = pipe(1000, 2000)
        _ = sender(pipe, count: 5, GraphError(.propertyNotFound, "x"))
        guard case .ended(.failure(let error), _) = await pipe.start() else {
            Issue.record("not ended")
            return
        }
        #expect(error.code == .propertyNotFound)
    }

    @Test func aLateErrorEndsTheStream() async {
        let pipe = pipe(1000, 2000)
        _ = sender(pipe, count: 50, GraphError(.propertyNotFound, "x"))
        guard case .started = await pipe.start() else {
            Issue.record("not started")
            return
        }
        await #expect(throws: GraphError.self) { while try await pipe.next() != nil {} }
    }

    @Test func nobodyWaitsForeverForAClient() async {
        let left = pipe(1000, 2000)
        let sent = sender(left, count: 500)
        _ = await left.start()
        left.abandon()
        await #expect(throws: GraphError.self) { while try await left.next() != nil {} }
        #expect(sent.error.withLock { $0?.message } == "the client closed the connection before it had the whole result")

        let stalled = pipe(1000, 2000, stall: 30)
        let late = sender(stalled, count: 500)
        while late.error.withLock({ $0 }) == nil { await Task.yield() }
        #expect(late.error.withLock { $0?.message } == "the client took nothing of the result for 30ms")
    }

    @Test func aBlockedQueryHasAStandIn() async throws {
        var options = Database.Options()
        options.queryThreadCount = 1
        let database = Database(try SingleDatabase(try storeInMemory()), options: options)
        let gate = Monitor(false)
        async let blocked = database.read { _ throws(GraphError) -> Bool in
            var wasOpened = false
            database.whileBlocked {
                wasOpened = gate.wait(untilNanoseconds: monotonicNanoseconds() + 120_000_000_000) { $0 ? true : nil } ?? false
            }
            return wasOpened
        }
        // The only thread waits, and still these run; the last one lets it go on.
        for _ in 0..<20 { _ = try await database.read { _ throws(GraphError) in 1 } }
        _ = try await database.read { _ throws(GraphError) in
            gate.withLock { $0 = true }
            gate.signal()
        }
        #expect(try await blocked)
        await database.close()
    }

    @Test func pathsAndValuesWithinRows() throws {
        let store = try storeInMemory()
        let committer = try LocalCommitter(store)
        let transaction = committer.begin()
        let node = try transaction.createNode(properties: [("name", .string("you"))])
        let relationship = try transaction.createRelationship(type: "know", from: NodeID(0), to: node)
        func text(_ value: Value) -> String {
            var writer = RepresentationWriter(.manual, base: BaseURI("http://localhost:7474"), transaction: transaction)
            writer.value(value)
            return String(decoding: writer.json.bytes, as: UTF8.self)
        }
        // 18.3.3
        #expect(
            text(.list([.path(Path(nodes: [NodeID(0), node], relationships: [relationship])), .string("you")])) == """
                [ {
                  "start" : "http://localhost:7474/db/data/node/0",
                  "nodes" : [ "http://localhost:7474/db/data/node/0", "http://localhost:7474/db/data/node/1" ],
                  "length" : 1,
                  "relationships" : [ "http://localhost:7474/db/data/relationship/0" ],
                  "end" : "http://localhost:7474/db/data/node/1"
                }, "you" ]
                """)
        #expect(text(.map(MapValue([("a\"", .list([.null, .boolean(true), .float(.nan)]))]))) == "{\n  \"a\\\"\" : [ null, true, \"NaN\" ]\n}")
        #expect(text(.bytes(BytesValue([1, 255]))) == "[ 1, -1 ]")
        #expect(text(.temporal(try #require(TemporalValue(.date(days: 0))))) == "\"1970-01-01\"")
        #expect(
            text(.point(try #require(PointValue(.wgs84, [12.5, -7])))) == """
                {
                  "type" : "Point",
                  "coordinates" : [ 12.5, -7.0 ],
                  "crs" : {
                    "srid" : 4326,
                    "name" : "wgs-84"
                  }
                }
                """)
        #expect(text(.node(node)).hasPrefix("{\n  \"outgoing_relationships\" : \"http://localhost:7474/db/data/node/1/relationships/out\",\n  \"data\" : {\n    \"name\" : \"you\"\n  },"))
        #expect(text(.relationship(relationship)).contains("\"type\" : \"know\""))
        // Deleted by the query that returns it.
        try transaction.deleteRelationship(relationship)
        #expect(text(.relationship(relationship)) == "{\n  \"self\" : \"http://localhost:7474/db/data/relationship/0\"\n}")
        store.close()
    }
}
