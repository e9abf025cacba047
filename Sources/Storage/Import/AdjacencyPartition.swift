internal import FileSystem
internal import GraphModel

/// One direction of the relationships of some neighbouring nodes, in the order of relationship ids: the first pass of the
/// external sort. Packed into 32-bit words, in chunks that are held in memory or spilled.
///
/// An entry is a word with the node's place in the partition above and the distance from the entry before in relationship
/// ids below, and a word with the other node. The two highest distances are marks: a long distance follows in two more
/// words; or the second word is the type of what follows.
struct AdjacencyPartition: Sendable {
    enum Chunk: Sendable {
        case memory(ContiguousArray<UInt32>)
        case spilled(SpillFile.Part)
    }
    private(set) var chunks: [Chunk] = []
    private(set) var entryCount = 0
    private(set) var hasManyTypes = false
    fileprivate var open: ContiguousArray<UInt32> = []
    private var last: UInt64 = 0
    private var type: TokenID?

    /// Adds an entry; true when the open chunk is full.
    @inline(__always)
    mutating func add(
        _ place: UInt32, _ neighbour: UInt32, _ relationship: UInt64, _ type: TokenID, _ shape: AdjacencyPartitions.Shape
    ) -> Bool {
        if type != self.type {
            hasManyTypes = self.type != nil
            self.type = type
            open.append(shape.typeMark)
            open.append(type)
        }
        let distance = relationship &- last
        last = relationship
        if distance < UInt64(shape.longMark) {
            open.append(place << shape.distanceBits | UInt32(truncatingIfNeeded: distance))
            open.append(neighbour)
        } else {
            open.append(place << shape.distanceBits | shape.longMark)
            open.append(neighbour)
            open.append(UInt32(truncatingIfNeeded: distance))
            open.append(UInt32(truncatingIfNeeded: distance >> 32))
        }
        entryCount += 1
        return open.count >= shape.chunkWordCount
    }

    /// Ends the open chunk: it stays in memory, or goes to the file.
    mutating func endChunk(_ shape: AdjacencyPartitions.Shape, spillingTo file: inout SpillFile, spills: Bool) throws(FileError) {
        if open.isEmpty { return }
        if spills {
            var outcome: Result<SpillFile.Part, FileError>?
            open.withUnsafeBytes { bytes in
                do throws(FileError) { outcome = .success(try file.append(bytes)) } catch { outcome = .failure(error) }
            }
            if let outcome { chunks.append(.spilled(try outcome.get())) }
            open.removeAll(keepingCapacity: true)
        } else {
            chunks.append(.memory(open))
            open = []
            open.reserveCapacity(shape.chunkWordCount + 6)
        }
    }

    mutating func release() { open = [] }
}

/// Both directions of all partitions: a partition is as many nodes as keep their number small, whole ranges of them.
struct AdjacencyPartitions: Sendable {
    struct Shape: Sendable {
        /// A partition holds `1 << nodeBits` nodes.
        let nodeBits: UInt32
        let chunkWordCount: Int
        var distanceBits: UInt32 { 32 - nodeBits }
        var typeMark: UInt32 { 1 << distanceBits - 1 }
        var longMark: UInt32 { typeMark - 1 }
        @inline(__always) func partition(_ node: UInt32) -> Int { Int(node >> nodeBits) }
        @inline(__always) func place(_ node: UInt32) -> UInt32 { node & (1 << nodeBits - 1) }
    }
    private static let partitionCountWanted = 512

    let shape: Shape
    private(set) var outgoing: ContiguousArray<AdjacencyPartition>
    private(set) var incoming: ContiguousArray<AdjacencyPartition>
    private(set) var file: SpillFile
    private var heldByteCount = 0
    private let heldByteCountMaximum: Int

    init(nodeCount: Int, nodeRangeBits: UInt8, byteCountMaximum: Int, file: SpillFile) {
        var bits = UInt32(nodeRangeBits)
        while (nodeCount - 1) >> Int(bits) >= Self.partitionCountWanted { bits += 1 }
        let count = nodeCount == 0 ? 0 : (nodeCount - 1) >> Int(bits) + 1
        // A quarter for the chunks that are open.
        let wordCount = byteCountMaximum / 4 / max(2 * count, 1) / 4
        shape = Shape(nodeBits: bits, chunkWordCount: min(max(wordCount, 256), 16384))
        outgoing = ContiguousArray(repeating: AdjacencyPartition(), count: count)
        incoming = outgoing
        self.file = file
        heldByteCountMaximum = byteCountMaximum - 2 * count * shape.chunkWordCount * 4
    }

    var count: Int { outgoing.count }

    @inline(__always)
    mutating func add(_ type: TokenID, _ start: UInt32, _ end: UInt32, _ relationship: UInt64) throws(FileError) {
        if outgoing[shape.partition(start)].add(shape.place(start), end, relationship, type, shape) {
            try endChunk(isIncoming: false, shape.partition(start))
        }
        if incoming[shape.partition(end)].add(shape.place(end), start, relationship, type, shape) {
            try endChunk(isIncoming: true, shape.partition(end))
        }
    }

    private mutating func endChunk(isIncoming: Bool, _ index: Int) throws(FileError) {
        let spills = heldByteCount + shape.chunkWordCount * 4 > heldByteCountMaximum
        if !spills { heldByteCount += shape.chunkWordCount * 4 }
        if isIncoming {
            try incoming[index].endChunk(shape, spillingTo: &file, spills: spills)
        } else {
            try outgoing[index].endChunk(shape, spillingTo: &file, spills: spills)
        }
    }

