public import FileSystem
public import GraphModel

/// The one small value that the coordinators agree on: who is master of which epoch, whose acknowledgements count, and
/// who belongs to the cluster. Changed only by compare-and-set on its revision.
public struct ClusterRegister: Sendable, Equatable, CustomStringConvertible {
    /// The newest format; a register is written in its ``clusterVersion``'s, so that every member can read it.
    public static let formatVersion: UInt16 = 2

    /// When the cluster's master acknowledges writes.
    public enum CommitMode: UInt8, Sendable {
        /// Once a quorum of the sync set has them on disk; elections need a member that has them.
        case quorum
        /// Once the master has them on disk and pushes were tried; whoever answers may be elected.
        case optimistic
    }

    /// The beginning of an epoch: who applied anything behind it under an older epoch has what the cluster has not.
    public struct Beginning: Sendable, Equatable {
        public var epoch: Epoch
        public var position: LogPosition

        public init(epoch: Epoch, position: LogPosition) {
            self.epoch = epoch
            self.position = position
        }
    }

    /// A member as it announced itself.
    public struct Member: Sendable, Equatable {
        public var id: MemberID
        /// `ha.server`: where the other members reach it.
        public var address: String
        public var httpAddress: String
        public var backupAddress: String
        public var isSlaveOnly: Bool
        public var protocolVersion: UInt16
        /// The store it had when it announced itself; `.none` when it had none. Only for founding a cluster.
        public var storeID: StoreID
        /// How far its log reached then.
        public var position: LogPosition

        public init(
            id: MemberID, address: String, httpAddress: String = "", backupAddress: String = "",
            isSlaveOnly: Bool = false, protocolVersion: UInt16 = 1, storeID: StoreID = .none,
            position: LogPosition = .zero
        ) {
            self.id = id
            self.address = address
            self.httpAddress = httpAddress
            self.backupAddress = backupAddress
            self.isSlaveOnly = isSlaveOnly
            self.protocolVersion = protocolVersion
            self.storeID = storeID
            self.position = position
        }
    }

    /// Grows by one with every change; 0 is the empty register.
    public var revision: UInt64 = 0
    public var clusterName = ""
    /// The store that every member must have a copy of; `.none` until the cluster is founded.
    public var storeID = StoreID.none
    public var epoch = Epoch.zero
    public var master: MemberID?
    /// What the master's log must hold at least: the highest position that the election saw.
    public var startPosition = LogPosition.zero
    /// Ascending. The members whose acknowledgements count.
    public var syncSet: [MemberID] = []
    /// Ascending by id.
    public var members: [Member] = []
    /// The protocol version that every member speaks: messages, entries and this register are in its format.
    public var clusterVersion: UInt16 = 1
    /// From version 2 on; before that always `.quorum`.
    public var commitMode = CommitMode.quorum
    /// The latest epochs, ascending; from version 2 on.
    public var history: [Beginning] = []
    /// Members that an operator took out, ascending; who is started again joins anew. From version 2 on.
    public var removed: [MemberID] = []

    static let historyCountMaximum = 64

    public init() {}

    /// The lowest version that a member of the table speaks.
    public var commonVersion: UInt16 { members.map(\.protocolVersion).min() ?? 1 }

    /// Names the master of a new epoch.
    public mutating func begin(_ epoch: Epoch, master: MemberID, at position: LogPosition) {
        self.epoch = epoch
        self.master = master
        startPosition = position
        // Epochs whose masters left nothing in the log that goes on.
        history.removeAll { $0.epoch > position.epoch }
        history.append(Beginning(epoch: epoch, position: position))
        if history.count > Self.historyCountMaximum { history.removeFirst(history.count - Self.historyCountMaximum) }
    }

    /// Whether whoever has applied this has what the cluster has not: a later epoch began before it.
    public func leavesBehind(_ applied: LogPosition) -> Bool {
        guard let next = history.first(where: { $0.epoch > applied.epoch }) else { return false }
        return applied.transactionID > next.position.transactionID
    }

    public func member(_ id: MemberID) -> Member? { members.first { $0.id == id } }

