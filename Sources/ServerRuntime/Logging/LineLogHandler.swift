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
        var line = Self.timestamp(wallClockMilliseconds())
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

    /// ISO 8601 in UTC.
    static func timestamp(_ milliseconds: Int64) -> String {
        func padded(_ number: Int64, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let seconds = milliseconds / 1000
        let (year, month, day) = civilDate(seconds / 86_400)
        let time = seconds % 86_400
        let date = "\(padded(Int64(year), 4))-\(padded(Int64(month), 2))-\(padded(Int64(day), 2))"
        let clock = "\(padded(time / 3600, 2)):\(padded(time / 60 % 60, 2)):\(padded(time % 60, 2))"
        return "\(date)T\(clock).\(padded(milliseconds % 1000, 3))Z"
    }
}
