internal import FileSystem
package import GraphModel
internal import Synchronization
package import Traversal

/// What clients may keep open of paged traversals.
public struct PagedTraversalLimits: Sendable {
    /// Traversals that are open at once; further ones are refused.
    public var countMaximum = 1000
    /// Bytes that one may hold between its pages.
    public var byteCountMaximum = 64 << 20
    /// Bytes that all of them may hold between their pages.
    public var totalByteCountMaximum = 512 << 20
    /// Longest time that one is kept without being asked, in seconds.
    public var leaseSecondsMaximum = 3600
    /// Most results of one page.
    public var pageSizeMaximum = 10_000
    /// A page ends when its answer has so many bytes, however many results are in it.
    public var pageByteCount = 8 << 20
    public init() {}
}

/// The paged traversals that wait for a client to ask for the next page.
///
/// What is kept is where each of them is, ids and numbers, and no snapshot of the graph: a page is read from the graph as
/// it is then. An entry goes when its traversal ends, fails, or is not asked for the time of its lease.
package final class PagedTraversals: Sendable {
    private struct Entry: Sendable {
        let start: NodeID
        let pageSize: Int
        let lease: Milliseconds
        /// Nil before its first page, and while one is read.
        var state: TraversalState?
        /// Whether a page of it is read.
        var isBusy = true
        var byteCount = 0
        /// On the monotonic clock, in nanoseconds.
        var endsAt: UInt64 = .max
    }
    private struct Table: Sendable {
        var entries: [String: Entry] = [:]
        var byteCount = 0

        mutating func remove(_ token: String) {
            byteCount -= entries[token]?.byteCount ?? 0
            entries[token] = nil
        }
    }

    let limits: PagedTraversalLimits
    private let table = Mutex(Table())
    private let now: @Sendable () -> UInt64

    /// - Parameter now: the time on a monotonic clock in nanoseconds, for tests.
    package init(_ limits: PagedTraversalLimits, now: @escaping @Sendable () -> UInt64 = { monotonicNanoseconds() }) {
        self.limits = limits
        self.now = now
    }

    /// How many are open, and what they hold.
    package var open: (count: Int, byteCount: Int) { table.withLock { ($0.entries.count, $0.byteCount) } }

    // MARK: Life

    /// A place for a new one, whose first page is read by the caller. Throws `.overloaded` when there are too many.
    package func begin(start: NodeID, pageSize: Int, lease: Milliseconds) throws(GraphError) -> String {
        let token = Self.makeToken()
        let isAdmitted = table.withLock { table in
            if table.entries.count >= limits.countMaximum { return false }
            table.entries[token] = Entry(start: start, pageSize: pageSize, lease: lease)
            return true
        }
        guard isAdmitted else {
            throw GraphError(
                .overloaded,
                "\(limits.countMaximum) paged traversals are open, which is the most: read one to its end, or try again when a lease has run out")
        }
        return token
    }

    /// 128 random bits in hexadecimal digits.
    private static func makeToken() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<32).map { _ in String(generator.next(upperBound: 16 as UInt64), radix: 16) }.joined()
    }

    /// Forgets a traversal.
    package func end(_ token: String) { table.withLock { $0.remove(token) } }

    /// Forgets a traversal whose lease has run out. Returns how long it is until that has to be looked at again; nil when
    /// the traversal is gone.
    package func expire(_ token: String) -> Milliseconds? {
        let time = now()
        return table.withLock { table in
            guard let entry = table.entries[token] else { return nil }
            // One whose page is read gets a new lease with that.
            if entry.isBusy { return entry.lease }
            if entry.endsAt > time { return Milliseconds((entry.endsAt - time) / 1_000_000 + 1) }
            table.remove(token)
            return nil
        }
    }

    // MARK: Pages

    /// Keeps a traversal for the caller, who reads its next page, and returns how many results that has. Throws 404 when
    /// it is not there, `.conflict` while another request reads a page of it.
    package func take(_ token: String, start: NodeID) throws(GraphError) -> Int {
        enum Found { case pageSize(Int), busy, nothing }
        let time = now()
        let found = table.withLock { table -> Found in
            guard let entry = table.entries[token], entry.start == start, entry.endsAt > time else { return .nothing }
            if entry.isBusy { return .busy }
            table.entries[token]?.isBusy = true
            table.entries[token]?.endsAt = .max
            return .pageSize(entry.pageSize)
        }
        switch found {
        case .pageSize(let pageSize): return pageSize
        case .busy:
            throw GraphError(.conflict, "another request reads a page of this traverser: ask again when it is done")
        case .nothing: throw Self.missing
        }
    }

    /// Where a traversal is, out of here: it is large, and changed in one place alone. Nil before its first page.
    func takeState(_ token: String) -> TraversalState? {
        table.withLock { table in
            table.byteCount -= table.entries[token]?.byteCount ?? 0
            table.entries[token]?.byteCount = 0
            return table.entries[token]?.state.take()
        }
    }

    /// Whether a traversal waits for its next page, or one is read.
    package func isOpen(_ token: String, start: NodeID) -> Bool {
        let time = now()
        return table.withLock { table in
            table.entries[token].map { $0.start == start && $0.endsAt > time } ?? false
        }
    }

    static let missing = GraphError(
        .noSuchResource,
        "there is no such paged traverser here: it has come to its end, or was not asked for the time of its lease; begin another one")

    /// Puts a traversal back, to wait for the time of its lease from now on. Throws `.overloaded`, and ends it, when all of
    /// them hold too much.
    package func giveBack(_ state: TraversalState, _ token: String) throws(GraphError) {
        let byteCount = state.byteCount
        let time = now()
        let isKept = table.withLock { table in
            guard var entry = table.entries[token] else { return false }
            table.remove(token)
            guard table.byteCount + byteCount <= limits.totalByteCountMaximum else { return false }
            entry.state = state
            entry.isBusy = false
            entry.byteCount = byteCount
            entry.endsAt = time + entry.lease.rawValue * 1_000_000
            table.byteCount += byteCount
            table.entries[token] = entry
            return true
        }
        guard isKept else {
            throw GraphError(
                .overloaded,
                "the paged traversals that are open hold \(limits.totalByteCountMaximum) bytes, which is the most, so this one has ended: read one of them to its end, or try again later")
        }
    }
}
