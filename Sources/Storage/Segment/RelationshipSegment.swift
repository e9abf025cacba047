internal import FileSystem
internal import GraphModel

/// A range of relationships: type, both ends, properties.
final class RelationshipSegment: @unchecked Sendable {
    // Safety: no lock and no thread owns it: all is written by the initialiser only; every pointer leads into `file`'s mapping, which never changes and lives as long as this object.
    enum Tag {
        static let types: UInt32 = 1
        static let starts: UInt32 = 2
        static let ends: UInt32 = 3
    }

    let file: SegmentFile
    let columns: ColumnSet
    let slotCount: Int
    /// 0 for no relationship, else 1 + type.
    private let types: BlockIntegers
    private let starts: BlockIntegers
    private let ends: BlockIntegers

    init(_ file: SegmentFile) throws(GraphError) {
        self.file = file
        guard file.kind == .relationships else {
            throw GraphError(.corrupt, "\(file.path): not a segment of relationships")
        }
        slotCount = file.slotCount
        types = try file.blocks(Tag.types, count: file.slotCount)
        starts = try file.blocks(Tag.starts, count: file.slotCount)
        ends = try file.blocks(Tag.ends, count: file.slotCount)
        columns = try ColumnSet(file)
    }

    /// Compares all of the segment with its checksums.
    func verify() throws(GraphError) {
        try file.verify { types.isValid && starts.isValid && ends.isValid && columns.isValid }
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

/// Builds a segment of relationships, slot by slot in ascending order. Slots after the last one added are not stored.
struct RelationshipSegmentBuilder {
    private let firstID: UInt64
    private var types: [UInt64] = []
    private var starts: [UInt64] = []
    private var ends: [UInt64] = []
    private var columns = ColumnSetBuilder()

    init(firstID: UInt64, expectedCount: Int) {
        self.firstID = firstID
        types.reserveCapacity(expectedCount)
        starts.reserveCapacity(expectedCount)
        ends.reserveCapacity(expectedCount)
    }

    /// Slots so far.
    var slotCount: Int { types.count }

    mutating func addAbsent() {
        types.append(0)
        // The neighbouring values, so that the gap takes no bits.
        starts.append(starts.last ?? 0)
        ends.append(ends.last ?? 0)
    }

    mutating func add(type: TokenID, start: UInt64, end: UInt64, properties: [Property]) {
        columns.add(slot: types.count, properties)
        types.append(UInt64(type) + 1)
        starts.append(start)
        ends.append(end)
    }

    consuming func finish(transactionID: TransactionID) -> [UInt8] {
        var assembler = SegmentAssembler(
            kind: .relationships, firstID: firstID, slotCount: types.count, transactionID: transactionID)
        columns.finish(into: &assembler)
        assembler.add(RelationshipSegment.Tag.types, blocks: types)
        assembler.add(RelationshipSegment.Tag.starts, blocks: starts)
        assembler.add(RelationshipSegment.Tag.ends, blocks: ends)
        return assembler.assemble()
    }
}
