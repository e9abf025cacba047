public import FileSystem
public import GraphModel

/// Loads CSV files into a new store by writing its segments directly; the result is an ordinary store at transaction 1.
///
/// Nodes first (ids in the order of their rows), then relationships (likewise), then adjacency by external sort. Memory
/// stays below a limit: what does not fit goes to temporary files in the directory. Rows that cannot be taken are reported
/// with file and line and left out, up to a limit; never dropped silently. An import that fails leaves the directory
/// empty. What the store holds depends on the files only, not on limits or threads.
public final class BulkImporter {
    /// One or more files with the same columns. The first row of the first file is the header; that file may hold
    /// nothing else.
    public struct Input: Sendable {
        public let paths: [String]
        /// Labels for every node, or the type for every relationship, of these files; beside what their columns say.
        public let names: [String]
        public init(paths: [String], names: [String] = []) {
            self.paths = paths
            self.names = names
        }
        public init(path: String, names: [String] = []) { self.init(paths: [path], names: names) }
    }

    public struct Options: Sendable {
        public var separator = UInt8(ascii: ",")
        /// Between the elements of an array, and the labels of a `:LABEL` column.
        public var arraySeparator = UInt8(ascii: ";")
        /// nil: none.
        public var quote: UInt8? = UInt8(ascii: "\"")
        /// More bad rows than this end the import.
        public var badRowCountMaximum = 1000
        /// What the process may hold in memory while it imports, in bytes; at least 128 MiB make sense. Beyond it lies what
        /// is larger by itself: a range of nodes with its adjacency, a range of relationships, a row.
        public var memoryByteCountMaximum = 1 << 30
        /// What of it is for ids, nodes and adjacency. The rest is for batches of rows and segments that are being built,
        /// whose size does not depend on the graph's; 112 MiB are what it comes to.
        var heldByteCountMaximum: Int { max(memoryByteCountMaximum - (112 << 20), memoryByteCountMaximum / 4) }
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

    /// A row that was left out.
    public struct BadRow: Sendable, CustomStringConvertible {
        public let path: String
        /// Where the row begins; the first line of a file is 1.
        public let line: UInt64
        public let reason: String

        package init(path: String, line: UInt64, reason: String) {
            self.path = path
            self.line = line
            self.reason = reason
        }

        public var description: String { "\(path):\(line): \(reason)" }
    }

    public struct Statistics: Sendable {
        public internal(set) var nodeCount = 0
        public internal(set) var relationshipCount = 0
        public internal(set) var propertyCount = 0
        public internal(set) var badRowCount = 0
        public internal(set) var storeByteCount: UInt64 = 0
        /// What went to temporary files.
        public internal(set) var spilledByteCount: UInt64 = 0
        public internal(set) var storeID = StoreID.none
        /// Nodes per label and relationships per type, in the order in which the names first came.
        public internal(set) var labels: [(name: String, nodeCount: Int)] = []
        public internal(set) var types: [(name: String, relationshipCount: Int)] = []
        public internal(set) var propertyKeyCount = 0
        public internal(set) var seconds = 0.0
        /// The most that the process held in memory, mapped files included.
        public internal(set) var peakMemoryByteCount: UInt64 = 0

        public var rowCount: Int { nodeCount + relationshipCount }
        public var rowsPerSecond: Double { seconds > 0 ? Double(rowCount) / seconds : 0 }
    }

    let directory: String
    let fileSystem: any FileSystem
    let options: Options
    let onProgress: (Progress) -> Void
    let onBadRow: (BadRow) -> Void
    var statistics = Statistics()
    var tokens = TokenTable()
    var counts = Counts()
    var idSpaces: [String: ImportIDMap] = [:]
    var rows: ImportedRows
    var labelSets: [[TokenID]] = []
    var labelSetNumbers: [[TokenID]: UInt32] = [:]
    var manifest: Manifest
    /// Of the stage that is under way: bytes of all its files, and of those that are done.
    var stageByteCount: UInt64 = 0
    var stageDoneByteCount: UInt64 = 0

