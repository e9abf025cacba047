public import GraphModel
internal import FileSystem

/// A unit of work over one snapshot: reads see the snapshot and the transaction's own writes, nothing else.
///
/// Not `Sendable`: it belongs to the thread that began it, or that took it over, and a write from another one throws. A read transaction holds
/// its version of the store, not a lock: it never waits for a writer and no writer waits for it. Writes lock what they
/// change (``LockMode``), are collected here, and take effect when the owner commits the write set.
public final class Transaction {
    let state: AppliedState
    let view: StoreView
    /// The view's; for what runs per row.
    let base: Base
    let at: UInt64
    var writes: Writes?
    /// Known for good, unlike `writes`, whose accesses are checked one by one: for what runs per row.
    public let isReadOnly: Bool
    /// Whether overlays hold any relationship: what this transaction may see of them is there when it begins.
    let hasChangedAdjacency: Bool
    /// The same for nodes.
    let hasChangedNodes: Bool
    private let reserve: IDReserve?
    /// What writes lock with; nil for write sets that are made where nobody could wait, as in simulations.
    let locks: LockSession?
    /// For looking at what is committed by now, after a wait.
    private(set) weak var store: Store?
    private let options: WriteOptions
    private var ownerThread: UInt
    /// Why the transaction can only be rolled back; nil while it can be committed.
    public private(set) var failure: GraphError?
    private(set) var isClosed = false
    /// Memory for the key of a seek, kept from one to the next.
    private var scratch: [UInt8] = []

    init(reading state: AppliedState) {
        self.state = state
        view = state.view
        base = state.view.base
        at = state.position.transactionID.rawValue
        isReadOnly = true
        hasChangedAdjacency = state.view.hasRelationships
        hasChangedNodes = state.view.hasNodes
        reserve = nil
        locks = nil
        options = WriteOptions()
        ownerThread = 0
    }

    init(writing state: AppliedState, of store: Store, reserve: IDReserve, locks: LockSession?, options: WriteOptions) {
        self.state = state
        view = state.view
        base = state.view.base
        at = state.position.transactionID.rawValue
        hasChangedAdjacency = state.view.hasRelationships
        hasChangedNodes = state.view.hasNodes
        self.reserve = reserve
        self.locks = locks
        self.store = store
        self.options = options
        ownerThread = currentThreadNumber()
        isReadOnly = false
        writes = Writes()
    }

    /// The last transaction that this one sees.
    public var snapshotTransactionID: TransactionID { TransactionID(at) }
    /// Throws `.corrupt` when something that this transaction read, or may have read, turned out to be damaged. Whoever
    /// hands results on asks at the end: reading itself does not throw.
    public func requireIntact() throws(GraphError) { try base.damage.requireNone() }
    public var hasWrites: Bool { !(writes?.commands.isEmpty ?? true) }

    private var nodeRefillCount = 256
    private var relationshipRefillCount = 256
    private static let refillCountMaximum = 1 << 20

    /// Ids asked for beyond what the reserve held: how many more a next try needs.
    public internal(set) var missingIDs = (nodes: 0, relationships: 0)

    /// The write set, for the master to sequence; nothing can be written any more. Throws `.constraintViolation` when a
    /// deleted node still has relationships or when a constraint of the schema is broken, `.unavailable` when this member
    /// cannot check one yet, and what marked the transaction for rollback.
    public func finish() throws(GraphError) -> [UInt8] {
        guard let writes else { throw GraphError(.readOnly, "a read transaction has nothing to commit") }
        if let failure { throw failure }
        try requireWritable()
        try requireIntact()
        for id in writes.deletedNodes {
            let count = degree(NodeID(id), .both, types: [])
            if count > 0 {
                throw GraphError(
                    .constraintViolation,
                    "Node \(id) cannot be deleted, it still has \(count) relationship(s): delete them first")
            }
        }
        try checkExistence()
        let claims = try uniquenessClaims()
        isClosed = true
        return WriteSet(
            base: state.position, idEpoch: writes.idEpoch, newNames: writes.newNames, commands: writes.commands,
            claims: claims + writes.manualClaims, requestID: options.requestID
        ).encode()
    }

    // MARK: Life

    /// Makes the caller's thread the one that may write. For an owner that sees to it that no other thread uses the
    /// transaction any more.
    package func takeOver() { if !isReadOnly { ownerThread = currentThreadNumber() } }

    /// Rolls back: nothing can be written any more, and there will be no write set.
    public func close() { isClosed = true }

    /// Makes it impossible to commit. What was written stays readable in the transaction until it ends; every further
    /// write throws. The first reason stays.
    public func markForRollback(_ reason: GraphError) { if failure == nil { failure = reason } }

