import FileSystem
import NIOCore
import NIOPosix
import TestSupport
import Testing
import Transport

@Suite struct NetworkTests {
    @Test func framesArriveWholeAndInOrder() async throws {
        let a = try await startNetwork()
        let b = try await startNetwork()
        var generator = SeededGenerator(seed: 1)
        let frames = (0..<2000).map { number in
            [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: Int.random(in: 0...3000, using: &generator))
        }
        for frame in frames { a.network.send(frame, to: b.address) }
        try await eventually("all frames arrive") { b.inbox.frameCount == frames.count }
        #expect(b.inbox.frames.map(\.bytes) == frames)
        #expect(b.inbox.frames.allSatisfy { $0.peer == a.address })
        await a.network.close()
        await b.network.close()
    }

    /// A process that is gone is told from one that is silent: its machine refuses connections.
    @Test func connectionsThatAreRefusedAreTold() async throws {
        let a = try await startNetwork()
        let b = try await startNetwork()
        a.network.send([1], to: b.address)
        try await eventually("the frame arrives") { b.inbox.frameCount == 1 }
        #expect(a.inbox.refusals.isEmpty)
        await b.network.close()
        try await eventually("the connection is down") { a.inbox.linkDowns == [b.address] }
        try await eventually("a new one is refused") {
            a.network.send([2], to: b.address)
            return a.inbox.refusals.first == b.address
        }
        await a.network.close()
    }

