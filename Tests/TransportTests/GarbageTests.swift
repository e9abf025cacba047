import FileSystem
import NIOCore
import TestSupport
import Testing
import Transport

func frame(_ payload: [UInt8]) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(UInt32(payload.count))
    writer.write(CRC32C.checksum(payload))
    writer.write(raw: payload)
    return writer.bytes
}

func hello(_ address: String, version: UInt8 = 1) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(raw: Array("MHEL".utf8))
    writer.write(version)
    writer.write(string: address)
    return writer.bytes
}

/// What is no frame, or no greeting, ends the connection and reaches nobody.
@Suite struct GarbageTests {
    private func expectClosed(_ comment: Comment, _ bytes: [UInt8]) async throws {
        let network = try await startNetwork()
        let raw = try await RawConnection.connect(to: network.address)
        raw.write(bytes)
        try await eventually(comment) { raw.isClosed }
        #expect(network.inbox.frameCount == 0, comment)
        await network.network.close()
    }

    @Test func endsTheConnection() async throws {
        try await expectClosed("a request of another protocol", Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        try await expectClosed("no greeting", frame([1, 2, 3]))
        try await expectClosed("a greeting of another version", frame(hello("10.0.0.1:5001", version: 9)))
        try await expectClosed("an absurd length", [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
        var damaged = frame(hello("10.0.0.1:5001"))
        damaged[damaged.count - 1] ^= 1
        try await expectClosed("a damaged greeting", damaged)
        var damagedFrame = frame([1, 2, 3])
        damagedFrame[9] ^= 0x40
        try await expectClosed("a damaged frame after the greeting", frame(hello("10.0.0.1:5001")) + damagedFrame)
    }

    @Test func aStrangerCannotMakeTheReceiverWaitForABigGreeting() async throws {
        try await expectClosed("a greeting of 100 MB", [0, 0, 0, 6, 0, 0, 0, 0, 1, 2, 3])
    }

    @Test func randomBytesNeverReachTheHandler() async throws {
        let network = try await startNetwork()
        for seed in 0..<30 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let raw = try await RawConnection.connect(to: network.address)
            raw.write(
                (0..<Int.random(in: 8...5000, using: &generator)).map { _ in
                    UInt8.random(in: .min ... .max, using: &generator)
                })
            raw.channel.close(promise: nil)
        }
        let friend = try await startNetwork()
        friend.network.send([1], to: network.address)
        try await eventually("a friend is heard") { network.inbox.frameCount > 0 }
        #expect(network.inbox.frames.map(\.bytes) == [[1]])
        await friend.network.close()
        await network.network.close()
    }
}
