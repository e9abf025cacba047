import FileSystem
import GraphModel
import NIOCore
import NIOPosix
import Testing
import Transport

/// Resident memory of this process, in bytes.
func residentByteCount() throws -> Int {
    let fields = String(decoding: try POSIXFileSystem().readProcFile("/proc/self/statm"), as: UTF8.self).split(
        separator: " ")
    return (Int(fields[1]) ?? 0) * 4096
}

extension POSIXFileSystem {
    /// Files in `/proc` say that they are empty.
    func readProcFile(_ path: String) throws -> [UInt8] {
        let file = try open(path, .readOnly)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try file.read(at: 0, into: &bytes)
        return Array(bytes[..<count])
    }
}

/// A peer that accepts connections and never reads.
private func startDeafPeer() async throws -> (listener: any Channel, address: String) {
    let listener = try await ServerBootstrap(group: group)
        .childChannelOption(.autoRead, value: false)
        .bind(host: "127.0.0.1", port: 0).get()
    return (listener, "127.0.0.1:\(try #require(listener.localAddress?.port))")
}

@Suite(.serialized) struct BackPressureTests {
    @Test func aPeerThatDoesNotReadCostsNoMoreThanItsQueue() async throws {
        let peer = try await startDeafPeer()
        var options = TCPNetwork.Options()
        options.queuedByteCountMaximum = 8 << 20
        options.stallTimeout = 600_000
        let network = TCPNetwork(ownAddress: "127.0.0.1:1", options: options, group: group)
        network.setHandlers(Inbox().handlers)
        network.send([1], to: peer.address)
        let before = try residentByteCount()
        // Two gigabytes, should they pile up.
        for number in 0..<2048 {
            network.send([UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 1 << 20), to: peer.address)
            if number % 64 == 0 { try await Task.sleep(for: .milliseconds(1)) }
            #expect(network.queuedByteCount(to: peer.address) <= options.queuedByteCountMaximum)
        }
        #expect(network.queuedByteCount(to: peer.address) > options.queuedByteCountMaximum / 2)
        // Tiny frames are bounded as well.
        for _ in 0..<1_000_000 { network.send([], to: peer.address) }
        #expect(network.queuedByteCount(to: peer.address) <= options.queuedByteCountMaximum)
        // Other tests of this process run at the same time and need memory too, for a while.
        try await eventually("what was sent is not kept") { (try? residentByteCount()).map { $0 - before < 1 << 30 } ?? false }
        await network.close()
        try await peer.listener.close().get()
    }

    @Test func aConnectionThatTakesNothingIsCut() async throws {
        let peer = try await startDeafPeer()
        var options = TCPNetwork.Options()
        options.stallTimeout = 300
        let network = TCPNetwork(ownAddress: "127.0.0.1:1", options: options, group: group)
        let inbox = Inbox()
        network.setHandlers(inbox.handlers)
        for _ in 0..<64 { network.send([UInt8](repeating: 1, count: 1 << 20), to: peer.address) }
        try await eventually("the link is cut") { inbox.linkDowns == [peer.address] }
        #expect(network.queuedByteCount(to: peer.address) == 0)
        await network.close()
        try await peer.listener.close().get()
    }

    @Test func framesArriveInOrderThroughASlowReader() async throws {
        let receiver = try await startNetwork()
        let sender = try await startNetwork(listens: false)
        // More than sockets hold, less than the queue's bound.
        let count = 200
        for number in 0..<count {
            sender.network.send(
                [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 250_000), to: receiver.address)
        }
        try await eventually("all frames arrive") { receiver.inbox.frameCount == count }
        #expect(receiver.inbox.frames.map { $0.bytes.first } == (0..<count).map { UInt8(truncatingIfNeeded: $0) })
        #expect(receiver.inbox.frames.allSatisfy { $0.bytes.count == 250_000 })
        try await eventually("the queue is empty") { sender.network.queuedByteCount(to: receiver.address) == 0 }
        await sender.network.close()
        await receiver.network.close()
    }
}
