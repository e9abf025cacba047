import GraphModel
import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct LockTableTests {
    private let a = LockTable.Key(NodeID(1))
    private let b = LockTable.Key(NodeID(2))
    private func session(_ number: UInt64) -> LockSessionID { LockSessionID(number) }

    @Test func sharersShareAndAttachersShareButNotWithEachOther() {
        for (mode, other) in [(LockMode.shared, LockMode.attaching), (.attaching, .shared)] {
            var table = LockTable()
            #expect(table.acquire(a, mode, for: session(1)) == .granted)
            #expect(table.acquire(a, mode, for: session(2)) == .granted)
            #expect(table.acquire(a, other, for: session(3)) == .waits)
            #expect(table.acquire(a, .exclusive, for: session(4)) == .waits)
            #expect(table.release(session(1)) == [])
            #expect(table.release(session(2)) == [session(3)])
            #expect(table.release(session(3)) == [session(4)])
            #expect(table.release(session(4)) == [])
            #expect(table.lockedCount == 0)
        }
    }

    @Test func nodesAndRelationshipsOfOneNumberAreDifferentThings() {
        var table = LockTable()
        #expect(table.acquire(LockTable.Key(NodeID(7)), .exclusive, for: session(1)) == .granted)
        #expect(table.acquire(LockTable.Key(RelationshipID(7)), .exclusive, for: session(2)) == .granted)
    }

    @Test func locksAreReentrantAndASoleHolderGetsMoreAtOnce() {
        var table = LockTable()
        #expect(table.acquire(a, .shared, for: session(1)) == .granted)
        #expect(table.acquire(a, .shared, for: session(1)) == .granted)
        #expect(table.acquire(a, .attaching, for: session(1)) == .granted)
        #expect(table.mode(of: a, heldBy: session(1)) == .exclusive)
        #expect(table.acquire(a, .shared, for: session(1)) == .granted)
        #expect(table.mode(of: a, heldBy: session(1)) == .exclusive)
    }

    /// A reader that came after a waiting writer must not pass it, or readers could keep it waiting for ever.
    @Test func requestsAreGrantedInTheOrderTheyCame() {
        var table = LockTable()
        #expect(table.acquire(a, .shared, for: session(1)) == .granted)
        #expect(table.acquire(a, .exclusive, for: session(2)) == .waits)
        for number in 3...5 as ClosedRange<UInt64> {
            #expect(table.acquire(a, .shared, for: session(number)) == .waits)
        }
        #expect(table.acquire(a, .exclusive, for: session(6)) == .waits)
        #expect(table.release(session(1)) == [session(2)])
        #expect(table.release(session(2)) == [session(3), session(4), session(5)])
        #expect(table.release(session(4)) == [])
        #expect(table.release(session(3)) == [])
        #expect(table.release(session(5)) == [session(6)])
    }

    @Test func whoeverGivesUpWaitingLetsThoseBehindThrough() {
        var table = LockTable()
        #expect(table.acquire(a, .shared, for: session(1)) == .granted)
        #expect(table.acquire(a, .exclusive, for: session(2)) == .waits)
        #expect(table.acquire(a, .shared, for: session(3)) == .waits)
        #expect(table.cancelWait(session(2)) == [session(3)])
        #expect(table.cancelWait(session(2)) == [])
        #expect(table.waitingCount == 0)
    }

    @Test func holderThatWantsMorePassesThoseWhoHoldNothing() {
        var table = LockTable()
        #expect(table.acquire(a, .shared, for: session(1)) == .granted)
        #expect(table.acquire(a, .shared, for: session(2)) == .granted)
        #expect(table.acquire(a, .exclusive, for: session(3)) == .waits)
        #expect(table.acquire(a, .exclusive, for: session(1)) == .waits)
        #expect(table.release(session(2)) == [session(1)])
        #expect(table.mode(of: a, heldBy: session(1)) == .exclusive)
        #expect(table.release(session(1)) == [session(3)])
    }

    @Test func twoReadersThatBothWantToWriteAreADeadlock() {
        var table = LockTable()
        #expect(table.acquire(a, .shared, for: session(1)) == .granted)
        #expect(table.acquire(a, .shared, for: session(2)) == .granted)
        #expect(table.acquire(a, .exclusive, for: session(1)) == .waits)
        guard case .deadlock(let cycle) = table.acquire(a, .exclusive, for: session(2)) else {
            Issue.record("no deadlock was seen")
            return
        }
        #expect(cycle.links.map(\.session) == [session(2), session(1)])
        // The refused one keeps what it holds, until it ends.
        #expect(table.mode(of: a, heldBy: session(2)) == .shared)
        #expect(table.release(session(2)) == [session(1)])
    }

    @Test(arguments: 2...5) func deadlockNamesItsCycle(length: UInt64) {
        var table = LockTable()
        for number in 1...length {
            #expect(table.acquire(LockTable.Key(NodeID(number)), .exclusive, for: session(number)) == .granted)
        }
        for number in 1..<length {
            #expect(table.acquire(LockTable.Key(NodeID(number + 1)), .exclusive, for: session(number)) == .waits)
        }
        guard case .deadlock(let cycle) = table.acquire(LockTable.Key(NodeID(1)), .exclusive, for: session(length)) else {
            Issue.record("no deadlock was seen")
            return
        }
        #expect(cycle.links.map(\.session) == [session(length)] + (1..<length).map { session($0) })
        #expect(cycle.links.map(\.waitsFor) == [.node(NodeID(1))] + (2...length).map { .node(NodeID($0)) })
        #expect(cycle.description.hasPrefix("session \(length) waits for Node[1], held by session 1 waits for Node[2]"))
        #expect(cycle.description.hasSuffix("held by session \(length)"))
    }

    /// Random requests, compared at every step with a model that builds the whole wait-for graph and its closure anew.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func tableAgreesWithABruteForceModel(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var table = LockTable()
        var model = LockModel()
        var deadlocks = 0
        var waits = 0
        let sessionCount = UInt64.random(in: 2...9, using: &generator)
        let keyCount = UInt64.random(in: 1...6, using: &generator)
        for step in 0..<20_000 {
            let comment: Comment = "seed \(seed), step \(step)"
            let session = LockSessionID(UInt64.random(in: 1...sessionCount, using: &generator))
            if model.isWaiting(session) {
                // It may only give up, or wait on.
                guard Int.random(in: 0..<6, using: &generator) == 0 else { continue }
                if Bool.random(using: &generator) {
                    #expect(Set(table.cancelWait(session)) == Set(model.cancelWait(session)), comment)
                } else {
                    #expect(Set(table.release(session)) == Set(model.release(session)), comment)
                }
            } else if Int.random(in: 0..<5, using: &generator) == 0 {
                #expect(Set(table.release(session)) == Set(model.release(session)), comment)
            } else {
                let number = UInt64.random(in: 0..<keyCount, using: &generator)
                let key = number % 2 == 0 ? LockTable.Key(NodeID(number)) : LockTable.Key(RelationshipID(number))
                let mode = LockMode.allCases[Int.random(in: 0..<3, using: &generator)]
                let outcome = table.acquire(key, mode, for: session)
                switch (outcome, model.acquire(key, mode, session)) {
                case (.granted, .granted): break
                case (.waits, .waits): waits += 1
                case (.deadlock(let cycle), .deadlock):
                    deadlocks += 1
                    #expect(model.isCycle(cycle), comment)
                case (_, let wanted):
                    Issue.record("\(outcome), wanted \(wanted); seed \(seed), step \(step)")
                    return
                }
                if case .deadlock = outcome { model.takeBack(key, session) }
            }
            #expect(table.waitingCount == model.waitingCount, comment)
            #expect(table.lockedCount == model.lockedCount, comment)
            #expect(!model.hasCycle, comment)
        }
        #expect(deadlocks > 20 && waits > 500, "seed \(seed): \(deadlocks) deadlocks, \(waits) waits")
    }
}

