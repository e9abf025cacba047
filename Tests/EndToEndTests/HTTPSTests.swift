import FileSystem
import Glibc
import Testing

extension EndToEnd {
    /// HTTPS beside HTTP: with a certificate that is made once, or with the operator's.
    @Suite(.serialized) struct HTTPSTests {
        /// The port that a server says it serves HTTPS on; nil when it does not.
        private func securePort(_ server: ProcessTests.SingleServer) -> Int? {
            guard let start = server.output.firstRange(of: "HTTPS listens address=127.0.0.1:") else { return nil }
            return Int(server.output[start.upperBound...].prefix { $0.isNumber })
        }

        private func curl(_ port: Int, authority: String, host: String = "localhost") throws -> Program.Outcome {
            try Program.run(
                ["-sS", "--max-time", "10", "--cacert", authority, "https://\(host):\(port)/db/data/"], program: "/usr/bin/curl")
        }

        @Test func aCertificateIsMadeOnceAndServed() throws {
            let directory = try TestCluster.temporaryDirectory("https")
            let certificate = directory + "/ssl/snakeoil.cert"
            var made: [UInt8] = []
            for round in 1...2 {
                let server = try ProcessTests.SingleServer(directory: directory)
                let port = try #require(securePort(server))
                for host in ["localhost", "127.0.0.1"] {
                    let answer = try curl(port, authority: certificate, host: host)
                    #expect(answer.status == 0, "\(answer.output)")
                    // URIs lead back to where the client came from.
                    #expect(answer.output.contains("\"node\" : \"https://\(host):\(port)/db/data/node\""), "\(answer.output)")
                }
                // Whoever speaks plain HTTP there is told nothing, and the others do not notice.
                #expect(throws: BlockingHTTPClient.Broken.self) { try BlockingHTTPClient(port: port).request("GET", "/db/data/") }
                #expect(try curl(port, authority: certificate).status == 0)
                let now = try POSIXFileSystem().readAll(certificate)
                if round == 2 { #expect(now == made) }
                made = now
                var info = stat()
                #expect(stat(directory + "/ssl/snakeoil.key", &info) == 0 && info.st_mode & 0o777 == 0o600)
                try server.kill(SIGTERM)
            }
            // Half of the operator's own is none.
            let half = try Program.run(
                ["server", "console"] + ProcessTests.SingleServer.settings(directory, port: 0)
                    + ["--set", "org.neo4j.server.webserver.https.cert.location=\(certificate)"])
            #expect(half.status == 2)
            #expect(half.output.contains("https.key.location go together"), "\(half.output)")
            // A key that is none names itself.
            let wrong = try Program.run(
                ["server", "console"] + ProcessTests.SingleServer.settings(directory, port: 0)
                    + ["--set", "org.neo4j.server.webserver.https.cert.location=\(certificate)"]
                    + ["--set", "org.neo4j.server.webserver.https.key.location=\(certificate)"])
            #expect(wrong.status == 2)
            #expect(wrong.output.contains("expected a private key in PEM"), "\(wrong.output)")
            removeTree(directory)
        }

        @Test func httpsCanBeSwitchedOffAndAPortInUseIsSaid() throws {
            let directory = try TestCluster.temporaryDirectory("no-https")
            let off = try ProcessTests.SingleServer(
                directory: directory, settings: ["org.neo4j.server.webserver.https.enabled=false"])
            #expect(securePort(off) == nil)
            #expect(!POSIXFileSystem().exists(directory + "/ssl"))
            let port = try Program.run(
                ["server", "console"] + ProcessTests.SingleServer.settings(directory + "/other", port: 0)
                    + ["--set", "org.neo4j.server.webserver.https.port=\(off.port)"])
            #expect(port.status == 1)
            #expect(port.output.contains("webserver.https.port") && port.output.contains("in use"), "\(port.output)")
            try off.kill(SIGTERM)
            removeTree(directory)
        }
    }
}
