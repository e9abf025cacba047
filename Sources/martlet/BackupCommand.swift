internal import ArgumentParser
internal import Backup
internal import FileSystem
internal import GraphModel
internal import RESTServer
internal import ServerRuntime
internal import Transport

/// `martlet backup`: a running database into a directory that is a database.
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy a running database into a directory.",
        discussion: """
            The copy is consistent and as of its end; the server goes on reading and writing. -full copies everything, \
            -incremental adds to the backup that is in the directory what was committed since. Until the new backup is \
            whole the one before is untouched. To restore, use the directory as the database's, or martlet restore. Of a \
            cluster name all members: an up-to-date slave is preferred, and the next one is tried when one fails. Exit \
            code 3 when the check finds the graph inconsistent.
            """)

    @Flag(
        name: [.customLong("full"), .customLong("full", withSingleDash: true)],
        help: "Copy everything into an empty or a new directory.")
    var full = false

    @Flag(
        name: [.customLong("incremental"), .customLong("incremental", withSingleDash: true)],
        help: "Add what was committed since the backup in the directory.")
    var incremental = false

    @Option(
        name: [.customLong("from"), .customLong("from", withSingleDash: true)],
        help: ArgumentHelp(
            "single://host[:port] or ha://host[:port],host[:port]; default port \(BackupSource.defaultPort).",
            valueName: "URI"))
    var from: String

    @Option(
        name: [.customLong("to"), .customLong("to", withSingleDash: true)],
        help: ArgumentHelp("Directory of the backup.", valueName: "DIR"))
    var to: String

    @Option(
        name: [.customLong("cluster"), .customLong("cluster", withSingleDash: true)],
        help: ArgumentHelp("ha.cluster_name, where it is not \(BackupTool.defaultClusterName).", valueName: "NAME"))
    var cluster: String?

    @Option(
        help: ArgumentHelp(
            "Make each backup a directory of its own within the directory and keep so many of them.", valueName: "N"))
    var keep: Int?

    @Flag(name: .customLong("fallback-full"), help: "With -incremental: take a full backup where the log is pruned.")
    var fallbackFull = false

    @Option(
        name: .customLong("max-rate"),
        help: ArgumentHelp("Take no more bytes per second, as 10M; 1M or more.", valueName: "BYTES"))
    var maxRate: String?

    @Flag(help: "Have members pack what they send: for slow networks; costs processor time at both ends.")
    var compress = false

    @Flag(
        name: .customLong("no-yield"),
        help: "Do not slow down while the member's processors are busy: its clients' requests take longer then.")
    var noYield = false

    @Option(
        help: ArgumentHelp("With ha.tls=true: certificates that the members have theirs from, PEM.", valueName: "FILE"))
    var tlsCa: String?

    @Option(help: ArgumentHelp("With ha.tls=true: a certificate from there, PEM.", valueName: "FILE"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The private key of that certificate, PEM.", valueName: "FILE"))
    var tlsKey: String?

    @Flag(name: .customLong("no-check"), help: "Do not walk the whole graph at the end.")
    var noCheck = false

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        if full == incremental { throw ValidationError("Say either -full or -incremental.") }
        if fallbackFull && full { throw ValidationError("--fallback-full goes with -incremental") }
        if let keep, !(1...999_999 ~= keep) { throw ValidationError("--keep \(keep): expected 1 to 999999") }
        if let maxRate, Settings.copyRate.parse(maxRate) == nil {
            throw ValidationError("--max-rate \(maxRate): expected \(Settings.copyRate.allowed)")
        }
        let files = [tlsCa, tlsCertificate, tlsKey]
        guard files.allSatisfy({ $0 == nil }) || files.allSatisfy({ $0 != nil }) else {
            throw ValidationError("--tls-ca, --tls-certificate and --tls-key go together: name all three")
        }
        if let cluster, cluster.isEmpty { throw ValidationError("-cluster: the name is empty") }
    }

    func run() throws {
        // The threads that are made from here on are as low: a server on this machine goes first.
        lowerThreadPriority()
        var options = BackupTool.Options(
            source: try BackupSource(from), directory: to, kind: full ? .full : .incremental)
        options.keep = keep
        options.fallsBackToFull = fallbackFull
        options.byteCountPerSecond = maxRate.flatMap(Settings.copyRate.parse) ?? 0
        options.compresses = compress
        options.yields = !noYield
        options.clusterName = cluster
        options.checksResult = !noCheck
        if let tlsCa, let tlsCertificate, let tlsKey {
            options.security = try TLSClient(
                authorityPath: tlsCa, identity: TLSIdentity(certificatePath: tlsCertificate, keyPath: tlsKey))
        }
        let summary = try BackupDisplay.showing { show throws(GraphError) in try BackupTool.run(options, report: show) }
        StandardStream.output.writeLine(json ? Self.json(summary) : summary.text)
        if !summary.isConsistent { throw ExitStatus.inconsistent }
    }

    private static func json(_ summary: BackupTool.Summary) -> String {
        var json = JSONWriter(.manual)
        json.beginObject()
        for (key, text) in [
            ("kind", summary.kind.rawValue), ("directory", summary.directory), ("from", summary.host.description), ("role", summary.role.description),
            ("store_id", summary.storeID.description),
        ] {
            json.key(key)
            json.string(text)
        }
        for (key, number) in [
            ("last_tx", summary.position.transactionID.rawValue), ("epoch", summary.position.epoch.rawValue),
            ("bytes", summary.byteCount), ("bytes_transferred", summary.transferredByteCount), ("bytes_from_earlier_try", summary.adoptedByteCount),
        ] {
            json.key(key)
            json.value(number)
        }
        if let count = summary.transactionCount {
            json.key("transactions")
            json.value(count)
        }
        for (key, number) in [
            ("seconds", summary.seconds), ("copy_seconds", summary.copySeconds),
            ("megabytes_per_second", summary.megabytesPerSecond),
        ] {
            json.key(key)
            json.value(number)
        }
        json.writeCheck(summary.check)
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }
}

extension JSONWriter {
    /// What a check found, as fields of the object that is being written.
    mutating func writeCheck(_ check: BackupTool.Summary.Check?) {
        key("checked")
        value(check != nil)
        guard let check else { return }
        key("nodes")
        value(Int64(check.nodeCount))
        key("relationships")
        value(Int64(check.relationshipCount))
        key("graph_checksum")
        string(check.graphChecksum)
        key("consistent")
        value(check.problems.isEmpty)
        key("problems")
        beginList()
        for problem in check.problems { string(problem) }
        endList()
    }
}
