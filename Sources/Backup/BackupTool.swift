public import FileSystem
public import GraphModel
internal import Storage
internal import Synchronization
public import Transport

/// What `martlet backup` does: finds a member, copies its store, verifies the copy, and gives it its name.
public struct BackupTool: Sendable {
    public struct Options: Sendable {
        public var source: BackupSource
        /// Where the backup goes; must be empty or not exist.
        public var directory: String
        /// `ha.cluster_name` of the cluster; nil for the default name. Not asked of a database that stands alone.
        public var clusterName: String?
        /// Whether the whole graph is walked at the end.
        public var checksResult = true
        /// For members with `ha.tls=true`.
        public var security: TLSClient?
        public var statusTimeout: Milliseconds = 5000
        public var silenceTimeout: Milliseconds = 60_000

        public init(source: BackupSource, directory: String) {
            self.source = source
            self.directory = directory
        }
    }

    /// `ha.cluster_name` unless configured otherwise.
    public static let defaultClusterName = "martlet.ha"

    public enum Event: Sendable {
        /// One line for people.
        case note(String)
        case copying(BackupProgress)
        /// 0 to 1.
        case checking(part: Double)
    }

    /// A backup that was made.
    public struct Summary: Sendable {
        public var directory: String
        /// The member that it was copied from, and what that was.
        public var host: HostPort
        public var role: BackupRole
        public var storeID: StoreID
        /// The last transaction in the backup.
        public var position: LogPosition
        public var byteCount: UInt64
        /// Of the copy alone.
        public var copySeconds: Double
        /// With everything.
        public var seconds: Double
        /// What the check found; nil when there was none.
        public var check: Check?

        public struct Check: Sendable {
            public var nodeCount: Int
            public var relationshipCount: Int
            /// Hexadecimal; equal for all stores with the same graph.
            public var graphChecksum: String
            /// One line each; empty when all is well.
            public var problems: [String]

            public init(nodeCount: Int, relationshipCount: Int, graphChecksum: String, problems: [String]) {
                self.nodeCount = nodeCount
                self.relationshipCount = relationshipCount
                self.graphChecksum = graphChecksum
                self.problems = problems
            }
        }

        public init(
            directory: String, host: HostPort, role: BackupRole, storeID: StoreID, position: LogPosition,
            byteCount: UInt64, copySeconds: Double, seconds: Double
        ) {
            self.directory = directory
            self.host = host
            self.role = role
            self.storeID = storeID
            self.position = position
            self.byteCount = byteCount
            self.copySeconds = copySeconds
            self.seconds = seconds
        }

        public var megabytesPerSecond: Double { copySeconds > 0 ? Double(byteCount) / 1e6 / copySeconds : 0 }
        public var isConsistent: Bool { check?.problems.isEmpty ?? true }
    }

    private let options: Options
    private let fileSystem: any FileSystem
    private let start = monotonicNanoseconds()

    private init(_ options: Options, _ fileSystem: any FileSystem) {
        self.options = options
        self.fileSystem = fileSystem
    }

    /// Makes a full backup. Blocks; not for event loops or threads of the concurrency pool.
    ///
    /// Throws `.storageIO` when the directory is not empty or cannot be written, `.storeLocked` when another backup is
    /// being made there, and otherwise what kept each of the members from being copied. Nothing is left behind then.
    /// Inconsistencies in the graph do not throw: the backup is as the member is, and the summary says so.
    public static func run(
        _ options: Options, fileSystem: any FileSystem = POSIXFileSystem(), report: (Event) -> Void = { _ in }
    ) throws(GraphError) -> Summary {
        let tool = BackupTool(options, fileSystem)
        let destination = try BackupDestination(options.directory, fileSystem)
        do throws(GraphError) {
            var summary = try tool.copyFromAnyone(to: destination, report)
            try destination.publish()
            summary.seconds = Double(monotonicNanoseconds() - tool.start) / 1e9
            return summary
        } catch {
            do throws(GraphError) { try destination.abandon() } catch let second {
                throw GraphError(
                    error.code, "\(error.message); what was copied could not be removed: \(second.message)")
            }
            throw error
        }
    }

    // MARK: Members

    private var clusterName: String {
        options.clusterName ?? (options.source.mode == .ha ? Self.defaultClusterName : "")
    }

    private func copyFromAnyone(to destination: BackupDestination, _ report: (Event) -> Void) throws(GraphError)
        -> Summary
    {
        var failures: [GraphError] = []
        let candidates = try candidates(&failures, report)
        for (index, host) in candidates.enumerated() {
            do throws(CopyFailure) {
                return try copy(from: host, to: destination, report)
            } catch {
                if error.isLocal { throw error.error }
                failures.append(error.error)
                if index + 1 < candidates.count { report(.note(error.error.message)) }
                try destination.clear()
            }
        }
        guard failures.count > 1 else {
            throw failures.first
                ?? GraphError(.unavailable, "\(options.source): no member has a store that can be copied now")
        }
        throw GraphError(
            failures[failures.count - 1].code,
            "no member of \(options.source) could be copied: " + failures.map(\.message).joined(separator: "; "))
    }

