internal import FileSystem
internal import GraphModel

/// A range of nodes: their labels, properties, and both adjacency lists grouped by direction and type. Each group is one
/// contiguous run of neighbour ids with the relationship ids in a parallel run, so expanding by type is a slice.
final class NodeSegment: @unchecked Sendable {
    // Safety: every pointer leads into `file`'s mapping, which never changes and lives as long as this object.
    enum Tag {
        static let labelSetOfNode: UInt32 = 1
        static let labelSets: UInt32 = 2
        static let groupStarts: UInt32 = 3
        static let groupKeys: UInt32 = 4
        static let groupEntryStarts: UInt32 = 5
        static let neighbours: UInt32 = 6
        static let relationshipIDs: UInt32 = 7
    }

    let file: SegmentFile
    let columns: ColumnSet
    /// Per slot 0 for no node, else 1 + index into `labelSets`.
    private let labelSetOfNode: PackedIntegers
    private let labelSets: [[TokenID]]
    private let groupStarts: PackedIntegers
    /// `type << 1 | incoming`, ascending within a node: all outgoing… groups of a type stand beside its incoming one.
    private let groupKeys: PackedIntegers
    private let groupEntryStarts: PackedIntegers
    private let neighbours: PackedIntegers
    private let relationshipIDs: PackedIntegers

    init(directory: String, name: String, _ fileSystem: any FileSystem) throws(GraphError) {
        let file = try SegmentFile(directory: directory, name: name, fileSystem)
        self.file = file
        guard file.kind == .nodes else { throw GraphError(.corrupt, "\(file.path): not a segment of nodes") }
        labelSetOfNode = try file.integers(Tag.labelSetOfNode, count: file.slotCount)
        groupStarts = try file.integers(Tag.groupStarts, count: file.slotCount + 1)
        groupKeys = try file.integers(Tag.groupKeys)
        groupEntryStarts = try file.integers(Tag.groupEntryStarts, count: groupKeys.count + 1)
        neighbours = try file.integers(Tag.neighbours)
        relationshipIDs = try file.integers(Tag.relationshipIDs, count: neighbours.count)
        do {
            var reader = ByteReader(Array(file.bytes(of: try file.section(Tag.labelSets))))
            var sets: [[TokenID]] = []
            for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 4)) {
                var set: [TokenID] = []
                for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 4)) { set.append(try reader.read()) }
                sets.append(set)
            }
            labelSets = sets
        } catch let error as GraphError {
            throw error
        } catch {
            throw GraphError(.corrupt, "\(file.path): label sets: \(error)")
        }
        columns = try ColumnSet(file)
    }

    func exists(_ slot: Int) -> Bool { labelSetOfNode[slot] != 0 }

    func labels(_ slot: Int) -> [TokenID] {
        let index = Int(labelSetOfNode[slot])
        return index > 0 && index <= labelSets.count ? labelSets[index - 1] : []
    }

    /// Which label set numbers contain `label`, as a lookup by number; for scans.
    func labelSetsContaining(_ label: TokenID) -> [Bool] { [false] + labelSets.map { $0.contains(label) } }
    func labelSetNumber(_ slot: Int) -> Int { Int(labelSetOfNode[slot]) }

    /// Calls `body` with the type, the direction and the run of entries of each matching group.
    @inline(__always)
    func forEachGroup(
        _ slot: Int, _ direction: Direction, types: [TokenID], _ body: (TokenID, Bool, Range<Int>) -> Void
    ) {
        let first = Int(groupStarts[slot])
        let end = Int(groupStarts[slot + 1])
        guard first < end else { return }
        for group in first..<end {
            let key = groupKeys[group]
            let isIncoming = key & 1 == 1
            switch direction {
            case .outgoing: if isIncoming { continue }
            case .incoming: if !isIncoming { continue }
            case .both: break
            }
            let type = TokenID(truncatingIfNeeded: key >> 1)
            if !types.isEmpty && !types.contains(type) { continue }
            body(type, isIncoming, Int(groupEntryStarts[group])..<Int(groupEntryStarts[group + 1]))
        }
    }

    func neighbour(_ entry: Int) -> UInt64 { neighbours[entry] }
    func relationshipID(_ entry: Int) -> UInt64 { relationshipIDs[entry] }

    func append(
        _ entries: Range<Int>, neighbours targetNeighbours: inout ContiguousArray<UInt64>,
        relationships targetRelationships: inout ContiguousArray<UInt64>
    ) {
        neighbours.append(entries, to: &targetNeighbours)
        relationshipIDs.append(entries, to: &targetRelationships)
    }

    /// The neighbours of a node when exactly one group matches, which is the common case; else nil.
    func run(_ slot: Int, _ direction: Direction, types: [TokenID]) -> NeighbourRun? {
        let wantsIncoming: UInt64 = direction == .incoming ? 1 : 0
        var found = -1
        for group in Int(groupStarts[slot])..<Int(groupStarts[slot + 1]) {
            let key = groupKeys[group]
            if key & 1 != wantsIncoming { continue }
            if !types.isEmpty && !types.contains(TokenID(truncatingIfNeeded: key >> 1)) { continue }
            if found >= 0 { return nil }
            found = group
        }
        if found < 0 { return NeighbourRun(neighbours, 0..<0) }
        return NeighbourRun(neighbours, Int(groupEntryStarts[found])..<Int(groupEntryStarts[found + 1]))
    }

    func append(_ entries: Range<Int>, neighbours target: inout ContiguousArray<UInt64>) {
        neighbours.append(entries, to: &target)
    }
}

