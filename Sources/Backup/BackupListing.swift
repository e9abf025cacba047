public import FileSystem
public import GraphModel
internal import Storage

/// What a backup directory says of itself, in the file `backup.manifest`: what was backed up when, and the checksum of
/// every file. `docs/formats/backup-directory.md`.
///
/// Without the file the directory is a store all the same; a server that runs on it outdates the file.
public struct BackupListing: Sendable, Equatable {
    public struct File: Sendable, Equatable {
        public var name: String
        public var byteCount: UInt64
        /// CRC-32C.
        public var checksum: UInt32
    }

    public static let fileName = "backup.manifest"
    private static let heading = "martlet backup 1"

    public var storeID: StoreID
    /// The last transaction.
    public var position: LogPosition
    /// Where the backup before it ended; nil in a full backup.
    public var previous: LogPosition?
    /// When it was made, ms since 1970.
    public var time: Int64
    /// The member that it came from, and what that was.
    public var source: String
    public var files: [File]

    // MARK: Text

    func encode() -> [UInt8] {
        var lines = [
            Self.heading, "store \(storeID)", "position \(Self.text(position))",
            "previous \(previous.map(Self.text) ?? "none")", "time \(time) \(BackupTime.text(time))", "from \(source)",
        ]
        lines += files.map { "file \(Self.hex($0.checksum)) \($0.byteCount) \($0.name)" }
        let text = Array((lines.joined(separator: "\n") + "\n").utf8)
        return text + Array("crc32c \(Self.hex(CRC32C.checksum(text)))\n".utf8)
    }

    /// Throws `.corrupt` naming the file and the line.
    init(decoding bytes: [UInt8], path: String) throws(GraphError) {
        func wrong(_ what: String) -> GraphError { GraphError(.corrupt, "\(path): \(what)") }
        let end = bytes.dropLast().lastIndex(of: 10).map { $0 + 1 } ?? 0
        guard String(decoding: bytes[end...], as: UTF8.self) == "crc32c \(Self.hex(CRC32C.checksum(Array(bytes[..<end]))))\n" else {
            throw wrong("the checksum in the last line does not match")
        }
        var lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\n")[...]
        guard lines.popFirst().map(String.init) == Self.heading else {
            throw GraphError(.formatVersion, "\(path): does not begin with \"\(Self.heading)\"")
        }
        func field(_ name: String) throws(GraphError) -> Substring {
            guard let line = lines.popFirst(), line.hasPrefix(name + " ") else { throw wrong("the line \"\(name)\" is missing") }
            return line.dropFirst(name.utf8.count + 1)
        }
        func position(_ text: Substring) throws(GraphError) -> LogPosition {
            let parts = text.split(separator: " ")
            guard parts.count == 3, let epoch = UInt64(parts[0]), let transaction = UInt64(parts[1]),
                let checksum = UInt64(parts[2], radix: 16)
            else { throw wrong("\"\(text)\" is no position") }
            return LogPosition(epoch: Epoch(epoch), transactionID: TransactionID(transaction), checksum: checksum)
        }
        let store = try field("store")
        guard let number = UInt64(store, radix: 16) else { throw wrong("\"\(store)\" is no store id") }
        storeID = StoreID(number)
        self.position = try position(try field("position"))
        let before = try field("previous")
        previous = before == "none" ? nil : try position(before)
        let made = try field("time")
        guard let milliseconds = made.split(separator: " ").first.flatMap({ Int64($0) }) else {
            throw wrong("\"\(made)\" is no time")
        }
        time = milliseconds
        source = String(try field("from"))
        files = []
        while !lines.isEmpty {
            let parts = try field("file").split(separator: " ", maxSplits: 2)
            guard parts.count == 3, let checksum = UInt32(parts[0], radix: 16), let byteCount = UInt64(parts[1]) else {
                throw wrong("a line \"file\" is not understood")
            }
            files.append(File(name: String(parts[2]), byteCount: byteCount, checksum: checksum))
        }
    }

