internal import FileSystem
internal import GraphModel
internal import Storage

/// Why a copy did not come about.
struct CopyFailure: Error {
    let error: GraphError
    /// The target is at fault, a full disk for one: another member would not help.
    let isLocal: Bool
}

/// Takes in the answers of one copy, in the order that the protocol demands, and writes them to the target. Sees to it
/// that a member cannot make it write more than it announced.
struct CopyReceiver: ~Copyable {
    private let directory: String
    private let fileSystem: any FileSystem
    private let storeID: StoreID
    private let keepsCached: Bool
    private var target: StoreCopyTarget?
    private var files: [CopyHeader.File] = []
    private var fileIndex = 0
    private var fileOffset: UInt64 = 0
    private var minimumEnd = LogPosition.zero
    /// What an earlier try left; nil when the copy begins from nothing.
    private let left: [LeftSegment]?
    private var isSkipped: [Bool] = []
    /// To be sent to the member as soon as it is there.
    private(set) var selection: CopySelection?
    /// CRC-32C of each file as far as it has come.
    private(set) var checksums: [String: UInt32] = [:]

    private(set) var header: CopyHeader?
    /// Bytes of files and log so far.
    private(set) var receivedByteCount: UInt64 = 0
    /// Bytes of all files; the log comes on top.
    private(set) var fileByteCount: UInt64 = 0

    /// - Parameter storeID: the store that is expected; `.none` for any.
    /// - Parameter keepsCached: as of ``BackupClient/Options``.
    init(
        directory: String, fileSystem: any FileSystem, storeID: StoreID, keepsCached: Bool, left: [LeftSegment]? = nil
    ) {
        self.keepsCached = keepsCached
        self.left = left
        self.directory = directory
        self.fileSystem = fileSystem
        self.storeID = storeID
    }

    /// Takes one answer. Returns the position that the finished copy ends with after the last, nil before.
    mutating func receive(_ answer: BackupAnswer) throws(CopyFailure) -> LogPosition? {
        switch answer {
        case .refusal(let error): throw CopyFailure(error: error, isLocal: false)
        case .status: throw remote("a status in the middle of a copy")
        case .header(let header): try begin(header)
        case .chunk(let file, let offset, let bytes): try write(file, offset, bytes)
        case .records(let records): try append(records)
        case .fingerprints(let values): try adopt(values)
        case .end(let position): return try finish(position)
        }
        return nil
    }

    /// Takes away what was written, and the directory if it was made.
    mutating func discard() throws(GraphError) { try target?.discard() }

    private mutating func begin(_ header: CopyHeader) throws(CopyFailure) {
        guard target == nil else { throw remote("a second header") }
        guard storeID == .none || storeID == header.storeID else {
            throw CopyFailure(
                error: GraphError(.foreignStore, "the member sends store \(header.storeID), expected was \(storeID)"),
                isLocal: false)
        }
        let target: StoreCopyTarget
        do throws(GraphError) {
            target = try StoreCopyTarget(
                directory: directory, fileSystem: fileSystem, manifest: header.manifest, isResumed: left != nil,
                keepsCached: keepsCached)
        } catch {
            throw CopyFailure(error: error, isLocal: error.code == .storageIO)
        }
        self.target = target
        guard target.storeID == header.storeID else {
            throw remote("store \(header.storeID) with the manifest of another")
        }
        self.header = header
        files = header.files
        isSkipped = Array(repeating: false, count: files.count)
        fileByteCount = files.reduce(0) { $0 + $1.byteCount }
        minimumEnd = header.target
    }

    /// Takes over what is there already.
    private mutating func adopt(_ fingerprints: [UInt64]) throws(CopyFailure) {
        guard let target, let left, selection == nil, receivedByteCount == 0, fingerprints.count == files.count else {
            throw remote("fingerprints of \(fingerprints.count) files out of turn")
        }
        let names = files.map(\.name)
        do throws(GraphError) {
            let adopted = try target.adopt(
                left, fingerprints: Dictionary(zip(names, fingerprints), uniquingKeysWith: { a, _ in a }))
            for segment in adopted { checksums[segment.name] = segment.checksum }
        } catch {
            throw CopyFailure(error: error, isLocal: true)
        }
        let chosen = CopySelection(skipping: names.map { checksums[$0] != nil })
        for index in files.indices where chosen.skips(index) {
            isSkipped[index] = true
            fileByteCount -= files[index].byteCount
        }
        // What could not be named comes again.
        for (index, name) in names.enumerated() where !isSkipped[index] { checksums[name] = nil }
        selection = chosen
    }

    /// Whether something is there that the next try need not ask for.
    var hasWholeFile: Bool { files.indices.contains { isSkipped[$0] || $0 < fileIndex } }

    private mutating func write(_ file: UInt32, _ offset: UInt64, _ bytes: ArraySlice<UInt8>) throws(CopyFailure) {
        guard let target else { throw remote("content before the header") }
        skipFinishedFiles()
        guard fileIndex < files.count, Int(file) == fileIndex, offset == fileOffset,
            UInt64(bytes.count) <= files[fileIndex].byteCount - offset
        else {
            throw remote(
                "bytes \(offset) to \(offset &+ UInt64(bytes.count)) of file \(file), while byte \(fileOffset) of file \(fileIndex) is due"
            )
        }
        do throws(GraphError) { try target.write(files[fileIndex].name, Array(bytes)) } catch {
            throw CopyFailure(error: error, isLocal: error.code == .storageIO)
        }
        let name = files[fileIndex].name
        checksums[name] = bytes.withUnsafeBytes { CRC32C.checksum($0, continuing: checksums[name] ?? 0) }
        fileOffset += UInt64(bytes.count)
        receivedByteCount += UInt64(bytes.count)
    }

    private mutating func skipFinishedFiles() {
        while fileIndex < files.count, isSkipped[fileIndex] || fileOffset >= files[fileIndex].byteCount {
            fileIndex += 1
            fileOffset = 0
        }
    }

    private mutating func append(_ bytes: [[UInt8]]) throws(CopyFailure) {
        try requireFiles("log entries")
        // The target verifies each entry and reads its position out of it.
        let records = bytes.map { LogRecord(position: .zero, previousChecksum: 0, bytes: $0) }
        do throws(GraphError) { try target?.append(records) } catch {
            throw CopyFailure(error: error, isLocal: error.code == .storageIO)
        }
        receivedByteCount += bytes.reduce(0) { $0 + UInt64($1.count) }
    }

    private mutating func requireFiles(_ what: String) throws(CopyFailure) {
        guard target != nil else { throw remote("\(what) before the header") }
        skipFinishedFiles()
        guard fileIndex == files.count else {
            throw remote("\(what) while byte \(fileOffset) of file \(fileIndex) is due")
        }
    }

    private mutating func finish(_ end: LogPosition) throws(CopyFailure) -> LogPosition {
        try requireFiles("the end")
        guard let target, end.transactionID >= minimumEnd.transactionID else {
            throw remote("an end at \(end), before \(minimumEnd)")
        }
        let last: LogPosition
        do throws(GraphError) { last = try target.finish(expecting: end) } catch {
            throw CopyFailure(error: error, isLocal: error.code == .storageIO)
        }
        return last
    }

    private func remote(_ what: String) -> CopyFailure {
        CopyFailure(
            error: GraphError(.network, "the member sends \(what): it does not keep to the protocol"), isLocal: false)
    }
}