@Suite struct LockManagerTests {
    /// The manager keeps locks that nobody contends for outside its table: what comes out must be the same.
    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func managerDoesWhatTheTableDoes(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let manager = LockManager()
        var table = LockTable()
        let sessions = (0..<Int.random(in: 2...8, using: &generator)).map { _ in
            manager.makeSession(.suspending, timeout: 3_600_000)
        }
        let woken = Mutex<Set<LockSessionID>>([])
        var waiting: Set<LockSessionID> = []
        for step in 0..<20_000 {
            let comment: Comment = "seed \(seed), step \(step)"
            let session = sessions[Int.random(in: 0..<sessions.count, using: &generator)]
            let isRelease = Int.random(in: 0..<5, using: &generator) == 0
            if waiting.contains(session.id) && !isRelease { continue }
            if isRelease {
                // Its own wait ends with an error, which is not a grant.
                let granted = Set(table.release(session.id))
                waiting.remove(session.id)
                session.release()
                #expect(woken.withLock { $0.subtracting([session.id]) } == granted, comment)
                waiting.subtract(granted)
                woken.withLock { $0 = [] }
            } else {
                let key = LockTable.Key(NodeID(UInt64.random(in: 0..<6, using: &generator)))
                let mode = LockMode.allCases[Int.random(in: 0..<3, using: &generator)]
                let wanted = table.acquire(key, mode, for: session.id)
                do throws(GraphError) {
                    _ = try session.acquire(key, mode)
                    #expect(wanted == .granted, comment)
                } catch {
                    if case .deadlock(let cycle) = wanted {
                        #expect(error.code == .deadlock && error.message.contains(cycle.description), comment)
                    } else {
                        #expect(wanted == .waits && session.isSuspended, comment)
                        waiting.insert(session.id)
                        session.whenLocked { [id = session.id] _ in woken.withLock { _ = $0.insert(id) } }
                    }
                }
            }
            #expect(manager.statistics.lockedCount == table.lockedCount, comment)
            #expect(manager.statistics.waitingCount == waiting.count, comment)
        }
        for session in sessions { session.release() }
        #expect(manager.statistics.lockedCount == 0 && manager.statistics.waitingCount == 0, "seed \(seed)")
        #expect(manager.statistics.avertedDeadlockCount > 20, "seed \(seed)")
    }
}