    private func candidates(_ failures: inout [GraphError], _ report: (Event) -> Void) throws(GraphError) -> [HostPort]
    {
        let hosts = options.source.hosts
        // With one host there is nothing to choose, and the copy itself says what is wrong.
        if hosts.count == 1 { return hosts }
        var statuses: [(host: HostPort, status: BackupStatus)] = []
        for (host, answer) in zip(hosts, askForStatus(hosts)) {
            switch answer {
            case .success(let status):
                statuses.append((host, status))
                let lag = status.lag > 0 ? ", \(status.lag.rawValue) ms behind" : ""
                report(
                    .note(
                        status.isAvailable
                            ? "\(host): \(status.role), \(status.applied.transactionID)\(lag)"
                            : "\(host): \(status.role), without a store"))
            case .failure(let error):
                failures.append(error)
                report(.note(error.message))
            }
        }
        return try BackupCandidates.order(statuses).map(\.host)
    }

    /// Asks all at once, so that hosts that are down cost their time-out only once.
    private func askForStatus(_ hosts: [HostPort]) -> [Result<BackupStatus, GraphError>] {
        let answers = SharedAnswers(hosts.count)
        let (clusterName, security, timeout) = (clusterName, options.security, options.statusTimeout)
        let threads = hosts.enumerated().map { index, host in
            DedicatedThread(name: "martlet-status") {
                answers.set(
                    index,
                    Result { () throws(GraphError) in
                        try BackupClient.statusBlocking(
                            of: host, clusterName: clusterName, security: security, timeout: timeout)
                    })
            }
        }
        for thread in threads { thread.join() }
        return answers.all
    }

    private final class SharedAnswers: Sendable {
        private let values: Mutex<[Result<BackupStatus, GraphError>]>
        init(_ count: Int) {
            values = Mutex(Array(repeating: .failure(GraphError(.general, "not asked")), count: count))
        }
        func set(_ index: Int, _ value: Result<BackupStatus, GraphError>) { values.withLock { $0[index] = value } }
        var all: [Result<BackupStatus, GraphError>] { values.withLock { $0 } }
    }

    // MARK: One copy

    private func copy(
        from host: HostPort, to destination: BackupDestination, _ report: (Event) -> Void
    ) throws(CopyFailure) -> Summary {
        var copyOptions = BackupClient.Options(clusterName: clusterName)
        copyOptions.silenceTimeout = options.silenceTimeout
        copyOptions.security = options.security
        report(.note("copying the store of \(host)"))
        var meter = RateMeter(now: monotonicNanoseconds())
        let copied = try BackupClient.copy(
            from: host, into: destination.storeDirectory, copyOptions, fileSystem, cancellation: nil
        ) { received, files in
            report(.copying(meter.progress(received: received, files: files, now: monotonicNanoseconds())))
        }
        var summary = Summary(
            directory: destination.directory, host: host, role: copied.role, storeID: copied.storeID,
            position: copied.position, byteCount: copied.byteCount, copySeconds: copied.seconds, seconds: 0)
        report(
            .note(
                "copied \(BackupDisplay.bytes(Double(copied.byteCount))) up to \(copied.position.transactionID) in \(BackupDisplay.oneDecimal(copied.seconds)) s"
            ))
        if options.checksResult { summary.check = try check(copied, destination, report) }
        return summary
    }

    /// Opens the copy as a server would, and walks everything.
    private func check(
        _ copied: CopiedStore, _ destination: BackupDestination, _ report: (Event) -> Void
    ) throws(CopyFailure) -> Summary.Check {
        do throws(GraphError) {
            var storeOptions = Store.Options()
            storeOptions.usesLogThread = false
            storeOptions.appliesWholeLog = true
            let store = try Store.open(destination.storeDirectory, fileSystem: fileSystem, options: storeOptions)
            defer { store.close() }
            guard store.applied == copied.position else {
                throw GraphError(.corrupt, "the copy opens at \(store.applied), not at \(copied.position)")
            }
            let found = store.check { report(.checking(part: $0)) }
            return Summary.Check(
                nodeCount: found.nodeCount, relationshipCount: found.relationshipCount,
                graphChecksum: found.checksum.description, problems: found.problems)
        } catch {
            throw CopyFailure(
                error: GraphError(error.code, "the copy of store \(copied.storeID) cannot be opened: \(error.message)"),
                isLocal: error.code == .storageIO)
        }
    }
}
