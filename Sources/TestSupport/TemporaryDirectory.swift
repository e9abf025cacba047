public import FileSystem

/// A directory of a test, removed with everything in it when the last reference goes.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init() throws(FileError) {
        let base = processEnvironment()["TMPDIR"] ?? "/tmp"
        path = "\(base)/martlet-test.\(UInt64.random(in: .min ... .max))"
        try POSIXFileSystem().createDirectory(path)
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        let fileSystem = POSIXFileSystem()
        for name in (try? fileSystem.list(path)) ?? [] {
            if (try? fileSystem.remove("\(path)/\(name)")) == nil { remove("\(path)/\(name)") }
        }
        try? fileSystem.remove(path)
    }
}
