public import GraphModel
internal import RESTServer
internal import Storage

/// `martlet log dump`: the transaction log of a store, entry by entry. Changes nothing and takes no lock.
public enum LogTool {
    public struct Options: Sendable {
        public var directory = ""
        /// The first and last transaction to show.
        public var from: UInt64?
        public var to: UInt64?
        public var withCommands = false
        /// An object per line.
        public var asJSON = false
        public init() {}
    }

    /// Prints the entries, then what is damaged: `.failure` when anything is.
    public static func dump(_ options: Options, print: (String) -> Void) throws(GraphError) -> ExitStatus {
        if let from = options.from, let to = options.to, from > to {
            throw GraphError(.configuration, "--from \(from) --to \(to): the first transaction is after the last")
        }
        var dumpOptions = LogDump.Options()
        dumpOptions.first = options.from.map { TransactionID($0) }
        dumpOptions.last = options.to.map { TransactionID($0) }
        dumpOptions.withCommands = options.withCommands
        let damage = try LogDump.run(options.directory, options: dumpOptions) { entry in
            print(options.asJSON ? json(entry, options.withCommands) : text(entry))
        }
        for place in damage {
            print(options.asJSON ? json(place) : "DAMAGED \(place.path): offset \(place.offset): \(place.detail)")
        }
        return damage.isEmpty ? .success : .failure
    }

    private static func text(_ entry: LogDump.Entry) -> String {
        let position = entry.position
        let head =
            "tx \(position.transactionID.rawValue) epoch \(position.epoch.rawValue) \(entry.time) \(entry.kind.rawValue) commands \(entry.commandCount) bytes \(entry.byteCount) checksum \(String(position.checksum, radix: 16)) \(entry.file):\(entry.offset)"
        return ([head] + entry.commands.map { "  " + $0 }).joined(separator: "\n")
    }

    private static func json(_ entry: LogDump.Entry, _ withCommands: Bool) -> String {
        var json = JSONWriter(.compact)
        json.beginObject()
        json.key("tx")
        json.value(entry.position.transactionID.rawValue)
        json.key("epoch")
        json.value(entry.position.epoch.rawValue)
        json.key("checksum")
        json.string(String(entry.position.checksum, radix: 16))
        json.key("kind")
        json.string(entry.kind.rawValue)
        json.key("time")
        json.string(entry.time)
        json.key("commit_point")
        json.value(entry.commitPoint.rawValue)
        json.key("command_count")
        json.value(Int64(entry.commandCount))
        json.key("file")
        json.string(entry.file)
        json.key("offset")
        json.value(entry.offset)
        json.key("bytes")
        json.value(Int64(entry.byteCount))
        if withCommands {
            json.key("commands")
            json.beginList()
            for command in entry.commands { json.string(command) }
            json.endList()
        }
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private static func json(_ damage: LogDump.Damage) -> String {
        var json = JSONWriter(.compact)
        json.beginObject()
        json.key("damage")
        json.string(damage.detail)
        json.key("file")
        json.string(damage.path)
        json.key("offset")
        json.value(damage.offset)
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
