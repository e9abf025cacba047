public import GraphModel

/// What a lock lets its holder count on, and whom it keeps out.
///
/// | held | others may have |
/// | --- | --- |
/// | `.shared` | `.shared` |
/// | `.attaching` | `.attaching` |
/// | `.exclusive` | nothing |
public enum LockMode: UInt8, Sendable, CaseIterable {
    /// Nobody changes the entity while it is held: an explicit read lock.
    case shared
    /// The holder adds or removes relationships at the node. A write lock towards everybody but others who do the same,
    /// because relationships at one node do not depend on each other: a hub with millions stays open to all its writers.
    case attaching
    /// The entity is the holder's alone.
    case exclusive

    func allows(_ other: LockMode) -> Bool { self == other && self != .exclusive }

    /// The weakest mode that gives what both give.
    func joined(with other: LockMode) -> LockMode { self == other ? self : .exclusive }
}

/// Identifies whoever holds locks: a transaction here or, on a master, one of another member. Never reused within a table.
public struct LockSessionID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    public var description: String { "session \(rawValue)" }
}

/// Sessions that each wait for the next, the last for the first: what a wait would close.
public struct LockCycle: Sendable, Equatable, CustomStringConvertible {
    public struct Link: Sendable, Equatable {
        public let session: LockSessionID
        public let waitsFor: EntityID
        public let mode: LockMode
    }
    /// The first is the one whose request was refused.
    public let links: [Link]

    public var description: String {
        let steps = links.map { "\($0.session) waits for \($0.waitsFor)" }
        return steps.joined(separator: ", held by ") + ", held by \(links.first?.session.description ?? "")"
    }
}

