internal import FileSystem
public import Logging
internal import RESTServer

/// Logs to standard output: one line per event, with the time in UTC.
///
/// `2026-01-31T12:00:00.123Z info  server: started port=7474`. Line breaks within a message are written as `\n`, so
/// that a line is always one event.
public struct LineLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var logLevel: Logger.Level
    private let label: String
    private let write: @Sendable (String) -> Void

    public init(label: String, level: Logger.Level = .info) {
        self.init(label: label, level: level) { StandardStream.output.writeLine($0) }
    }

    package init(label: String, level: Logger.Level, write: @escaping @Sendable (String) -> Void) {
        self.label = label
        self.write = write
        logLevel = level
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var line = timestampText(wallClockMilliseconds())
        line += " " + event.level.rawValue
        line += String(repeating: " ", count: max(1, 8 - event.level.rawValue.count))
        line += label + ": " + event.message.description
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        for key in all.keys.sorted() { line += " \(key)=\(all[key]?.description ?? "")" }
        write(Self.oneLine(line))
    }

    static func oneLine(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x0A || $0 == 0x0D }) else { return text }
        return String(text.flatMap { $0.isNewline ? Array("\\n") : [$0] })
    }
}