    public init(
        into directory: String, fileSystem: any FileSystem = POSIXFileSystem(), options: Options = Options(),
        onProgress: @escaping (Progress) -> Void = { _ in }, onBadRow: @escaping (BadRow) -> Void = { _ in }
    ) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.options = options
        self.onProgress = onProgress
        self.onBadRow = onBadRow
        rows = ImportedRows(
            rangeLength: 1 << Int(options.nodeRangeBits), heldByteCountMaximum: options.heldByteCountMaximum / 4,
            file: SpillFile(directory + "/import-nodes.tmp", fileSystem))
        manifest = Manifest(
            storeID: StoreID(UInt64.random(in: 1 ... .max)), nodeRangeBits: options.nodeRangeBits,
            relationshipRangeBits: options.relationshipRangeBits, wallClockMilliseconds: wallClockMilliseconds())
    }

    /// Runs the import. The directory must be empty or missing.
    public func run(nodes: [Input], relationships: [Input]) throws(GraphError) -> Statistics {
        let start = monotonicNanoseconds()
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
        do throws(GraphError) {
            try load(nodes, relationships)
        } catch {
            removeEverything()
            throw error
        }
        statistics.storeID = manifest.storeID
        statistics.storeByteCount = (manifest.nodeSegments + manifest.relationshipSegments).reduce(0) { $0 + $1.byteCount }
        statistics.labels = (0..<tokens.count(.label)).map {
            (tokens.name(.label, TokenID($0)) ?? "", counts.nodes(label: TokenID($0)))
        }
        statistics.types = (0..<tokens.count(.relationshipType)).map {
            (tokens.name(.relationshipType, TokenID($0)) ?? "", counts.relationships(type: TokenID($0)))
        }
        statistics.propertyKeyCount = tokens.count(.propertyKey)
        statistics.seconds = Double(monotonicNanoseconds() - start) / 1e9
        statistics.peakMemoryByteCount = peakResidentByteCount()
        return statistics
    }

    private func load(_ nodes: [Input], _ relationships: [Input]) throws(GraphError) {
        try beginStage(nodes)
        for input in nodes { try importNodes(input) }
        do throws(FileError) { try rows.finish() } catch { throw GraphError(error) }
        try beginStage(relationships)
        var stage = try makeRelationshipStage()
        do throws(GraphError) {
            for input in relationships { try importRelationships(input, &stage) }
            try finish(&stage)
        } catch {
            stage.writer.stop()
            throw error
        }
        idSpaces = [:]
        try writeNodeSegments(&stage.partitions)
        do throws(FileError) {
            statistics.spilledByteCount = rows.file.byteCount + stage.partitions.file.byteCount
            try rows.remove()
            try stage.partitions.remove()
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
    }

    /// Everything in the directory is this import's.
    private func removeEverything() {
        do throws(FileError) {
            for name in try fileSystem.list(directory) { try fileSystem.remove(directory + "/" + name) }
        } catch {
            onBadRow(BadRow(path: directory, line: 0, reason: "what the import left could not be removed: \(error)"))
        }
    }

    private func beginStage(_ inputs: [Input]) throws(GraphError) {
        stageDoneByteCount = 0
        do throws(FileError) {
            stageByteCount = try ImportSource.byteCount(inputs.flatMap(\.paths), fileSystem)
        } catch {
            throw GraphError(.argumentError, error.description)
        }
    }

    func report(_ stage: String, _ consumedByteCount: UInt64, _ rowCount: Int) {
        let part = stageByteCount == 0 ? 1 : Double(consumedByteCount) / Double(stageByteCount)
        onProgress(Progress(stage: stage, part: part, rowCount: rowCount))
    }

    func token(_ kind: TokenKind, _ name: String) -> TokenID {
        if let token = tokens.token(kind, name) { return token }
        let token = TokenID(tokens.count(kind))
        _ = tokens.add(kind, token, name)
        return token
    }

    func bad(_ path: String, _ line: UInt64, _ what: String) throws(GraphError) {
        statistics.badRowCount += 1
        onBadRow(BadRow(path: path, line: line, reason: what))
        if statistics.badRowCount > options.badRowCountMaximum {
            throw GraphError(
                .argumentError,
                "more than \(options.badRowCountMaximum) bad rows, the last at \(path):\(line): \(what)")
        }
    }
}
