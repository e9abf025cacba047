internal import FileSystem
package import GraphModel
internal import UnixSignals

/// Starts a local cluster, says how to talk to it, and stops it again.
package enum LocalClusterRunner {
    /// Longest time until all members serve.
    static let startLimit: Milliseconds = 60_000

    package static func run(_ options: LocalCluster.Options, _ print: @Sendable (String) -> Void) async throws(GraphError) {
        let cluster = try LocalCluster(options)
        let (stops, stop) = AsyncStream.makeStream(of: Void.self)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let watcher = Task {
            for await _ in signals { stop.yield(()) }
        }
        defer { watcher.cancel() }
        do throws(GraphError) {
            for member in cluster.members { try cluster.start(member) }
            try await untilServing(cluster)
            let hasProxy = try cluster.startProxy()
            if hasProxy { await untilAnswering("127.0.0.1:\(cluster.writePort)") }
            print(try await description(of: cluster, hasProxy: hasProxy))
        } catch {
            await cluster.stop()
            throw error
        }
        if options.isDetached { return }
        print("Ctrl-C stops it.")
        for await _ in stops { break }
        await cluster.stop()
    }

    package static func untilServing(_ cluster: LocalCluster) async throws(GraphError) {
        let deadline = monotonicNanoseconds() + startLimit.rawValue * 1_000_000
        while true {
            for member in cluster.members where member.process == nil {
                throw GraphError(
                    .unavailable, "member \(member.id) has ended; its log \(member.logPath) ends with:\n\(cluster.logTail(member))")
            }
            if cluster.members.allSatisfy(cluster.isReady), await isWhole(cluster) { return }
            if monotonicNanoseconds() > deadline {
                let late = cluster.members.first { !cluster.isReady($0) } ?? cluster.members[0]
                throw GraphError(
                    .unavailable, "the cluster does not serve after \(startLimit); the log of member \(late.id) ends with:\n\(cluster.logTail(late))")
            }
            try? await Task.sleep(nanoseconds: 50_000_000)
        }
    }

    /// The proxy takes a moment to find out who is master; it serves or not, the members do.
    private static func untilAnswering(_ address: String) async {
        let deadline = monotonicNanoseconds() + 5_000_000_000
        while monotonicNanoseconds() < deadline {
            if let answer = try? await HTTPProbe.request("GET", address, "/hastatus/master", timeout: 500),
                answer.status == 200
            {
                return
            }
            try? await Task.sleep(nanoseconds: 50_000_000)
        }
    }

    /// One master, and every member counts.
    private static func isWhole(_ cluster: LocalCluster) async -> Bool {
        guard let answer = try? await HTTPProbe.request("GET", cluster.members[0].httpAddress, "/hastatus"),
            case .map(let status)? = answer.json, case .integer? = status["master_id"],
            case .list(let set)? = status["sync_set"]
        else { return false }
        return set.elements.count == cluster.members.count
    }

    private static func description(of cluster: LocalCluster, hasProxy: Bool) async throws(GraphError) -> String {
        let views = try await ClusterTool.view(from: cluster.members[0].httpAddress)
        let master = ClusterTool.master(views)?.httpAddress ?? cluster.members[0].httpAddress
        var lines = ["Martlet: \(cluster.members.count) members serve.", "", ClusterTool.table(views), ""]
        if hasProxy {
            lines.append("Writes go to the master at  http://127.0.0.1:\(cluster.writePort)/")
            lines.append("Reads go to the slaves at   http://127.0.0.1:\(cluster.readPort)/")
        } else {
            lines.append("HAProxy is not installed: talk to the members themselves. Each takes writes too.")
        }
        lines.append("")
        lines.append("Try:  curl -s http://\(master)/db/data/cypher -H 'Content-Type: application/json' \\")
        lines.append("        -d '{\"query\": \"CREATE (n {name: {name}}) RETURN n.name\", \"params\": {\"name\": \"Ada\"}}'")
        lines.append("      martlet cluster status --from \(cluster.members[0].httpAddress)")
        if cluster.options.isDetached {
            lines.append("Stop: martlet cluster stop --dir \(cluster.options.directory)")
        }
        return lines.joined(separator: "\n")
    }
}
