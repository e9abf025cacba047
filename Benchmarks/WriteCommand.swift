internal import ArgumentParser
internal import Database
internal import FileSystem
internal import GraphModel
internal import Storage

/// Durable writes of one node each, by clients that wait for their acknowledgement, beside the disk's own rate.
struct WriteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "write", abstract: "Durable single-write transactions per second, beside the rate of fdatasync.")

    @Option(help: "Directory to work in, on the disk to measure; empty or missing.")
    var dir: String

    @Option(help: "Seconds per series and round.")
    var seconds = 1.0

    @Option(help: "Rounds.")
    var rounds = 7

    func run() async throws {
        try POSIXFileSystem().createDirectory(dir)
        var disk = try DiskRate(directory: dir)
        let store = try Store.open(dir + "/graph.db")
        let database = Database(try SingleDatabase(store))
        var syncs = Series("fdatasync", "/s")
        let clientCounts = [1, 32]
        var rates = clientCounts.map { Series("embedded write \($0) clients", "tx/s") }
        var medians = clientCounts.map { Series("embedded write \($0) clients p50", "us") }
        var tails = clientCounts.map { Series("embedded write \($0) clients p99", "us") }
        var groups = clientCounts.map { Series("embedded write \($0) clients", "commits/sync") }
        for round in 0...rounds {
            let rate = try disk.measure(seconds: seconds)
            if round > 0 { syncs.add(rate) }
            for (index, clientCount) in clientCounts.enumerated() {
                let syncCount = store.logSyncCount
                let (latencies, duration) = try await write(to: database, clientCount: clientCount)
                if round == 0 { continue }
                rates[index].add(Double(latencies.count) / duration)
                medians[index].add(percentile(latencies, 0.5) / 1000)
                tails[index].add(percentile(latencies, 0.99) / 1000)
                groups[index].add(Double(latencies.count) / Double(max(1, store.logSyncCount - syncCount)))
            }
        }
        await database.close()
        for series in [syncs] + rates + medians + tails + groups { series.print() }
    }

    /// Lets clients write until the time is over; the latencies of all writes, sorted, in nanoseconds.
    private func write(
        to database: Database, clientCount: Int
    ) async throws -> (latencies: [UInt64], seconds: Double) {
        let start = monotonicNanoseconds()
        let end = start + UInt64(seconds * 1e9)
        var all: [UInt64] = []
        try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for client in 0..<clientCount {
                group.addTask {
                    var latencies: [UInt64] = []
                    var before = monotonicNanoseconds()
                    while before < end {
                        let name = Value.string("person \(client) \(latencies.count)")
                        _ = try await database.write { transaction throws(GraphError) in
                            _ = try transaction.createNode(properties: [("name", name)])
                        }
                        let after = monotonicNanoseconds()
                        latencies.append(after - before)
                        before = after
                    }
                    return latencies
                }
            }
            for try await latencies in group { all += latencies }
        }
        let duration = Double(monotonicNanoseconds() - start) / 1e9
        return (all.sorted(), duration)
    }
}
