internal import GraphModel

/// One end of a relationship as a node sees it.
struct AdjacencyEntry {
    let type: TokenID
    let neighbour: UInt64
    let relationship: UInt64
}

/// Collects one direction of a segment's adjacency, node by node in ascending order of slots.
struct AdjacencyBuilder {
    private var entryStarts: [UInt32] = [0]
    private var neighbours: ContiguousArray<UInt64> = []
    private var relationshipIDs: ContiguousArray<UInt64> = []
    private var groupStarts: [UInt32] = [0]
    private var groupTypes: [UInt32] = []
    private var groupEntryStarts: [UInt32] = []
    private var openType: TokenID?

    init(slotCount: Int) {
        entryStarts.reserveCapacity(slotCount + 1)
        groupStarts.reserveCapacity(slotCount + 1)
    }

    /// Adds to the node that is being built; by ascending type and, within it, ascending relationship id.
    @inline(__always)
    mutating func add(type: TokenID, neighbour: UInt64, relationship: UInt64) {
        open(type)
        neighbours.append(neighbour)
        relationshipIDs.append(relationship)
    }

    /// Adds part of an older segment's run, all of one type.
    mutating func add(type: TokenID, _ entries: Range<Int>, of adjacency: Adjacency) {
        if entries.isEmpty { return }
        open(type)
        adjacency.append(entries, to: &neighbours)
        adjacency.relationshipIDs.append(entries, to: &relationshipIDs)
    }

    private mutating func open(_ type: TokenID) {
        if openType == type { return }
        openType = type
        groupTypes.append(type)
        groupEntryStarts.append(UInt32(neighbours.count))
    }

    /// The next node begins.
    mutating func endNode() {
        openType = nil
        entryStarts.append(UInt32(neighbours.count))
        groupStarts.append(UInt32(groupTypes.count))
    }

    /// The type of every entry when it is the same for all, or when there is none.
    var onlyType: TokenID? {
        guard let first = groupTypes.first else { return 0 }
        return groupTypes.allSatisfy { $0 == first } ? first : nil
    }

    func finish(into assembler: inout SegmentAssembler, isIncoming: Bool) {
        let tag = isIncoming ? Adjacency.Tag.incoming : 0
        assembler.add(Adjacency.Tag.entryStarts + tag, words: entryStarts)
        let isWide = (neighbours.max() ?? 0) > UInt64(UInt32.max)
        if isWide {
            assembler.add(Adjacency.Tag.neighbours + tag, width: 8, Self.bytes(neighbours, as: UInt64.self))
        } else {
            assembler.add(Adjacency.Tag.neighbours + tag, width: 4, Self.bytes(neighbours, as: UInt32.self))
        }
        assembler.add(Adjacency.Tag.relationshipIDs + tag, blocks: relationshipIDs)
        let hasGroups = onlyType == nil
        assembler.add(Adjacency.Tag.groupStarts + tag, words: hasGroups ? groupStarts : [])
        assembler.add(Adjacency.Tag.groupTypes + tag, words: hasGroups ? groupTypes : [])
        assembler.add(
            Adjacency.Tag.groupEntryStarts + tag, words: hasGroups ? groupEntryStarts + [UInt32(neighbours.count)] : [])
    }

    private static func bytes<T: FixedWidthInteger>(_ values: ContiguousArray<UInt64>, as type: T.Type) -> [UInt8] {
        if values.isEmpty { return [] }
        return [UInt8](unsafeUninitializedCapacity: values.count * MemoryLayout<T>.size) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            for (index, value) in values.enumerated() {
                raw.storeBytes(
                    of: T(truncatingIfNeeded: value).littleEndian, toByteOffset: index * MemoryLayout<T>.size, as: T.self)
            }
            count = raw.count
        }
    }
}
