import FileSystem
import Glibc
import GraphModel
import RESTServer
import ServerRuntime
import Storage
import Synchronization
import Testing

/// A cluster of real processes on ports chosen by the kernel, in a directory of its own; stopped and removed at the end.
final class TestCluster: Sendable {
    let cluster: LocalCluster
    let directory: String

    /// Where the tested program lies: beside the tests.
    static var program: String {
        var path = executablePath()
        while let slash = path.lastIndex(of: "/") {
            path = String(path[..<slash])
            if access(path + "/martlet", X_OK) == 0 { return path + "/martlet" }
            if path.isEmpty { break }
        }
        return "martlet"
    }

    static func temporaryDirectory(_ name: String) throws -> String {
        let base = processEnvironment()["TMPDIR"] ?? "/tmp"
        let path = "\(base)/martlet-test.\(getpid()).\(name)"
        try POSIXFileSystem().createDirectory(path)
        return path
    }

    /// Starts the members; `prepare` may put a store in place before.
    init(
        _ name: String, memberCount: Int = 3, settings: [(key: String, value: String)] = [], etcdEndpoints: [String] = [],
        prepare: (LocalCluster) throws -> Void = { _ in }
    ) async throws {
        directory = try Self.temporaryDirectory(name)
        var options = LocalCluster.Options()
        options.memberCount = memberCount
        options.directory = directory
        options.usesFreePorts = true
        options.program = Self.program
        options.settings = settings
        options.etcdEndpoints = etcdEndpoints
        cluster = try LocalCluster(options)
        try prepare(cluster)
        do {
            for member in cluster.members { try cluster.start(member) }
            try await LocalClusterRunner.untilServing(cluster)
            try #require(try cluster.startProxy(), "HAProxy is not installed")
            try waitUntil("HAProxy knows the master") { (try? client(writePort).request("GET", "/hastatus").status) == 200 }
            if memberCount == 1 { return }
            try waitUntil("HAProxy knows a slave") { (try? client(readPort).request("GET", "/hastatus").status) == 200 }
        } catch {
            await cluster.stop()
            throw error
        }
    }

    /// Of a test that threw: its files stay, to be looked at, and nothing goes on running.
    deinit { cluster.kill() }

    var members: [LocalCluster.Member] { cluster.members }
    var writePort: Int { cluster.writePort }
    var readPort: Int { cluster.readPort }

    /// What `martlet backup -from` takes to choose a member itself.
    var backupSource: String { "ha://" + members.map { "127.0.0.1:\($0.backupPort)" }.joined(separator: ",") }

    func client(_ port: Int) -> BlockingHTTPClient { BlockingHTTPClient(port: port) }

    func stop(keep: Bool = false) async {
        await cluster.stop()
        if !keep { removeTree(directory) }
    }

    // MARK: Members

    func status(_ member: LocalCluster.Member) -> MapValue? {
        guard let answer = try? BlockingHTTPClient(port: member.httpPort, timeoutSeconds: 2).request("GET", "/hastatus"),
            case .map(let map)? = answer.json
        else { return nil }
        return map
    }

    func isMaster(_ member: LocalCluster.Member) -> Bool {
        if case .boolean(true)? = status(member)?["master"] { return true }
        return false
    }

    func master() throws -> LocalCluster.Member {
        var found: LocalCluster.Member?
        try waitUntil("a member is master") {
            found = members.first(where: isMaster)
            return found != nil
        }
        return try #require(found)
    }

    func signal(_ member: LocalCluster.Member, _ signal: Int32) {
        if let process = member.process { kill(process.processID, signal) }
    }

    /// Kills the master under load, and starts it again once another one takes writes. Returns how long that took, and what
    /// the killed process had logged.
    func loseMaster(
        under writers: WriteLoad, round: Int
    ) throws -> (seconds: Double, lines: [(member: Int, line: String)]) {
        let before = writers.acknowledgedCount
        try waitUntil("writes go on in round \(round)") { writers.acknowledgedCount > before + 200 }
        let master = try master()
        let lines = logLines(master).map { (member: master.id, line: $0) }
        let killedAt = monotonicNanoseconds()
        signal(master, SIGKILL)
        let seconds = try writers.secondsUntilWrite(after: killedAt)
        try restart(master)
        return (seconds, lines)
    }

    /// Starts a member again and waits until it counts.
    func restart(_ member: LocalCluster.Member, seconds: UInt64 = 60) throws {
        try waitUntil("member \(member.id) has ended") { member.process == nil }
        try cluster.start(member)
        try waitUntilWhole(seconds: seconds)
    }

    /// Every member serves and is in the sync set.
    func waitUntilWhole(seconds: UInt64 = 60) throws {
        try waitUntil("all members are in the sync set", seconds: seconds) {
            members.allSatisfy { member in
                guard let status = status(member), case .list(let set)? = status["sync_set"],
                    case .boolean(true)? = status["readable"]
                else { return false }
                return set.elements.count == members.count
            }
        }
    }

    static func transaction(_ status: MapValue?, _ key: String) -> Int64 {
        if case .map(let position)? = status?[key], case .integer(let number)? = position["tx"] { return number }
        return -1
    }

    /// All members have applied the same.
    func waitUntilEqual() throws {
        try waitUntil("all members have applied the same") {
            let applied = members.map { Self.transaction(status($0), "applied") }
            return applied[0] >= 0 && applied.allSatisfy { $0 == applied[0] }
        }
    }

    /// Stops the cluster in order and compares what is on the disks.
    func stopAndCompareStores() async throws {
        try waitUntilEqual()
        await cluster.stop()
        var checksums: [String] = []
        for member in members {
            var options = Store.Options()
            options.appliesWholeLog = true
            options.isClustered = true
            let store = try Store.open(member.directory + "/data/graph.db", options: options)
            let report = store.check()
            store.close()
            #expect(report.problems == [], "member \(member.id)")
            checksums.append("tx \(report.position.transactionID.rawValue): \(report.checksum)")
        }
        #expect(Set(checksums).count == 1, "the members' graphs differ: \(checksums)")
    }

    /// Lines of all members' logs, this start's only.
    func logLines(_ member: LocalCluster.Member) -> [String] {
        guard let bytes = try? POSIXFileSystem().readAll(member.logPath) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

func removeTree(_ path: String) {
    let fileSystem = POSIXFileSystem()
    for name in (try? fileSystem.list(path)) ?? [] { removeTree(path + "/" + name) }
    try? fileSystem.remove(path)
}

/// Looks again and again until something holds; fails after a while. What is awaited happens in other processes.
func waitUntil(_ what: String, seconds: UInt64 = 30, _ holds: () throws -> Bool) throws {
    let deadline = monotonicNanoseconds() + seconds * 1_000_000_000
    let never = Monitor(())
    while try !holds() {
        guard monotonicNanoseconds() < deadline else {
            throw BlockingHTTPClient.Broken(description: "waited \(seconds) s in vain until \(what)")
        }
        let pause: Void? = never.wait(untilNanoseconds: monotonicNanoseconds() + 20_000_000) { _ in nil }
        _ = pause
    }
}
