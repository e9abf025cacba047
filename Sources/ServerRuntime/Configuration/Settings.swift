public import Cypher
public import GraphModel
public import Replication
public import Storage

/// Every key that Martlet knows. Names and units follow the manual's configuration chapter, so that existing files work.
public enum Settings {
    public enum DatabaseMode: String, Sendable { case single = "SINGLE", ha = "HA" }
    /// nil tells the language by how a query begins.
    public struct DialectChoice: Sendable, Equatable {
        public let dialect: Dialect?

        init?(_ text: String) {
            switch text.lowercased() {
            case "auto": dialect = nil
            case "1.6", "1.7", "1.8": dialect = .cypher18
            case "9": dialect = .cypher9
            default: return nil
            }
        }
    }

    public enum Coordination: String, Sendable { case embedded, etcd }

    public enum CommitMode: String, Sendable { case quorum, optimistic }

    /// The manual's way to say how a slave updates the coordinators; only `none` means something here: slave-only.
    public enum UpdateMode: String, Sendable { case sync, async, none }

    public enum LogLevel: String, Sendable { case debug, info, warning, error }

    public static let mode = Setting<DatabaseMode>(
        "org.neo4j.server.database.mode", default: "SINGLE", allowed: "SINGLE or HA",
        "Whether this server stands alone or is a member of a cluster", parse: { DatabaseMode(rawValue: $0.uppercased()) })
    public static let location = Setting<String>(
        "org.neo4j.server.database.location", default: "data/graph.db", allowed: "a path",
        "Store directory; relative paths start at the configuration file's directory", parse: Parse.text)
    public static let webAddress = Setting<String>(
        "org.neo4j.server.webserver.address", default: "127.0.0.1", allowed: "an address of this machine",
        "Address that the HTTP server listens on", parse: Parse.text)
    public static let webPort = Setting<Int>(
        "org.neo4j.server.webserver.port", default: "7474", allowed: "0 (chosen by the kernel) to 65535",
        "Port of the HTTP server", parse: Parse.integer(0...65535))
    public static let secureEnabled = Setting<Bool>(
        "org.neo4j.server.webserver.https.enabled", default: "true", allowed: "true or false",
        "Whether HTTPS is served beside HTTP", parse: Parse.boolean)
    public static let securePort = Setting<Int>(
        "org.neo4j.server.webserver.https.port", default: nil, allowed: "0 (chosen by the kernel) to 65535",
        "Port of HTTPS; absent: 7473 if it is free, or chosen by the kernel where that of HTTP is", parse: Parse.integer(0...65535))
    public static let certificate = Setting<String>(
        "org.neo4j.server.webserver.https.cert.location", default: nil, allowed: "a path",
        "Certificate for HTTPS in PEM, followed by those between it and its authority; absent: ssl/snakeoil.cert beside the store directory, made at the first start",
        parse: Parse.text)
    public static let certificateKey = Setting<String>(
        "org.neo4j.server.webserver.https.key.location", default: nil, allowed: "a path",
        "The private key of the certificate, in PEM without a passphrase; absent: ssl/snakeoil.key beside the store directory",
        parse: Parse.text)
    public static let bodyLimit = Setting<UInt64>(
        "org.neo4j.server.webserver.limit.body", default: "64M", allowed: "bytes, or with k, M, G",
        "Longest request body that is accepted", parse: Parse.byteCount)
    public static let transactionTimeout = Setting<Milliseconds>(
        "org.neo4j.server.transaction.timeout", default: "60s", allowed: "a duration, a bare number is seconds",
        "Longest time between two requests of a transaction that a client holds open; then it is rolled back",
        parse: Parse.duration)
    public static let wadl = Setting<Bool>(
        "unsupported_wadl_generation_enabled", default: "false", allowed: "true or false",
        "Whether the REST API describes itself in WADL at /db/data/application.wadl", parse: Parse.boolean)
    public static let drainDelay = Setting<Milliseconds>(
        "martlet.shutdown.drain", default: "0", allowed: "a duration",
        "Time at shutdown in which status says unavailable while requests are still taken, for load balancers to notice",
        parse: Parse.duration)
    public static let stopLimit = Setting<Milliseconds>(
        "martlet.shutdown.limit", default: "30s", allowed: "a duration",
        "Longest time at shutdown that requests under way may take", parse: Parse.duration)
    public static let logLevel = Setting<LogLevel>(
        "martlet.log.level", default: "info", allowed: "debug, info, warning or error",
        "Least severe events that are logged", parse: { LogLevel(rawValue: $0.lowercased()) })
    public static let queryThreads = Setting<Int>(
        "martlet.query.threads", default: "0", allowed: "0 (as many as cores) to 1024",
        "Threads that run queries", parse: Parse.integer(0...1024))
    public static let queryNiceness = Setting<Int>(
        "martlet.query.niceness", default: "8", allowed: "0 to 19",
        "How much threads that run queries let heartbeats, status and the log go first when processors are short (nice)",
        parse: Parse.integer(0...19))
    public static let queryTimeout = Setting<Milliseconds>(
        "org.neo4j.server.webserver.limit.executiontime", default: "0", allowed: "a duration; 0 is no limit",
        "Longest time a query may run", parse: Parse.duration)
    public static let queryMemory = Setting<UInt64>(
        "martlet.query.memory", default: "1G", allowed: "bytes, or with k, M, G; 0 is no limit",
        "Memory that one query may hold for rows it has to gather", parse: Parse.byteCount)
    public static let dialect = Setting<DialectChoice>(
        "cypher_parser_version", default: "auto", allowed: "auto, 1.6, 1.7, 1.8 or 9",
        "Language of queries without a CYPHER prefix at the manual's endpoints; auto tells by how they begin",
        parse: { DialectChoice($0) })

