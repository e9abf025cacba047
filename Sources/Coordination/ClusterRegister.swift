public import FileSystem
public import GraphModel

/// The one small value that the coordinators agree on: who is master of which epoch, whose acknowledgements count, and
/// who belongs to the cluster. Changed only by compare-and-set on its revision.
public struct ClusterRegister: Sendable, Equatable, CustomStringConvertible {
    public static let formatVersion: UInt16 = 1

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

    public init() {}

    public func member(_ id: MemberID) -> Member? { members.first { $0.id == id } }

    public mutating func setMember(_ member: Member) {
        members.removeAll { $0.id == member.id }
        members.append(member)
        members.sort { $0.id < $1.id }
    }

    public var description: String {
        "register \(revision): \(epoch), master \(master.map { "\($0.rawValue)" } ?? "none"), sync set \(syncSet.map(\.rawValue))"
    }

    // MARK: Bytes

    public func encode(into writer: inout ByteWriter) {
        writer.write(Self.formatVersion)
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
    }

    public init(_ reader: inout ByteReader) throws(MalformedBytes) {
        let version: UInt16 = try reader.read()
        guard version == Self.formatVersion else {
            throw MalformedBytes(offset: 0, detail: "expected register format \(Self.formatVersion), found \(version)")
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
