import Coordination
import GraphModel
import TestSupport
import Testing

/// Coordinators without a state file: new groups, and files that were lost.
@Suite struct NewcomerTests {
    typealias Table = RaftCoreTests.Table

    private func founded(_ count: Int = 3) throws -> (Table, leader: String, others: [String]) {
        let table = Table(count)
        table.run(milliseconds: 1000)
        let leader = try #require(table.leaders.first)
        guard case .written? = table.compareAndSet(0, epoch: 1, at: leader) else {
            throw GraphError(.general, "nothing was written")
        }
        table.run(milliseconds: 200)
        return (table, leader, table.names.filter { $0 != leader })
    }

    private func lose(_ name: String, of table: Table) {
        table.disks[name] = nil
        table.start(name)
    }

    @Test(arguments: [1, 2, 3, 5])
    func aNewGroupBeginsAsSoonAsAllAreThere(count: Int) {
        let table = Table(count)
        table.run(milliseconds: 150)
        #expect(table.leaders == ["c1"])
    }

    @Test func aNewGroupWaitsForTheLastOfThem() {
        let table = Table(3)
        table.run(milliseconds: 5000, down: ["c2"])
        #expect(table.leaders.isEmpty)
        table.start("c2")
        table.run(milliseconds: 150)
        #expect(table.leaders.count == 1)
    }

    /// One has begun to count, and the others end before they hear of it.
    @Test func aGroupBeginsThoughItsOthersStartAgainMeanwhile() throws {
        let table = Table(3)
        // Delivers until one counts, and then no more.
        for name in table.names { table.step(name, .tick) }
        while table.names.allSatisfy({ table.cores[$0]?.isNewcomer ?? false }) {
            let (message, source, target) = table.messages.removeFirst()
            table.step(target, .received(message, from: source))
        }
        table.messages = []
        let first = try #require(table.names.first { !(table.cores[$0]?.isNewcomer ?? true) })
        for name in table.names where name != first { table.start(name) }
        table.run(milliseconds: 3000)
        #expect(table.leaders.count == 1)
        #expect(table.names.allSatisfy { !(table.cores[$0]?.isNewcomer ?? true) })
    }

    @Test func aCoordinatorThatLostItsStateCountsAgainUnderALaterElection() throws {
        let (table, leader, others) = try founded()
        let term = try #require(table.cores[leader]?.term)
        lose(others[0], of: table)
        #expect(table.cores[others[0]]?.isNewcomer == true)
        table.run(milliseconds: 500)
        #expect(table.leaders == [leader])
        #expect(table.cores[others[0]]?.isNewcomer == false)
        #expect(table.cores[leader]?.term ?? 0 > term)
        #expect(table.cores[others[0]]?.committed == table.cores[leader]?.committed)
        // It counts: with the third down, a change is written.
        guard case .written? = table.compareAndSet(1, epoch: 2, at: leader, down: [others[1]]) else { return #expect(Bool(false)) }
    }

    @Test func theLeaderItselfMayLoseItsState() throws {
        let (table, leader, _) = try founded()
        lose(leader, of: table)
        table.run(milliseconds: 3000)
        let next = try #require(table.leaders.first)
        #expect(next != leader)
        #expect(table.cores[leader]?.isNewcomer == false)
        #expect(table.cores[leader]?.committed.epoch == Epoch(1))
    }

    @Test func nothingIsWrittenWithOneThatLostItsState() throws {
        let (table, leader, others) = try founded()
        lose(others[0], of: table)
        #expect(table.compareAndSet(1, epoch: 2, at: leader, down: [others[1]]) == nil)
        table.run(milliseconds: 5000, down: [others[1]])
        #expect(table.cores[others[0]]?.isNewcomer == true)
        #expect(table.leaders.isEmpty)
    }

    @Test func aMajorityThatLostItsStateBeginsNothing() throws {
        let (table, leader, others) = try founded()
        for name in others { lose(name, of: table) }
        table.run(milliseconds: 10_000)
        #expect(table.leaders.isEmpty)
        // Without any file left they begin anew, at once.
        lose(leader, of: table)
        table.run(milliseconds: 200)
        #expect(table.leaders.count == 1)
    }

    @Test func aNewcomerGivesNoVotes() {
        let table = Table(3)
        for message in [.preVote(term: 9, lastTerm: 8, lastIndex: 8), .vote(term: 9, lastTerm: 8, lastIndex: 8)] as [RaftMessage] {
            table.step("c1", .received(message, from: "c2"))
        }
        #expect(table.messages.isEmpty)
    }

    @Test func onlyTheNonceOfThisLifeMakesItCount() throws {
        let table = Table(3)
        let nonce = try #require(table.disks["c1"]?.nonce)
        let entry = RaftEntry(index: 4, term: 3, register: ClusterRegister())
        func append(_ nonce: UInt64, committed: UInt64 = 4, _ entry: RaftEntry?) -> RaftCore.Event {
            .received(.append(term: 3, entry: entry, commitIndex: committed, heartbeat: 1, nonce: nonce), from: "c2")
        }
        table.step("c1", append(0, entry))
        table.step("c1", append(nonce + 1, entry))
        table.step("c1", append(nonce, committed: 3, entry))
        table.step("c1", append(nonce, nil))
        table.step("c1", append(nonce, RaftEntry(index: 4, term: 2, register: ClusterRegister())))
        table.step("c1", .received(.founded(nonces: ["c1": nonce + 1, "c2": 1, "c3": 1]), from: "c2"))
        #expect(table.cores["c1"]?.isNewcomer == true)
        #expect(table.messages.isEmpty)
        table.step("c1", append(nonce, entry))
        #expect(table.cores["c1"]?.isNewcomer == false)
        #expect(table.disks["c1"]?.nonce == 0)
        #expect(table.disks["c1"]?.votedFor == "c2")
        guard case .appendReply(3, 4, 1)? = table.messages.first?.message else { return #expect(Bool(false)) }
    }

    /// What was said before the youngest of them began says nothing: another may have held a register meanwhile.
    @Test func oldWordsFoundNoGroup() {
        let table = Table(3)
        for name in table.names { table.step(name, .tick) }
        // c1 hears what both know, before one of them loses its disk.
        while !table.messages.isEmpty {
            let (message, source, target) = table.messages.removeFirst()
            if case .newcomer = message, target == "c1" || source == "c1" { table.step(target, .received(message, from: source)) }
        }
        lose("c3", of: table)
        table.run(milliseconds: 1000, down: ["c2"])
        #expect(table.cores["c1"]?.isNewcomer == true)
        #expect(table.leaders.isEmpty)
    }
}