    /// Throws unless the caller may write: `.readOnly`, `.transactionClosed`, `.transactionFailed` once it is marked for
    /// rollback, `.transactionConfined` on a thread that it does not belong to.
    func requireWritable() throws(GraphError) {
        if failure == nil && !isClosed && ownerThread == currentThreadNumber() { return }
        if isReadOnly { throw GraphError(.readOnly, "this transaction is read-only: nothing can be changed in it") }
        if isClosed { throw GraphError(.transactionClosed, "this transaction has ended: begin another one") }
        if let failure {
            throw GraphError(
                .transactionFailed,
                "this transaction is marked for rollback and takes no more writes: finish it (the cause: \(failure.message))")
        }
        throw GraphError(
            .transactionConfined,
            "this transaction belongs to the thread that began it and cannot be used by another: begin one there")
    }

    /// Adds a command to the write set. Throws `.transactionTooLarge` when that makes it longer than it may be, which
    /// ends the transaction; the store is not concerned.
    func record(_ command: Command) throws(GraphError) {
        let byteCount = (writes?.byteCount ?? 0) + command.approximateByteCount
        guard byteCount <= options.writeSetByteCountMaximum else {
            let error = GraphError(
                .transactionTooLarge,
                "the changes of this transaction take more than \(options.writeSetByteCountMaximum) bytes (martlet.transaction.limit): split the work into several transactions")
            markForRollback(error)
            throw error
        }
        writes?.byteCount = byteCount
        writes?.commands.append(command)
    }

    func takeScratch() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &scratch)
        taken.removeAll(keepingCapacity: true)
        return taken
    }

    func giveBack(_ memory: [UInt8]) { if memory.capacity < 1 << 16 { scratch = memory } }

    // MARK: Ids

    func takeNodeID() throws(GraphError) -> UInt64 {
        while true {
            if let (id, epoch) = reserve?.takeNode() {
                if bind(epoch) { return id }
            } else if let refill = options.refill {
                try refill(nodeRefillCount, 0)
                nodeRefillCount = min(nodeRefillCount * 8, Self.refillCountMaximum)
                continue
            }
            missingIDs.nodes += 1
            throw Self.idsExhausted
        }
    }

    func takeRelationshipID() throws(GraphError) -> UInt64 {
        while true {
            if let (id, epoch) = reserve?.takeRelationship() {
                if bind(epoch) { return id }
            } else if let refill = options.refill {
                try refill(0, relationshipRefillCount)
                relationshipRefillCount = min(relationshipRefillCount * 8, Self.refillCountMaximum)
                continue
            }
            missingIDs.relationships += 1
            throw Self.idsExhausted
        }
    }

    /// All ids of one transaction must come from one mastership.
    private func bind(_ epoch: Epoch) -> Bool {
        if writes?.hasIDs ?? false { return writes?.idEpoch == epoch }
        if writes == nil { return false }
        writes?.idEpoch = epoch
        writes?.hasIDs = true
        return true
    }

    /// Thrown when the member must fetch more ids and run the statement again; clients never see it.
    static let idsExhausted = GraphError(
        .conflict, "this member has no reserved ids left and asks the master for more: run the transaction again")

    // MARK: Names

    /// What ``token(_:_:)`` finds in the store stays the same while this does; never 0. Names that this transaction
    /// introduces do not count.
    public var namesVersion: UInt64 { state.tokens.version }

    /// The number of a name, known to the store or introduced here; nil when nobody has used it yet.
    public func token(_ kind: TokenKind, _ name: String) -> TokenID? {
        state.tokens.token(kind, name) ?? writes?.newNumbers[Int(kind.rawValue)][Array(name.utf8)]
    }

    /// The name behind a number that this transaction handed out.
    public func name(_ kind: TokenKind, _ token: TokenID) -> String {
        if token & Command.provisionalBit != 0 {
            let index = Int(token & ~Command.provisionalBit)
            if let writes, index < writes.newNames.count { return writes.newNames[index].name }
        }
        return state.tokens.name(kind, token) ?? "?\(token)"
    }

    /// How many names of a kind the store knows.
    public func tokenCount(_ kind: TokenKind) -> Int {
        state.tokens.count(kind) + (writes?.newNames.count { $0.kind == kind } ?? 0)
    }

    /// Every name of a kind, in the order of their first use.
    public func names(_ kind: TokenKind) -> [String] {
        let known = (0..<state.tokens.count(kind)).compactMap { state.tokens.name(kind, TokenID($0)) }
        return known + (writes?.newNames.filter { $0.kind == kind }.map(\.name) ?? [])
    }
}
