internal import FileSystem
internal import GraphModel
internal import Martlet
internal import Synchronization

/// Clients that read one step of a walk and sometimes create a user with one friendship, durably.
struct Mixed {
    private let clientCount: Int
    private let seconds: Double
    private let readPercent: Int

    /// `CLIENTS SECONDS READPERCENT`
    init(_ arguments: [String]) throws {
        guard arguments.count == 3, let clients = Int(arguments[0]), let seconds = Double(arguments[1]),
            let readPercent = Int(arguments[2])
        else { throw GraphError(.argumentError, "mixed STORE CLIENTS SECONDS READPERCENT") }
        (clientCount, self.seconds, self.readPercent) = (clients, seconds, readPercent)
    }

    static let read = "MATCH (a:User {id: $a})-[:F]->(b) RETURN b.id"
    static let write = """
        MATCH (b:User {id: $b}) CREATE (a:User {id: $a, name: 'New User', age: 30, gender: 'man', region: 'region-001'}), (a)-[:F]->(b)
        """

    /// Prints `operations-per-second`, and p50 and p99 of reads and of writes in microseconds.
    func run(_ directory: String) throws {
        let database = try GraphDatabase.open(directory)
        defer { database.close() }
        let userCount = 100_000
        let all = Mutex<(reads: [UInt64], writes: [UInt64])>(([], []))
        let start = monotonicNanoseconds()
        let end = start + UInt64(seconds * 1e9)
        let first: Int = try database.query("MATCH (u:User) RETURN count(u)").single()
        let threads = (0..<clientCount).map { client in
            DedicatedThread(name: "client-\(client)") {
                var reads: [UInt64] = []
                var writes: [UInt64] = []
                var random = 12345 + client
                var count = 0
                while true {
                    random = (random &* 1_103_515_245 &+ 12345) & 0x7fff_ffff
                    let before = monotonicNanoseconds()
                    if before > end { break }
                    do throws(GraphError) {
                        if (random >> 8) % 100 < readPercent {
                            let result = try database.query(Self.read, ["a": .integer(Int64((random >> 4) % userCount + 1))])
                            for row in result.rows where row[0].isNull {
                                throw GraphError(.argumentError, "a user without an id")
                            }
                            reads.append(monotonicNanoseconds() - before)
                        } else {
                            let id = first + 10_000_000 + client * 1_000_000 + count
                            let friend = (count * 7919 + client * 31) % userCount + 1
                            try database.query(Self.write, ["a": .integer(Int64(id)), "b": .integer(Int64(friend))])
                            writes.append(monotonicNanoseconds() - before)
                        }
                    } catch {
                        StandardStream.error.writeLine("\(error)")
                        return
                    }
                    count += 1
                }
                all.withLock {
                    $0.reads += reads
                    $0.writes += writes
                }
            }
        }
        for thread in threads { thread.join() }
        let elapsed = Double(monotonicNanoseconds() - start) / 1e9
        let (reads, writes) = all.withLock { ($0.reads.sorted(), $0.writes.sorted()) }
        let added: Int = try database.query("MATCH (u:User) RETURN count(u)").single() - first
        guard added == writes.count else { throw GraphError(.corrupt, "\(writes.count) users created, \(added) found") }
        print("operations", Double(reads.count + writes.count) / elapsed)
        for (name, times) in [("read", reads), ("write", writes)] where !times.isEmpty {
            print("\(name)-p50", percentile(times, 0.5) / 1000)
            print("\(name)-p99", percentile(times, 0.99) / 1000)
        }
    }
}
