internal import FileSystem
internal import GraphModel

/// Names the segments that together are the base, and everything else that a store is besides its log. Replaced as a
/// whole by rename, so a crash leaves the old or the new one.
///
/// File `manifest`: magic `MMAN`, `UInt16` format version, fields in the order below, `UInt32` CRC-32C of all before it.
struct Manifest: Sendable {
    static let fileName = "manifest"
    static let magic: [UInt8] = Array("MMAN".utf8)
    static let formatVersion: UInt16 = 4
    /// Written where no request is remembered.
    private static let formatVersionWithoutRequests: UInt16 = 3
    /// The oldest version that is still read; it has no schema. Version 2 has no named indexes, 3 no requests.
    static let oldestFormatVersion: UInt16 = 1

    /// No id reaches this: twice the manual's 2^35 nodes and relationships (appendix B).
    static let idLimit: UInt64 = 1 << 36

    struct SegmentReference: Sendable, Equatable {
        /// Number of the range: first id divided by the range's length.
        let range: UInt64
        let name: String
        let byteCount: UInt64
    }

    var storeID: StoreID
    /// A node segment holds `1 << nodeRangeBits` ids.
    var nodeRangeBits: UInt8
    var relationshipRangeBits: UInt8
    /// The last transaction that the segments contain.
    var position: LogPosition
    var wallClockMilliseconds: Int64
    /// One past the highest id ever used.
    var nextNodeID: UInt64
    var nextRelationshipID: UInt64
    /// Number of the next checkpoint; part of segment names, so that no name is used twice.
    var generation: UInt64
    var counts: Counts
    var tokens: TokenTable
    var nodeSegments: [SegmentReference]
    var relationshipSegments: [SegmentReference]
    var schema: Schema
    /// The chunks of each index that is populated and of each named index, in the order of their keys; `range` counts them from 0. Ascending by
    /// rule.
    var indexRuns: [IndexRunReference]
    /// The latest requests that are committed, in the order of the log.
    var requests: [RequestLedger.Entry] = []

    struct IndexRunReference: Sendable, Equatable {
        let rule: SchemaRuleID
        let chunks: [SegmentReference]
    }

    /// Every file that belongs to the base, in the order of a store copy.
    var allSegments: [SegmentReference] { nodeSegments + relationshipSegments + indexRuns.flatMap(\.chunks) }

