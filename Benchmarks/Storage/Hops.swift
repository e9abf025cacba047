internal import FileSystem
internal import GraphModel
internal import Storage

/// Walks of one to four steps: the same starts, and so the same answers, as `limits/csr DATADIR rate` of the shared
/// benchmarks, whose nodes are numbered in the order of their rows as an import numbers them.
struct Hops: ~Copyable {
    private let transaction: Transaction
    private let types: [TokenID]
    private let nodeCount: UInt64
    private var from = NodeSet()
    private var to = NodeSet()
    private var neighbours: ContiguousArray<UInt64> = []

    init(_ store: Store, type: String) throws {
        transaction = store.beginRead()
        guard let token = transaction.token(.relationshipType, type) else {
            throw GraphError(.argumentError, "the store has no relationship of type \(type)")
        }
        types = [token]
        nodeCount = UInt64(transaction.nodeCount())
    }

    /// Prints per walk: steps, ns per start, and the sum of the answers.
    mutating func run(rounds: Int) throws {
        for _ in 0..<rounds {
            measure("1hop", startCount: 2_000_000) { hops, start in
                hops.neighbours.removeAll(keepingCapacity: true)
                hops.transaction.expand(NodeID(start), .outgoing, types: hops.types, neighbours: &hops.neighbours)
                var sum: UInt64 = 0
                for neighbour in hops.neighbours { sum &+= neighbour }
                return sum
            }
        }
        for (steps, startCount) in [(2, 20_000), (3, 1000), (4, 200)] {
            for _ in 0..<rounds {
                measure("\(steps)hop", startCount: startCount) { hops, start in hops.walk(start, steps: steps) }
            }
        }
        try transaction.requireIntact()
    }

    /// How many distinct nodes stand at the end of so many steps.
    private mutating func walk(_ start: UInt64, steps: Int) -> UInt64 {
        from.removeAll()
        from.insert(NodeID(start))
        for _ in 0..<steps {
            to.removeAll()
            transaction.expandDistinct(from, .outgoing, types: types, into: &to)
            swap(&from, &to)
        }
        return UInt64(from.count)
    }

    private mutating func measure(_ name: String, startCount: Int, _ body: (inout Hops, UInt64) -> UInt64) {
        var random: UInt64 = 88_172_645_463_325_252
        var sum: UInt64 = 0
        let start = monotonicNanoseconds()
        for _ in 0..<startCount {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            sum &+= body(&self, random % nodeCount)
        }
        let nanoseconds = Double(monotonicNanoseconds() - start) / Double(startCount)
        report(name, nanoseconds, "ns/start", "\(sum)")
    }
}