/// The same protocol, said as plainly as possible.
private struct LockModel {
    enum Outcome { case granted, waits, deadlock }
    struct Request { let session: LockSessionID, mode: LockMode, isUpgrade: Bool }
    private var holders: [LockTable.Key: [LockSessionID: LockMode]] = [:]
    private var queues: [LockTable.Key: [Request]] = [:]

    private static func areCompatible(_ a: LockMode, _ b: LockMode) -> Bool { a == b && a != .exclusive }

    var lockedCount: Int { holders.values.count { !$0.isEmpty } }
    var waitingCount: Int { queues.values.reduce(0) { $0 + $1.count } }
    func isWaiting(_ session: LockSessionID) -> Bool { queues.values.contains { $0.contains { $0.session == session } } }

    private func canHold(_ key: LockTable.Key, _ mode: LockMode, _ session: LockSessionID) -> Bool {
        holders[key, default: [:]].allSatisfy { $0.key == session || Self.areCompatible($0.value, mode) }
    }

    mutating func acquire(_ key: LockTable.Key, _ mode: LockMode, _ session: LockSessionID) -> Outcome {
        let held = holders[key]?[session]
        let wanted = held.map { $0 == mode ? mode : .exclusive } ?? mode
        if held == wanted { return .granted }
        let mayPass = held != nil || queues[key, default: []].isEmpty
        if mayPass && canHold(key, wanted, session) {
            holders[key, default: [:]][session] = wanted
            return .granted
        }
        let request = Request(session: session, mode: wanted, isUpgrade: held != nil)
        let place = held == nil ? queues[key, default: []].count : queues[key, default: []].count { $0.isUpgrade }
        queues[key, default: []].insert(request, at: place)
        return hasCycle ? .deadlock : .waits
    }

    mutating func takeBack(_ key: LockTable.Key, _ session: LockSessionID) {
        queues[key]?.removeAll { $0.session == session }
    }

    mutating func cancelWait(_ session: LockSessionID) -> [LockSessionID] {
        for key in queues.keys { queues[key]?.removeAll { $0.session == session } }
        return grant()
    }

    mutating func release(_ session: LockSessionID) -> [LockSessionID] {
        for key in queues.keys { queues[key]?.removeAll { $0.session == session } }
        for key in holders.keys { holders[key]?[session] = nil }
        return grant()
    }

    private mutating func grant() -> [LockSessionID] {
        var granted: [LockSessionID] = []
        for key in queues.keys {
            while let first = queues[key]?.first, canHold(key, first.mode, first.session) {
                holders[key, default: [:]][first.session] = first.mode
                queues[key]?.removeFirst()
                granted.append(first.session)
            }
        }
        return granted
    }

    /// Who waits for whom, all of it.
    private var graph: [LockSessionID: Set<LockSessionID>] {
        var result: [LockSessionID: Set<LockSessionID>] = [:]
        for (key, queue) in queues {
            for (place, request) in queue.enumerated() {
                for (session, mode) in holders[key, default: [:]]
                where session != request.session && !Self.areCompatible(mode, request.mode) {
                    result[request.session, default: []].insert(session)
                }
                for earlier in queue[..<place] where !Self.areCompatible(earlier.mode, request.mode) {
                    result[request.session, default: []].insert(earlier.session)
                }
            }
        }
        return result
    }

    var hasCycle: Bool {
        var reach = graph
        for middle in reach.keys {
            let beyond = reach[middle] ?? []
            for (from, to) in reach where to.contains(middle) { reach[from] = to.union(beyond) }
        }
        return reach.contains { $0.value.contains($0.key) }
    }

    /// Whether each session of a cycle waits for the next one, while the refused request still stands.
    func isCycle(_ cycle: LockCycle) -> Bool {
        let sessions = cycle.links.map(\.session)
        let graph = graph
        return !sessions.isEmpty
            && sessions.indices.allSatisfy { graph[sessions[$0]]?.contains(sessions[($0 + 1) % sessions.count]) ?? false }
    }
}
