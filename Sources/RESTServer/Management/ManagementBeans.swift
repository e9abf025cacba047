internal import Database
internal import FileSystem
internal import GraphModel
internal import Storage

/// The beans of chapter 25 with what this server knows. What it has nothing like is there with values that say so: no
/// cache of objects, no XA, no windows over files.
struct ManagementBeans: Sendable {
    let database: Database
    let control: (any ClusterControl)?
    /// Effective values by key, for people.
    let configuration: [(name: String, description: String, value: String?)]
    let openTransactions: OpenTransactions
    let metrics: @Sendable () -> RequestMetrics
    let startedAt = wallClockMilliseconds()

    private typealias Attribute = ManagementBean.Attribute
    private typealias Content = ManagementBean.Content

    /// All beans as they are now. Looks at the store's files: not for an event loop.
    func all() -> [ManagementBean] {
        let status = database.status
        let store = try? database.pipeline.readableStore()
        var beans = [
            cache("NodeCache"), cache("RelationshipCache"), configurationBean, diagnostics, kernel(status, store),
            locking(store), memoryMapping(store), primitives(store), sizes(store), transactions(status), xaResources,
        ]
        if status.mode == .ha { beans += [branchedStores, highAvailability(status)] }
        return beans.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    // MARK: The cluster

    /// None where the directory cannot be read.
    private var branches: [BranchedStore] {
        guard let control else { return [] }
        do throws(GraphError) { return try control.branchedStores() } catch { return [] }
    }

    private var branchedStores: ManagementBean {
        let type = "org.neo4j.management.BranchedStoreInfo"
        let branches = branches
        return ManagementBean(
            name: "Branched Store", description: "Information about the branched stores present in this HA cluster member",
            attributes: [
                Attribute(
                    name: "BranchedStores", description: "A list of the branched stores",
                    type: type + "[] as CompositeData[]",
                    value: .list(branches.map { branch in
                        .composite(type: type, [
                            ("branchedStoreName", .text(branch.directory)),
                            ("largestTxId", .integer(Int64(bitPattern: branch.last.transactionID.rawValue))),
                            ("creationTime", .integer(Int64(branch.time))),
                        ])
                    }))
            ])
    }

    private func highAvailability(_ status: DatabaseStatus) -> ManagementBean {
        let (instance, slave) = ("org.neo4j.management.InstanceInfo", "org.neo4j.management.SlaveInfo")
        func number(_ id: MemberID?) -> Content { id.map { .integer(Int64($0.rawValue)) } ?? .null }
        func last(_ transactionID: TransactionID?) -> Content {
            .integer(Int64(bitPattern: transactionID?.rawValue ?? 0))
        }
        // The members that a status lists are the others.
        var instances: [Content] = [
            .composite(type: instance, [
                ("address", .null), ("instanceId", .text(status.serverID.map { String($0.rawValue) } ?? "")),
                ("lastCommittedTransactionId", last(status.last.transactionID)), ("machineId", number(status.serverID)),
                ("master", .boolean(status.role == .master)),
            ])
        ]
        var slaves: [Content] = []
        for member in status.members where member.id != status.serverID {
            instances.append(
                .composite(type: instance, [
                    ("address", .text(member.address)), ("instanceId", .text(String(member.id.rawValue))),
                    ("lastCommittedTransactionId", last(member.acknowledged)), ("machineId", number(member.id)),
                    ("master", .boolean(member.role == .master)),
                ]))
            if status.role == .master && member.unreachableSince == nil {
                slaves.append(
                    .composite(type: slave, [
                        ("address", .text(member.address)), ("machineId", number(member.id)),
                        ("lastCommittedTransactionId", last(member.acknowledged)),
                    ]))
            }
        }
        return ManagementBean(
            name: "High Availability", description: "Information about an instance participating in a HA cluster",
            attributes: [
                Attribute(
                    name: "ConnectedSlaves",
                    description: "(If this is a master) Information about the instances connected to this instance",
                    type: slave + "[] as CompositeData[]", value: .list(slaves)),
                Attribute(
                    name: "InstancesInCluster", description: "Information about all instances in this cluster",
                    type: instance + "[] as CompositeData[]", value: .list(instances)),
                Attribute(
                    name: "LastUpdateTime",
                    description: "The time when the data on this instance was last updated from the master",
                    type: "String", value: status.lastUpdate.map { .text(timestampText($0)) } ?? .null),
                Attribute(
                    name: "MachineId", description: "The identifier used to identify this machine in the HA cluster",
                    type: "String", value: status.serverID.map { .text(String($0.rawValue)) } ?? .null),
                Attribute(
                    name: "Master", description: "Whether this instance is master or not", type: "boolean",
                    value: .boolean(status.role == .master)),
            ])
    }

    // MARK: The database

    private func long(_ name: String, _ description: String, _ value: UInt64?) -> Attribute {
        Attribute(
            name: name, description: description, type: "long",
            value: value.map { .integer(Int64(clamping: $0)) } ?? .null)
    }

    private func cache(_ name: String) -> ManagementBean {
        ManagementBean(
            name: "Cache/" + name, description: "Information about the caching in Neo4j",
            attributes: [
                long("CacheSize", "The size of this cache (nr of entities or total size in bytes)", 0),
                // Records are read where the operating system keeps the files.
                Attribute(
                    name: "CacheType", description: "The type of cache used by Neo4j", type: "String", value: .text("none")),
                long("HitCount", "The number of times a cache query returned a result", 0),
                long("MissCount", "The number of times a cache query did not return a result", 0),
            ])
    }

    private var configurationBean: ManagementBean {
        ManagementBean(
            name: "Configuration", description: "The configuration parameters used to configure Neo4j",
            attributes: configuration.map { setting in
                Attribute(
                    name: setting.name, description: setting.description, type: "String",
                    value: setting.value.map { .text($0) } ?? .null)
            })
    }

    private var diagnostics: ManagementBean {
        ManagementBean(
            name: "Diagnostics", description: "Diagnostics provided by Neo4j",
            attributes: [
                Attribute(
                    name: "DiagnosticsProviders", description: "A list of the ids for the registered diagnostics providers.",
                    type: "java.util.List<String>", value: .list([]))
            ])
    }

    private func kernel(_ status: DatabaseStatus, _ store: Store?) -> ManagementBean {
        ManagementBean(
            name: "Kernel", description: "Information about the Neo4j kernel",
            attributes: [
                Attribute(
                    name: "KernelStartTime", description: "The time from which this Neo4j instance was in operational mode.",
                    type: "Date (java.util.Date)", value: .text(timestampText(startedAt))),
                Attribute(
                    name: "KernelVersion", description: "The version of Neo4j", type: "String",
                    value: .text("Martlet \(martletVersion)")),
                Attribute(
                    name: "MBeanQuery",
                    description: "An ObjectName that can be used as a query for getting all management beans for this Neo4j instance.",
                    type: "javax.management.ObjectName",
                    value: .text("\(ManagementBean.domain):\(ManagementBean.instance),name=*")),
                Attribute(
                    name: "ReadOnly", description: "Whether this is a read only instance", type: "boolean",
                    value: .boolean(database.options.isReadOnly)),
                // Nobody has written that down.
                Attribute(
                    name: "StoreCreationDate", description: "The time when this Neo4j graph store was created.",
                    type: "Date (java.util.Date)", value: .null),
                Attribute(
                    name: "StoreDirectory", description: "The location where the Neo4j store is located", type: "String",
                    value: store.map { .text($0.directory) } ?? .null),
                Attribute(
                    name: "StoreId",
                    description: "An identifier that, together with store creation time, uniquely identifies this Neo4j graph store.",
                    type: "String", value: status.storeID.map { .text($0.description) } ?? .null),
                // The log is numbered by transactions.
                long(
                    "StoreLogVersion", "The current version of the Neo4j store logical log.",
                    status.last.transactionID.rawValue),
            ])
    }

    private func locking(_ store: Store?) -> ManagementBean {
        ManagementBean(
            name: "Locking", description: "Information about the Neo4j lock status",
            attributes: [
                // How many there are is in the metrics; a list of them would be out of date before it is read.
                Attribute(
                    name: "Locks", description: "Information about all locks held by Neo4j",
                    type: "java.util.List<org.neo4j.kernel.info.LockInfo> as CompositeData[]", value: .list([])),
                long(
                    "NumberOfAdvertedDeadlocks",
                    "The number of lock sequences that would have lead to a deadlock situation that Neo4j has detected and adverted (by throwing DeadlockDetectedException).",
                    store?.locks.statistics.avertedDeadlockCount),
            ])
    }

    private func memoryMapping(_ store: Store?) -> ManagementBean {
        ManagementBean(
            name: "Memory Mapping", description: "The status of Neo4j memory mapping",
            attributes: [
                // Files are mapped as wholes: there are no pools of windows.
                Attribute(
                    name: "MemoryPools",
                    description: "Get information about each pool of memory mapped regions from store files with memory mapping enabled",
                    type: "org.neo4j.management.WindowPoolInfo[] as CompositeData[]", value: .list([]))
            ])
    }

    private func primitives(_ store: Store?) -> ManagementBean {
        let read = store?.beginRead()
        return ManagementBean(
            name: "Primitive count", description: "Estimates of the numbers of different kinds of Neo4j primitives",
            attributes: [
                long(
                    "NumberOfNodeIdsInUse", "An estimation of the number of nodes used in this Neo4j instance",
                    store.map { UInt64($0.nodeCount) }),
                // Properties lie with their entities and have no ids.
                long(
                    "NumberOfPropertyIdsInUse", "An estimation of the number of properties used in this Neo4j instance",
                    nil),
                long(
                    "NumberOfRelationshipIdsInUse",
                    "An estimation of the number of relationships used in this Neo4j instance",
                    store.map { UInt64($0.relationshipCount) }),
                long(
                    "NumberOfRelationshipTypeIdsInUse",
                    "The number of relationship types used in this Neo4j instance",
                    read.map { UInt64($0.tokenCount(.relationshipType)) }),
            ])
    }

    /// Nil when the directory cannot be read: an attribute without a value, as the manual has them.
    private func fileSizes(_ store: Store) -> StoreFileSizes? {
        do throws(GraphError) { return try store.fileSizes() } catch { return nil }
    }

    private func sizes(_ store: Store?) -> ManagementBean {
        let sizes = store.flatMap(fileSizes)
        return ManagementBean(
            name: "Store file sizes",
            description: "Information about the sizes of the different parts of the Neo4j graph store",
            attributes: [
                // Properties of all kinds are in the files of their nodes and relationships.
                long("ArrayStoreSize", "The amount of disk space used to store array properties, in bytes.", 0),
                long(
                    "LogicalLogSize", "The amount of disk space used by the current Neo4j logical log, in bytes.",
                    sizes?.log),
                long("NodeStoreSize", "The amount of disk space used to store nodes, in bytes.", sizes?.nodes),
                long(
                    "PropertyStoreSize",
                    "The amount of disk space used to store properties (excluding string values and array values), in bytes.",
                    0),
                long(
                    "RelationshipStoreSize", "The amount of disk space used to store relationships, in bytes.",
                    sizes?.relationships),
                long("StringStoreSize", "The amount of disk space used to store string properties, in bytes.", 0),
                long("TotalStoreSize", "The total disk space used by this Neo4j instance, in bytes.", sizes?.total),
            ])
    }

    private func transactions(_ status: DatabaseStatus) -> ManagementBean {
        let counts = openTransactions.counts
        func int(_ name: String, _ description: String, _ value: Int) -> Attribute {
            Attribute(name: name, description: description, type: "int", value: .integer(Int64(value)))
        }
        return ManagementBean(
            name: "Transactions", description: "Information about the Neo4j transaction manager",
            attributes: [
                long(
                    "LastCommittedTxId", "The id of the latest committed transaction", status.last.transactionID.rawValue),
                long(
                    "NumberOfCommittedTransactions", "The total number of committed transactions",
                    metrics().committedWrites.value),
                // Those that clients hold open; all others live no longer than their request.
                int("NumberOfOpenedTransactions", "The total number started transactions", counts.begun),
                int("NumberOfOpenTransactions", "The number of currently open transactions", counts.open),
                long(
                    "NumberOfRolledBackTransactions", "The total number of rolled back transactions",
                    UInt64(counts.expired)),
                int(
                    "PeakNumberOfConcurrentTransactions", "The highest number of transactions ever opened concurrently",
                    counts.peak),
            ])
    }

    private var xaResources: ManagementBean {
        ManagementBean(
            name: "XA Resources", description: "Information about the XA transaction manager",
            attributes: [
                Attribute(
                    name: "XaResources",
                    description: "Information about all XA resources managed by the transaction manager",
                    type: "org.neo4j.management.XaResourceInfo[] as CompositeData[]", value: .list([]))
            ])
    }
}
