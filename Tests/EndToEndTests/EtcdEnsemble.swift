import FileSystem
import Glibc
import GraphModel
import Synchronization
import TestSupport

/// Processes of the real etcd on ports chosen by the kernel, in a directory of their own.
final class EtcdEnsemble: Sendable {
    let directory: String
    let clientPorts: [Int]
    private let peerPorts: [Int]
    private let certificates: TestCertificates?
    private let processes: Mutex<[ChildProcess?]>

    /// Starts so many members; with certificates they speak TLS and want a certificate from their clients.
    init(_ name: String, count: Int, certificates: TestCertificates? = nil) throws {
        directory = try TestCluster.temporaryDirectory(name)
        let ports = try freePorts(2 * count)
        clientPorts = Array(ports[..<count])
        peerPorts = Array(ports[count...])
        self.certificates = certificates
        processes = Mutex(Array(repeating: nil, count: count))
        for index in 0..<count { try start(index) }
        try waitUntil("etcd answers") { try control(["get", "something"]).status == 0 }
    }

    var endpoints: [String] { clientPorts.map { "127.0.0.1:\($0)" } }
    private var scheme: String { certificates == nil ? "http" : "https" }

    /// Starts a member, with the data it had before.
    func start(_ index: Int) throws {
        let client = "\(scheme)://127.0.0.1:\(clientPorts[index])"
        let peer = "http://127.0.0.1:\(peerPorts[index])"
        var arguments = [
            "--name", "e\(index)", "--data-dir", "\(directory)/e\(index)", "--listen-client-urls", client,
            "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster",
            peerPorts.enumerated().map { "e\($0.offset)=http://127.0.0.1:\($0.element)" }.joined(separator: ","),
            // Half of etcd's default: the tests wait for it.
            "--heartbeat-interval", "50", "--election-timeout", "500",
        ]
        if let certificates {
            arguments += [
                "--client-cert-auth", "--trusted-ca-file", certificates.authority, "--cert-file",
                certificates.certificate("etcd"), "--key-file", certificates.key("etcd"),
            ]
        }
        let process = try ChildProcess.start("etcd", arguments, outputPath: directory + "/e\(index).log", detached: false)
        processes.withLock { $0[index] = process }
    }

    func signal(_ index: Int, _ signal: Int32) {
        guard let process = processes.withLock({ $0[index] }) else { return }
        kill(process.processID, signal)
        if signal == SIGKILL {
            var status: Int32 = 0
            waitpid(process.processID, &status, 0)
            processes.withLock { $0[index] = nil }
        }
    }

    /// Runs etcdctl.
    @discardableResult
    func control(_ arguments: [String], user: String? = nil) throws -> Program.Outcome {
        var all = ["ETCDCTL_API=3", "etcdctl", "--endpoints", endpoints.map { "\(scheme)://\($0)" }.joined(separator: ","), "--command-timeout", "2s"]
        if let certificates {
            all += ["--cacert", certificates.authority, "--cert", certificates.certificate("operator"), "--key", certificates.key("operator")]
        }
        if let user { all += ["--user", user] }
        return try Program.run(all + arguments, program: "env")
    }

    func stop() {
        for index in clientPorts.indices { signal(index, SIGKILL) }
        removeTree(directory)
    }
}