/// Who holds and who waits for which locks: the whole protocol, as a value. It never blocks, reads no clock and does no
/// I/O; whoever drives it makes the waiting happen.
///
/// Requests for one entity are granted in the order they came. Only a holder that wants a stronger mode passes those who
/// hold nothing yet: they could never be granted before it. A request that would close a cycle of waiting sessions is
/// refused at once, so that a deadlock never comes to be: the wait-for graph is searched before every wait (Holt 1972).
package struct LockTable: Sendable {
    package enum Outcome: Sendable, Equatable {
        /// The session holds the lock now, or did already.
        case granted
        /// The session stands in the queue: it must not ask for another lock before the result of somebody's
        /// ``release(_:)`` or ``cancelWait(_:)`` names it, or it cancels the wait itself.
        case waits
        /// Waiting would never end. Nothing changed.
        case deadlock(LockCycle)
    }

    private struct Waiter {
        let session: LockSessionID
        let mode: LockMode
    }

    /// All holders have the same mode: no two different ones can be held at once.
    private struct Entry {
        var mode: LockMode
        var first: LockSessionID
        var rest: [LockSessionID] = []
        /// Those who hold the lock and want more of it come first, all others behind them in the order they came.
        var waiters: [Waiter] = []
        var upgradingCount = 0

        func isHeld(by session: LockSessionID) -> Bool { first == session || rest.contains(session) }

        func forEachHolder(_ body: (LockSessionID) -> Void) {
            body(first)
            for session in rest { body(session) }
        }
    }

    private struct Session {
        var held: [Key] = []
        var waitsFor: Key?
    }

    /// An entity in one word.
    package struct Key: Hashable, Sendable {
        let bits: UInt64

        package init(_ node: NodeID) { bits = node.rawValue << 1 }
        package init(_ relationship: RelationshipID) { bits = relationship.rawValue << 1 | 1 }

        package init(_ entity: EntityID) {
            switch entity {
            case .node(let id): self.init(id)
            case .relationship(let id): self.init(id)
            }
        }

        package var entity: EntityID {
            bits & 1 == 0 ? .node(NodeID(bits >> 1)) : .relationship(RelationshipID(bits >> 1))
        }
    }

    private var entries: [Key: Entry] = [:]
    private var sessions: [LockSessionID: Session] = [:]

    package init() {}

    /// Entities that are locked.
    package var lockedCount: Int { entries.count }
    package var waitingCount: Int { sessions.values.count { $0.waitsFor != nil } }

    func isLocked(_ key: Key) -> Bool { entries[key] != nil }

    /// The mode in which a session holds a lock; nil when it does not.
    package func mode(of key: Key, heldBy session: LockSessionID) -> LockMode? {
        guard let entry = entries[key], entry.isHeld(by: session) else { return nil }
        return entry.mode
    }

    // MARK: Acquiring

    package mutating func acquire(_ key: Key, _ mode: LockMode, for session: LockSessionID) -> Outcome {
        guard let index = entries.index(forKey: key) else {
            entries[key] = Entry(mode: mode, first: session)
            sessions[session, default: Session()].held.append(key)
            return .granted
        }
        if entries.values[index].isHeld(by: session) {
            let wanted = entries.values[index].mode.joined(with: mode)
            if wanted == entries.values[index].mode { return .granted }
            if entries.values[index].rest.isEmpty {
                entries.values[index].mode = wanted
                return .granted
            }
            let place = entries.values[index].upgradingCount
            entries.values[index].waiters.insert(Waiter(session: session, mode: wanted), at: place)
            entries.values[index].upgradingCount += 1
        } else {
            if entries.values[index].waiters.isEmpty && entries.values[index].mode.allows(mode) {
                entries.values[index].rest.append(session)
                sessions[session, default: Session()].held.append(key)
                return .granted
            }
            entries.values[index].waiters.append(Waiter(session: session, mode: mode))
        }
        sessions[session, default: Session()].waitsFor = key
        if let cycle = findCycle(from: session) {
            // Nobody can have been granted anything by the wait that is taken back.
            removeWaiter(session, key)
            sessions[session]?.waitsFor = nil
            return .deadlock(cycle)
        }
        return .waits
    }

    private mutating func removeWaiter(_ session: LockSessionID, _ key: Key) {
        guard let index = entries.index(forKey: key),
            let place = entries.values[index].waiters.firstIndex(where: { $0.session == session })
        else { return }
        if place < entries.values[index].upgradingCount { entries.values[index].upgradingCount -= 1 }
        entries.values[index].waiters.remove(at: place)
    }

    // MARK: Releasing

    /// Takes a session out of the queue it stands in; the locks it holds stay. Returns the sessions whose wait ended
    /// with this, in the order of their turn.
    package mutating func cancelWait(_ session: LockSessionID) -> [LockSessionID] {
        guard let key = sessions[session]?.waitsFor else { return [] }
        sessions[session]?.waitsFor = nil
        removeWaiter(session, key)
        var granted: [LockSessionID] = []
        grantWaiters(key, &granted)
        return granted
    }

    /// Releases everything that a session holds, and its place in a queue. Returns the sessions whose wait ended with
    /// this.
    package mutating func release(_ session: LockSessionID) -> [LockSessionID] {
        var granted = cancelWait(session)
        guard let state = sessions.removeValue(forKey: session) else { return granted }
        for key in state.held {
            guard let index = entries.index(forKey: key) else { continue }
            if entries.values[index].first == session {
                if let other = entries.values[index].rest.popLast() {
                    entries.values[index].first = other
                } else if entries.values[index].waiters.isEmpty {
                    entries.remove(at: index)
                    continue
                } else {
                    handOver(key, index, &granted)
                    continue
                }
            } else {
                entries.values[index].rest.removeAll { $0 == session }
            }
            if !entries.values[index].waiters.isEmpty { grantWaiters(key, &granted) }
        }
        return granted
    }

    /// The only holder went: the first in the queue is the new one.
    private mutating func handOver(
        _ key: Key, _ index: Dictionary<Key, Entry>.Index, _ granted: inout [LockSessionID]
    ) {
        let next = entries.values[index].waiters.removeFirst()
        entries.values[index].first = next.session
        entries.values[index].mode = next.mode
        entries.values[index].upgradingCount = 0
        becomeHolder(next.session, key, isNew: true, &granted)
        grantWaiters(key, &granted)
    }

    private mutating func becomeHolder(
        _ session: LockSessionID, _ key: Key, isNew: Bool, _ granted: inout [LockSessionID]
    ) {
        sessions[session]?.waitsFor = nil
        if isNew { sessions[session]?.held.append(key) }
        granted.append(session)
    }

    /// Lets in from the head of the queue whoever can be.
    private mutating func grantWaiters(_ key: Key, _ granted: inout [LockSessionID]) {
        guard let index = entries.index(forKey: key) else { return }
        while let next = entries.values[index].waiters.first {
            let isUpgrade = entries.values[index].upgradingCount > 0
            if isUpgrade {
                guard entries.values[index].rest.isEmpty, entries.values[index].first == next.session else { return }
                entries.values[index].mode = next.mode
                entries.values[index].upgradingCount -= 1
            } else {
                guard entries.values[index].mode.allows(next.mode) else { return }
                entries.values[index].rest.append(next.session)
            }
            entries.values[index].waiters.removeFirst()
            becomeHolder(next.session, key, isNew: !isUpgrade, &granted)
        }
    }

    // MARK: The wait-for graph

    /// Whom a waiting session waits for: every holder it cannot share the lock with, and everyone before it in the queue
    /// whom it could not share it with either.
    package func blockers(of session: LockSessionID) -> [LockSessionID] {
        guard let key = sessions[session]?.waitsFor, let entry = entries[key],
            let place = entry.waiters.firstIndex(where: { $0.session == session })
        else { return [] }
        let mode = entry.waiters[place].mode
        var result: [LockSessionID] = []
        if place < entry.upgradingCount || !entry.mode.allows(mode) {
            entry.forEachHolder { if $0 != session { result.append($0) } }
        }
        for waiter in entry.waiters[..<place] where !waiter.mode.allows(mode) && !result.contains(waiter.session) {
            result.append(waiter.session)
        }
        return result
    }

    /// Depth first from a session that has just begun to wait: every new cycle goes through it.
    private func findCycle(from start: LockSessionID) -> LockCycle? {
        var visited: Set<LockSessionID> = [start]
        // The path, each session with those it waits for that have not been followed yet.
        var path: [(session: LockSessionID, open: [LockSessionID])] = [(start, blockers(of: start))]
        while let last = path.indices.last {
            guard let next = path[last].open.popLast() else {
                path.removeLast()
                continue
            }
            if next == start { return cycle(path.map(\.session)) }
            guard visited.insert(next).inserted, sessions[next]?.waitsFor != nil else { continue }
            path.append((next, blockers(of: next)))
        }
        return nil
    }

    private func cycle(_ path: [LockSessionID]) -> LockCycle {
        LockCycle(links: path.compactMap { session in
            guard let key = sessions[session]?.waitsFor,
                let waiter = entries[key]?.waiters.first(where: { $0.session == session })
            else { return nil }
            return LockCycle.Link(session: session, waitsFor: key.entity, mode: waiter.mode)
        })
    }
}
