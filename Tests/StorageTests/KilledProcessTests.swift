import FileSystem
import GraphModel
import Storage
import TestSupport
import Testing

/// A real process that writes to a real disk, killed again and again at random moments.
@Suite struct KilledProcessTests {
    /// What was acknowledged is there, and nothing besides but at most the one commit that each client was waiting for.
    @Test func twoHundredKillsLoseNothing() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        var acknowledgedCount = 0
        for series in 0..<10 {
            let directory = try TemporaryDirectory()
            var acknowledged: [Set<Int64>] = Array(repeating: [], count: 4)
            for round in 0..<20 {
                let comment: Comment = "series \(series), round \(round), seed \(seed)"
                let outputPath = "\(directory.path)/out.\(round)"
                let process = try ChildProcess.start(
                    Self.program, ["\(directory.path)/store", "\(round * 1_000_000)"], outputPath: outputPath,
                    detached: false)
                try Self.waitUntilReady(process, outputPath)
                pauseThread(nanoseconds: UInt64.random(in: 0..<60_000_000, using: &generator))
                process.kill9()
                while process.isRunning { pauseThread(nanoseconds: 200_000) }
                for line in try Self.lines(outputPath) where line != "ready" {
                    let words = line.split(separator: " ").compactMap { Int64($0) }
                    try #require(words.count == 2, "\(comment): \(line)")
                    acknowledged[Int(words[0])].insert(words[1])
                }
                try Self.verify("\(directory.path)/store", &acknowledged, comment)
            }
            acknowledgedCount += acknowledged.reduce(0) { $0 + $1.count }
        }
        #expect(acknowledgedCount > 1000, "\(acknowledgedCount) commits in all are too few to mean anything")
    }

    /// The program stands beside the one that runs the tests.
    private static var program: String {
        let path = executablePath()
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) + "/crash-writer"
    }

    private static func lines(_ path: String) throws -> [Substring] {
        // The last line may have been cut.
        let text = String(decoding: try POSIXFileSystem().readAll(path), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
        return text.hasSuffix("\n") ? lines : lines.dropLast()
    }

    private static func waitUntilReady(_ process: ChildProcess, _ outputPath: String) throws {
        let deadline = monotonicNanoseconds() + 60_000_000_000
        while (try? lines(outputPath))?.first != "ready" {
            try #require(process.isRunning && monotonicNanoseconds() < deadline, "\((try? lines(outputPath)) ?? [])")
            pauseThread(nanoseconds: 500_000)
        }
    }

    private static func verify(_ path: String, _ acknowledged: inout [Set<Int64>], _ comment: Comment) throws {
        let store = try Store.open(path)
        defer { store.close() }
        #expect(store.check().problems == [], comment)
        let transaction = store.beginRead()
        guard let client = transaction.token(.propertyKey, "client"),
            let number = transaction.token(.propertyKey, "number")
        else {
            // Killed before its first commit; that brings the names.
            let isNothingLost = acknowledged.allSatisfy(\.isEmpty)
            #expect(isNothingLost, "acknowledged commits are gone, \(comment)")
            return
        }
        var found: [Set<Int64>] = Array(repeating: [], count: 4)
        var cursor: UInt64 = 0
        var ids: ContiguousArray<UInt64> = []
        while transaction.scanNodes(label: transaction.token(.label, "Write"), cursor: &cursor, limit: 1000, into: &ids) {}
        for id in ids {
            guard case .integer(let client)? = transaction.property(client, ofNode: NodeID(id)),
                case .integer(let number)? = transaction.property(number, ofNode: NodeID(id))
            else {
                Issue.record("node \(id) lacks a property, \(comment)")
                continue
            }
            #expect(found[Int(client)].insert(number).inserted, comment)
        }
        for client in 0..<4 {
            let lost = acknowledged[client].subtracting(found[client])
            #expect(lost.isEmpty, "client \(client) lost \(lost.sorted()), \(comment)")
            let invented = found[client].subtracting(acknowledged[client])
            #expect(invented.count <= 1, "client \(client) never wrote \(invented.sorted()), \(comment)")
            // In doubt when the process died; from now on it must stay.
            acknowledged[client].formUnion(invented)
        }
    }
}
