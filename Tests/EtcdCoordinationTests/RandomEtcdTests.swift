import Coordination
import EtcdCoordination
import FileSystem
import GraphModel
import TestSupport
import Testing

/// Members race for a key while answers get lost, come late or are damaged.
@Suite struct RandomEtcdTests {
    @Test(arguments: 1...40) func eachRevisionHasOneWriter(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var etcd = FakeEtcd()
        var benches = (0..<3).map { _ in Bench(["a:1", "b:1"]) }
        var revisions = [UInt64](repeating: 0, count: 3)
        /// By revision, who was told that it wrote it.
        var writers: [UInt64: Int] = [:]
        var late: [(member: Int, id: UInt64, answer: FakeEtcd.Answer)] = []
        for round in 0..<2000 {
            let member = Int.random(in: 0..<3, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0: benches[member].ask(.read)
            case 1...2:
                var register = ClusterRegister.sample(epoch: UInt64(round))
                register.master = MemberID(UInt32(member))
                benches[member].ask(.compareAndSet(expected: revisions[member], register))
            case 3: benches[member].wait(Milliseconds(UInt64.random(in: 1...700, using: &random)))
            case 4:
                if let index = late.indices.randomElement(using: &random) {
                    let (member, id, answer) = late.remove(at: index)
                    benches[member].step(.answered(id: id, status: answer.status, body: answer.bytes))
                }
            default:
                guard let request = benches[member].takeQuestion() else { continue }
                let answer = etcd.answer(request)
                switch Int.random(in: 0..<6, using: &random) {
                case 0: benches[member].step(.failed(id: request.id, reason: "lost"))
                case 1: late.append((member, request.id, answer))
                case 2:
                    var bytes = answer.bytes
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 32...126, using: &random)
                    // Damage that goes unnoticed is TCP's and TLS's business, so only what is no JSON any more.
                    bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
                    benches[member].step(.answered(id: request.id, status: 200, body: bytes))
                default: benches[member].step(.answered(id: request.id, status: answer.status, body: answer.bytes))
                }
            }
            if Int.random(in: 0..<4, using: &random) == 0, let watch = benches[member].watch, etcd.revision > 1 {
                let event = Array(etcd.event(EtcdWatchTests.key))
                benches[member].step(.watched(id: watch.id, status: 200, part: event))
            }
            for reply in benches[member].replies {
                switch reply.outcome {
                case .value(let register), .conflict(let register), .changed(let register):
                    try expectInHistory(register, etcd, seed)
                    #expect(register.revision >= revisions[member], "seed \(seed): member \(member) saw \(register) after revision \(revisions[member])")
                    revisions[member] = max(revisions[member], register.revision)
                case .written(let register):
                    try expectInHistory(register, etcd, seed)
                    #expect(register.master == MemberID(UInt32(member)), "seed \(seed)")
                    #expect(writers[register.revision] == nil, "seed \(seed): revision \(register.revision) was written twice")
                    writers[register.revision] = member
                    revisions[member] = max(revisions[member], register.revision)
                case .redirect: Issue.record("seed \(seed): nothing was wrong with the key")
                }
            }
            benches[member].replies = []
        }
        #expect(etcd.history.count > 20, "seed \(seed)")
        #expect(writers.count > 5, "seed \(seed)")
    }

    /// Revision n is the n-th value that was ever there.
    private func expectInHistory(_ register: ClusterRegister, _ etcd: FakeEtcd, _ seed: Int) throws {
        guard register.revision > 0 else { return }
        let bytes = try #require(etcd.history.indices.contains(Int(register.revision) - 1) ? etcd.history[Int(register.revision) - 1] : nil, "seed \(seed)")
        var reader = ByteReader(bytes)
        #expect(try ClusterRegister(&reader) == register, "seed \(seed)")
    }

    @Test(arguments: 1...20) func garbageNeverTraps(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var etcd = FakeEtcd()
        var options = EtcdRegister.Options()
        options.login = .init(user: "u", password: "p")
        etcd.login = ("u", "p")
        var bench = Bench(["a:1", "b:1"], options: options)
        for round in 0..<1000 {
            bench.ask(round.isMultiple(of: 3) ? .compareAndSet(expected: UInt64.random(in: 0...3, using: &random), .sample(epoch: 1)) : .read)
            if let request = bench.takeQuestion() {
                var bytes = etcd.answer(request).bytes
                for _ in 0..<Int.random(in: 0...3, using: &random) {
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                let status = [200, 200, 200, 400, 401, 500, 503].randomElement(using: &random) ?? 200
                bench.step(.answered(id: request.id, status: status, body: bytes))
            }
            if let watch = bench.watch {
                var bytes = etcd.event(EtcdWatchTests.key)
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                bench.step(.watched(id: watch.id, status: 200, part: bytes))
            }
            bench.wait(Milliseconds(UInt64.random(in: 0...600, using: &random)))
            #expect(bench.sent.count <= 2)
        }
    }
}
