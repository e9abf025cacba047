import Database
import FileSystem
import GraphModel
import Storage
import Synchronization
import Testing

/// A database in a directory of its own, which goes with it.
final class TestDatabase: Sendable {
    let database: Database
    let store: Store
    private let directory: String

    init(_ configure: (inout Database.Options) -> Void = { _ in }) throws {
        let base = processEnvironment()["TMPDIR"] ?? "/tmp"
        directory = "\(base)/martlet-database-test.\(UInt64.random(in: .min ... .max))"
        store = try Store.open(directory)
        var options = Database.Options()
        // Tests that compute may hold every thread of the pool for a while.
        options.retryTimeout = 120_000
        options.queryThreadCount = 2
        configure(&options)
        database = Database(try SingleDatabase(store), options: options)
    }

    deinit {
        let fileSystem = POSIXFileSystem()
        for name in (try? fileSystem.list(directory)) ?? [] { try? fileSystem.remove(directory + "/" + name) }
        try? fileSystem.remove(directory)
    }

    var read: Transaction { store.beginRead() }

    func property(_ key: String, of node: NodeID) -> Value? {
        let read = read
        return read.token(.propertyKey, key).flatMap { read.property($0, ofNode: node) }
    }
}

/// The code of the error that a body throws; nil when it throws none.
func code<R>(_ body: () throws(GraphError) -> R) -> ErrorCode? {
    do throws(GraphError) { _ = try body() } catch { return error.code }
    return nil
}

func code<R>(_ body: () async throws(GraphError) -> R) async -> ErrorCode? {
    do throws(GraphError) { _ = try await body() } catch { return error.code }
    return nil
}

/// Waits a minute at most for what another thread is about to do.
func eventually(_ what: String, _ holds: () -> Bool) {
    let clock = Monitor(())
    let deadline = monotonicNanoseconds() + 60_000_000_000
    while !holds() {
        guard monotonicNanoseconds() < deadline else {
            Issue.record("waited in vain until \(what)")
            return
        }
        let _: Void? = clock.wait(untilNanoseconds: monotonicNanoseconds() + 1_000_000) { _ in nil }
    }
}

/// Runs bodies on threads of their own and waits for all.
func onThreads(_ bodies: [@Sendable () -> Void]) {
    let threads = bodies.enumerated().map { DedicatedThread(name: "test-\($0.offset)", $0.element) }
    for thread in threads { thread.join() }
}

/// Something that threads wait for.
final class Gate: Sendable {
    private let count = Monitor(0)
    private let wanted: Int
    init(_ wanted: Int = 1) { self.wanted = wanted }

    func arrive() {
        count.withLock { $0 += 1 }
        count.signal()
    }
    func pass() {
        let wanted = wanted
        _ = count.wait { $0 >= wanted ? true : nil }
    }
}

/// What happened, in order.
final class Notes: Sendable {
    private let list = Mutex<[String]>([])
    var all: [String] { list.withLock { $0 } }
    func note(_ text: String) { list.withLock { $0.append(text) } }
}
