import FileSystem
import GraphModel
import Storage
import Testing

/// A thread that moves money between accounts through a cluster: whatever the answers, the sum stays.
struct TransferLoad {
    private static let accountCount = 20
    private static let balance = 100
    private let thread: DedicatedThread

    /// Makes the accounts and begins; ends when told to stop.
    init(_ cluster: TestCluster, until stops: @escaping @Sendable () -> Bool) throws {
        let port = cluster.writePort
        let made = try cluster.client(port).cypher(
            "FOREACH (i IN range(0, \(Self.accountCount - 1)) | CREATE (:Account {id: i, balance: \(Self.balance)}))")
        try #require(made.status == 200, "\(made.text)")
        thread = DedicatedThread(name: "transfers") {
            let client = BlockingHTTPClient(port: port)
            let clock = Monitor(())
            var number = 0
            while !stops() {
                number += 1
                let (from, to) = (number % Self.accountCount, (number * 7 + 3) % Self.accountCount)
                if from == to { continue }
                let answer = try? client.cypher(
                    "MATCH (a:Account {id: \(from)}), (b:Account {id: \(to)}) SET a.balance = a.balance - 1, b.balance = b.balance + 1")
                if answer?.status != 200 { WriteLoad.rest(clock, 10_000_000) }
            }
        }
    }

    func join() { thread.join() }

    private static func sumOfBalances(_ store: Store) throws -> Int64 {
        let read = store.beginRead()
        let label = try #require(read.token(.label, "Account"))
        let key = try #require(read.token(.propertyKey, "balance"))
        var cursor: UInt64 = 0
        var ids: ContiguousArray<UInt64> = []
        while read.scanNodes(label: label, cursor: &cursor, limit: 4096, into: &ids) {}
        #expect(ids.count == accountCount)
        return ids.reduce(0) { sum, id in
            if case .integer(let number)? = read.property(key, ofNode: NodeID(id)) { sum + number } else { sum }
        }
    }

    /// A copy of the backup opens, is whole, and holds what was acknowledged before it began.
    static func expectWhole(_ backup: String, _ cluster: TestCluster, _ acknowledged: [Int64], _ what: String) throws {
        let copy = cluster.directory + "/copy"
        removeTree(copy)
        let restored = try Program.run(["restore", "--from", backup, "--to", copy])
        #expect(restored.status == 0, "\(what): \(restored.output)")
        let store = try Store.open(copy)
        defer { store.close() }
        #expect(store.check().problems == [], "\(what)")
        let missing = try EndToEnd.RejoinTests.missing(acknowledged, in: store)
        #expect(missing.isEmpty, "\(what): \(missing.count) writes are missing that were acknowledged before")
        #expect(try sumOfBalances(store) == Int64(accountCount * balance), "\(what)")
    }
}
