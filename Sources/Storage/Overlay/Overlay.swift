internal import CPrefetch
internal import GraphModel
internal import Synchronization

/// The whole state of a node or the properties of a relationship as of one transaction. Immutable once linked.
final class EntityVersion: Sendable {
    let transactionID: UInt64
    let exists: Bool
    let labels: [TokenID]
    /// Ascending by key.
    let properties: [Property]
    /// The next older version in the same overlay; kept alive by the overlay.
    let older: UInt

    init(transactionID: UInt64, exists: Bool, labels: [TokenID], properties: [Property], older: UInt) {
        self.transactionID = transactionID
        self.exists = exists
        self.labels = labels
        self.properties = properties
        self.older = older
    }
}

/// What an overlay knows of one node. Lives in the overlay's arena.
struct NodeEntry: ~Copyable {
    /// Address of the newest ``EntityVersion``, 0 when only relationships changed.
    let newestVersion = Atomic<UInt>(0)
    let outgoing = NodeDelta()
    let incoming = NodeDelta()

    @inline(__always)
    func withDelta<R>(isIncoming: Bool, _ body: (borrowing NodeDelta) -> R) -> R {
        isIncoming ? body(incoming) : body(outgoing)
    }
}

/// What changed in one direction of a node's relationships.
struct NodeDelta: ~Copyable {
    let added = DeltaList<AddedEdge>()
    /// Relationships that lie below this overlay and were removed in it.
    let removed = DeltaList<RemovedEdge>()

    @inline(__always)
    var isEmpty: Bool { added.isEmpty && removed.isEmpty }

    /// Asks for both lists.
    @inline(__always)
    func prefetch() {
        added.prefetch()
        removed.prefetch()
    }
}

/// What an overlay knows of one relationship: created in it, changed in it, or deleted in it.
struct RelationshipEntry: ~Copyable {
    let id: UInt64
    let start: UInt64
    let end: UInt64
    let type: TokenID
    /// The transaction that created it; 0 when it lies below this overlay.
    let createdBy: UInt64
    /// Where it stands in the lists of its ends, when it was created here.
    let outgoingIndex: Int
    let incomingIndex: Int
    /// The transaction that deleted it; `UInt64.max` while it lives.
    let deletedBy = Atomic<UInt64>(.max)
    let newestVersion = Atomic<UInt>(0)
}

/// A relationship added at one of its ends.
struct AddedEdge: ~Copyable {
    let neighbour: UInt64
    let relationship: UInt64
    let createdBy: UInt64
    let deletedBy = Atomic<UInt64>(.max)
    let type: TokenID

    @inline(__always)
    func isVisible(at transaction: UInt64) -> Bool {
        createdBy <= transaction && deletedBy.load(ordering: .relaxed) > transaction
    }
}

/// A relationship that an overlay hides from what lies below.
struct RemovedEdge: ~Copyable {
    let relationship: UInt64
    let deletedBy: UInt64
    let type: TokenID
    /// Where it stands in the run of a base, `noPlace` when nowhere, and of which base.
    let place: UInt32
    let generation: UInt32

    static let noPlace = UInt32.max
}

/// Everything committed since the base was made: in memory, readable at any transaction id since then.
///
/// One thread at a time applies transactions; readers on any thread take no lock and see, for their transaction id,
/// always the same. The cost of applying depends on the transaction alone: a relationship is added to its ends' lists of
/// changes, whatever their degree. Nothing is freed before the whole overlay goes, which is when a checkpoint has
/// merged it and the last snapshot that reads it is dropped.
final class Overlay: @unchecked Sendable {
    // Safety: `arena`, `versions` and `valueByteCount` are touched only by the holder of `Store.applying`; what
    // readers reach is immutable or atomic and published by a releasing store.
    private var arena = Arena()
    private var versions: [EntityVersion] = []
    private var valueByteCount = 0
    private let deletedNodes = Atomic<Bool>(false)
    let nodes = IDTable(minimumCapacity: 64)
    let relationships = IDTable(minimumCapacity: 64)