    public static let documentSources = Setting<[String]>(
        "martlet.gremlin.document_sources", default: nil, allowed: "host or host:port with commas between",
        "HTTP servers that a script's loadGraphML may load from; absent: it may load nothing", parse: Parse.names)

    public static let nodeAutoIndexing = Setting<Bool>(
        "node_auto_indexing", default: nil, allowed: "true or false",
        "Switches the automatic index of nodes on or off at every start; absent: it stays as it is in the database, off in a new one",
        parse: Parse.boolean)
    public static let nodeKeys = Setting<[String]>(
        "node_keys_indexable", default: nil, allowed: "property names with commas between",
        "Properties that the automatic index of nodes follows, beside those that were added at run time",
        parse: Parse.names)
    public static let relationshipAutoIndexing = Setting<Bool>(
        "relationship_auto_indexing", default: nil, allowed: "true or false",
        "The same as node_auto_indexing for relationships", parse: Parse.boolean)
    public static let relationshipKeys = Setting<[String]>(
        "relationship_keys_indexable", default: nil, allowed: "property names with commas between",
        "The same as node_keys_indexable for relationships", parse: Parse.names)

    public static let readOnly = Setting<Bool>(
        "read_only", default: "false", allowed: "true or false",
        "Whether every write is refused; alone, the store has to exist, in HA mode only this member's own clients are refused",
        parse: Parse.boolean)
    public static let lockTimeout = Setting<Milliseconds>(
        "martlet.lock.timeout", default: "20s", allowed: "a duration",
        "Longest time a transaction waits for one lock; deadlocks are found without it", parse: Parse.duration)
    public static let transactionLimit = Setting<UInt64>(
        "martlet.transaction.limit", default: "512M", allowed: "bytes, or with k, M, G",
        "Longest write set of one transaction; its memory is a small multiple of that", parse: Parse.byteCount)
    public static let checkpointThreshold = Setting<UInt64>(
        "martlet.checkpoint.threshold", default: "64M", allowed: "bytes, or with k, M, G",
        "Recent changes held in memory before a checkpoint merges them into the store files", parse: Parse.byteCount)
    public static let logRotation = Setting<UInt64>(
        "logical_log_rotation_threshold", default: "64M", allowed: "bytes, or with k, M, G",
        "Length at which a new transaction log file is begun", parse: Parse.byteCount)
    public static let logRetention = Setting<LogRetention>(
        "keep_logical_logs", default: "512M size", allowed: LogRetention.allowed,
        "Transaction log kept for slaves and incremental backups beyond what recovery needs", parse: { LogRetention($0) })

