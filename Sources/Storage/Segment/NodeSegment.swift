internal import FileSystem
internal import GraphModel

/// A range of nodes: their labels, properties, and both adjacency lists grouped by direction and type.
final class NodeSegment: @unchecked Sendable {
    // Safety: no lock and no thread owns it: all is written by the initialiser only; every pointer leads into `file`'s mapping, which never changes and lives as long as this object.
    enum Tag {
        /// Which directions have a single type, and which.
        static let types: UInt32 = 1
        static let labelSets: UInt32 = 2
        static let labelSetOfNode: UInt32 = 3
    }

    let file: SegmentFile
    let columns: ColumnSet
    let outgoing: Adjacency
    let incoming: Adjacency
    let slotCount: Int
    /// Per slot 0 for no node, else 1 + index into `labelSets`.
    let labelSetOfNode: UnsafePointer<UInt16>
    private let labelSets: [[TokenID]]

    init(_ file: SegmentFile) throws(GraphError) {
        self.file = file
        guard file.kind == .nodes else { throw GraphError(.corrupt, "\(file.path): not a segment of nodes") }
        slotCount = file.slotCount
        labelSetOfNode = try file.pointer(Tag.labelSetOfNode, width: 2, count: slotCount)
            .assumingMemoryBound(to: UInt16.self)
        let only: [TokenID?]
        do {
            var reader = ByteReader(try file.verifiedBytes(Tag.types))
            only = [try reader.readBool() ? try reader.read() : nil, try reader.readBool() ? try reader.read() : nil]
            reader = ByteReader(try file.verifiedBytes(Tag.labelSets))
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
            throw GraphError(.corrupt, "\(file.path): description of the segment: \(error)")
        }
        outgoing = try Adjacency(file, isIncoming: false, onlyType: only[0])
        incoming = try Adjacency(file, isIncoming: true, onlyType: only[1])
        columns = try ColumnSet(file)
    }

    /// Compares all of the segment with its checksums; `nodeLimit` is one past the highest node id of the store.
    func verify(nodeLimit: UInt64) throws(GraphError) {
        try file.verify {
            (0..<slotCount).allSatisfy { Int(labelSetOfNode[$0]) <= labelSets.count }
                && outgoing.isValid(nodeLimit: nodeLimit) && incoming.isValid(nodeLimit: nodeLimit) && columns.isValid
        }
    }

    func labels(_ slot: Int) -> [TokenID] {
        let index = Int(labelSetOfNode[slot])
        return index > 0 ? labelSets[index - 1] : []
    }

    func hasLabel(_ label: TokenID, _ slot: Int) -> Bool {
        labelSet(labelSetOfNode[slot], contains: label)
    }

    func labelSet(_ number: UInt16, contains label: TokenID) -> Bool {
        number > 0 && labelSets[Int(number) - 1].contains(label)
    }

    /// Which label set numbers contain `label`, as a lookup by number; for scans.
    func labelSetsContaining(_ label: TokenID) -> [Bool] { [false] + labelSets.map { $0.contains(label) } }
    /// Which numbers stand for a node, whatever its labels.
    var labelSetsOfNodes: [Bool] { [false] + labelSets.map { _ in true } }
    func labelSetNumber(_ slot: Int) -> Int { Int(labelSetOfNode[slot]) }
}

/// Builds a segment of nodes, slot by slot in ascending order. Slots after the last one added are not stored.
struct NodeSegmentBuilder {
    private let firstID: UInt64
    private var labelSetOfNode: [UInt16] = []
    private var labelSets: [[TokenID]] = []
    private var labelSetNumbers: [[TokenID]: UInt16] = [:]
    /// Both directions of the nodes added so far; the builder's user ends each node in both.
    var outgoing: AdjacencyBuilder
    var incoming: AdjacencyBuilder
    private var columns = ColumnSetBuilder()
    /// A segment numbers its label sets with 16 bits, and has at most `2^15` slots' worth of them.
    static let rangeBitsMaximum: UInt8 = 15

    init(firstID: UInt64, expectedCount: Int) {
        self.firstID = firstID
        labelSetOfNode.reserveCapacity(expectedCount)
        outgoing = AdjacencyBuilder(slotCount: expectedCount)
        incoming = AdjacencyBuilder(slotCount: expectedCount)
    }

    /// Slots so far.
    var slotCount: Int { labelSetOfNode.count }

    mutating func addAbsent() {
        labelSetOfNode.append(0)
        endNode()
    }

    /// Both adjacency lists of a node are complete.
    mutating func endNode() {
        outgoing.endNode()
        incoming.endNode()
    }

    /// Adds the next slot's labels and properties; its adjacency follows, in the same order of slots.
    mutating func addEntity(labels: [TokenID], properties: [Property]) {
        columns.add(slot: labelSetOfNode.count, properties)
        if let number = labelSetNumbers[labels] {
            labelSetOfNode.append(number)
        } else {
            labelSets.append(labels)
            let number = UInt16(labelSets.count)
            labelSetNumbers[labels] = number
            labelSetOfNode.append(number)
        }
    }

    /// The bytes of the segment.
    consuming func finish(transactionID: TransactionID) -> [UInt8] {
        var assembler = SegmentAssembler(
            kind: .nodes, firstID: firstID, slotCount: labelSetOfNode.count, transactionID: transactionID)
        var types = ByteWriter()
        for only in [outgoing.onlyType, incoming.onlyType] {
            types.write(only != nil)
            if let only { types.write(only) }
        }
        assembler.add(NodeSegment.Tag.types, types.bytes)
        var sets = ByteWriter()
        sets.write(UInt32(labelSets.count))
        for set in labelSets {
            sets.write(UInt32(set.count))
            set.forEach { sets.write($0) }
        }
        assembler.add(NodeSegment.Tag.labelSets, sets.bytes)
        columns.finish(into: &assembler)
        assembler.add(NodeSegment.Tag.labelSetOfNode, width: 2, labelSetOfNode.withUnsafeBytes(Array.init))
        outgoing.finish(into: &assembler, isIncoming: false)
        incoming.finish(into: &assembler, isIncoming: true)
        return assembler.assemble()
    }
}
