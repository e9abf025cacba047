public import GraphModel
public import Storage

/// What a database says about itself, for status pages, metrics and load balancers. A plain snapshot, made without
/// waiting for anything.
public struct DatabaseStatus: Sendable, Equatable {
    public enum Mode: String, Sendable { case single = "SINGLE", ha = "HA" }
    public enum Role: String, Sendable {
        case master, slave
        /// Starting, electing, copying a store, or cut off.
        case pending
    }

    public struct Member: Sendable, Equatable {
        public var id: MemberID
        /// `ha.server` of the member.
        public var address: String
        /// `host:port` of its HTTP server; empty when unknown.
        public var httpAddress: String
        public var backupAddress: String
        public var isSlaveOnly: Bool
        public var isInSyncSet: Bool
        public var role: Role
        /// Since when it has not been heard, in milliseconds of the wall clock since 1970; nil while it is. Known to the
        /// master, and of the master to the others.
        public var unreachableSince: Int64?
        /// Last transaction the master knows this member to have on disk; nil when this member is not the master.
        public var acknowledged: TransactionID?
        /// Time since the master last heard from it; nil when this member is not the master.
        public var silence: Milliseconds?
        public var protocolVersion: UInt16

        public init(
            id: MemberID, address: String, httpAddress: String, backupAddress: String, isSlaveOnly: Bool,
            isInSyncSet: Bool, role: Role, unreachableSince: Int64? = nil, acknowledged: TransactionID?, silence: Milliseconds?, protocolVersion: UInt16
        ) {
            self.id = id
            self.address = address
            self.httpAddress = httpAddress
            self.backupAddress = backupAddress
            self.isSlaveOnly = isSlaveOnly
            self.isInSyncSet = isInSyncSet
            self.role = role
            self.unreachableSince = unreachableSince
            self.acknowledged = acknowledged
            self.silence = silence
            self.protocolVersion = protocolVersion
        }
    }

    /// Bytes that a member has taken in from others.
    public struct Fetched: Sendable, Equatable {
        /// Entries of the log, those that came twice included.
        public var logByteCount: UInt64
        /// Copies of stores, those of tries that failed included.
        public var storeCopyByteCount: UInt64

        public init(logByteCount: UInt64, storeCopyByteCount: UInt64) {
            self.logByteCount = logByteCount
            self.storeCopyByteCount = storeCopyByteCount
        }
    }

    public var mode: Mode
    public var role: Role
    /// Since when it has this role, in milliseconds of the wall clock since 1970; nil when it stands alone.
    public var roleSince: Int64?
    /// When data last came from the master, likewise; nil for a master, and while nothing came since the start.
    public var lastUpdate: Int64?
    /// What came from other members since the process started; nil when it stands alone.
    public var fetched: Fetched?
    /// Version of the protocol that this server speaks with other members; nil when it stands alone.
    public var protocolVersion: UInt16?
    /// Version of the protocol that all members speak, as the register has it; nil when it stands alone.
    public var clusterVersion: UInt16?
    /// Whether a write sent to this very member now would be ordered here: master, with its lease and a quorum.
    public var isWritableMaster: Bool
    /// Whether reads are served: a whole store is open.
    public var isReadable: Bool
    /// Whether the server is on its way down and wants no new work.
    public var isDraining = false
    public var serverID: MemberID?
    public var clusterName: String?
    public var storeID: StoreID?
    public var epoch: Epoch
    public var masterID: MemberID?
    /// Last entry in the log.
    public var last: LogPosition
    /// Last readable transaction.
    public var applied: LogPosition
    /// Transactions the master has committed that are not readable here yet.
    public var lagTransactions: UInt64
    /// How long this member has known less than the master: 0 when it is up to date.
    public var lag: Milliseconds
    public var syncSet: [MemberID]
    public var members: [Member]
    /// The comparison of the members' graphs that goes on, or the last one; nil on who was not master for one.
    public var graphComparison: GraphComparison?
    /// Why the database is read-only or not readable, for people.
    public var problem: String?

    public init(mode: Mode, role: Role) {
        self.mode = mode
        self.role = role
        isWritableMaster = false
        isReadable = false
        epoch = .zero
        last = .zero
        applied = .zero
        lagTransactions = 0
        lag = 0
        syncSet = []
        members = []
    }
}