/// One end of a relationship as a node sees it.
struct AdjacencyEntry {
    let type: TokenID
    let isIncoming: Bool
    let neighbour: UInt64
    let relationship: UInt64

    var groupKey: UInt64 { UInt64(type) << 1 | (isIncoming ? 1 : 0) }
}

/// Builds a segment of nodes, slot by slot in ascending order.
struct NodeSegmentBuilder {
    private let firstID: UInt64
    private let slotCount: Int
    private var labelSetOfNode: [UInt64] = []
    private var labelSets: [[TokenID]] = []
    private var labelSetNumbers: [[TokenID]: UInt64] = [:]
    private var groupStarts: [UInt64] = [0]
    private var groupKeys: [UInt64] = []
    private var groupEntryStarts: [UInt64] = []
    private var neighbours: [UInt64] = []
    private var relationshipIDs: [UInt64] = []
    private var columns = ColumnSetBuilder()

    init(firstID: UInt64, slotCount: Int) {
        self.firstID = firstID
        self.slotCount = slotCount
        labelSetOfNode.reserveCapacity(slotCount)
        groupStarts.reserveCapacity(slotCount + 1)
    }

    mutating func addAbsent() {
        labelSetOfNode.append(0)
        groupStarts.append(UInt64(groupKeys.count))
    }

    /// Adds the next slot whole. `adjacency` need not be sorted; within a group relationship ids ascend.
    mutating func add(labels: [TokenID], properties: [Property], adjacency: [AdjacencyEntry]) {
        addEntity(labels: labels, properties: properties)
        addAdjacency(adjacency)
    }

    /// Adds the next slot's labels and properties; its adjacency follows, in the same order of slots.
    mutating func addEntity(labels: [TokenID], properties: [Property]) {
        columns.add(slot: labelSetOfNode.count, properties)
        if let number = labelSetNumbers[labels] {
            labelSetOfNode.append(number)
        } else {
            labelSets.append(labels)
            let number = UInt64(labelSets.count)
            labelSetNumbers[labels] = number
            labelSetOfNode.append(number)
        }
    }

    mutating func addAdjacency(_ adjacency: [AdjacencyEntry]) {
        let sorted = adjacency.sorted { ($0.groupKey, $0.relationship) < ($1.groupKey, $1.relationship) }
        var current: UInt64?
        for entry in sorted {
            if entry.groupKey != current {
                current = entry.groupKey
                groupKeys.append(entry.groupKey)
                groupEntryStarts.append(UInt64(neighbours.count))
            }
            neighbours.append(entry.neighbour)
            relationshipIDs.append(entry.relationship)
        }
        groupStarts.append(UInt64(groupKeys.count))
    }

    /// The bytes of the segment; slots not added are absent.
    func finish(transactionID: TransactionID) -> [UInt8] {
        var copy = self
        while copy.labelSetOfNode.count < slotCount { copy.addAbsent() }
        copy.groupEntryStarts.append(UInt64(neighbours.count))
        var assembler = SegmentAssembler(
            kind: .nodes, firstID: firstID, slotCount: slotCount, transactionID: transactionID)
        assembler.add(NodeSegment.Tag.labelSetOfNode, packing: copy.labelSetOfNode)
        var sets = ByteWriter()
        sets.write(UInt32(labelSets.count))
        for set in labelSets {
            sets.write(UInt32(set.count))
            set.forEach { sets.write($0) }
        }
        assembler.add(NodeSegment.Tag.labelSets, sets.bytes)
        assembler.add(NodeSegment.Tag.groupStarts, packing: copy.groupStarts)
        assembler.add(NodeSegment.Tag.groupKeys, packing: copy.groupKeys)
        assembler.add(NodeSegment.Tag.groupEntryStarts, packing: copy.groupEntryStarts)
        assembler.add(NodeSegment.Tag.neighbours, packing: copy.neighbours)
        assembler.add(NodeSegment.Tag.relationshipIDs, packing: copy.relationshipIDs)
        columns.finish(into: &assembler)
        return assembler.assemble()
    }
}
