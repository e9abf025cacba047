public import Cypher
public import GraphModel
public import Storage
internal import Synchronization

/// Parses, checks and plans queries, and remembers the plans of recent ones.
public final class QueryEngine: Sendable {
    /// Text and dialect, compared by code units: `String` would take different texts for the same.
    private struct Key: Hashable {
        let text: String
        let dialect: Dialect

        static func == (a: Key, b: Key) -> Bool { a.dialect == b.dialect && codeUnitsEqual(a.text, b.text) }

        func hash(into hasher: inout Hasher) {
            var text = text
            text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
            hasher.combine(dialect == .cypher18)
        }
    }

    /// Two generations: what the younger one is asked for again survives when the older one is dropped.
    private struct Cache {
        var young: [Key: PreparedQuery] = [:]
        var old: [Key: PreparedQuery] = [:]
    }

    private let cache = Mutex(Cache())
    /// What runs now.
    public let running = RunningQueries()
    private let generationCapacity: Int

    /// - Parameter planCacheCapacity: plans kept at most; the least recently used half is dropped when it is full.
    public init(planCacheCapacity: Int = 1024) { generationCapacity = max(1, planCacheCapacity / 2) }

    /// The plan of a query, from the cache or made with the counts of `transaction`.
    ///
    /// - Throws: `.syntaxError` with line, column and caret for everything that can be known before the query runs.
    public func prepare(
        _ text: String, dialect: Dialect, over transaction: Transaction
    ) throws(GraphError) -> PreparedQuery {
        var text = text
        text.makeContiguousUTF8()
        let key = Key(text: text, dialect: dialect)
        if let known = cache.withLock({ find(key, in: &$0) }), isCurrent(known, transaction) { return known }
        let prepared = try PreparedQuery(try Parser.parse(text, dialect: dialect), over: transaction, running)
        cache.withLock { insert(prepared, key, into: &$0) }
        return prepared
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

    /// Whether the graph still has roughly the size for which the plan was made.
    private func isCurrent(_ query: PreparedQuery, _ transaction: Transaction) -> Bool {
        let (before, now) = (query.plannedNodeCount + 100, transaction.nodeCount() + 100)
        return now < before * 8 && before < now * 8
    }
}
