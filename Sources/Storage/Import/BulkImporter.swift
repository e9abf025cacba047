public import FileSystem
public import GraphModel

/// Loads CSV files into a new store by writing its segments directly; the result is an ordinary store at transaction 1.
///
/// Nodes first (ids in the order of their rows), then relationships (likewise), then adjacency by counting sort. Rows
/// that cannot be taken are reported with file and line and skipped, up to a limit; never dropped silently.
public final class BulkImporter {
    public struct Input: Sendable {
        public let path: String
        /// Labels for every node, or the type for every relationship, of this file; beside what its columns say.
        public let names: [String]
        public init(path: String, names: [String] = []) {
            self.path = path
            self.names = names
        }
    }

    public struct Options: Sendable {
        public var separator = UInt8(ascii: ",")
        /// More bad rows than this end the import.
        public var badRowCountMaximum = 1000
        public var nodeRangeBits: UInt8 = 14
        public var relationshipRangeBits: UInt8 = 17
        public init() {}
    }

    public struct Progress: Sendable {
        public let stage: String
        /// 0 to 1 within the stage.
        public let part: Double
        public let rowCount: Int
    }

    public struct Statistics: Sendable {
        public internal(set) var nodeCount = 0
        public internal(set) var relationshipCount = 0
        public internal(set) var propertyCount = 0
        public internal(set) var badRowCount = 0
        public internal(set) var storeByteCount: UInt64 = 0
        public internal(set) var storeID = StoreID.none
    }

    let directory: String
    let fileSystem: any FileSystem
    let options: Options
    let onProgress: (Progress) -> Void
    let onBadRow: (String) -> Void
    var statistics = Statistics()
    var tokens = TokenTable()
    var counts = Counts()
    var idSpaces: [String: ImportIDMap] = [:]
    var nodeBuilders: [NodeSegmentBuilder] = []
    var starts: ContiguousArray<UInt32> = []
    var ends: ContiguousArray<UInt32> = []
    var types: ContiguousArray<UInt16> = []
    var relationshipBuilder: RelationshipSegmentBuilder?
    var manifest: Manifest

