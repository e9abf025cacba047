/// A named index that a transaction adds to: what each addition needs of it, looked up once, and the additions that are in
/// no order yet, since nobody has asked for them.
final class IndexFilling {
    let index: ManualIndex
    private let below: IndexView
    /// The last transaction that is seen below.
    private let base: UInt64
    /// The transaction's own layer; nil while it has none.
    var own: IndexLayer?
    private var added: [(id: UInt64, key: String, value: IndexedValue)] = []
    /// Hashes of pairs: one whose hash is not here is not in `added`.
    private var marks: Set<UInt64> = []
    /// For building keys.
    private var memory: [UInt8] = []

    init(_ index: ManualIndex, below: IndexView, at base: UInt64, own: IndexLayer?) {
        self.index = index
        self.below = below
        self.base = base
        self.own = own
    }

    enum Place { case nowhere, below, perhapsAdded }

    /// Whether a pair is there already, as far as can be told without order among the additions.
    func find(_ id: UInt64, _ key: String, _ value: IndexedValue) -> Place {
        ManualIndexKey.write(entity: id, key, value, into: &memory)
        return memory.withUnsafeBytes { bytes in
            let hash = IndexKey.hash(bytes)
            // One that is below is marked, too: whoever asks for it again has the additions put in order, no more.
            if !marks.insert(hash).inserted { return .perhapsAdded }
            return below.containsPair(bytes, hash: hash, at: base, own: own) ? .below : .nowhere
        }
    }

    /// Adds what ``find(_:_:_:)`` did not find.
    func add(_ id: UInt64, _ key: String, _ value: IndexedValue) { added.append((id, key, value)) }

    /// Puts the additions into the transaction's own layer.
    func layer(into layer: IndexLayer) {
        for entry in added {
            index.forEachKey(entry.id, entry.key, entry.value, in: &memory) {
                layer.set(true, $0, id: entry.id, transaction: 1)
            }
        }
        added = []
        marks = []
    }

    var isLayered: Bool { added.isEmpty }
}
