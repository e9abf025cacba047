internal import FileSystem
internal import GraphModel
internal import Storage
internal import Synchronization

/// Durable commits that each create a node and a relationship to a node that was there, by threads that wait for each.
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
                    random ^= random << 13
                    random ^= random >> 7
                    random ^= random << 17
                    let begin = monotonicNanoseconds()
                    do {
                        let transaction = committer.begin(nodes: 1, relationships: 1)
                        let node = try transaction.createNode(
                            labels: ["User"], properties: [("id", .integer(Int64(bitPattern: random)))])
                        _ = try transaction.createRelationship(
                            type: "F", from: node, to: NodeID(random % nodeCount))
                        try committer.commitAndWait(transaction)
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
        report(name, Double(sorted.count) / elapsed, "commits/s", "\(checkpointCount.load(ordering: .relaxed)) checkpoints")
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
