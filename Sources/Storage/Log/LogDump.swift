public import FileSystem
public import GraphModel

/// Reads the transaction log of a store for people: takes no lock, changes nothing, needs no store that opens.
///
/// Each file is verified as opening verifies it. Behind damage the rest of that file is not shown; the next file is. The
/// end of a log that a server is writing may look torn.
public enum LogDump {
    public struct Options: Sendable {
        /// The first and last transaction to show; nil for no end.
        public var first: TransactionID?
        public var last: TransactionID?
        public var withCommands = false
        public init() {}
    }

    public struct Entry: Sendable {
        public enum Kind: String, Sendable {
            case transaction
            /// A new master's first entry.
            case epochStart = "epoch-start"
        }
        /// Name of the file, and where in it the entry begins, in bytes.
        public let file: String
        public let offset: UInt64
        public let byteCount: Int
        public let kind: Kind
        public let position: LogPosition
        public let wallClockMilliseconds: Int64
        public let commandCount: Int
        /// Up to where the writer knew everything to be committed.
        public let commitPoint: TransactionID
        /// Only when asked for.
        public let commands: [String]

        /// When the master wrote it, in UTC.
        public var time: String {
            let (quotient, rest) = wallClockMilliseconds.quotientAndRemainder(dividingBy: 1000)
            let (seconds, part) = rest < 0 ? (quotient - 1, rest + 1000) : (quotient, rest)
            let content = Temporal.dateTime(
                seconds: seconds, nanoseconds: Int32(part) * 1_000_000, offsetSeconds: 0, zone: nil)
            return content.isValid ? content.description : "\(wallClockMilliseconds) ms"
        }
    }

    public struct Damage: Sendable, Equatable {
        public let path: String
        public let offset: UInt64
        public let detail: String
    }

    /// Calls `entry` for each entry in order; returns what is damaged. Throws when there is no log to read.
    public static func run(
        _ directory: String, fileSystem: any FileSystem = POSIXFileSystem(), options: Options = Options(),
        _ entry: (Entry) -> Void
    ) throws(GraphError) -> [Damage] {
        let names: [String]
        do throws(FileError) { names = try fileSystem.list(directory).filter(LogFile.isLogName) } catch {
            throw GraphError(error)
        }
        guard !names.isEmpty else { throw GraphError(.foreignStore, "\(directory): there is no transaction log here") }
        var reader = Reader(directory: directory, fileSystem: fileSystem, options: options)
        for (index, name) in names.enumerated() {
            if let last = options.last, let first = firstTransaction(name), first > last { break }
            // Names of tokens may be made anywhere before, so files are left out only when no command is shown.
            if !options.withCommands, let first = options.first, index + 1 < names.count,
                let next = firstTransaction(names[index + 1]), next <= first
            {
                continue
            }
            reader.read(name, isLast: index == names.count - 1, entry)
        }
        return reader.damage
    }

    private static func firstTransaction(_ name: String) -> TransactionID? {
        UInt64(name.dropFirst(4).dropLast(5)).map { TransactionID($0) }
    }
}

private struct Reader {
    let directory: String
    let fileSystem: any FileSystem
    let options: LogDump.Options
    var names: CommandText
    var storeID: StoreID?
    var end: LogPosition?
    var damage: [LogDump.Damage] = []

    init(directory: String, fileSystem: any FileSystem, options: LogDump.Options) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.options = options
        var tokens = TokenTable()
        if options.withCommands {
            let path = directory + "/" + Manifest.fileName
            do {
                tokens = try Manifest(decoding: try fileSystem.readAll(path), path: path).tokens
            } catch {
                // Names come from the log alone then, and what it does not name has a number.
                tokens = TokenTable()
            }
        }
        names = CommandText(tokens)
    }

    private mutating func note(_ path: String, _ offset: UInt64, _ detail: String) {
        damage.append(LogDump.Damage(path: path, offset: offset, detail: detail))
    }

    mutating func read(_ name: String, isLast: Bool, _ body: (LogDump.Entry) -> Void) {
        let path = directory + "/" + name
        do throws(GraphError) {
            switch try LogFile.open(path, fileSystem, mode: .readOnly) {
            case .neverWritten:
                if !isLast { note(path, 0, "the header is missing, but later log files exist") }
            case .file(var file):
                if let storeID, storeID != file.storeID {
                    return note(path, 8, "belongs to store \(file.storeID), the file before it to store \(storeID)")
                }
                storeID = file.storeID
                if let end, end != file.before { note(path, 16, "begins after \(file.before), the file before it ends at \(end)") }
                var offset = UInt64(LogFile.headerByteCount)
                let (last, damage) = try file.scan { header, bytes throws(GraphError) in
                    defer { offset += UInt64(header.byteCount) }
                    show(header, bytes, name, offset, body)
                }
                // Nothing can be said about how the next file follows a damaged one.
                end = damage == nil ? last : nil
                if let damage { note(path, damage.offset, damage.detail) }
            }
        } catch {
            end = nil
            // The message begins with the path.
            let text = error.message
            note(path, 0, text.hasPrefix(path + ": ") ? String(text.dropFirst(path.count + 2)) : text)
        }
    }

    private mutating func show(
        _ header: LogEntryHeader, _ bytes: ArraySlice<UInt8>, _ name: String, _ offset: UInt64,
        _ body: (LogDump.Entry) -> Void
    ) {
        let transaction = header.position.transactionID
        let isWanted = options.first.map { transaction >= $0 } ?? true && options.last.map { transaction <= $0 } ?? true
        var commands: [String] = []
        if options.withCommands {
            var reader = ByteReader(bytes.dropFirst(LogEntryHeader.byteCount))
            do throws(MalformedBytes) {
                for _ in 0..<header.commandCount {
                    let command = try Command.decode(&reader)
                    names.learn(command)
                    if isWanted { commands.append(names.text(command)) }
                }
            } catch {
                note(directory + "/" + name, offset, "a command: \(error.detail)")
            }
        }
        guard isWanted else { return }
        body(
            LogDump.Entry(
                file: name, offset: offset, byteCount: header.byteCount,
                kind: header.kind == .transaction ? .transaction : .epochStart, position: header.position,
                wallClockMilliseconds: header.wallClockMilliseconds, commandCount: header.commandCount,
                commitPoint: header.commitPoint, commands: commands))
    }
}
