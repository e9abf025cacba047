internal import FileSystem
internal import GraphModel

/// A range of relationships: type, both ends, properties.
final class RelationshipSegment: @unchecked Sendable {
    // Safety: every pointer leads into `file`'s mapping, which never changes and lives as long as this object.
    enum Tag {
        static let types: UInt32 = 1
        static let starts: UInt32 = 2
        static let ends: UInt32 = 3
    }

    let file: SegmentFile
    let columns: ColumnSet
    /// 0 for no relationship, else 1 + type.
    private let types: PackedIntegers
    private let starts: PackedIntegers
    private let ends: PackedIntegers

    init(directory: String, name: String, _ fileSystem: any FileSystem) throws(GraphError) {
        let file = try SegmentFile(directory: directory, name: name, fileSystem)
        self.file = file
        guard file.kind == .relationships else {
            throw GraphError(.corrupt, "\(file.path): not a segment of relationships")
        }
        types = try file.integers(Tag.types, count: file.slotCount)
        starts = try file.integers(Tag.starts, count: file.slotCount)
        ends = try file.integers(Tag.ends, count: file.slotCount)
        columns = try ColumnSet(file)
    }

    /// The type of a slot's relationship; nil when there is none.
    func type(_ slot: Int) -> TokenID? {
        let value = types[slot]
        return value == 0 ? nil : TokenID(truncatingIfNeeded: value - 1)
    }

    func record(_ slot: Int) -> RelationshipRecord? {
        guard let type = type(slot) else { return nil }
        return RelationshipRecord(
            id: RelationshipID(file.firstID + UInt64(slot)), type: type, start: NodeID(starts[slot]),
            end: NodeID(ends[slot]))
    }
}

/// Builds a segment of relationships, slot by slot in ascending order.
struct RelationshipSegmentBuilder {
    private let firstID: UInt64
    private let slotCount: Int
    private var types: [UInt64] = []
    private var starts: [UInt64] = []
    private var ends: [UInt64] = []
    private var columns = ColumnSetBuilder()

    init(firstID: UInt64, slotCount: Int) {
        self.firstID = firstID
        self.slotCount = slotCount
        types.reserveCapacity(slotCount)
        starts.reserveCapacity(slotCount)
        ends.reserveCapacity(slotCount)
    }

    mutating func addAbsent() {
        types.append(0)
        starts.append(0)
        ends.append(0)
    }

    mutating func add(type: TokenID, start: UInt64, end: UInt64, properties: [Property]) {
        columns.add(slot: types.count, properties)
        types.append(UInt64(type) + 1)
        starts.append(start)
        ends.append(end)
    }

    func finish(transactionID: TransactionID) -> [UInt8] {
        var copy = self
        while copy.types.count < slotCount { copy.addAbsent() }
        var assembler = SegmentAssembler(
            kind: .relationships, firstID: firstID, slotCount: slotCount, transactionID: transactionID)
        assembler.add(RelationshipSegment.Tag.types, packing: copy.types)
        assembler.add(RelationshipSegment.Tag.starts, packing: copy.starts)
        assembler.add(RelationshipSegment.Tag.ends, packing: copy.ends)
        columns.finish(into: &assembler)
        return assembler.assemble()
    }
}
