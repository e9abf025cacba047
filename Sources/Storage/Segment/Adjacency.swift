internal import CPrefetch
internal import FileSystem
internal import GraphModel

/// The relationships of a segment's nodes in one direction: per node one run of neighbour ids, grouped by type, with the
/// relationship ids in a parallel run that ascends within a type. Expanding by type is a slice. Where all relationships
/// of the segment have one type, as is common, there are no groups at all and the node's run is the answer.
struct Adjacency {
    // Safety: every pointer leads into a mapping that the segment keeps; `isValid` has checked what they hold.
    /// Per slot and one more: where its run begins.
    private let entryStarts: UnsafePointer<UInt32>
    private let neighbours: UnsafeRawPointer
    /// Whether neighbour ids take 8 bytes instead of 4.
    let isWide: Bool
    let entryCount: Int
    let relationshipIDs: BlockIntegers
    let slotCount: Int
    /// The type of every relationship here; nil when there are several.
    let onlyType: TokenID?
    private let groupCount: Int
    /// Per slot and one more: where its groups begin.
    private let groupStarts: UnsafePointer<UInt32>
    private let groupTypes: UnsafePointer<UInt32>
    private let groupEntryStarts: UnsafePointer<UInt32>

    /// Sections of one direction; those of the incoming one follow those of the outgoing one.
    enum Tag {
        static let entryStarts: UInt32 = 10
        static let neighbours: UInt32 = 11
        static let relationshipIDs: UInt32 = 12
        static let groupStarts: UInt32 = 13
        static let groupTypes: UInt32 = 14
        static let groupEntryStarts: UInt32 = 15
        static let incoming: UInt32 = 10
    }

    /// That of no node.
    init() {
        guard let nowhere = UnsafeRawPointer(bitPattern: 8) else { preconditionFailure("8 is not the null address") }
        neighbours = nowhere
        entryStarts = nowhere.assumingMemoryBound(to: UInt32.self)
        (groupStarts, groupTypes, groupEntryStarts) = (entryStarts, entryStarts, entryStarts)
        (isWide, entryCount, slotCount, groupCount, onlyType) = (false, 0, 0, 0, 0)
        relationshipIDs = BlockIntegers()
    }

    /// Takes the places of the sections; looks at none of their bytes.
    init(_ file: SegmentFile, isIncoming: Bool, onlyType: TokenID?) throws(GraphError) {
        let tag = isIncoming ? Tag.incoming : 0
        self.onlyType = onlyType
        slotCount = file.slotCount
        let runs = try file.section(Tag.neighbours + tag)
        isWide = runs.width == 8
        entryCount = runs.byteCount / (isWide ? 8 : 4)
        neighbours = try file.pointer(Tag.neighbours + tag, width: isWide ? 8 : 4, count: entryCount)
        entryStarts = try file.words(Tag.entryStarts + tag, count: file.slotCount + 1)
        relationshipIDs = try file.blocks(Tag.relationshipIDs + tag, count: entryCount)
        groupCount = onlyType == nil ? try file.section(Tag.groupTypes + tag).byteCount / 4 : 0
        groupStarts = try file.words(Tag.groupStarts + tag, count: onlyType == nil ? file.slotCount + 1 : 0)
        groupTypes = try file.words(Tag.groupTypes + tag, count: groupCount)
        groupEntryStarts = try file.words(Tag.groupEntryStarts + tag, count: onlyType == nil ? groupCount + 1 : 0)
    }

    /// Whether no read can be led out of the segment, or to a node at or above `nodeLimit`.
    func isValid(nodeLimit: UInt64) -> Bool {
        func climbs(_ starts: UnsafePointer<UInt32>, _ count: Int, to end: Int) -> Bool {
            var last: UInt32 = 0
            for index in 0..<count {
                if starts[index] < last { return false }
                last = starts[index]
            }
            return Int(last) == end
        }
        guard relationshipIDs.isValid, climbs(entryStarts, slotCount + 1, to: entryCount) else { return false }
        var greatest: UInt64 = 0
        for entry in 0..<entryCount { greatest = max(greatest, neighbour(entry)) }
        if entryCount > 0 && greatest >= nodeLimit { return false }
        if onlyType != nil { return true }
        guard climbs(groupStarts, slotCount + 1, to: groupCount), climbs(groupEntryStarts, groupCount + 1, to: entryCount)
        else { return false }
        return (0..<slotCount).allSatisfy { slot in
            groupStarts[slot] == groupStarts[slot + 1]
                ? entryStarts[slot] == entryStarts[slot + 1]
                : groupEntryStarts[Int(groupStarts[slot])] == entryStarts[slot]
        }
    }

