import FileSystem
import Glibc

/// A fresh directory, gone afterwards with everything in it.
func withTemporaryDirectory<R>(_ body: (String) throws -> R) throws -> R {
    let path = makeTemporaryDirectory()
    defer { removeAll(path) }
    return try body(path)
}

func withTemporaryDirectory<R>(_ body: (String) async throws -> R) async throws -> R {
    let path = makeTemporaryDirectory()
    defer { removeAll(path) }
    return try await body(path)
}

private func makeTemporaryDirectory() -> String {
    var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
    mkdtemp(&template)
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

private func removeAll(_ path: String) {
    if let names = try? POSIXFileSystem().list(path) {
        for name in names { removeAll(path + "/" + name) }
    }
    remove(path)
}
