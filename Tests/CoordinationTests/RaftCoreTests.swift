import Coordination
import GraphModel
import TestSupport
import Testing

/// Coordinators on a table: messages are handed around by the test, in an order it chooses.
@Suite struct RaftCoreTests {
    final class Table {
        var cores: [String: RaftCore] = [:]
        var disks: [String: RaftHardState] = [:]
        var messages: [(message: RaftMessage, from: String, to: String)] = []
        var replies: [RegisterReply] = []
        /// Also the nonces.
        private var starts: UInt64 = 0
        var now = Instant(nanoseconds: 1_000_000_000)
        let names: [String]

        init(_ count: Int) {
            names = (1...count).map { "c\($0)" }
            for name in names { start(name) }
        }

        func start(_ name: String) {
            starts += 1
            let hard = disks[name] ?? RaftHardState(newcomer: starts)
            disks[name] = hard
            cores[name] = RaftCore(
                address: name, coordinators: names, hardState: hard,
                seed: UInt64(name.utf8.reduce(0) { $0 &* 31 &+ Int($1) }), now: now)
        }

        func step(_ name: String, _ event: RaftCore.Event) {
            var actions: [RaftCore.Action] = []
            cores[name]?.step(event, now: now, into: &actions)
            for action in actions {
                switch action {
                case .persist(let hard): disks[name] = hard
                case .send(let message, let target): messages.append((message, name, target))
                case .reply(let reply, _): replies.append(reply)
                case .committed, .note: break
                }
            }
        }

        /// Lets time pass; delivers what both ends may say to one another.
        func run(milliseconds: UInt64, cut: Set<String> = [], down: Set<String> = []) {
            for _ in 0..<milliseconds / 10 {
                now = now + 10
                for name in names where !down.contains(name) { step(name, .tick) }
                while !messages.isEmpty {
                    let (message, source, target) = messages.removeFirst()
                    if cut.contains(source) != cut.contains(target) || down.contains(target) { continue }
                    step(target, .received(message, from: source))
                }
            }
        }

        var leaders: [String] { names.filter { cores[$0]?.isLeader ?? false } }

        /// Asks for a change and returns the answer.
        func compareAndSet(_ expected: UInt64, epoch: UInt64, at name: String, cut: Set<String> = [], down: Set<String> = []) -> RegisterReply.Outcome? {
            var register = ClusterRegister()
            register.epoch = Epoch(epoch)
            replies = []
            step(name, .request(RegisterRequest(id: 1, operation: .compareAndSet(expected: expected, register)), from: "m"))
            run(milliseconds: 100, cut: cut, down: down)
            return replies.last?.outcome
        }
    }

    @Test(arguments: [1, 2, 3, 5])
    func oneLeaderIsElectedAndStays(count: Int) {
        let table = Table(count)
        table.run(milliseconds: 3000)
        #expect(table.leaders.count == 1)
        let leader = table.leaders.first
        table.run(milliseconds: 10_000)
        #expect(table.leaders.first == leader)
    }

    @Test func compareAndSetTakesOnlyTheExpectedRevision() throws {
        let table = Table(3)
        table.run(milliseconds: 3000)
        let leader = try #require(table.leaders.first)
        guard case .written(let first)? = table.compareAndSet(0, epoch: 5, at: leader) else { return #expect(Bool(false)) }
        #expect(first.revision == 1 && first.epoch == Epoch(5))
        guard case .conflict(let now)? = table.compareAndSet(0, epoch: 6, at: leader) else { return #expect(Bool(false)) }
        #expect(now == first)
        guard case .written(let second)? = table.compareAndSet(1, epoch: 7, at: leader) else { return #expect(Bool(false)) }
        #expect(second.revision == 2)
    }

    @Test func aLeaderCutOffStepsDownAndWhatItAloneWroteIsGone() throws {
        let table = Table(3)
        table.run(milliseconds: 3000)
        let old = try #require(table.leaders.first)
        _ = table.compareAndSet(0, epoch: 1, at: old)
        #expect(table.compareAndSet(1, epoch: 66, at: old, cut: [old]) == nil)
        table.run(milliseconds: 3000, cut: [old])
        #expect(!(table.cores[old]?.isLeader ?? true))
        let new = try #require(table.leaders.first)
        guard case .written(let register)? = table.compareAndSet(1, epoch: 2, at: new, cut: [old]) else {
            return #expect(Bool(false))
        }
        table.run(milliseconds: 2000)
        for name in table.names { #expect(table.cores[name]?.committed == register, "\(name)") }
    }

    @Test func whatWasCommittedSurvivesARestartOfAll() throws {
        let table = Table(3)
        table.run(milliseconds: 3000)
        guard case .written(let register)? = table.compareAndSet(0, epoch: 9, at: try #require(table.leaders.first)) else {
            return #expect(Bool(false))
        }
        for name in table.names { table.start(name) }
        table.messages = []
        table.run(milliseconds: 3000)
        let leader = try #require(table.leaders.first)
        #expect(table.cores[leader]?.committed == register)
    }

    @Test func aReturningCoordinatorDoesNotDeposeTheLeader() throws {
        let table = Table(3)
        table.run(milliseconds: 3000)
        let leader = try #require(table.leaders.first)
        let other = try #require(table.names.first { $0 != leader })
        table.run(milliseconds: 5000, cut: [other])
        let term = table.cores[leader]?.term
        table.run(milliseconds: 2000)
        #expect(table.leaders == [leader])
        #expect(table.cores[leader]?.term == term)
    }

    /// Three coordinators, a change that two of them hold; one of the two loses its disk, the other is down. The third,
    /// which missed the change, must not become leader by the vote of the one that lost it.
    @Test func aCoordinatorThatLostItsDiskElectsNobodyWhoIsBehind() throws {
        let table = Table(3)
        table.run(milliseconds: 3000)
        let leader = try #require(table.leaders.first)
        guard case .written? = table.compareAndSet(0, epoch: 1, at: leader) else { return #expect(Bool(false)) }
        table.run(milliseconds: 500)
        let others = table.names.filter { $0 != leader }
        // The last change reaches the leader and one other.
        guard case .written? = table.compareAndSet(1, epoch: 2, at: leader, cut: [others[1]]) else { return #expect(Bool(false)) }
        table.disks[others[0]] = nil
        table.start(others[0])
        table.messages = []
        table.run(milliseconds: 10_000, down: [leader])
        #expect(table.leaders.filter { $0 != leader }.isEmpty)
        // With the one that has it all back, the change is still there.
        table.start(leader)
        table.run(milliseconds: 5000)
        let next = try #require(table.leaders.first)
        #expect(table.cores[next]?.committed.epoch == Epoch(2))
    }

    @Test func withoutAMajorityNothingIsWrittenOrRead() throws {
        let table = Table(3)
        table.run(milliseconds: 3000)
        let leader = try #require(table.leaders.first)
        let others = Set(table.names.filter { $0 != leader })
        table.replies = []
        table.step(leader, .request(RegisterRequest(id: 9, operation: .read), from: "m"))
        table.messages = []
        table.run(milliseconds: 3000, down: others)
        for case .value in table.replies.map(\.outcome) { #expect(Bool(false), "a read was answered without a majority") }
        #expect(table.leaders.isEmpty)
    }
}