    /// All of a node's entries.
    @inline(__always)
    func run(_ slot: Int) -> Range<Int> {
        Range(uncheckedBounds: (Int(entryStarts[slot]), Int(entryStarts[slot + 1])))
    }

    /// Asks for the cache line that says where a node's entries are.
    @inline(__always)
    func prefetch(_ slot: Int) { martlet_prefetch(entryStarts + slot) }

    /// The entries of one type.
    func run(_ slot: Int, type: TokenID) -> Range<Int> {
        if let onlyType { return onlyType == type ? run(slot) : 0..<0 }
        for group in groups(slot) where groupTypes[group] == type { return entries(group) }
        return 0..<0
    }

    /// The entries of some types, all when none is named, if they lie side by side; else nil.
    @inline(__always)
    func run(_ slot: Int, types: [TokenID]) -> Range<Int>? {
        if types.isEmpty { return run(slot) }
        if let onlyType { return types.contains(onlyType) ? run(slot) : 0..<0 }
        return types.count == 1 ? run(slot, type: types[0]) : nil
    }

    @inline(__always)
    private func groups(_ slot: Int) -> Range<Int> { Int(groupStarts[slot])..<Int(groupStarts[slot + 1]) }
    @inline(__always)
    private func entries(_ group: Int) -> Range<Int> { Int(groupEntryStarts[group])..<Int(groupEntryStarts[group + 1]) }

    /// Calls `body` with each matching type and its entries, types ascending.
    @inline(__always)
    func forEachGroup(_ slot: Int, types: [TokenID], _ body: (TokenID, Range<Int>) -> Void) {
        if let onlyType {
            let run = run(slot)
            if !run.isEmpty && (types.isEmpty || types.contains(onlyType)) { body(onlyType, run) }
            return
        }
        for group in groups(slot) where types.isEmpty || types.contains(groupTypes[group]) {
            body(groupTypes[group], entries(group))
        }
    }

    @inline(__always)
    func neighbour(_ entry: Int) -> UInt64 {
        assert(entry >= 0 && entry < entryCount)
        return isWide
            ? neighbours.load(fromByteOffset: entry &* 8, as: UInt64.self)
            : UInt64(neighbours.load(fromByteOffset: entry &* 4, as: UInt32.self))
    }

    /// The neighbours of a run as they lie in memory; of the width that ``isWide`` says.
    @inline(__always)
    func pointer(_ entries: Range<Int>) -> UnsafeRawPointer { neighbours + entries.lowerBound &* (isWide ? 8 : 4) }

    @inline(__always)
    func run(_ entries: Range<Int>) -> NeighbourRun {
        NeighbourRun(pointer(entries), isWide: isWide, count: entries.count)
    }

    /// Where a relationship of a node stands; nil when it does not.
    func place(_ slot: Int, type: TokenID, _ relationship: UInt64) -> UInt32? {
        relationshipIDs.firstIndex(of: relationship, in: run(slot, type: type)).map { UInt32($0) }
    }

    /// Appends the neighbours of a range, widened: one branch for the run, none per element.
    func append(_ entries: Range<Int>, to target: inout ContiguousArray<UInt64>) {
        guard !entries.isEmpty else { return }
        precondition(entries.lowerBound >= 0 && entries.upperBound <= entryCount)
        run(entries).append(to: &target)
    }
}

/// The neighbours of one node as they lie in a segment. Valid while the view that gave it lives.
struct NeighbourRun {
    // Safety: leads into a segment that the view keeps.
    let base: UnsafeRawPointer
    let isWide: Bool
    let count: Int

    @inline(__always)
    init(_ base: UnsafeRawPointer, isWide: Bool, count: Int) {
        self.base = base
        self.isWide = isWide
        self.count = count
    }

    /// Asks for the first cache lines of the run.
    @inline(__always)
    func prefetch() {
        let byteCount = min(isWide ? count &* 8 : count &* 4, 256)
        var offset = 0
        while offset < byteCount {
            martlet_prefetch(base + offset)
            offset += 64
        }
    }

    static var empty: NeighbourRun { NeighbourRun(Adjacency().pointer(0..<0), isWide: false, count: 0) }

    func append(to target: inout ContiguousArray<UInt64>) {
        let start = target.count
        target.append(contentsOf: repeatElement(0, count: count))
        target.withUnsafeMutableBufferPointer { buffer in
            let output = UnsafeMutableBufferPointer(rebasing: buffer[start...])
            if isWide {
                let source = base.assumingMemoryBound(to: UInt64.self)
                for index in 0..<output.count { output[index] = source[index] }
            } else {
                let source = base.assumingMemoryBound(to: UInt32.self)
                for index in 0..<output.count { output[index] = UInt64(source[index]) }
            }
        }
    }
}
