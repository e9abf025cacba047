internal import FileSystem
internal import GraphModel

/// A hash of the whole graph that does not depend on order: the sum of a hash per entity, per index or constraint, and per
/// entry of an index. Equal on all members that have
/// applied the same transaction; names count, not their numbers.
public struct GraphChecksum: Sendable, Hashable, CustomStringConvertible {
    public private(set) var value: UInt64 = 0
    public init() {}
    /// A checksum that another member has sent.
    public init(_ value: UInt64) { self.value = value }

    mutating func add(_ entity: ByteWriter) {
        // FNV-1a, then SplitMix64's finaliser, so that sums of similar entities do not cancel out.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in entity.bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
        value &+= hash ^ (hash >> 31)
    }

    public var description: String {
        let hex = String(value, radix: 16)
        return String(repeating: "0", count: 16 - hex.count) + hex
    }
}

extension Transaction {
    /// Walks everything that this snapshot sees. O(graph); for checks, not for requests.
    public func graphChecksum() -> GraphChecksum { graphChecksum { false } ?? GraphChecksum() }

    /// The same; nil when `isCancelled` said so.
    func graphChecksum(unless isCancelled: () -> Bool) -> GraphChecksum? {
        var checksum = GraphChecksum()
        var writer = ByteWriter()
        func add(_ properties: [(key: TokenID, value: Value)]) {
            let named = properties.map { (name(.propertyKey, $0.key), $0.value) }
                .sorted { codeUnitOrder($0.0, $1.0) < 0 }
            for (key, value) in named {
                writer.write(string: key)
                ValueCodec.encode(value, into: &writer)
            }
        }
        var cursor: UInt64 = 0
        var ids: ContiguousArray<UInt64> = []
        var more = true
        while more {
            if isCancelled() { return nil }
            ids.removeAll(keepingCapacity: true)
            more = scanNodes(label: nil, cursor: &cursor, limit: 4096, into: &ids)
            for id in ids {
                writer.removeAll()
                writer.write(UInt8(1))
                writer.write(id)
                for label in labels(of: NodeID(id)).map({ name(.label, $0) }).sorted(by: { codeUnitOrder($0, $1) < 0 }) {
                    writer.write(string: label)
                }
                writer.write(UInt8(0))
                add(properties(ofNode: NodeID(id)))
                checksum.add(writer)
            }
        }
        cursor = 0
        more = true
        while more {
            if isCancelled() { return nil }
            ids.removeAll(keepingCapacity: true)
            more = scanRelationships(type: nil, cursor: &cursor, limit: 4096, into: &ids)
            for id in ids {
                guard let record = relationship(RelationshipID(id)) else { continue }
                writer.removeAll()
                writer.write(UInt8(2))
                writer.write(id)
                writer.write(record.start.rawValue)
                writer.write(record.end.rawValue)
                writer.write(string: name(.relationshipType, record.type))
                add(properties(ofRelationship: RelationshipID(id)))
                checksum.add(writer)
            }
        }
        return addSchema(to: &checksum, unless: isCancelled) ? checksum : nil
    }
}
