import FileSystem
import GraphModel
import Storage
import Testing

/// Writers slow down smoothly when checkpoints do not keep up.
@Suite struct BackPressureTests {
    @Test func delayGrowsWithTheOverlayAndGoesWithTheCheckpoint() throws {
        var options = Store.Options()
        options.usesLogThread = false
        options.checkpointByteCount = 1 << 20
        // So that the test itself need not wait: the delay is read before each commit and only looked at.
        options.commitDelayMaximum = 1
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: options)
        defer { store.close() }
        let committer = try LocalCommitter(store)
        var delays: [(byteCount: Int, nanoseconds: UInt64)] = []
        while store.overlayByteCount < 5 << 20 {
            let transaction = committer.begin(nodes: 100, relationships: 0)
            for index in 0..<100 {
                _ = try transaction.createNode(properties: [("text", .string(String(repeating: "x", count: 100 + index)))])
            }
            try committer.commitAndWait(transaction)
            delays.append((store.overlayByteCount, store.commitDelayNanoseconds))
        }
        #expect(delays.contains { $0.byteCount > 1 << 20 && $0.nanoseconds == 0 }, "the first threshold delays nobody")
        for (byteCount, nanoseconds) in delays {
            if byteCount <= 2 << 20 { #expect(nanoseconds == 0) }
            if byteCount > 2_200_000 { #expect(nanoseconds > 0) }
            #expect(nanoseconds <= 1_000_000)
        }
        // No step is large: each commit adds a few kilobytes to 2 MiB over which the delay grows.
        for (one, next) in zip(delays, delays.dropFirst()) {
            #expect(next.nanoseconds >= one.nanoseconds && next.nanoseconds - one.nanoseconds < 300_000)
        }
        #expect(delays.last?.nanoseconds == 1_000_000)
        try store.checkpoint()
        #expect(store.commitDelayNanoseconds == 0)
    }
}
