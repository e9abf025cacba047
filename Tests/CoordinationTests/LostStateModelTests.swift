import Coordination
import GraphModel
import TestSupport
import Testing

/// Coordinators whose messages get lost, late, doubled and mixed up, which crash, and which lose their state files, as long
/// as a majority keeps its own. At most one leads a term, and what was committed is never replaced by something else.
@Suite struct LostStateModelTests {
    private final class World {
        var generator: SeededGenerator
        let names: [String]
        let breaksRule: Bool
        var now = Instant(nanoseconds: 1_000_000_000)
        var cores: [String: RaftCore] = [:]
        var disks: [String: RaftHardState] = [:]
        var messages: [(at: Instant, message: RaftMessage, from: String, to: String)] = []
        var leaders: [UInt64: String] = [:]
        var committed: [UInt64: ClusterRegister] = [:]
        var violation: String?
        var lossCount = 0
        private var requests: UInt64 = 0

        init(_ seed: UInt64, count: Int, breaksRule: Bool) {
            generator = SeededGenerator(seed: seed)
            names = (1...count).map { "c\($0)" }
            self.breaksRule = breaksRule
            for name in names where below(3) > 0 { start(name) }
        }

        func below(_ limit: UInt64) -> UInt64 { UInt64.random(in: 0..<limit, using: &generator) }

        func start(_ name: String) {
            let hard = disks[name] ?? (breaksRule ? RaftHardState() : RaftHardState(newcomer: generator.next()))
            disks[name] = hard
            cores[name] = RaftCore(address: name, coordinators: names, hardState: hard, seed: generator.next(), now: now)
        }

        func step(_ name: String, _ event: RaftCore.Event) {
            var actions: [RaftCore.Action] = []
            cores[name]?.step(event, now: now, into: &actions)
            for action in actions {
                switch action {
                case .persist(let hard): disks[name] = hard
                case .send(let message, let target):
                    // Now and then a message is very late: from a world that is gone.
                    for _ in 0..<[0, 1, 1, 1, 1, 1, 1, 2][Int(below(8))] {
                        messages.append((now + Milliseconds(below(20) == 0 ? below(1500) : 1 + below(15)), message, name, target))
                    }
                case .committed(let register):
                    if let known = committed[register.revision], known != register {
                        violation = "revision \(register.revision) was \(known) and is \(register)"
                    }
                    committed[register.revision] = register
                case .reply, .note: break
                }
            }
            guard let core = cores[name], core.isLeader else { return }
            if let other = leaders[core.term], other != name { violation = "\(other) and \(name) lead term \(core.term)" }
            leaders[core.term] = name
        }

        private func mayLose(_ name: String) -> Bool {
            names.count { $0 != name && disks[$0].map { $0.nonce == 0 } ?? false } > names.count / 2
        }

        func run() {
            for _ in 0..<2000 {
                now = now + 5
                for name in names { step(name, .tick) }
                let due = messages.filter { $0.at <= now }
                messages.removeAll { $0.at <= now }
                for (_, message, source, target) in due { step(target, .received(message, from: source)) }
                let name = names[Int(below(UInt64(names.count)))]
                switch below(60) {
                case 0: cores[name] = nil
                case 1, 2, 3: if cores[name] == nil { start(name) }
                case 4, 5:
                    guard mayLose(name) else { break }
                    lossCount += 1
                    disks[name] = nil
                    start(name)
                case 6...20:
                    guard let leader = names.first(where: { cores[$0]?.isLeader ?? false }), let core = cores[leader] else { break }
                    requests += 1
                    var register = core.newest
                    register.epoch = Epoch(requests)
                    step(leader, .request(.init(id: requests, operation: .compareAndSet(expected: core.newest.revision, register)), from: "m"))
                default: break
                }
                if violation != nil { return }
            }
        }
    }

    @Test(arguments: [3, 4, 5])
    func lostStatesLoseNoDecision(count: Int) {
        var decisions = 0, losses = 0
        for seed in 1...300 as ClosedRange<UInt64> {
            let world = World(seed, count: count, breaksRule: false)
            world.run()
            if let violation = world.violation { Issue.record("\(count) coordinators, seed \(seed): \(violation)") }
            decisions += world.committed.count
            losses += world.lossCount
        }
        #expect(decisions > 3000 && losses > 300, "\(decisions) decisions and \(losses) losses are too few to mean anything")
    }

    /// The same worlds notice coordinators that count without their state.
    @Test func countingWithoutAStateDoesHarm() {
        let harmed = (1...300 as ClosedRange<UInt64>).count { seed in
            let world = World(seed, count: 3, breaksRule: true)
            world.run()
            return world.violation != nil
        }
        #expect(harmed > 0)
    }
}