    public mutating func setMember(_ member: Member) {
        members.removeAll { $0.id == member.id }
        members.append(member)
        members.sort { $0.id < $1.id }
        removed.removeAll { $0 == member.id }
    }

    /// Takes a member out of the table and the sync set.
    public mutating func remove(_ id: MemberID) {
        members.removeAll { $0.id == id }
        syncSet.removeAll { $0 == id }
        if !removed.contains(id) { removed = (removed + [id]).sorted() }
    }

    public var description: String {
        "register \(revision): \(epoch), master \(master.map { "\($0.rawValue)" } ?? "none"), sync set \(syncSet.map(\.rawValue))"
    }

    // MARK: Bytes

    public func encode(into writer: inout ByteWriter) {
        let version = min(max(clusterVersion, 1), Self.formatVersion)
        writer.write(version)
        writer.write(revision)
        writer.write(string: clusterName)
        writer.write(storeID.rawValue)
        writer.write(epoch.rawValue)
        writer.write(master != nil)
        writer.write(master?.rawValue ?? 0)
        startPosition.encode(into: &writer)
        writer.write(UInt32(syncSet.count))
        for id in syncSet { writer.write(id.rawValue) }
        writer.write(UInt32(members.count))
        for member in members {
            writer.write(member.id.rawValue)
            writer.write(string: member.address)
            writer.write(string: member.httpAddress)
            writer.write(string: member.backupAddress)
            writer.write(member.isSlaveOnly)
            writer.write(member.protocolVersion)
            writer.write(member.storeID.rawValue)
            member.position.encode(into: &writer)
        }
        guard version >= 2 else { return }
        writer.write(clusterVersion)
        writer.write(commitMode.rawValue)
        writer.write(UInt32(history.count))
        for beginning in history {
            writer.write(beginning.epoch.rawValue)
            beginning.position.encode(into: &writer)
        }
        writer.write(UInt32(removed.count))
        for id in removed { writer.write(id.rawValue) }
    }

    public init(_ reader: inout ByteReader) throws(MalformedBytes) {
        let version: UInt16 = try reader.read()
        guard (1...Self.formatVersion).contains(version) else {
            throw MalformedBytes(
                offset: 0, detail: "expected register format 1 to \(Self.formatVersion), found \(version)")
        }
        revision = try reader.read()
        clusterName = try reader.readString()
        storeID = StoreID(try reader.read())
        epoch = Epoch(try reader.read())
        let hasMaster = try reader.readBool()
        let masterID = MemberID(try reader.read())
        master = hasMaster ? masterID : nil
        startPosition = try LogPosition(&reader)
        for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 4)) { syncSet.append(MemberID(try reader.read())) }
        for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 40)) {
            members.append(
                Member(
                    id: MemberID(try reader.read()), address: try reader.readString(),
                    httpAddress: try reader.readString(), backupAddress: try reader.readString(),
                    isSlaveOnly: try reader.readBool(), protocolVersion: try reader.read(),
                    storeID: StoreID(try reader.read()), position: try LogPosition(&reader)))
        }
        guard version >= 2 else { return }
        clusterVersion = try reader.read()
        let mode: UInt8 = try reader.read()
        guard let known = CommitMode(rawValue: mode) else {
            throw MalformedBytes(offset: reader.offset - 1, detail: "\(mode) is no commit mode")
        }
        commitMode = known
        for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 32)) {
            history.append(Beginning(epoch: Epoch(try reader.read()), position: try LogPosition(&reader)))
        }
        for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 4)) { removed.append(MemberID(try reader.read())) }
    }
}

extension LogPosition {
    /// 24 bytes: epoch, transaction id, checksum.
    public func encode(into writer: inout ByteWriter) {
        writer.write(epoch.rawValue)
        writer.write(transactionID.rawValue)
        writer.write(checksum)
    }

    public init(_ reader: inout ByteReader) throws(MalformedBytes) {
        self.init(
            epoch: Epoch(try reader.read()), transactionID: TransactionID(try reader.read()), checksum: try reader.read())
    }
}