    func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(raw: Self.magic)
        writer.write(requests.isEmpty ? Self.formatVersionWithoutRequests : Self.formatVersion)
        writer.write(storeID.rawValue)
        writer.write(nodeRangeBits)
        writer.write(relationshipRangeBits)
        writer.write(position.epoch.rawValue)
        writer.write(position.transactionID.rawValue)
        writer.write(position.checksum)
        writer.write(wallClockMilliseconds)
        writer.write(nextNodeID)
        writer.write(nextRelationshipID)
        writer.write(generation)
        counts.encode(into: &writer)
        tokens.encode(into: &writer)
        func write(_ list: [SegmentReference]) {
            writer.write(UInt32(list.count))
            for reference in list {
                writer.write(reference.range)
                writer.write(string: reference.name)
                writer.write(reference.byteCount)
            }
        }
        write(nodeSegments)
        write(relationshipSegments)
        schema.encode(into: &writer)
        writer.write(UInt32(indexRuns.count))
        for run in indexRuns {
            writer.write(run.rule.rawValue)
            write(run.chunks)
        }
        if !requests.isEmpty {
            writer.write(UInt32(requests.count))
            for request in requests {
                writer.write(request.transaction.rawValue)
                writer.write(string: request.id.text)
            }
        }
        writer.write(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    init(decoding bytes: [UInt8], path: String) throws(GraphError) {
        do {
            guard bytes.count >= 10, Array(bytes[..<4]) == Self.magic else {
                throw GraphError(.foreignStore, "\(path): not the manifest of a Martlet store")
            }
            var reader = ByteReader(bytes[4..<bytes.count - 4])
            let version: UInt16 = try reader.read()
            guard version >= Self.oldestFormatVersion, version <= Self.formatVersion else {
                throw GraphError(.formatVersion, "\(path): expected store format \(Self.formatVersion), found \(version)")
            }
            var tail = ByteReader(bytes[(bytes.count - 4)...])
            guard try tail.read(UInt32.self) == CRC32C.checksum(Array(bytes[..<(bytes.count - 4)])) else {
                throw MalformedBytes(offset: bytes.count - 4, detail: "the checksum does not match")
            }
            storeID = StoreID(try reader.read())
            nodeRangeBits = try reader.read()
            relationshipRangeBits = try reader.read()
            guard (4...NodeSegmentBuilder.rangeBitsMaximum).contains(nodeRangeBits), (4...30).contains(relationshipRangeBits) else {
                throw MalformedBytes(offset: 14, detail: "ranges of 2^\(nodeRangeBits) and 2^\(relationshipRangeBits) ids")
            }
            position = LogPosition(
                epoch: Epoch(try reader.read()), transactionID: TransactionID(try reader.read()),
                checksum: try reader.read())
            wallClockMilliseconds = try reader.read()
            nextNodeID = try reader.read()
            nextRelationshipID = try reader.read()
            guard max(nextNodeID, nextRelationshipID) <= Self.idLimit else {
                throw MalformedBytes(offset: 56, detail: "ids up to \(max(nextNodeID, nextRelationshipID)) are more than a store can have")
            }
            generation = try reader.read()
            counts = try Counts(&reader)
            tokens = try TokenTable(&reader)
            func references(_ reader: inout ByteReader) throws(MalformedBytes) -> [SegmentReference] {
                var result: [SegmentReference] = []
                for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 20)) {
                    result.append(
                        SegmentReference(
                            range: try reader.read(), name: try reader.readString(), byteCount: try reader.read()))
                }
                return result
            }
            nodeSegments = try references(&reader)
            relationshipSegments = try references(&reader)
            schema = Schema()
            indexRuns = []
            if version >= 2 {
                schema = try Schema(&reader, hasManualIndexes: version >= 3)
                for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 8)) {
                    let rule = SchemaRuleID(try reader.read())
                    guard schema.rule(rule)?.hasIndex ?? (schema.manualIndex(rule) != nil), indexRuns.last.map({ $0.rule < rule }) ?? true else {
                        throw MalformedBytes(offset: reader.offset, detail: "an index run of \(rule), which has none")
                    }
                    indexRuns.append(IndexRunReference(rule: rule, chunks: try references(&reader)))
                }
            }
            if version >= 4 { requests = try Self.requests(&reader, through: position.transactionID) }
            for name in allSegments.map(\.name) where !Self.isSegmentName(name) {
                throw MalformedBytes(offset: 0, detail: "\"\(name)\" is no name of a segment")
            }
        } catch let error as GraphError {
            throw error
        } catch {
            throw GraphError(.corrupt, "\(path): \(error)")
        }
    }

    private static func requests(
        _ reader: inout ByteReader, through end: TransactionID
    ) throws(MalformedBytes) -> [RequestLedger.Entry] {
        var requests: [RequestLedger.Entry] = []
        for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 13)) {
            let transaction = TransactionID(try reader.read())
            guard transaction > requests.last?.transaction ?? .zero, transaction <= end else {
                throw MalformedBytes(offset: reader.offset - 8, detail: "a request of \(transaction) out of order")
            }
            requests.append(.init(id: try RequestID(&reader), transaction: transaction))
        }
        return requests
    }

    init(storeID: StoreID, nodeRangeBits: UInt8, relationshipRangeBits: UInt8, wallClockMilliseconds: Int64) {
        self.storeID = storeID
        self.nodeRangeBits = nodeRangeBits
        self.relationshipRangeBits = relationshipRangeBits
        self.wallClockMilliseconds = wallClockMilliseconds
        position = .zero
        nextNodeID = 0
        nextRelationshipID = 0
        generation = 1
        counts = Counts()
        tokens = TokenTable()
        nodeSegments = []
        relationshipSegments = []
        schema = Schema()
        indexRuns = []
    }

    static func segmentName(_ kind: SegmentFile.Kind, range: UInt64, generation: UInt64) -> String {
        "\(kind == .nodes ? "nodes" : "relationships").\(range).\(generation).seg"
    }

    static func isSegmentName(_ name: String) -> Bool { name.hasSuffix(".seg") && !name.contains("/") }
}
