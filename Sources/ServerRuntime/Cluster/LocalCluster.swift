package import FileSystem
package import GraphModel

/// A whole cluster on this machine, for trying things and for tests: a directory with a configuration, a store and a log
/// per member, each member a process of its own, HAProxy in front when it is installed.
package struct LocalCluster: Sendable {
    package struct Options: Sendable {
        package var memberCount = 3
        package var directory = "run/cluster"
        /// Ports chosen by the kernel instead of the usual ones.
        package var usesFreePorts = false
        /// Whether the processes outlive this one.
        package var isDetached = false
        package var usesProxy = true
        /// The program that members run.
        package var program = executablePath()
        /// Client addresses of etcd, which then coordinates instead of the members.
        package var etcdEndpoints: [String] = []
        /// Further settings for every member.
        package var settings: [(key: String, value: String)] = []
        package init() {}
    }

    package struct Member: Sendable {
        package let id: Int
        package let directory: String
        package let httpPort: Int
        package let coordinatorPort: Int
        package let replicationPort: Int
        package let backupPort: Int

        package var httpAddress: String { "127.0.0.1:\(httpPort)" }
        package var configurationPath: String { directory + "/martlet.properties" }
        package var logPath: String { directory + "/console.log" }
        package var processIDPath: String { directory + "/pid" }
        /// The process, when it runs.
        package var process: ChildProcess? { LocalCluster.readProcess(processIDPath) }
    }

    package let options: Options
    package let members: [Member]
    package let writePort: Int
    package let readPort: Int
    private var fileSystem: POSIXFileSystem { POSIXFileSystem() }

    /// A cluster that was laid out before, as it is: for stopping it.
    package init(existing directory: String) throws(GraphError) {
        var options = Options()
        options.directory = directory
        let ports: [Int]
        do throws(FileError) { ports = try Self.readPorts(directory) } catch {
            throw GraphError(.configuration, "\(directory) holds no cluster: \(error)")
        }
        options.memberCount = max(0, (ports.count - 2) / 4)
        self.init(options, ports)
    }

    private init(_ options: Options, _ ports: [Int]) {
        self.options = options
        members = (0..<options.memberCount).map { index in
            Member(
                id: index + 1, directory: options.directory + "/member\(index + 1)", httpPort: ports[4 * index],
                coordinatorPort: ports[4 * index + 1], replicationPort: ports[4 * index + 2],
                backupPort: ports[4 * index + 3])
        }
        writePort = ports.dropLast().last ?? 0
        readPort = ports.last ?? 0
    }

    private static func readPorts(_ directory: String) throws(FileError) -> [Int] {
        String(decoding: try POSIXFileSystem().readAll(directory + "/ports"), as: UTF8.self).split(separator: " ")
            .compactMap { Int($0) }
    }

    /// Lays out directories and configurations; what is there already (stores, ports) stays in use.
    package init(_ options: Options) throws(GraphError) {
        guard (1...9).contains(options.memberCount) else {
            throw GraphError(.configuration, "--members \(options.memberCount): expected 1 to 9")
        }
        let fileSystem = POSIXFileSystem()
        do throws(FileError) {
            try fileSystem.createDirectory(options.directory)
            let wanted = 4 * options.memberCount + 2
            var ports = fileSystem.exists(options.directory + "/ports") ? try Self.readPorts(options.directory) : []
            if ports.count != wanted {
                ports = options.usesFreePorts ? try freePorts(wanted) : Self.usualPorts(options.memberCount)
                let text = ports.map { "\($0)" }.joined(separator: " ")
                try fileSystem.replace(options.directory + "/ports", with: Array(text.utf8))
            }
            self.init(options, ports)
            for member in members {
                try fileSystem.createDirectory(member.directory)
                try fileSystem.replace(member.configurationPath, with: Array(configuration(of: member).utf8))
            }
            try fileSystem.replace(proxyConfigurationPath, with: Array(proxyConfiguration.utf8))
        } catch {
            throw GraphError(error)
        }
    }

    private static func usualPorts(_ memberCount: Int) -> [Int] {
        var ports: [Int] = []
        for index in 0..<memberCount {
            for first in [7474, 5001, 6001, 6362] { ports.append(first + index) }
        }
        return ports + [7480, 7481]
    }

    /// Majorities want an odd number of voters, and three survive one loss: so many coordinators at most.
    private var coordinators: String {
        members.prefix(members.count < 3 ? 1 : (members.count < 5 ? 3 : 5)).map { "127.0.0.1:\($0.coordinatorPort)" }
            .joined(separator: ",")
    }

    private func configuration(of member: Member) -> String {
        var lines = [
            "# Written by martlet cluster run; changed when it runs again.",
            "org.neo4j.server.database.mode=HA",
            "org.neo4j.server.database.location=data/graph.db",
            "org.neo4j.server.webserver.port=\(member.httpPort)",
            "org.neo4j.server.webserver.https.port=0",
            "ha.server_id=\(member.id)",
            "ha.server=127.0.0.1:\(member.replicationPort)",
            "ha.coordinators=\(options.etcdEndpoints.isEmpty ? coordinators : options.etcdEndpoints.joined(separator: ","))",
            "online_backup_port=\(member.backupPort)",
        ]
        let own = "127.0.0.1:\(member.coordinatorPort)"
        if !options.etcdEndpoints.isEmpty {
            lines.append("ha.coordination=etcd")
        } else if coordinators.split(separator: ",").contains(where: { $0 == own }) {
            lines.append("ha.coordinator=\(own)")
        }
        for (key, value) in options.settings { lines.append("\(key)=\(value)") }
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: Processes

    static func readProcess(_ path: String) -> ChildProcess? {
        guard let bytes = try? POSIXFileSystem().readAll(path),
            let id = Int32(String(decoding: bytes, as: UTF8.self).trimmingSpaces)
        else { return nil }
        let process = ChildProcess(processID: id)
        return process.isRunning ? process : nil
    }

    /// Starts a member that does not run yet.
    package func start(_ member: Member) throws(GraphError) {
        guard member.process == nil else { return }
        do throws(FileError) {
            try? fileSystem.remove(member.logPath)
            let process = try ChildProcess.start(
                options.program, ["server", "console", "--config", member.configurationPath],
                outputPath: member.logPath, detached: options.isDetached)
            try fileSystem.replace(member.processIDPath, with: Array("\(process.processID)\n".utf8))
        } catch {
            throw GraphError(error)
        }
    }

    /// Starts HAProxy when it is installed; false when it is not.
    package func startProxy() throws(GraphError) -> Bool {
        guard options.usesProxy, let program = findProgram("haproxy") else { return false }
        let pidPath = options.directory + "/haproxy.pid"
        if Self.readProcess(pidPath) != nil { return true }
        do throws(FileError) {
            let process = try ChildProcess.start(
                program, ["-db", "-f", proxyConfigurationPath], outputPath: options.directory + "/haproxy.log",
                detached: options.isDetached)
            try fileSystem.replace(pidPath, with: Array("\(process.processID)\n".utf8))
        } catch {
            throw GraphError(error)
        }
        return true
    }

    /// The last lines of a member's log, for errors.
    package func logTail(_ member: Member) -> String {
        guard let bytes = try? fileSystem.readAll(member.logPath) else { return "" }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").suffix(5).joined(separator: "\n")
    }

    /// Whether the member has said that it serves.
    package func isReady(_ member: Member) -> Bool {
        guard let bytes = try? fileSystem.readAll(member.logPath) else { return false }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").contains { $0.hasPrefix("ready ") }
    }

    private func masterID() async -> Int? {
        for member in members where member.process != nil {
            if let answer = try? await HTTPProbe.request("GET", member.httpAddress, "/hastatus/master", timeout: 1000),
                answer.status == 200
            {
                return member.id
            }
        }
        return nil
    }

    /// Asks every process of the cluster to stop and waits for it. Slaves first: so no election is needed.
    package func stop(limit: Milliseconds = 30_000) async {
        if let proxy = Self.readProcess(options.directory + "/haproxy.pid") { proxy.terminate() }
        // The master last: then nobody needs an election.
        let last = await masterID()
        for member in members where member.id != last { member.process?.terminate() }
        let deadline = monotonicNanoseconds() + limit.rawValue * 1_000_000
        while members.contains(where: { $0.process != nil }) {
            if monotonicNanoseconds() > deadline {
                for member in members { member.process?.kill9() }
            } else if members.allSatisfy({ $0.id == last || $0.process == nil }) {
                members.first { $0.id == last }?.process?.terminate()
            }
            try? await Task.sleep(nanoseconds: 50_000_000)
        }
        for member in members { try? fileSystem.remove(member.processIDPath) }
        try? fileSystem.remove(options.directory + "/haproxy.pid")
    }

    /// Ends every process of the cluster at once.
    package func kill() {
        Self.readProcess(options.directory + "/haproxy.pid")?.kill9()
        for member in members { member.process?.kill9() }
    }

    // MARK: HAProxy

    package var proxyConfigurationPath: String { options.directory + "/haproxy.cfg" }

    /// Writes to the master, reads to the slaves, by what each member says of itself. While there is none, to any member:
    /// each takes writes and passes them on, so a request waits out a switchover instead of failing.
    private var proxyConfiguration: String {
        let servers = members.map { "    server member\($0.id) 127.0.0.1:\($0.httpPort) check inter 200ms fall 1 rise 1" }
            .joined(separator: "\n")
        return """
            global
                maxconn 4096
            defaults
                mode http
                option http-keep-alive
                timeout connect 250ms
                timeout client 60s
                timeout server 15s
                timeout check 500ms
                retries 2
                option redispatch
                # A member that says 404 gets nothing new but finishes what it has; one that is silent is cut off.
                http-check disable-on-404
                default-server on-marked-down shutdown-sessions
            frontend writes
                bind 127.0.0.1:\(writePort)
                use_backend master if { nbsrv(master) ge 1 }
                default_backend members
            frontend reads
                bind 127.0.0.1:\(readPort)
                use_backend slaves if { nbsrv(slaves) ge 1 }
                default_backend members
            backend master
                option httpchk GET /hastatus/master
            \(servers)
            backend slaves
                balance roundrobin
                option httpchk GET /hastatus/slave
                retry-on conn-failure empty-response response-timeout
            \(servers)
            backend members
                balance roundrobin
                option httpchk GET /hastatus/read
            \(servers)

            """
    }
}