    public static let serverID = Setting<Int>(
        "ha.server_id", default: nil, allowed: "an integer from 0 to 4294967295, unique in the cluster",
        "Identifies this member; required in HA mode", parse: Parse.integer(0...4_294_967_295))
    public static let haServer = Setting<String>(
        "ha.server", default: nil, allowed: "host:port",
        "Where the other members reach this one for replication; required in HA mode", parse: Parse.address)
    public static let coordinators = Setting<[String]>(
        "ha.coordinators", default: nil, allowed: "a comma-separated list of host:port",
        "All coordinators of the cluster, the voters, or the client addresses of etcd; required in HA mode",
        parse: Parse.addresses)
    public static let coordination = Setting<Coordination>(
        "ha.coordination", default: "embedded", allowed: "embedded or etcd",
        "Who keeps the register that names the master: Martlet's own coordinators, or an ensemble of etcd 3.4 or later",
        parse: { Coordination(rawValue: $0.lowercased()) })
    public static let etcdTLS = Setting<Bool>(
        "ha.etcd.tls", default: "false", allowed: "true or false", "Whether etcd is spoken to over TLS",
        parse: Parse.boolean)
    public static let etcdAuthority = Setting<String>(
        "ha.etcd.tls.ca", default: nil, allowed: "a path",
        "Certificates, in PEM, that etcd must have its own from; absent: those that the system trusts", parse: Parse.text)
    public static let etcdCertificate = Setting<String>(
        "ha.etcd.tls.certificate", default: nil, allowed: "a path",
        "Certificate, in PEM, that is shown to an etcd with --client-cert-auth", parse: Parse.text)
    public static let etcdKey = Setting<String>(
        "ha.etcd.tls.key", default: nil, allowed: "a path", "The private key of ha.etcd.tls.certificate", parse: Parse.text)
    public static let etcdUser = Setting<String>(
        "ha.etcd.user", default: nil, allowed: "any text",
        "Name to log in to etcd with; absent: without a login", parse: Parse.text)
    public static let etcdPassword = Setting<String>(
        "ha.etcd.password", default: nil, allowed: "any text", "Password of ha.etcd.user", isSecret: true,
        parse: Parse.text)
    public static let coordinator = Setting<String>(
        "ha.coordinator", default: nil, allowed: "host:port, one of ha.coordinators",
        "The coordinator that this process hosts; absent: none", parse: Parse.address)
    public static let peerTLS = Setting<Bool>(
        "ha.tls", default: "false", allowed: "true or false; the same on all processes of a cluster",
        "Whether members, coordinators and backups speak TLS among each other, with certificates on both sides",
        parse: Parse.boolean)
    public static let peerAuthority = Setting<String>(
        "ha.tls.ca", default: nil, allowed: "a path",
        "Certificates, in PEM, that all processes of the cluster have theirs from; whoever has one from there is trusted",
        parse: Parse.text)
    public static let peerCertificate = Setting<String>(
        "ha.tls.certificate", default: nil, allowed: "a path",
        "This process's certificate, in PEM, for the host of ha.server or ha.coordinator", parse: Parse.text)
    public static let peerKey = Setting<String>(
        "ha.tls.key", default: nil, allowed: "a path", "The private key of ha.tls.certificate, in PEM", parse: Parse.text)
    public static let clusterName = Setting<String>(
        "ha.cluster_name", default: "martlet.ha", allowed: "any text",
        "Members of another cluster name are refused", parse: Parse.text)
    public static let commitMode = Setting<CommitMode>(
        "ha.commit_mode", default: "quorum", allowed: "quorum or optimistic",
        "When a write is acknowledged: once a quorum of the sync set has it on disk, or, as in the manual, once the master has and pushes to slaves were tried; the master's setting counts",
        parse: { CommitMode(rawValue: $0.lowercased()) })
    public static let pushFactor = Setting<Int>(
        "ha.tx_push_factor", default: "1", allowed: "0 to 1000",
        "With optimistic commits: how many slaves get a transaction before the client hears of it, if they answer in time",
        parse: Parse.integer(0...1000))
    public static let pushStrategy = Setting<PushStrategy>(
        "ha.tx_push_strategy", default: "fixed", allowed: "fixed or round_robin",
        "Which slaves: those with the highest ha.server_id, or all in turns",
        parse: { PushStrategy(rawValue: $0.lowercased()) })
    public static let pullInterval = Setting<Milliseconds>(
        "ha.pull_interval", default: "0", allowed: "a duration, 10ms or more; a bare number is seconds; 0 follows at once",
        "A slave whose acknowledgements do not count (optimistic commits, slave-only) asks for transactions so often",
        parse: { text in Parse.duration(text).flatMap { $0.rawValue == 0 || $0.rawValue >= 10 ? $0 : nil } })
    public static let branchedDataPolicy = Setting<BranchedDataPolicy>(
        "ha.branched_data_policy", default: "keep_all", allowed: "keep_all, keep_last, keep_none or shutdown",
        "What becomes of a store that has what the cluster has not, before it is replaced by a copy; shutdown stops the member instead",
        parse: { BranchedDataPolicy(rawValue: $0.lowercased()) })
    public static let checksumInterval = Setting<Milliseconds>(
        "ha.checksum_interval", default: "1d", allowed: "a duration, 1s or more; a bare number is seconds; 0 is never",
        "The master has all members work out what their graphs come to so often, and compares it",
        parse: { text in Parse.duration(text).flatMap { $0.rawValue == 0 || $0.rawValue >= 1000 ? $0 : nil } })
    public static let heartbeatInterval = Setting<Milliseconds>(
        "ha.heartbeat_interval", default: "100ms", allowed: "a duration, 10ms to 10s",
        "Time between two heartbeats of the master",
        parse: { text in Parse.duration(text).flatMap { (10...10_000).contains($0.rawValue) ? $0 : nil } })
    public static let masterTimeout = Setting<Milliseconds>(
        "ha.master_timeout", default: "1000ms", allowed: "a duration, 100ms to 60s",
        "Lease of the master: an election begins after this silence",
        parse: { text in Parse.duration(text).flatMap { (100...60_000).contains($0.rawValue) ? $0 : nil } })
    public static let syncTimeout = Setting<Milliseconds>(
        "ha.sync_timeout", default: "5s", allowed: "a duration",
        "A member silent for so long leaves the sync set", parse: Parse.duration)
    public static let writeTimeout = Setting<Milliseconds>(
        "ha.write_timeout", default: "5s", allowed: "a duration, 500ms to 10m",
        "Longest wait of a write for its quorum, for the master's answer, and for a mastership to begin, each",
        parse: { text in Parse.duration(text).flatMap { (500...600_000).contains($0.rawValue) ? $0 : nil } })
    public static let syncSetMinimum = Setting<Int>(
        "ha.sync_set_min", default: "1", allowed: "1 to 99",
        "The sync set never gets smaller than this: with 2, no write is acknowledged that one machine alone has",
        parse: Parse.integer(1...99))
    public static let updateMode = Setting<UpdateMode>(
        "ha.slave_coordinator_update_mode", default: "async", allowed: "sync, async or none",
        "The manual's name for the next one: none is the same as ha.slave_only=true",
        parse: { UpdateMode(rawValue: $0.lowercased()) })
    public static let protocolVersion = Setting<Int>(
        "ha.protocol_version", default: "\(ReplicationMessage.protocolVersion)",
        allowed: "\(ReplicationMessage.oldestProtocolVersion) to \(ReplicationMessage.protocolVersion)",
        "The newest version of the protocol that this member speaks; a lower one holds the cluster back from what cannot be undone",
        parse: Parse.integer(Int(ReplicationMessage.oldestProtocolVersion)...Int(ReplicationMessage.protocolVersion)))
    public static let slaveOnly = Setting<Bool>(
        "ha.slave_only", default: "false", allowed: "true or false",
        "Whether this member is never elected and never counted in a quorum", parse: Parse.boolean)
    public static let readTimeout = Setting<Milliseconds>(
        "ha.read_timeout", default: "20", allowed: "a duration; a bare number is seconds",
        "Longest time a read waits for its bookmark to become readable here", parse: Parse.duration)

