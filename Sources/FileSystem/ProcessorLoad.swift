/// How busy the machine's processors are, from the counters of `/proc/stat` (proc(5)): between two looks that lie far enough
/// apart. Within a container they are those of the machine.
public struct ProcessorLoad: Sendable {
    private static let path = "/proc/stat"

    /// Looks that lie closer together say little: the counters go by hundredths of a second.
    private static let interval: UInt64 = 500_000_000

    private struct Times: Sendable {
        var idle: UInt64
        var total: UInt64

        /// From the first line, `cpu`: user, nice, system, idle, waiting for the disk, interrupts, …; nil when it is none.
        init?(parsing text: [UInt8]) {
            let words = text.prefix { $0 != UInt8(ascii: "\n") }.split(separator: UInt8(ascii: " "))
            let numbers = words.dropFirst().prefix(8).compactMap { UInt64(String(decoding: $0, as: UTF8.self)) }
            guard words.first.map(Array.init) == Array("cpu".utf8), numbers.count >= 5 else { return nil }
            idle = numbers[3] &+ numbers[4]
            total = numbers.reduce(0, &+)
        }
    }

    private var last: Times?
    private var lookedAt: UInt64?
    /// The part of all processors' time that was idle between the last two looks, 0 to 1; nil before there were two, and
    /// where the counters cannot be read.
    public private(set) var idleShare: Double?

    public init() {}

    /// Looks once more, when the last look is old enough. Reads a file: not for event loops.
    public mutating func look(now: UInt64, _ fileSystem: any FileSystem = POSIXFileSystem()) {
        if let lookedAt, now < lookedAt + Self.interval { return }
        lookedAt = now
        note((try? Self.read(fileSystem)).flatMap { Times(parsing: $0) })
    }

    /// The beginning of the file, which says that it has no bytes.
    private static func read(_ fileSystem: any FileSystem) throws(FileError) -> [UInt8] {
        let file = try fileSystem.open(path, .readOnly)
        defer { file.close() }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = try file.read(at: 0, into: &bytes)
        return Array(bytes[..<count])
    }

    private mutating func note(_ times: Times?) {
        defer { last = times }
        guard let last, let times, times.total > last.total, times.idle >= last.idle else { return idleShare = nil }
        idleShare = min(1, Double(times.idle - last.idle) / Double(times.total - last.total))
    }
}
