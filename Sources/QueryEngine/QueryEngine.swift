public import Cypher
internal import FileSystem
public import GraphModel
public import Storage

/// Parses, checks and plans queries, and remembers the plans of recent ones.
public final class QueryEngine: Sendable {
    /// How queries are planned and executed. The defaults are for use; tests vary them, as answers must not depend on them.
    public struct Options: Sendable {
        /// Plans kept at most; the least recently used half is dropped when it is full.
        public var planCacheCapacity = 1024
        /// Bytes of a query's text up to which its plan is kept.
        public var cachedTextByteCountMaximum = 64 << 10
        /// Executions that all plans together keep for their next run. Each keeps some memory.
        public var idleExecutionCountMaximum = 512
        /// Rows that an operator gathers before it hands them on, from 1.
        public var batchRowCount = 1024
        /// Whether plans begin at indexes where they can.
        public var usesIndexes = true
        /// Whether rows that differ in nothing that matters later are merged on the way.
        public var mergesRows = true
        /// The element, by its number in the pattern, at which a MATCH that has the choice begins; nil for the cheapest.
        public var forcedStart: Int?
        public init() {}
    }

    /// Text and dialect, compared by code units: `String` would take different texts for the same.
    private struct Key: Hashable {
        let text: String
        let dialect: Dialect
        private let textHash: UInt64

        init(_ text: String, _ dialect: Dialect) {
            self.text = text
            self.dialect = dialect
            var text = text
            textHash = text.withUTF8 { Key.hash(UnsafeRawBufferPointer($0)) }
        }

        /// Eight bytes at a time; the dictionary's own hashing is keyed, this only shortens its input.
        private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
            var hash = UInt64(bytes.count) &* 0x9E37_79B9_7F4A_7C15
            var offset = 0
            while offset + 8 <= bytes.count {
                let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                let product = (hash ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
                hash = product.high ^ product.low ^ word
                offset += 8
            }
            while offset < bytes.count {
                hash = (hash ^ UInt64(bytes[offset])) &* 0x1000_0000_01B3
                offset += 1
            }
            return hash
        }

        static func == (a: Key, b: Key) -> Bool {
            a.textHash == b.textHash && a.dialect == b.dialect && codeUnitsEqual(a.text, b.text)
        }

        func hash(into hasher: inout Hasher) { hasher.combine(textHash) }
    }

    /// Two generations: what the younger one is asked for again survives when the older one is dropped.
    private struct Cache {
        var young: [Key: PreparedQuery] = [:]
        var old: [Key: PreparedQuery] = [:]
    }

    private let cache = BriefMutex(Cache())
    /// What runs now.
    public let running = RunningQueries()
    private let generationCapacity: Int
    private let options: Options
    private let allowance: IdleAllowance

    public init(_ options: Options = Options()) {
        self.options = options
        allowance = IdleAllowance(countMaximum: options.idleExecutionCountMaximum)
        generationCapacity = max(1, options.planCacheCapacity / 2)
    }

    /// - Parameter planCacheCapacity: plans kept at most; the least recently used half is dropped when it is full.
    public convenience init(planCacheCapacity: Int) {
        var options = Options()
        options.planCacheCapacity = planCacheCapacity
        self.init(options)
    }

    /// The plan of a query, from the cache or made with the counts of `transaction`.
    ///
    /// - Throws: `.syntaxError` with line, column and caret for everything that can be known before the query runs.
    public func prepare(
        _ text: String, dialect: Dialect, over transaction: Transaction
    ) throws(GraphError) -> PreparedQuery {
        var text = text
        text.makeContiguousUTF8()
        // Plans of long texts are large, and such texts rarely come again.
        guard text.utf8.count <= options.cachedTextByteCountMaximum else { return try plan(text, dialect, transaction) }
        let key = Key(text, dialect)
        if let known = known(key, transaction) { return known }
        let prepared = try plan(text, dialect, transaction)
        let crowded = cache.withLock { cache -> Cache? in
            insert(prepared, key, into: &cache)
            return allowance.isUsedUp ? cache : nil
        }
        // Those of queries that may not come again must not stand in the way of those that do.
        if let crowded { dropIdleExecutions(of: crowded) }
        return prepared
    }

    /// The plan of a query that has been prepared before; nil when there is none any more, or it would be made anew.
    public func prepared(_ text: String, dialect: Dialect, over transaction: Transaction) -> PreparedQuery? {
        guard text.utf8.count <= options.cachedTextByteCountMaximum else { return nil }
        return known(Key(text, dialect), transaction)
    }

    private func known(_ key: Key, _ transaction: Transaction) -> PreparedQuery? {
        guard let query = cache.withLock({ find(key, in: &$0) }), isCurrent(query, transaction) else { return nil }
        return query
    }

    private func plan(
        _ text: String, _ dialect: Dialect, _ transaction: Transaction
    ) throws(GraphError) -> PreparedQuery {
        try PreparedQuery(
            try Parser.parse(text, dialect: dialect), over: transaction, options, running, allowance)
    }

    private func dropIdleExecutions(of cache: Cache) {
        for query in cache.old.values { query.dropIdleExecutions() }
        if !allowance.isUsedUp { return }
        for query in cache.young.values { query.dropIdleExecutions() }
    }

    private func find(_ key: Key, in cache: inout Cache) -> PreparedQuery? {
        if let query = cache.young[key] { return query }
        guard let query = cache.old.removeValue(forKey: key) else { return nil }
        insert(query, key, into: &cache)
        return query
    }

    private func insert(_ query: PreparedQuery, _ key: Key, into cache: inout Cache) {
        if cache.young.count >= generationCapacity, cache.young[key] == nil {
            cache.old = cache.young
            cache.young = [:]
        }
        cache.young[key] = query
    }

    /// Whether the graph still has roughly the size for which the plan was made, and the same indexes.
    private func isCurrent(_ query: PreparedQuery, _ transaction: Transaction) -> Bool {
        if query.plannedIndexesVersion != transaction.readableIndexesVersion { return false }
        let (before, now) = (query.plannedNodeCount + 100, transaction.nodeCount() + 100)
        return now < before * 8 && before < now * 8
    }
}
