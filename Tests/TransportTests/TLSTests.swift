import FileSystem
import GraphModel
import Synchronization
import TestSupport
import Testing
import Transport

@Suite struct TLSTests {
    /// A network of a process with a certificate, and what it says of those it refuses.
    private func start(
        _ certificates: TestCertificates?, _ name: String
    ) async throws -> (network: TCPNetwork, address: String, inbox: Inbox, refusals: @Sendable () -> [String]) {
        let own = try freeAddress()
        let security = try certificates.map { try PeerSecurity(authorityPath: $0.authority, identity: Self.identity($0, name)) }
        let network = TCPNetwork(ownAddress: own.description, options: patientOptions, security: security, group: group)
        let inbox = Inbox()
        let lines = Lines()
        var handlers = inbox.handlers
        handlers.refused = { lines.add($0) }
        network.setHandlers(handlers)
        #expect(try await network.listen(on: own) == own)
        return (network, own.description, inbox, { lines.all })
    }

    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }

    private static func identity(_ certificates: TestCertificates, _ name: String) -> TLSIdentity {
        TLSIdentity(certificatePath: certificates.certificate(name), keyPath: certificates.key(name))
    }

    @Test func framesOfAllSizesArriveInOrderBothWays() async throws {
        let certificates = try TestCertificates(for: ["a", "b"])
        let a = try await start(certificates, "a")
        let b = try await start(certificates, "b")
        var generator = SeededGenerator(seed: 1)
        let frames = (0..<1000).map { number in
            [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: number == 500 ? 20 << 20 : Int.random(in: 0...3000, using: &generator))
        }
        for frame in frames {
            a.network.send(frame, to: b.address)
            b.network.send(frame, to: a.address)
        }
        for (inbox, peer) in [(a.inbox, b.address), (b.inbox, a.address)] {
            try await eventually("all frames arrive") { inbox.frameCount == frames.count }
            #expect(inbox.frames.map(\.bytes) == frames)
            #expect(inbox.frames.allSatisfy { $0.peer == peer })
        }
        await b.network.close()
        try await eventually("the end of the link is reported") { a.inbox.linkDowns.first == b.address }
        await a.network.close()
        #expect(a.refusals() == [] && b.refusals() == [])
    }

    /// The stranger has a certificate of the same name from an authority of its own, or speaks no TLS at all.
    @Test(arguments: [true, false]) func strangersGetNothingAndAreNamed(hasCertificate: Bool) async throws {
        let certificates = try TestCertificates(for: ["a"])
        let began = ContinuousClock.now
        let a = try await start(certificates, "a")
        let stranger = try await start(hasCertificate ? try TestCertificates(for: ["a"]) : nil, "a")
        for number in 0..<20 as Range<UInt8> {
            a.network.send([number], to: stranger.address)
            stranger.network.send([number], to: a.address)
            // And a try whose end can be seen.
            let connection = try await RawConnection.connect(to: a.address)
            connection.write([UInt8](repeating: number, count: 64))
            try await eventually("a connection that speaks no TLS is cut off") { connection.isClosed }
        }
        try await eventually("the stranger is named") { a.refusals().contains { $0.hasPrefix("a connection from 127.0.0.1: TLS: ") } }
        if hasCertificate {
            try await eventually("the stranger is named, dialled") { a.refusals().contains { $0.hasPrefix("\(stranger.address): TLS: ") } }
            #expect(a.refusals().contains { $0.contains("CERTIFICATE_VERIFY_FAILED") }, "\(a.refusals())")
        }
        // One line in ten seconds for each side of it, not one for each try.
        let lineCount = a.refusals().count
        #expect(lineCount <= 2 * (1 + Int((ContinuousClock.now - began) / .seconds(10))), "\(a.refusals())")
        #expect(a.inbox.frameCount == 0 && stranger.inbox.frameCount == 0)
        #expect(a.inbox.linkDowns == [], "what never was a link cannot end")
        await a.network.close()
        await stranger.network.close()
    }

    @Test func certificateForAnotherHostIsRefused() async throws {
        let elsewhere = try TestCertificates(for: ["b"], address: "10.1.2.3")
        let server = try await start(elsewhere, "b")
        let security = try PeerSecurity(authorityPath: elsewhere.authority, identity: Self.identity(elsewhere, "b"))
        let client = TCPNetwork(ownAddress: "127.0.0.1:1", security: security, group: group)
        let lines = Lines()
        client.setHandlers(.init(received: { _, _ in }, linkDown: { _ in }, refused: { lines.add($0) }))
        client.send([1], to: server.address)
        try await eventually("the host is refused") { !lines.all.isEmpty }
        #expect(server.inbox.frameCount == 0)
        await client.close()
        await server.network.close()
    }

    @Test func filesThatCannotBeUsedAreNamed() throws {
        let certificates = try TestCertificates(for: ["a", "b"])
        let missing = certificates.authority + ".nowhere"
        func error(_ authority: String, _ certificate: String, _ key: String) -> String {
            do throws(GraphError) {
                _ = try PeerSecurity(authorityPath: authority, identity: TLSIdentity(certificatePath: certificate, keyPath: key))
                return ""
            } catch {
                #expect(error.code == .configuration)
                return error.message
            }
        }
        let (certificate, key) = (certificates.certificate("a"), certificates.key("a"))
        #expect(error(certificates.authority, certificate, key) == "")
        #expect(error(missing, certificate, key).hasPrefix(missing))
        #expect(error(key, certificate, key).hasPrefix(key))
        #expect(error(certificates.authority, missing, key).hasPrefix(missing))
        #expect(error(certificates.authority, certificate, missing).hasPrefix(missing))
        #expect(error(certificates.authority, certificate, certificate).hasPrefix(certificate))
        #expect(error(certificates.authority, certificate, certificates.key("b")).contains("cannot be used together"))
    }
}