    init(storeID: StoreID, position: LogPosition, previous: LogPosition?, time: Int64, source: String, files: [File]) {
        self.storeID = storeID
        self.position = position
        self.previous = previous
        self.time = time
        self.source = source
        self.files = files
    }

    private static func text(_ position: LogPosition) -> String {
        "\(position.epoch.rawValue) \(position.transactionID.rawValue) \(String(position.checksum, radix: 16))"
    }

    private static func hex(_ checksum: UInt32) -> String {
        let digits = String(checksum, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    // MARK: Directories

    /// The listing of a backup; nil when the directory has none.
    public static func read(
        _ directory: String, fileSystem: any FileSystem = POSIXFileSystem()
    ) throws(GraphError) -> BackupListing? {
        let path = directory + "/" + fileName
        guard fileSystem.exists(path) else { return nil }
        let bytes: [UInt8]
        do throws(FileError) { bytes = try fileSystem.readAll(path) } catch { throw GraphError(error) }
        return try BackupListing(decoding: bytes, path: path)
    }

    /// The files of a store directory with their checksums. Those that are known are not read: segments never change.
    static func files(
        in directory: String, known: [String: UInt32], _ fileSystem: any FileSystem
    ) throws(GraphError) -> [File] {
        do throws(FileError) {
            var files: [File] = []
            for name in try fileSystem.list(directory) where Store.isContent(name) {
                let file = try fileSystem.open(directory + "/" + name, .readOnly)
                defer { file.close() }
                var checksum = known[name] ?? 0
                if known[name] == nil {
                    try file.forEachPart { bytes throws(FileError) in
                        checksum = CRC32C.checksum(bytes, continuing: checksum)
                    }
                }
                files.append(File(name: name, byteCount: try file.byteCount(), checksum: checksum))
            }
            return files
        } catch {
            throw GraphError(error)
        }
    }

    /// Compares every file with its checksum. Throws `.corrupt` naming the first that differs.
    func verify(_ directory: String, _ fileSystem: any FileSystem) throws(GraphError) {
        for file in files {
            let path = directory + "/" + file.name
            guard fileSystem.exists(path) else { throw Self.damaged(path, "is missing") }
            var checksum: UInt32 = 0
            var byteCount: UInt64 = 0
            do throws(FileError) {
                let content = try fileSystem.open(path, .readOnly)
                defer { content.close() }
                try content.forEachPart { bytes throws(FileError) in
                    checksum = CRC32C.checksum(bytes, continuing: checksum)
                    byteCount += UInt64(bytes.count)
                }
            } catch {
                throw GraphError(error)
            }
            try file.require(byteCount, checksum, path)
        }
    }

    fileprivate static func damaged(_ path: String, _ what: String) -> GraphError {
        GraphError(
            .corrupt,
            "\(path) \(what): the backup is damaged, or a server has run on it (then remove \(parentDirectory(path))/\(fileName))")
    }
}

extension BackupListing.File {
    /// Throws `.corrupt` unless the file at `path` turned out to be this one.
    func require(_ actualByteCount: UInt64, _ actualChecksum: UInt32, _ path: String) throws(GraphError) {
        guard actualByteCount == byteCount else {
            throw BackupListing.damaged(path, "has \(actualByteCount) bytes, \(byteCount) were backed up")
        }
        guard actualChecksum == checksum else { throw BackupListing.damaged(path, "has another checksum than was backed up") }
    }
}

/// Times as people read them.
enum BackupTime {
    /// `2026-11-26T09:10:00Z`; with `compact`, `20261126T091000Z`.
    static func text(_ milliseconds: Int64, compact: Bool = false) -> String {
        let seconds = milliseconds / 1000
        let date = CalendarDate.date(seconds / 86400)
        let time = seconds % 86400
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let (dash, colon) = compact ? ("", "") : ("-", ":")
        return "\(date.year)\(dash)\(two(date.month))\(dash)\(two(date.day))T"
            + "\(two(time / 3600))\(colon)\(two(time / 60 % 60))\(colon)\(two(time % 60))Z"
    }
}