    @Test func framesOfTensOfMegabytesArrive() async throws {
        let a = try await startNetwork()
        let b = try await startNetwork()
        let big = [UInt8](unsafeUninitializedCapacity: 40 << 20) { buffer, count in
            for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: index &* 31) }
            count = 40 << 20
        }
        a.network.send([1], to: b.address)
        a.network.send(big, to: b.address)
        a.network.send([2], to: b.address)
        try await eventually("the big frame arrives") { b.inbox.frameCount == 3 }
        #expect(b.inbox.frames.map(\.bytes) == [[1], big, [2]])
        await a.network.close()
        await b.network.close()
    }

    @Test func bothSidesAtOnceKeepTheOrder() async throws {
        for _ in 0..<20 {
            let a = try await startNetwork()
            let b = try await startNetwork()
            let count = 400
            await withTaskGroup(of: Void.self) { tasks in
                for (from, to) in [(a, b), (b, a)] {
                    tasks.addTask {
                        for number in 0..<count {
                            var writer = ByteWriter()
                            writer.write(UInt32(number))
                            from.network.send(writer.bytes, to: to.address)
                            if number % 16 == 0 { await Task.yield() }
                        }
                    }
                }
            }
            for inbox in [a.inbox, b.inbox] {
                try await eventually("all frames arrive") { inbox.frameCount == count }
                var numbers: [UInt32] = []
                for frame in inbox.frames {
                    var reader = ByteReader(frame.bytes)
                    numbers.append(try reader.read())
                }
                #expect(numbers == Array(0..<UInt32(count)))
            }
            await a.network.close()
            await b.network.close()
        }
    }

    @Test func aRestartedPeerIsNoticedAndReachedAgain() async throws {
        let a = try await startNetwork()
        let b = try await startNetwork()
        a.network.send([1], to: b.address)
        try await eventually("the first frame arrives") { b.inbox.frameCount == 1 }
        await b.network.close()
        try await eventually("the end of the link is reported") { a.inbox.linkDowns == [b.address] }
        a.network.send([2], to: b.address)

        let again = try await startNetwork(HostPort(b.address))
        try await eventually("the restarted peer is reached") {
            a.network.send([3], to: b.address)
            return again.inbox.frameCount > 0
        }
        again.network.send([4], to: a.address)
        try await eventually("and answers") { a.inbox.frames.last?.bytes == [4] }
        await a.network.close()
        await again.network.close()
    }

    @Test func answersToAPeerThatCannotBeDialledUseItsConnection() async throws {
        let a = try await startNetwork(listens: false)
        let b = try await startNetwork()
        a.network.send([1], to: b.address)
        try await eventually("the frame arrives") { b.inbox.frameCount == 1 }
        b.network.send([2], to: a.address)
        try await eventually("the answer arrives") { a.inbox.frameCount == 1 }
        #expect(a.inbox.frames[0].bytes == [2] && a.inbox.frames[0].peer == b.address)
        await a.network.close()
        await b.network.close()
    }

    @Test func aPeerWhoseConnectionWasUsedForAnswersIsDialledWhenThatEnds() async throws {
        let a = try await startNetwork(listens: false)
        let b = try await startNetwork()
        a.network.send([1], to: b.address)
        try await eventually("the frame arrives") { b.inbox.frameCount == 1 }
        b.network.send([2], to: a.address)
        try await eventually("the answer arrives") { a.inbox.frameCount == 1 }
        await a.network.close()
        try await eventually("the end of the link is reported") { b.inbox.linkDowns == [a.address] }

        // Now the peer listens but says nothing itself.
        let again = try await startNetwork(HostPort(a.address))
        try await eventually("the peer is dialled") {
            b.network.send([3], to: a.address)
            return again.inbox.frameCount > 0
        }
        await b.network.close()
        await again.network.close()
    }

    @Test func aPeerWithTwoConnectionsIsDownOnceBothAreGone() async throws {
        let a = try await startNetwork()
        let b = try await startNetwork()
        a.network.send([1], to: b.address)
        try await eventually("the frame arrives") { b.inbox.frameCount == 1 }
        // A second connection in the name of the same peer takes the place of the first: its process has begun anew.
        let raw = try await RawConnection.connect(to: b.address)
        raw.write(frame(hello(a.address)))
        raw.write(frame([7]))
        try await eventually("the second connection is heard") { b.inbox.frames.last?.bytes == [7] }
        #expect(b.inbox.frames.last?.peer == a.address)
        await b.network.close()
        try await eventually("close() ends the first connection") { a.inbox.linkDowns.contains(b.address) }
        try await eventually("close() ends the second connection") { raw.isClosed }
        await a.network.close()
    }

    @Test func aFrameToTheOwnAddressNeedsNoSocket() async throws {
        let a = try await startNetwork(listens: false)
        for number in 0..<100 as Range<UInt8> { a.network.send([number], to: a.address) }
        try await eventually("the frames arrive") { a.inbox.frameCount == 100 }
        #expect(a.inbox.frames.map(\.bytes) == (0..<100 as Range<UInt8>).map { [$0] })
        #expect(a.inbox.frames.allSatisfy { $0.peer == a.address })
        await a.network.close()
    }

    @Test func closeEndsConnectionsThatHaveNotSaidWhoTheyAre() async throws {
        let b = try await startNetwork()
        let raw = try await RawConnection.connect(to: b.address)
        await b.network.close()
        try await eventually("the connection is closed") { raw.isClosed }
        // And nobody listens any more.
        await #expect(throws: (any Error).self) { try await RawConnection.connect(to: b.address) }
    }

    @Test func nothingIsSentOrReceivedAfterClose() async throws {
        let a = try await startNetwork()
        let b = try await startNetwork()
        a.network.send([1], to: b.address)
        try await eventually("the frame arrives") { b.inbox.frameCount == 1 }
        await a.network.close()
        await a.network.close()
        a.network.send([2], to: b.address)
        a.network.send([2], to: a.address)
        b.network.send([3], to: a.address)
        try await eventually("the end of the link is reported") { b.inbox.linkDowns == [a.address] }
        #expect(a.inbox.frameCount == 0)
        #expect(a.inbox.linkDowns == [])
        await b.network.close()
        #expect(b.inbox.frameCount == 1)
    }

    @Test func listeningOnATakenPortNamesIt() async throws {
        let a = try await startNetwork()
        let other = TCPNetwork(ownAddress: "127.0.0.1:1", group: group)
        let address = try #require(HostPort(a.address))
        do {
            _ = try await other.listen(on: address)
            Issue.record("listening twice on \(address)")
        } catch {
            #expect("\(error)".contains(a.address))
        }
        await other.close()
        await a.network.close()
    }
}