    public init(
        into directory: String, fileSystem: any FileSystem = POSIXFileSystem(), options: Options = Options(),
        onProgress: @escaping (Progress) -> Void = { _ in }, onBadRow: @escaping (String) -> Void = { _ in }
    ) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.options = options
        self.onProgress = onProgress
        self.onBadRow = onBadRow
        manifest = Manifest(
            storeID: StoreID(UInt64.random(in: 1 ... .max)), nodeRangeBits: options.nodeRangeBits,
            relationshipRangeBits: options.relationshipRangeBits, wallClockMilliseconds: wallClockMilliseconds())
    }

    /// Runs the import. The directory must be empty or missing.
    public func run(nodes: [Input], relationships: [Input]) throws(GraphError) -> Statistics {
        do throws(FileError) {
            try fileSystem.createDirectory(directory)
            let present = try fileSystem.list(directory)
            guard present.isEmpty else {
                throw FileError(
                    .exists, operation: "import into", path: directory,
                    detail: "the directory is not empty (\(present[0])); name a new one")
            }
        } catch {
            throw GraphError(error)
        }
        for input in nodes { try importNodes(input) }
        for input in relationships { try importRelationships(input) }
        do throws(FileError) {
            try finishRelationshipSegment()
            try writeNodeSegments()
            try fileSystem.syncDirectory(directory)
            manifest.counts = counts
            manifest.tokens = tokens
            manifest.nextNodeID = UInt64(statistics.nodeCount)
            manifest.nextRelationshipID = UInt64(statistics.relationshipCount)
            manifest.generation = 2
            manifest.position = LogPosition(
                epoch: .zero, transactionID: TransactionID(1),
                checksum: LogEntryHeader.chain(manifest.storeID.rawValue, UInt32(truncatingIfNeeded: counts.nodes), 1))
            _ = try LogFile.create(
                in: directory, fileSystem, storeID: manifest.storeID, before: manifest.position)
            try fileSystem.replace(directory + "/" + Manifest.fileName, with: manifest.encode())
        } catch {
            throw GraphError(error)
        }
        statistics.storeID = manifest.storeID
        statistics.storeByteCount = (manifest.nodeSegments + manifest.relationshipSegments).reduce(0) { $0 + $1.byteCount }
        return statistics
    }

    func token(_ kind: TokenKind, _ name: String) -> TokenID {
        if let token = tokens.token(kind, name) { return token }
        let token = TokenID(tokens.count(kind))
        _ = tokens.add(kind, token, name)
        return token
    }

    func bad(_ path: String, _ line: Int, _ what: String) throws(GraphError) {
        statistics.badRowCount += 1
        onBadRow("\(path):\(line): \(what)")
        if statistics.badRowCount > options.badRowCountMaximum {
            throw GraphError(
                .argumentError,
                "more than \(options.badRowCountMaximum) bad rows, the last at \(path):\(line): \(what)")
        }
    }

    func openCSV(_ path: String) throws(GraphError) -> (CSVReader, [ImportColumn]) {
        let reader: CSVReader
        do throws(FileError) { reader = try CSVReader(path, fileSystem, separator: options.separator) } catch {
            throw GraphError(.argumentError, error.description)
        }
        var csv = reader
        guard try csv.next() else { throw GraphError(.argumentError, "\(path): the file is empty, a header is expected") }
        var columns: [ImportColumn] = []
        for field in csv.fields.indices {
            var text = csv.text(field)
            if field == 0, text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
            columns.append(try ImportColumn(text, path: path))
        }
        return (csv, columns)
    }

    private func writeNodeSegments() throws(FileError) {
        let nodeCount = statistics.nodeCount
        onProgress(Progress(stage: "adjacency", part: 0, rowCount: 0))
        let outgoing = Self.sort(starts, nodeCount)
        let incoming = Self.sort(ends, nodeCount)
        let rangeLength = 1 << Int(options.nodeRangeBits)
        for range in nodeBuilders.indices {
            let first = range * rangeLength
            for node in first..<min(first + rangeLength, nodeCount) {
                addAdjacency(node, outgoing, ends, to: &nodeBuilders[range].outgoing)
                addAdjacency(node, incoming, starts, to: &nodeBuilders[range].incoming)
                nodeBuilders[range].endNode()
            }
            let bytes = nodeBuilders[range].finish(transactionID: TransactionID(1))
            nodeBuilders[range] = NodeSegmentBuilder(firstID: 0, expectedCount: 0)
            let name = Manifest.segmentName(.nodes, range: UInt64(range), generation: 1)
            try Store.writeNewFile(directory + "/" + name, bytes, fileSystem)
            manifest.nodeSegments.append(.init(range: UInt64(range), name: name, byteCount: UInt64(bytes.count)))
            onProgress(
                Progress(
                    stage: "adjacency", part: Double(range + 1) / Double(nodeBuilders.count),
                    rowCount: min(first + rangeLength, nodeCount)))
        }
    }

    private func addAdjacency(
        _ node: Int, _ sorted: (offsets: ContiguousArray<UInt64>, order: ContiguousArray<UInt32>),
        _ neighbours: ContiguousArray<UInt32>, to builder: inout AdjacencyBuilder
    ) {
        var relationships = sorted.order[Int(sorted.offsets[node])..<Int(sorted.offsets[node + 1])]
        if tokens.count(.relationshipType) > 1 {
            relationships.sort { (types[Int($0)], $0) < (types[Int($1)], $1) }
        }
        for relationship in relationships {
            builder.add(
                type: TokenID(types[Int(relationship)]), neighbour: UInt64(neighbours[Int(relationship)]),
                relationship: UInt64(relationship))
        }
    }

    /// Counting sort: for each node the relationships that have it at this end, in ascending order.
    private static func sort(
        _ ends: ContiguousArray<UInt32>, _ nodeCount: Int
    ) -> (offsets: ContiguousArray<UInt64>, order: ContiguousArray<UInt32>) {
        var offsets = ContiguousArray<UInt64>(repeating: 0, count: nodeCount + 1)
        for end in ends { offsets[Int(end) + 1] += 1 }
        for node in 0..<nodeCount { offsets[node + 1] += offsets[node] }
        var next = offsets
        var order = ContiguousArray<UInt32>(repeating: 0, count: ends.count)
        for (index, end) in ends.enumerated() {
            order[Int(next[Int(end)])] = UInt32(index)
            next[Int(end)] += 1
        }
        return (offsets, order)
    }
}
