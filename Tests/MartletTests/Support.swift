import FileSystem
import Martlet

/// A directory for a database, which goes with it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        let base = processEnvironment()["TMPDIR"] ?? "/tmp"
        path = "\(base)/martlet-embedded-test.\(UInt64.random(in: .min ... .max))"
    }

    deinit {
        let fileSystem = POSIXFileSystem()
        for name in (try? fileSystem.list(path)) ?? [] { try? fileSystem.remove(path + "/" + name) }
        try? fileSystem.remove(path)
    }
}

/// Runs a body on a thread of its own, where it may block, with a new database.
func withDatabase(_ body: @escaping @Sendable (GraphDatabase) throws -> Void) throws {
    let directory = TemporaryDirectory()
    let failure = Monitor<(any Error)?>(nil)
    DedicatedThread(name: "embedder") {
        do {
            let db = try GraphDatabase.open(directory.path)
            defer { db.close() }
            try body(db)
        } catch {
            failure.withLock { $0 = error }
        }
    }.join()
    if let error = failure.withLock({ $0 }) { throw error }
}

/// The code of the error that a body throws; nil when it throws none, or one of another kind.
func code<R>(_ body: () throws -> R) -> ErrorCode? {
    do { _ = try body() } catch { return (error as? GraphError)?.code }
    return nil
}
