internal import FileSystem
internal import GraphModel
internal import Synchronization
internal import Transport

extension BackupTool {
    /// Members in the order in which to try them, and what one of them had applied when they were asked: at least all
    /// that was acknowledged before.
    struct Candidates {
        var hosts: [HostPort]
        var required = TransactionID.zero
        /// Why some are not among them.
        var failures: [GraphError] = []
    }

    var clusterName: String {
        options.clusterName ?? (options.source.mode == .ha ? Self.defaultClusterName : "")
    }

    var clientOptions: BackupClient.Options {
        var client = BackupClient.Options(clusterName: clusterName)
        client.silenceTimeout = options.silenceTimeout
        client.security = options.security
        client.compresses = options.compresses
        client.yields = options.yields
        // The check reads all of it.
        client.keepsCached = options.checksResult
        client.byteCountPerSecond = options.byteCountPerSecond
        return client
    }

    func candidates(_ report: (Event) -> Void) throws(GraphError) -> Candidates {
        let hosts = options.source.hosts
        // With one host there is nothing to choose, and the copy itself says what is wrong.
        if hosts.count == 1 { return Candidates(hosts: hosts) }
        var candidates = Candidates(hosts: [])
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
                candidates.required = max(candidates.required, status.applied.transactionID)
            case .failure(let error):
                candidates.failures.append(error)
                report(.note(error.message))
            }
        }
        candidates.hosts = try BackupCandidates.order(statuses).map(\.host)
        return candidates
    }

    /// Tries one member after the other. Throws at once what is not a member's fault, else what kept each from it.
    func firstOf<R>(
        _ candidates: Candidates, _ report: (Event) -> Void, _ body: (HostPort) throws(CopyFailure) -> R
    ) throws(GraphError) -> R {
        var failures = candidates.failures
        for (index, host) in candidates.hosts.enumerated() {
            do throws(CopyFailure) {
                return try body(host)
            } catch {
                if error.isLocal { throw error.error }
                failures.append(error.error)
                if index + 1 < candidates.hosts.count { report(.note(error.error.message)) }
            }
        }
        guard failures.count > 1 else {
            throw failures.first
                ?? GraphError(.unavailable, "\(options.source): no member has a store that can be copied now")
        }
        // Of an incremental backup: the way out is the same whatever else is the matter.
        let code = failures.first { $0.code == .logPruned }?.code ?? failures[failures.count - 1].code
        throw GraphError(
            code, "no member of \(options.source) could be copied: " + failures.map(\.message).joined(separator: "; "))
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
}