    public static let agentCheckPort = Setting<Int>(
        "ha.agent_check_port", default: nil, allowed: "0 (chosen by the kernel) to 65535",
        "Port for HAProxy's agent-check, at the address of the HTTP server; absent: none", parse: Parse.integer(0...65535))

    public static let backupEnabled = Setting<Bool>(
        "online_backup_enabled", default: "true", allowed: "true or false",
        "Whether backups and store copies are served; required true in HA mode", parse: Parse.boolean)
    public static let backupPort = Setting<Int>(
        "online_backup_port", default: "6362", allowed: "0 (chosen by the kernel) to 65535",
        "Port of the backup service", parse: Parse.integer(0...65535))

    public static let copyRate = Setting<UInt64>(
        "ha.store_copy_rate", default: "64M", allowed: "bytes a second, 1M or more, or with k, M, G; 0 is no limit",
        "What all store copies and backups together may read and send here in a second",
        parse: { text in Parse.byteCount(text).flatMap { $0 == 0 || $0 >= 1 << 20 ? $0 : nil } })

    /// All of them, in the order of the documentation.
    public static let all: [AnySetting] = [
        AnySetting(mode), AnySetting(location), AnySetting(webAddress), AnySetting(webPort), AnySetting(secureEnabled),
        AnySetting(securePort), AnySetting(certificate), AnySetting(certificateKey), AnySetting(bodyLimit), AnySetting(transactionTimeout), AnySetting(wadl), AnySetting(drainDelay), AnySetting(stopLimit), AnySetting(logLevel),
        AnySetting(queryThreads), AnySetting(queryNiceness), AnySetting(queryTimeout), AnySetting(queryMemory), AnySetting(dialect),
        AnySetting(documentSources), AnySetting(nodeAutoIndexing), AnySetting(nodeKeys), AnySetting(relationshipAutoIndexing),
        AnySetting(relationshipKeys), AnySetting(readOnly), AnySetting(lockTimeout),
        AnySetting(transactionLimit), AnySetting(checkpointThreshold), AnySetting(logRotation),
        AnySetting(logRetention), AnySetting(serverID), AnySetting(haServer), AnySetting(coordinators),
        AnySetting(coordinator), AnySetting(coordination), AnySetting(etcdTLS), AnySetting(etcdAuthority),
        AnySetting(etcdCertificate), AnySetting(etcdKey), AnySetting(etcdUser), AnySetting(etcdPassword),
        AnySetting(peerTLS), AnySetting(peerAuthority), AnySetting(peerCertificate), AnySetting(peerKey),
        AnySetting(clusterName), AnySetting(commitMode), AnySetting(pushFactor), AnySetting(pushStrategy),
        AnySetting(pullInterval), AnySetting(branchedDataPolicy), AnySetting(checksumInterval),
        AnySetting(heartbeatInterval),
        AnySetting(masterTimeout), AnySetting(syncTimeout), AnySetting(writeTimeout),
        AnySetting(syncSetMinimum), AnySetting(slaveOnly),
        AnySetting(updateMode), AnySetting(protocolVersion), AnySetting(readTimeout),
        AnySetting(agentCheckPort),
        AnySetting(backupEnabled), AnySetting(backupPort), AnySetting(copyRate),
    ]
}
