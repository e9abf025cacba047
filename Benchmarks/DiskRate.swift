internal import ArgumentParser
internal import FileSystem
internal import GraphModel

/// The disk's rate alone, for runs whose other side is a server.
struct SyncRateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync-rate", abstract: "Measure 256-byte appends with fdatasync once.")

    @Option(help: "Directory on the disk to measure.")
    var dir: String

    @Option(help: "Seconds.")
    var seconds = 1.0

    func run() throws {
        try POSIXFileSystem().createDirectory(dir)
        var disk = try DiskRate(directory: dir)
        StandardStream.output.writeLine("\(try disk.measure(seconds: seconds))")
    }
}

/// The limit for durable writes by one client: appends of 256 bytes to a preallocated file, each synced.
struct DiskRate {
    private let fileSystem = POSIXFileSystem()
    private let file: any File
    private var offset: UInt64 = 0
    private var allocated: UInt64 = 0
    private static let step: UInt64 = 4 << 20

    init(directory: String) throws {
        file = try fileSystem.open(directory + "/sync-rate", .createEmpty)
    }

    /// Syncs per second.
    mutating func measure(seconds: Double) throws -> Double {
        let record = [UInt8](repeating: 7, count: 256)
        let start = monotonicNanoseconds()
        let end = start + UInt64(seconds * 1e9)
        var count = 0
        while monotonicNanoseconds() < end {
            if offset + 256 > allocated {
                allocated += Self.step
                try file.preallocate(to: allocated)
            }
            try file.write(record, at: offset)
            try file.sync()
            offset += 256
            count += 1
        }
        return Double(count) / (Double(monotonicNanoseconds() - start) / 1e9)
    }
}
