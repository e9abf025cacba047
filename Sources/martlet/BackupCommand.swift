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
            The copy is consistent and as of its end; the server goes on reading and writing. To restore, use the \
            directory as the database's. Of a cluster name several members: an up-to-date slave is preferred, and the \
            next one is tried when one fails. Exit code 3 when the check finds the graph inconsistent.
            """)

    @Flag(
        name: [.customLong("full"), .customLong("full", withSingleDash: true)],
        help: "Copy everything into an empty or a new directory.")
    var full = false

    @Flag(
        name: [.customLong("incremental"), .customLong("incremental", withSingleDash: true)],
        help: "Not supported yet.")
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
        if full == incremental { throw ValidationError("Say -full.") }
        if incremental {
            throw ValidationError("-incremental is not supported yet: use -full into an empty directory.")
        }
        let files = [tlsCa, tlsCertificate, tlsKey]
        guard files.allSatisfy({ $0 == nil }) || files.allSatisfy({ $0 != nil }) else {
            throw ValidationError("--tls-ca, --tls-certificate and --tls-key go together: name all three")
        }
        if let cluster, cluster.isEmpty { throw ValidationError("-cluster: the name is empty") }
    }

    func run() throws {
        var options = BackupTool.Options(source: try BackupSource(from), directory: to)
        options.clusterName = cluster
        options.checksResult = !noCheck
        if let tlsCa, let tlsCertificate, let tlsKey {
            options.security = try TLSClient(
                authorityPath: tlsCa, identity: TLSIdentity(certificatePath: tlsCertificate, keyPath: tlsKey))
        }
        let display = BackupDisplay(isLive: StandardStream.error.isTerminal) { StandardStream.error.write($0) }
        let summary: BackupTool.Summary
        do throws(GraphError) {
            summary = try BackupTool.run(options) { display.show($0) }
        } catch {
            display.finish()
            throw error
        }
        display.finish()
        StandardStream.output.writeLine(json ? Self.json(summary) : summary.text)
        if !summary.isConsistent { throw ExitStatus.inconsistent }
    }

    private static func json(_ summary: BackupTool.Summary) -> String {
        var json = JSONWriter(.manual)
        json.beginObject()
        for (key, text) in [
            ("directory", summary.directory), ("from", summary.host.description), ("role", summary.role.description),
            ("store_id", summary.storeID.description),
        ] {
            json.key(key)
            json.string(text)
        }
        for (key, number) in [
            ("last_tx", summary.position.transactionID.rawValue), ("epoch", summary.position.epoch.rawValue),
            ("bytes", summary.byteCount),
        ] {
            json.key(key)
            json.value(number)
        }
        for (key, number) in [
            ("seconds", summary.seconds), ("copy_seconds", summary.copySeconds),
            ("megabytes_per_second", summary.megabytesPerSecond),
        ] {
            json.key(key)
            json.value(number)
        }
        json.key("checked")
        json.value(summary.check != nil)
        if let check = summary.check {
            json.key("nodes")
            json.value(Int64(check.nodeCount))
            json.key("relationships")
            json.value(Int64(check.relationshipCount))
            json.key("graph_checksum")
            json.string(check.graphChecksum)
            json.key("consistent")
            json.value(summary.isConsistent)
            json.key("problems")
            json.beginList()
            for problem in check.problems { json.string(problem) }
            json.endList()
        }
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