    init() {}

    /// Roughly the memory in use, in bytes.
    var byteCount: Int {
        arena.byteCount + nodes.byteCount + relationships.byteCount + versions.count * 96 + valueByteCount
    }
    var isEmpty: Bool { nodes.count == 0 && relationships.count == 0 }

    // MARK: Reading, any thread

    /// Whether a node was deleted here, by any transaction.
    @inline(__always)
    var hasDeletedNodes: Bool { deletedNodes.load(ordering: .acquiring) }

    func node(_ id: UInt64) -> UnsafeMutablePointer<NodeEntry>? {
        nodes.find(id).flatMap { UnsafeMutablePointer(bitPattern: $0) }
    }

    func relationship(_ id: UInt64) -> UnsafeMutablePointer<RelationshipEntry>? {
        relationships.find(id).flatMap { UnsafeMutablePointer(bitPattern: $0) }
    }

    static func visible(_ newest: UInt, at transactionID: UInt64) -> EntityVersion? {
        var address = newest
        while address != 0, let pointer = UnsafeRawPointer(bitPattern: address) {
            // Safety: the overlay keeps every version until it goes, and the caller keeps the overlay.
            let version = Unmanaged<EntityVersion>.fromOpaque(pointer).takeUnretainedValue()
            if version.transactionID <= transactionID { return version }
            address = version.older
        }
        return nil
    }

    func nodeVersion(_ id: UInt64, at transactionID: UInt64) -> EntityVersion? {
        guard let entry = node(id) else { return nil }
        return Self.visible(entry.pointee.newestVersion.load(ordering: .acquiring), at: transactionID)
    }

    /// Whether a node exists, as far as this overlay knows. Without counting a reference: this is asked for every end of
    /// every relationship that is created.
    func nodeExists(_ id: UInt64, at transactionID: UInt64) -> Bool? {
        guard let entry = node(id) else { return nil }
        var address = entry.pointee.newestVersion.load(ordering: .acquiring)
        while address != 0, let pointer = UnsafeRawPointer(bitPattern: address) {
            // Safety: the overlay keeps every version until it goes, and the caller keeps the overlay.
            let exists: Bool? = Unmanaged<EntityVersion>.fromOpaque(pointer)._withUnsafeGuaranteedRef { version in
                if version.transactionID <= transactionID { return version.exists }
                address = version.older
                return nil
            }
            if let exists { return exists }
        }
        return nil
    }

    /// Asks for what applying a change of a node's relationships will read, stage by stage, some commands apart: its place
    /// in the table, its entry, the lists.
    @inline(__always)
    func prefetch(_ id: UInt64, stage: Int) {
        if stage == 0 { return nodes.prefetch(id) }
        guard let entry = node(id) else { return }
        if stage == 1 { return martlet_prefetch(entry) }
        entry.pointee.outgoing.prefetch()
        entry.pointee.incoming.prefetch()
    }

    // MARK: Applying, one thread

    private func nodeEntry(_ id: UInt64) -> UnsafeMutablePointer<NodeEntry> {
        if let entry = node(id) { return entry }
        let entry = arena.make(NodeEntry())
        nodes.insert(id, UInt(bitPattern: entry))
        return entry
    }

    private func keep(_ version: EntityVersion) -> UInt {
        versions.append(version)
        for property in version.properties { valueByteCount += 16 + property.value.heapByteCount }
        return UInt(bitPattern: Unmanaged.passUnretained(version).toOpaque())
    }

    func setNode(_ id: UInt64, transactionID: UInt64, exists: Bool, labels: [TokenID], properties: [Property]) {
        if !exists { deletedNodes.store(true, ordering: .releasing) }
        let entry = nodeEntry(id)
        let version = EntityVersion(
            transactionID: transactionID, exists: exists, labels: labels, properties: properties,
            older: entry.pointee.newestVersion.load(ordering: .relaxed))
        entry.pointee.newestVersion.store(keep(version), ordering: .releasing)
    }

