internal import FileSystem
internal import GraphModel
internal import Storage
internal import Synchronization

/// Durable commits that each create a node and a relationship to a node that was there, by clients that wait for each.
enum Commits {
    static func run(_ directory: String, clientCount: Int, seconds: Double, checkpoints: Bool = false) throws {
        let store = try Store.open(directory)
        defer { store.close() }
        let committer = try LocalCommitter(store)
        let nodeCount = UInt64(max(1, store.nodeCount))
        let end = monotonicNanoseconds() + UInt64(seconds * 1e9)
        let latencies = Mutex<[UInt64]>([])
        let isRunning = Atomic<Bool>(true)
        let checkpointCount = Atomic<Int>(0)
        let start = monotonicNanoseconds()
        let threads = (0..<clientCount).map { client in
            DedicatedThread(name: "client-\(client)") {
                var own: [UInt64] = []
                var random = 88_172_645_463_325_252 &+ UInt64(client)
                while monotonicNanoseconds() < end {
                    let begin = monotonicNanoseconds()
                    do {
                        try committer.commitAndWait(writeSet: try makeWriteSet(committer, &random, nodeCount))
                    } catch {
                        StandardStream.error.writeLine("\(error)")
                        return
                    }
                    own.append(monotonicNanoseconds() - begin)
                }
                latencies.withLock { $0 += own }
            }
        }
        let checkpointer = DedicatedThread(name: "checkpoints") {
            lowerThreadPriority()
            while checkpoints, isRunning.load(ordering: .relaxed) {
                if (try? store.checkpoint()) == nil { return }
                checkpointCount.add(1, ordering: .relaxed)
            }
        }
        for thread in threads { thread.join() }
        let elapsed = Double(monotonicNanoseconds() - start) / 1e9
        isRunning.store(false, ordering: .relaxed)
        checkpointer.join()
        let sorted = latencies.withLock { $0.sorted() }
        let name = "commits-\(clientCount)" + (checkpoints ? "-checkpoint" : "")
        printRates(name, sorted, elapsed, "\(checkpointCount.load(ordering: .relaxed)) checkpoints")
    }

    /// The same by tasks, which is how a server's many clients wait.
    static func runTasks(_ directory: String, clientCount: Int, seconds: Double) async throws {
        let store = try Store.open(directory)
        defer { store.close() }
        let committer = try LocalCommitter(store)
        let nodeCount = UInt64(max(1, store.nodeCount))
        let start = monotonicNanoseconds()
        let end = start + UInt64(seconds * 1e9)
        let latencies = try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for client in 0..<clientCount {
                group.addTask { try await commits(committer, client, nodeCount, until: end) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        printRates("commits-\(clientCount)", latencies.sorted(), Double(monotonicNanoseconds() - start) / 1e9, "")
    }

    private static func commits(
        _ committer: LocalCommitter, _ client: Int, _ nodeCount: UInt64, until end: UInt64
    ) async throws -> [UInt64] {
        var latencies: [UInt64] = []
        var random = 88_172_645_463_325_252 &+ UInt64(client)
        while monotonicNanoseconds() < end {
            let begin = monotonicNanoseconds()
            let writeSet = try makeWriteSet(committer, &random, nodeCount)
            let failure: GraphError? = await withCheckedContinuation { continuation in
                do throws(GraphError) {
                    try committer.commit(writeSet) { _, failure in continuation.resume(returning: failure) }
                } catch {
                    continuation.resume(returning: error)
                }
            }
            if let failure { throw failure }
            latencies.append(monotonicNanoseconds() - begin)
        }
        return latencies
    }

    /// A new node with a relationship to one that was there.
    private static func makeWriteSet(
        _ committer: LocalCommitter, _ random: inout UInt64, _ nodeCount: UInt64
    ) throws(GraphError) -> [UInt8] {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        let transaction = committer.begin(nodes: 1, relationships: 1)
        let node = try transaction.createNode(labels: ["User"], properties: [("id", .integer(Int64(bitPattern: random)))])
        _ = try transaction.createRelationship(type: "F", from: node, to: NodeID(random % nodeCount))
        return try transaction.finish()
    }

    private static func printRates(_ name: String, _ sorted: [UInt64], _ seconds: Double, _ remark: String) {
        report(name, Double(sorted.count) / seconds, "commits/s", remark)
        for part in [0.5, 0.99, 0.999] where !sorted.isEmpty {
            report("\(name)-p\(part * 100)", Double(sorted[Int(Double(sorted.count - 1) * part)]) / 1000, "us", "")
        }
    }

    /// The disk alone: 256 bytes appended to a preallocated file, each synced.
    static func disk(_ directory: String, seconds: Double) throws {
        let file = try POSIXFileSystem().open(directory + "/disk-rate", .createEmpty)
        defer { _ = try? POSIXFileSystem().remove(directory + "/disk-rate") }
        try file.preallocate(to: 64 << 20)
        let record = [UInt8](repeating: 7, count: 256)
        let start = monotonicNanoseconds()
        let end = start + UInt64(seconds * 1e9)
        var count: UInt64 = 0
        while monotonicNanoseconds() < end {
            try file.write(record, at: count * 256)
            try file.sync()
            count += 1
        }
        file.close()
        report("disk-sync", Double(count) * 1e9 / Double(monotonicNanoseconds() - start), "syncs/s", "")
    }
}
