internal import FileSystem
internal import Glibc

/// An authority made for one test, and certificates from it for this machine's loopback address, made by the openssl
/// command. They have no common name: etcd's gateway refuses clients that have one when it wants a login as well.
public final class TestCertificates: Sendable {
    /// Why openssl made nothing.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private let directory: TemporaryDirectory
    public var authority: String { directory.path + "/ca.pem" }
    public func certificate(_ name: String) -> String { "\(directory.path)/\(name).pem" }
    public func key(_ name: String) -> String { "\(directory.path)/\(name).key" }

    /// - Parameter address: what the certificates are for, an IP address.
    public init(for names: [String], address: String = "127.0.0.1") throws {
        directory = try TemporaryDirectory()
        let path = directory.path
        let kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try run(
            ["req", "-x509"] + kind + ["-days", "10", "-subj", "/CN=authority of a test", "-keyout", path + "/ca.key", "-out", authority])
        let extensions = path + "/extensions"
        try POSIXFileSystem().replace(extensions, with: Array("subjectAltName=IP:\(address)\n".utf8))
        for name in names {
            let request = "\(path)/\(name).csr"
            try run(["req", "-new"] + kind + ["-subj", "/O=\(name)", "-keyout", key(name), "-out", request])
            try run([
                "x509", "-req", "-in", request, "-CA", authority, "-CAkey", path + "/ca.key", "-CAcreateserial",
                "-days", "10", "-extfile", extensions, "-out", certificate(name),
            ])
        }
    }

    private func run(_ arguments: [String]) throws {
        let log = directory.path + "/log"
        let process = try ChildProcess.start("openssl", arguments, outputPath: log, detached: false)
        var status: Int32 = 0
        waitpid(process.processID, &status, 0)
        guard status == 0 else {
            throw Failure(description: String(decoding: try POSIXFileSystem().readAll(log), as: UTF8.self))
        }
    }
}