    /// Ends all chunks: nothing more is added.
    mutating func finish() throws(FileError) {
        for index in outgoing.indices {
            try endChunk(isIncoming: false, index)
            try endChunk(isIncoming: true, index)
            outgoing[index].release()
            incoming[index].release()
        }
    }

    /// Gives a partition away: it is not needed again.
    mutating func take(_ index: Int) -> (outgoing: AdjacencyPartition, incoming: AdjacencyPartition) {
        defer {
            outgoing[index] = AdjacencyPartition()
            incoming[index] = AdjacencyPartition()
        }
        return (outgoing[index], incoming[index])
    }

    /// Entries of the fullest partition, both directions together.
    var entryCountMaximum: Int { zip(outgoing, incoming).reduce(0) { max($0, $1.0.entryCount + $1.1.entryCount) } }

    mutating func remove() throws(FileError) {
        outgoing = []
        incoming = []
        try file.remove()
    }
}

/// One direction of a partition in the order of nodes, and within a node of types and relationship ids: the second pass
/// of the external sort, by counting.
struct SortedAdjacency {
    /// Per node of the partition where its entries begin, and the end.
    let starts: ContiguousArray<Int>
    let neighbours: ContiguousArray<UInt32>
    let relationships: ContiguousArray<UInt64>
    /// Empty when all have ``onlyType``.
    let types: ContiguousArray<TokenID>
    let onlyType: TokenID

    init(
        _ partition: consuming AdjacencyPartition, nodeCount: Int, _ shape: AdjacencyPartitions.Shape, _ file: SpillFile
    ) throws(FileError) {
        let count = partition.entryCount
        // Counted one place up, so that after the second pass each node's place is where its entries begin.
        var starts = ContiguousArray(repeating: 0, count: nodeCount + 2)
        var buffer: ContiguousArray<UInt32> = []
        for chunk in partition.chunks {
            try Self.withWords(chunk, file, &buffer) { words in
                var index = 0
                while index < words.count {
                    let distance = words[index] & shape.typeMark
                    if distance != shape.typeMark { starts[Int(words[index] >> shape.distanceBits) + 2] += 1 }
                    index += distance == shape.longMark ? 4 : 2
                }
            }
        }
        for node in 1..<starts.count { starts[node] += starts[node - 1] }
        var neighbours = ContiguousArray<UInt32>(repeating: 0, count: count)
        var relationships = ContiguousArray<UInt64>(repeating: 0, count: count)
        var types = ContiguousArray<TokenID>(repeating: 0, count: partition.hasManyTypes ? count : 0)
        var type: TokenID = 0
        var relationship: UInt64 = 0
        for chunk in partition.chunks {
            try Self.withWords(chunk, file, &buffer) { words in
                var index = 0
                while index < words.count {
                    let word = words[index]
                    let distance = word & shape.typeMark
                    if distance == shape.typeMark {
                        type = words[index + 1]
                        index += 2
                        continue
                    }
                    let node = Int(word >> shape.distanceBits) + 1
                    let place = starts[node]
                    starts[node] = place + 1
                    neighbours[place] = words[index + 1]
                    if distance == shape.longMark {
                        relationship += UInt64(words[index + 2]) | UInt64(words[index + 3]) << 32
                        index += 4
                    } else {
                        relationship += UInt64(distance)
                        index += 2
                    }
                    relationships[place] = relationship
                    if !types.isEmpty { types[place] = type }
                }
            }
        }
        self.starts = starts
        self.neighbours = neighbours
        self.relationships = relationships
        self.types = types
        onlyType = type
    }

    private static func withWords(
        _ chunk: AdjacencyPartition.Chunk, _ file: SpillFile, _ buffer: inout ContiguousArray<UInt32>,
        _ body: (UnsafeBufferPointer<UInt32>) -> Void
    ) throws(FileError) {
        switch chunk {
        case .memory(let words): words.withUnsafeBufferPointer(body)
        case .spilled(let part):
            let count = part.byteCount / 4
            if buffer.count < count { buffer = ContiguousArray(repeating: 0, count: count) }
            var failure: FileError?
            buffer.withUnsafeMutableBytes { bytes in
                do throws(FileError) {
                    try file.read(part, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<part.byteCount]))
                } catch { failure = error }
            }
            if let failure { throw failure }
            buffer.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[..<count])) }
        }
    }

    /// Adds a node's entries to a segment that is being built.
    func add(_ node: Int, to builder: inout AdjacencyBuilder) {
        let range = starts[node]..<starts[node + 1]
        if range.isEmpty { return }
        if types.isEmpty {
            for place in range {
                builder.add(type: onlyType, neighbour: UInt64(neighbours[place]), relationship: relationships[place])
            }
            return
        }
        let first = types[range.lowerBound]
        if range.allSatisfy({ types[$0] == first }) {
            for place in range {
                builder.add(type: first, neighbour: UInt64(neighbours[place]), relationship: relationships[place])
            }
            return
        }
        for place in range.sorted(by: { (types[$0], $0) < (types[$1], $1) }) {
            builder.add(type: types[place], neighbour: UInt64(neighbours[place]), relationship: relationships[place])
        }
    }
}
