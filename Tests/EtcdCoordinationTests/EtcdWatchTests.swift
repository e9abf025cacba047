import Coordination
import EtcdCoordination
import GraphModel
import Testing

@Suite struct EtcdWatchTests {
    static let key = "L21hcnRsZXQveC9yZWdpc3Rlcg=="
    static let created = Array("{\"result\":{\"header\":{\"revision\":\"3\"},\"created\":true}}\n".utf8)

    /// A register with a watch under way, beside another that writes.
    private func watching() throws -> (bench: Bench, watch: EtcdRegister.Request, etcd: FakeEtcd, other: Bench) {
        var etcd = FakeEtcd()
        var bench = Bench()
        var other = Bench()
        _ = bench.outcome(.read, &etcd)
        _ = other.outcome(.read, &etcd)
        let watch = try #require(bench.watch)
        #expect(watch.path == "/v3/watch")
        #expect(watch.body == "{\"create_request\":{\"key\":\"\(Self.key)\",\"start_revision\":\"2\"}}")
        bench.step(.watched(id: watch.id, status: 200, part: Self.created))
        return (bench, watch, etcd, other)
    }

    @Test func changeOfAnotherIsToldAtOnceHoweverItIsCut() throws {
        var (bench, watch, etcd, other) = try watching()
        for epoch in 1...20 as ClosedRange<UInt64> {
            _ = other.outcome(.compareAndSet(expected: epoch - 1, .sample(epoch: epoch)), &etcd)
            let bytes = etcd.event(Self.key)
            let cut = bytes.count * Int(epoch) / 21
            bench.replies = []
            bench.step(.watched(id: watch.id, status: 200, part: Array(bytes[..<cut])))
            #expect(bench.replies == [])
            bench.step(.watched(id: watch.id, status: 200, part: Array(bytes[cut...])))
            #expect(bench.replies == [RegisterReply(id: 0, outcome: .changed(.sample(epoch: epoch, revision: epoch)))])
            // Told twice it is no news.
            bench.step(.watched(id: watch.id, status: 200, part: bytes))
            #expect(bench.replies.count == 1)
        }
        #expect(bench.outcome(.compareAndSet(expected: 20, .sample(epoch: 21)), &etcd) == .written(.sample(epoch: 21, revision: 21)))
    }

    @Test func watchThatWasFasterThanAReadIsRight() throws {
        var (bench, watch, etcd, other) = try watching()
        bench.ask(.read)
        let questionTaken = bench.takeQuestion()
        let question = try #require(questionTaken)
        let old = etcd.answer(question)
        _ = other.outcome(.compareAndSet(expected: 0, .sample(epoch: 1)), &etcd)
        bench.step(.watched(id: watch.id, status: 200, part: etcd.event(Self.key)))
        bench.step(.answered(id: question.id, status: 200, body: old.bytes))
        #expect(bench.replies.last?.outcome == .value(.sample(epoch: 1, revision: 1)))
        #expect(bench.notes == [])
    }

    @Test(arguments: [
        "{\"result\":{\"header\":{\"revision\":\"4\"},\"canceled\":true,\"compact_revision\":\"4\"}}\n",
        "{\"error\":{\"grpc_code\":14,\"message\":\"transport is closing\"}}\n", "nonsense\n", "{}\n",
        "{\"result\":{\"header\":{},\"events\":[{\"kv\":{\"value\":\"*\"}}]}}\n",
    ])
    func watchThatEndsIsBegunAgainWhereTheNextReadIs(_ line: String) throws {
        var (bench, watch, etcd, other) = try watching()
        bench.step(.watched(id: watch.id, status: 200, part: Array(line.utf8)))
        #expect(bench.watch == nil && bench.cuts == [.watch])
        _ = other.outcome(.compareAndSet(expected: 0, .sample(epoch: 1)), &etcd)
        #expect(bench.outcome(.read, &etcd) == .value(.sample(epoch: 1, revision: 1)))
        #expect(bench.watch == nil, "not at once: it may fail for a reason that lasts")
        bench.wait(1000)
        #expect(bench.watch?.body.contains("\"start_revision\":\"3\"") ?? false)
        // What the old one still says is not heard.
        bench.replies = []
        bench.step(.watched(id: watch.id, status: 200, part: etcd.event(Self.key)))
        #expect(bench.replies == [])
        #expect(bench.notes == [])
    }

    @Test func watchThatIsBehindOrNeverBeginsIsBegunAgain() throws {
        var (bench, watch, etcd, other) = try watching()
        _ = other.outcome(.compareAndSet(expected: 0, .sample(epoch: 1)), &etcd)
        #expect(bench.outcome(.read, &etcd) == .value(.sample(epoch: 1, revision: 1)))
        bench.wait(1999)
        #expect(bench.watch?.id == watch.id)
        bench.wait(1)
        #expect(bench.watch == nil && bench.cuts == [.watch])
        bench.wait(1000)
        _ = bench.outcome(.read, &etcd)
        let second = try #require(bench.watch)
        // Nothing says that it watches.
        bench.wait(500)
        #expect(bench.watch == nil)
        bench.wait(1000)
        _ = bench.outcome(.read, &etcd)
        #expect(try #require(bench.watch).id != second.id)
    }

    @Test func endlessLineEndsTheWatch() throws {
        var (bench, watch, _, _) = try watching()
        let part = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
        for _ in 0..<5 { bench.step(.watched(id: watch.id, status: 200, part: part)) }
        #expect(bench.cuts == [.watch])
    }
}