    func addRelationship(_ record: RelationshipRecord, transactionID: UInt64, properties: [Property]) {
        func edge(_ neighbour: NodeID) -> AddedEdge {
            AddedEdge(
                neighbour: neighbour.rawValue, relationship: record.id.rawValue, createdBy: transactionID,
                type: record.type)
        }
        let outgoingIndex = nodeEntry(record.start.rawValue).pointee.outgoing.added.append(edge(record.end), in: &arena)
        let incomingIndex = nodeEntry(record.end.rawValue).pointee.incoming.added.append(edge(record.start), in: &arena)
        let entry = arena.make(
            RelationshipEntry(
                id: record.id.rawValue, start: record.start.rawValue, end: record.end.rawValue, type: record.type,
                createdBy: transactionID, outgoingIndex: outgoingIndex, incomingIndex: incomingIndex))
        if !properties.isEmpty {
            let version = EntityVersion(
                transactionID: transactionID, exists: true, labels: [], properties: properties, older: 0)
            entry.pointee.newestVersion.store(keep(version), ordering: .releasing)
        }
        relationships.insert(record.id.rawValue, UInt(bitPattern: entry))
    }

    /// The entry of a relationship, made when it lies below this overlay.
    private func relationshipEntry(_ record: RelationshipRecord) -> UnsafeMutablePointer<RelationshipEntry> {
        if let entry = relationship(record.id.rawValue) { return entry }
        let entry = arena.make(
            RelationshipEntry(
                id: record.id.rawValue, start: record.start.rawValue, end: record.end.rawValue, type: record.type,
                createdBy: 0, outgoingIndex: -1, incomingIndex: -1))
        relationships.insert(record.id.rawValue, UInt(bitPattern: entry))
        return entry
    }

    /// Hides a relationship, which lies in this overlay, in one below, or in `base`.
    func removeRelationship(_ record: RelationshipRecord, transactionID: UInt64, base: Base) {
        let entry = relationshipEntry(record)
        entry.pointee.deletedBy.store(transactionID, ordering: .releasing)
        let start = nodeEntry(record.start.rawValue)
        let end = nodeEntry(record.end.rawValue)
        if entry.pointee.createdBy > 0 {
            start.pointee.outgoing.added.elements[entry.pointee.outgoingIndex].pointee.deletedBy
                .store(transactionID, ordering: .releasing)
            end.pointee.incoming.added.elements[entry.pointee.incomingIndex].pointee.deletedBy
                .store(transactionID, ordering: .releasing)
            return
        }
        func removed(isIncoming: Bool) -> RemovedEdge {
            RemovedEdge(
                relationship: record.id.rawValue, deletedBy: transactionID, type: record.type,
                place: base.place(of: record, isIncoming: isIncoming) ?? RemovedEdge.noPlace, generation: base.generation)
        }
        _ = start.pointee.outgoing.removed.append(removed(isIncoming: false), in: &arena)
        _ = end.pointee.incoming.removed.append(removed(isIncoming: true), in: &arena)
    }

    func setRelationshipProperties(_ record: RelationshipRecord, transactionID: UInt64, properties: [Property]) {
        let entry = relationshipEntry(record)
        let version = EntityVersion(
            transactionID: transactionID, exists: true, labels: [], properties: properties,
            older: entry.pointee.newestVersion.load(ordering: .relaxed))
        entry.pointee.newestVersion.store(keep(version), ordering: .releasing)
    }
}

extension Value {
    /// Bytes that this value holds outside its own 16; for memory accounting.
    var heapByteCount: Int {
        switch self {
        case .string(let string): 32 + string.text.utf8.count
        case .bytes(let bytes): 48 + bytes.bytes.count
        case .temporal, .point: 64
        case .list(let list): list.elements.reduce(48) { $0 + 16 + $1.heapByteCount }
        case .null, .boolean, .integer, .float, .map, .node, .relationship, .path: 0
        }
    }
}
