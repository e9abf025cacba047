import Database
import FileSystem
import TestSupport
import Testing

@Suite struct StoreDirectoryTests {
    /// An unfinished copy makes way at once, and goes little by little.
    @Test func whatIsDiscardedGoesInParts() throws {
        let temporary = try TemporaryDirectory()
        let fileSystem = POSIXFileSystem()
        func write(_ path: String, byteCount: UInt64 = 1) throws {
            let path = "\(temporary.path)/\(path)"
            try fileSystem.createDirectory(parentDirectory(path))
            let file = try fileSystem.open(path, .createEmpty)
            try file.preallocate(to: byteCount)
            file.close()
        }
        try write("data/graph.db/manifest")
        try write("data/graph.db.branched-1/manifest")
        for number in 1...3 { try write("data/graph.db.copy/nodes.\(number)", byteCount: 20 << 20) }
        let directory = StoreDirectory(path: "\(temporary.path)/data/graph.db", fileSystem: fileSystem)
        try directory.recover()
        #expect(!fileSystem.exists("\(temporary.path)/data/graph.db.copy"))
        try directory.prepareCopy()

        var rounds = 0
        while try directory.removeSome() { rounds += 1 }
        #expect(rounds == 2)
        #expect(try fileSystem.list("\(temporary.path)/data") == ["graph.db", "graph.db.branched-1"])
        #expect(fileSystem.exists("\(temporary.path)/data/graph.db/manifest"))
    }
}
