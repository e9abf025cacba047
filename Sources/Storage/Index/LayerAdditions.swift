/// Entries that one transaction puts into one layer, gathered so that they go in in the order of their keys: each lands
/// close to the one before it, and where the next ones go is asked of the memory meanwhile.
struct LayerAdditions {
    private struct Entry {
        /// The first bytes in which the gathered keys differ, as a number that orders like them.
        var rank: UInt64
        let id: UInt64
        let hash: UInt64
        let offset: Int
        let byteCount: Int
    }
    private var bytes: [UInt8] = []
    private var entries: [Entry] = []
    /// How many bytes all keys have in common at their beginnings.
    private var commonByteCount = 0
    private static let lookAhead = 8

    var byteCount: Int { bytes.count }

    mutating func add(_ key: UnsafeRawBufferPointer, id: UInt64) {
        if entries.isEmpty {
            commonByteCount = key.count
        } else {
            bytes.withUnsafeBytes { bytes in
                let shared = UnsafeRawBufferPointer(rebasing: bytes[..<commonByteCount])
                commonByteCount = IndexKey.commonByteCount(shared, key)
            }
        }
        entries.append(Entry(rank: 0, id: id, hash: IndexKey.hash(key), offset: bytes.count, byteCount: key.count))
        bytes.append(contentsOf: key)
    }

    /// Notes all of them in the layer, and forgets them.
    mutating func put(into layer: IndexLayer, transaction: UInt64) {
        bytes.withUnsafeBytes { bytes in
            func key(_ entry: Entry) -> UnsafeRawBufferPointer {
                UnsafeRawBufferPointer(rebasing: bytes[entry.offset..<entry.offset + entry.byteCount])
            }
            for index in entries.indices {
                entries[index].rank = IndexKey.head(UnsafeRawBufferPointer(rebasing: key(entries[index])[commonByteCount...]))
            }
            entries.sort {
                $0.rank != $1.rank ? $0.rank < $1.rank : IndexKey.order(key($0), $0.id, key($1), $1.id) < 0
            }
            for (index, entry) in entries.enumerated() {
                if index + Self.lookAhead < entries.count { layer.prefetch(hash: entries[index + Self.lookAhead].hash) }
                layer.set(true, key(entry), hash: entry.hash, id: entry.id, transaction: transaction)
            }
        }
        bytes.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
    }
}
