import Gzip
import JSON
import RESTServer
import TestSupport
import Testing

/// gzip on the way out and on the way in.
@Suite struct CompressionTests {
    private func unpack(_ bytes: [UInt8]) throws -> [UInt8] {
        let inflater = Inflater()
        inflater.give(bytes, bytes.count)
        var plain: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while !inflater.needsInput {
            switch piece.withUnsafeMutableBytes(inflater.inflate(into:)) {
            case .bytes(let count): plain += piece[..<count]
            case .failure(let what): throw ClientError(description: what)
            }
        }
        guard inflater.isBetweenMembers else { throw ClientError(description: "ends too early") }
        return plain
    }

    private func pack(_ bytes: [UInt8], pieces: Int = 1) throws -> [UInt8] {
        let deflater = Deflater(level: 6)
        var packed: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: max(1, bytes.count / pieces)) {
            let piece = Array(bytes[start..<min(bytes.count, start + max(1, bytes.count / pieces))])
            #expect(piece.withUnsafeBytes { deflater.deflate($0, .flushed, into: &packed) })
        }
        #expect(deflater.deflate(UnsafeRawBufferPointer(start: nil, count: 0), .finished, into: &packed))
        return packed
    }

    @Test func bytesComeBack() throws {
        for seed in 1...200 as ClosedRange<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let count = Int(generator.next() % 100_000)
            let mask: UInt64 = seed % 2 == 0 ? 0xFF : 0x3
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next() & mask) }
            #expect(try unpack(try pack(bytes, pieces: 1 + Int(seed % 7))) == bytes, "seed \(seed)")
        }
    }

    @Test func longAnswersArePackedForClientsThatTakeIt() async throws {
        try await withServer { client async throws in
            let long = String(repeating: "martlet ", count: 1000)
            #expect(try await client.send("PUT", "/db/data/node/0/properties/long", body: "\"\(long)\"").status == 204)
            let plain = try await client.get("/db/data/node/0")
            #expect(plain["content-encoding"] == nil)
            #expect(plain["vary"] == "Accept-Encoding")
            for accept in ["gzip", "gzip, deflate, br", "deflate, gzip;q=0.5", "*", "GZIP", "x-gzip"] {
                let reply = try await client.get("/db/data/node/0", ["Accept-Encoding: \(accept)"])
                #expect(reply["content-encoding"] == "gzip", "\(accept)")
                #expect(reply["vary"] == "Accept-Encoding")
                #expect(reply.body.count < plain.body.count / 4)
                #expect(try unpack(reply.body) == plain.body)
            }
            for accept in ["identity", "deflate", "gzip;q=0", "gzip; q=0.0, *", "br", "*;q=0", ""] {
                let reply = try await client.get("/db/data/node/0", ["Accept-Encoding: \(accept)"])
                #expect(reply["content-encoding"] == nil, "\(accept)")
                #expect(reply.body == plain.body)
            }
            // Nothing to gain.
            let short = try await client.get("/db/data/", ["Accept-Encoding: gzip"])
            #expect(short["content-encoding"] == nil && short["vary"] == nil)
            let head = try await client.send("HEAD", "/db/data/node/0", ["Accept-Encoding: gzip"])
            #expect(head.status == 200 && head.body.isEmpty)
        }
    }

    @Test func resultsAndStreamsArePackedAsTheyGo() async throws {
        try await withServer { client async throws in
            for (query, fields) in [
                ("RETURN range(1, 2000)", []), ("RETURN range(1, 2000)", ["X-Stream: true"]),
                // Long enough to be sent in pieces.
                ("UNWIND range(1, 100000) AS i RETURN i, 'row ' + toString(i)", []),
                ("UNWIND range(1, 100000) AS i RETURN i, 'row ' + toString(i)", ["X-Stream: true"]),
            ] {
                let body = "{\"query\": \"CYPHER 9 \(query)\"}"
                let plain = try await client.send("POST", "/db/data/cypher", fields, body: body)
                #expect(plain.status == 200)
                let packed = try await client.send("POST", "/db/data/cypher", fields + ["Accept-Encoding: gzip"], body: body)
                #expect(packed["content-encoding"] == "gzip")
                #expect(packed.isComplete)
                #expect(try unpack(packed.body) == plain.body)
            }
        }
    }

    @Test func packedRequestsAreUnpacked() async throws {
        var options = RESTService.Options()
        options.bodyByteCountMaximum = 1 << 20
        try await withServer(options) { client async throws in
            func send(_ encoding: String, _ bytes: [UInt8]) async throws -> Reply {
                let head = """
                    POST /db/data/node HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r
                    Content-Encoding: \(encoding)\r\nContent-Length: \(bytes.count)\r\n\r\n
                    """
                return try await client.exchange(Array(head.utf8) + bytes, isHead: [false])[0]
            }
            let body = Array("{\"name\": \"\(String(repeating: "n", count: 200_000))\"}".utf8)
            let packed = try pack(body)
            for encoding in ["gzip", "x-gzip", "GZIP"] {
                let reply = try await send(encoding, packed)
                #expect(reply.status == 201, "\(encoding)")
                #expect(reply.text.contains(String(repeating: "n", count: 200_000)))
            }
            #expect(try await send("identity", Array("{}".utf8)).status == 201)
            let unknown = try await send("br", packed)
            #expect(unknown.status == 415 && unknown.text.contains("only gzip"))
            let damages: [[UInt8]] = [Array(packed.dropLast(5)), Array("{}".utf8), [0x1F, 0x8B], packed + packed.prefix(20)]
            for damaged in damages {
                let reply = try await send("gzip", damaged)
                #expect(reply.status == 400 && reply.text.contains("not gzip"), "\(reply.text)")
            }
            // What is short as it comes may be long.
            let bomb = try pack([UInt8](repeating: 0x20, count: 50 << 20))
            #expect(bomb.count < 1 << 20)
            #expect(try await send("gzip", bomb).status == 413)
            #expect(try await client.get("/db/data/node/0").status == 200)
        }
    }
}
