internal import FileSystem
public import GraphModel

/// The effective configuration: defaults, then the file, then the environment, then the command line.
public struct Configuration: Sendable {
    struct Entry: Sendable {
        let text: String
        /// Where it came from, for messages: `martlet.properties line 7`, `environment MARTLET_…`, `command line`.
        let source: String
    }

    private var entries: [String: Entry] = [:]
    /// One line per unknown key.
    public private(set) var warnings: [String] = []
    /// Directory that relative paths start at.
    public let baseDirectory: String

    /// Reads the file, if one is named, and the overrides. Throws `.configuration` with file, line, key, value and what
    /// is allowed.
    public init(
        file: String?, environment: [String: String], overrides: [(key: String, value: String)]
    ) throws(GraphError) {
        baseDirectory = file.map(parentDirectory) ?? "."
        if let file {
            let bytes: [UInt8]
            do throws(FileError) { bytes = try POSIXFileSystem().readAll(file) } catch {
                throw GraphError(.configuration, "cannot read the configuration: \(error)")
            }
            try read(String(decoding: bytes, as: UTF8.self), file)
        }
        for setting in Settings.all {
            if let text = environment[setting.environmentName] {
                try set(setting.name, text, "environment variable \(setting.environmentName)")
            }
        }
        for (key, value) in overrides { try set(key, value, "command line") }
    }

    private mutating func read(_ text: String, _ file: String) throws(GraphError) {
        for (index, rawLine) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = rawLine.trimmingSpaces
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix("!") { continue }
            guard let separator = line.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
                throw GraphError(.configuration, "\(file) line \(index + 1): \"\(line)\" is not key=value")
            }
            let key = String(line[..<separator].trimmingSpaces)
            let value = String(line[line.index(after: separator)...].trimmingSpaces)
            try set(key, value, "\(file) line \(index + 1)")
        }
    }

    private mutating func set(_ key: String, _ text: String, _ source: String) throws(GraphError) {
        guard let setting = Settings.all.first(where: { $0.name == key }) else {
            let nearest = Settings.all.map { ($0.name, Self.distance($0.name, key)) }.min { $0.1 < $1.1 }
            let hint = nearest.flatMap { $0.1 <= max(3, key.count / 3) ? ". Did you mean \($0.0)?" : nil } ?? ""
            warnings.append("\(source): unknown key \(key) is ignored\(hint)")
            return
        }
        guard setting.accepts(text) else {
            throw GraphError(
                .configuration, "\(source): \(key)=\(text) is not valid; allowed: \(setting.allowed)")
        }
        entries[key] = Entry(text: text, source: source)
    }

    /// Levenshtein distance.
    static func distance(_ a: String, _ b: String) -> Int {
        let x = Array(a)
        let y = Array(b)
        var row = Array(0...y.count)
        for i in 0..<x.count {
            var previous = row[0]
            row[0] = i + 1
            for j in 0..<y.count {
                let substituted = previous + (x[i] == y[j] ? 0 : 1)
                previous = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[y.count]
    }

    /// The value of a key, or its default; nil when it has neither.
    public func value<Value>(_ setting: Setting<Value>) -> Value? {
        (entries[setting.name]?.text ?? setting.defaultText).flatMap(setting.parse)
    }

    /// The value of a key that must be there.
    public func required<Value>(_ setting: Setting<Value>, because reason: String) throws(GraphError) -> Value {
        guard let value = value(setting) else {
            throw GraphError(.configuration, "\(setting.name) is missing: \(reason); allowed: \(setting.allowed)")
        }
        return value
    }

    /// A path setting, made absolute against the configuration file's directory.
    public func path(_ setting: Setting<String>) -> String {
        let text = value(setting) ?? "."
        return text.hasPrefix("/") ? text : baseDirectory + "/" + text
    }

    /// The same of a setting that may be absent.
    public func optionalPath(_ setting: Setting<String>) -> String? {
        value(setting) == nil ? nil : path(setting)
    }

    /// Every key with its effective value and where it came from, one a line. Of secrets only the latter.
    public var dump: String {
        Settings.all.map { setting in
            let entry = entries[setting.name]
            let text = setting.isSecret && entry != nil ? "…" : entry?.text ?? setting.defaultText ?? ""
            return "\(setting.name)=\(text)  # \(entry?.source ?? "default")"
        }.joined(separator: "\n")
    }

    /// The same for whoever asks the management beans; no value where there is none, or where it is a secret.
    var attributes: [(name: String, description: String, value: String?)] {
        Settings.all.map { setting in
            let value = setting.isSecret ? nil : entries[setting.name]?.text ?? setting.defaultText
            return (setting.name, setting.meaning, value)
        }
    }

    /// The table of keys for the documentation.
    public static var documentation: String {
        var lines = ["| key | default | allowed | meaning |", "| --- | --- | --- | --- |"]
        for setting in Settings.all {
            lines.append(
                "| `\(setting.name)` | \(setting.defaultText.map { "`\($0)`" } ?? "–") | \(setting.allowed) | \(setting.meaning) |")
        }
        return lines.joined(separator: "\n")
    }
}
