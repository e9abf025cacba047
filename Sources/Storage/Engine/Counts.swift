internal import FileSystem
internal import GraphModel

/// How much there is: kept exactly, so that counting everything costs nothing.
struct Counts: Sendable, Equatable {
    var nodes = 0
    var relationships = 0
    private(set) var nodesByLabel: [Int] = []
    private(set) var relationshipsByType: [Int] = []

    func nodes(label: TokenID) -> Int { Int(label) < nodesByLabel.count ? nodesByLabel[Int(label)] : 0 }
    func relationships(type: TokenID) -> Int {
        Int(type) < relationshipsByType.count ? relationshipsByType[Int(type)] : 0
    }

    mutating func add(_ change: Int, label: TokenID) { Self.add(change, at: label, in: &nodesByLabel) }
    mutating func add(_ change: Int, type: TokenID) { Self.add(change, at: type, in: &relationshipsByType) }

    private static func add(_ change: Int, at token: TokenID, in list: inout [Int]) {
        while list.count <= Int(token) { list.append(0) }
        list[Int(token)] += change
    }

    func encode(into writer: inout ByteWriter) {
        writer.write(UInt64(nodes))
        writer.write(UInt64(relationships))
        for list in [nodesByLabel, relationshipsByType] {
            writer.write(UInt32(list.count))
            list.forEach { writer.write(UInt64($0)) }
        }
    }

    init() {}

    init(_ reader: inout ByteReader) throws(MalformedBytes) {
        nodes = Int(truncatingIfNeeded: try reader.read(UInt64.self))
        relationships = Int(truncatingIfNeeded: try reader.read(UInt64.self))
        func list(_ reader: inout ByteReader) throws(MalformedBytes) -> [Int] {
            var result: [Int] = []
            for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 8)) {
                result.append(Int(truncatingIfNeeded: try reader.read(UInt64.self)))
            }
            return result
        }
        nodesByLabel = try list(&reader)
        relationshipsByType = try list(&reader)
    }

    /// Equal but for trailing zeros, which say nothing.
    func matches(_ other: Counts) -> Bool {
        func trimmed(_ list: [Int]) -> ArraySlice<Int> { list[..<((list.lastIndex { $0 != 0 } ?? -1) + 1)] }
        return nodes == other.nodes && relationships == other.relationships
            && trimmed(nodesByLabel) == trimmed(other.nodesByLabel)
            && trimmed(relationshipsByType) == trimmed(other.relationshipsByType)
    }
}
