internal import FileSystem
public import GraphModel

/// The one place where the order of commits is decided: on the master, or in a single database.
///
/// First committer wins: a write set is refused when something it touches was changed after its snapshot. What it
/// depends on follows from its commands, so validation needs no look into the store:
///
/// | command | conflicts with a later |
/// | --- | --- |
/// | change of a node's or relationship's properties or labels | change or deletion of the same entity |
/// | new relationship | deletion of either end |
/// | deletion of a node | any change of it, any new relationship at it |
/// | claim of a unique key | claim of the same key |
/// | anything | constraint that comes into force |
/// | change of the schema | change of the schema |
/// | addition to a named index | deletion of the entity, drop of the index |
///
/// A write set whose request is in the log already is not ordered again.
///
/// A value, driven by its owner under one lock or on one thread; it does no I/O.
public struct Sequencer: Sendable {
    /// Write sets whose snapshot is older than this cannot be checked any more and are refused as conflicts.
    private var floor: TransactionID
    /// Where this mastership began: what lies behind it is of its own epoch.
    private let start: LogPosition
    private var tokens: TokenTable
    public private(set) var position: LogPosition
    public private(set) var nextNodeID: UInt64
    public private(set) var nextRelationshipID: UInt64
    private var recent = RecentChanges()
    /// Which transaction last put a key into the index of a uniqueness constraint.
    private var claims: [WriteSet.Claim: TransactionID] = [:]
    private var requests: OrderedRequests
    private var schema: Schema
    private var schemaChange = TransactionID.zero
    /// When a constraint last came into force: what was decided before was not checked against it.
    private var constraintChange = TransactionID.zero
    /// How many entities and claims each transaction touched, oldest first; for forgetting.
    private var history = ReleasingQueue<(TransactionID, Int)>()
    private var historyKeyCount = 0
    /// Bound of the memory of recent changes, in entities and claims.
    static let rememberedKeyCountMaximum = 500_000

    private struct EntityKey: Hashable {
        let id: UInt64
        let isNode: Bool
    }

    /// Starts from everything in the log, applied or not.
    public init(_ store: Store) throws(GraphError) {
        let (state, unapplied) = store.applying.withLock { _ in
            (store.state, store.unapplied.withLock { $0.elements })
        }
        tokens = state.tokens
        position = state.position
        nextNodeID = state.nextNodeID
        nextRelationshipID = state.nextRelationshipID
        schema = state.view.schema.schema
        requests = OrderedRequests(store.requests)
        for record in unapplied {
            let commands: [Command]
            do throws(MalformedBytes) { commands = try record.commands() } catch {
                throw GraphError(.corrupt, "\(record.position): \(error)")
            }
            for command in commands {
                switch command {
                case .createToken(let kind, let token, let name): _ = tokens.add(kind, token, name)
                case .createNode(let id, _, _): nextNodeID = max(nextNodeID, id + 1)
                case .createRelationship(let id, _, _, _, _): nextRelationshipID = max(nextRelationshipID, id + 1)
                case .noteRequest(let id): requests.note(id, record.position.transactionID)
                default: if command.changesSchema { try schema.apply(command) }
                }
            }
            position = record.position
        }
        floor = position.transactionID
        start = position
    }

    /// Hands out ids that nobody else gets under this mastership.
    public mutating func reserveNodeIDs(_ count: UInt64) -> Range<UInt64> {
        defer { nextNodeID += count }
        return nextNodeID..<nextNodeID + count
    }

    public mutating func reserveRelationshipIDs(_ count: UInt64) -> Range<UInt64> {
        defer { nextRelationshipID += count }
        return nextRelationshipID..<nextRelationshipID + count
    }

    /// The last transaction that may have changed an entity: whoever sees it, sees the entity as it is.
    public func lastChange(of entity: EntityID) -> TransactionID {
        let changes =
            switch entity {
            case .node(let id): recent.find(id.rawValue, isNode: true)
            case .relationship(let id): recent.find(id.rawValue, isNode: false)
            }
        return max(changes?.newest ?? floor, floor)
    }

    /// Takes every request for a new one from now on: a rule broken on purpose.
    package mutating func forgetRequests() { requests.forget() }

    /// The first entry of a new mastership.
    public mutating func epochStart(
        _ epoch: Epoch, commitPoint: TransactionID, wallClockMilliseconds: Int64
    ) -> LogRecord {
        let record = LogEntryHeader.encode(
            kind: .epochStart, epoch: epoch, following: position, wallClockMilliseconds: wallClockMilliseconds,
            commitPoint: commitPoint, commandCount: 0, commands: [])
        position = record.position
        return record
    }

    /// An entry at which every member is to say what its graph comes to.
    public mutating func graphComparison(
        _ epoch: Epoch, commitPoint: TransactionID, wallClockMilliseconds: Int64
    ) -> LogRecord {
        var writer = ByteWriter()
        Command.compareGraphs.encode(into: &writer)
        let record = LogEntryHeader.encode(
            kind: .transaction, epoch: epoch, following: position, wallClockMilliseconds: wallClockMilliseconds,
            commitPoint: commitPoint, commandCount: 1, commands: writer.bytes[...])
        position = record.position
        return record
    }

    /// Checks a write set against everything ordered so far and gives it its place in the log.
    ///
    /// Throws `.requestCommitted` (with the transaction) when its request is in the log already, committed or on its way,
    /// `.conflict` (with the transaction that won), `.masterChanged` when its ids were reserved under another
    /// mastership, `.invalidRequest` when its bytes are malformed. Nothing changes when it throws.
    ///
    /// - Parameter wallClockMilliseconds: since 1970; for people who read the log, it decides nothing.
    public mutating func sequence(
        _ writeSetBytes: [UInt8], epoch: Epoch, commitPoint: TransactionID, wallClockMilliseconds: Int64
    ) throws(GraphError) -> LogRecord {
        let writeSet: WriteSet
        do throws(MalformedBytes) { writeSet = try WriteSet(decoding: writeSetBytes) } catch {
            throw GraphError(.invalidRequest, "a write set cannot be read: \(error)")
        }
        if let id = writeSet.requestID, let first = requests[id] { throw .committedBefore(id, in: first) }
        try check(writeSet, epoch)
        var writer = ByteWriter(reservingByteCount: writeSetBytes.count)
        var commandCount = 0
        let transaction = position.transactionID.next
        if let id = writeSet.requestID {
            Command.noteRequest(id).encode(into: &writer)
            commandCount += 1
        }
        var numbers: [TokenID] = []
        for new in writeSet.newNames {
            if let token = tokens.token(new.kind, new.name) {
                numbers.append(token)
            } else {
                let token = TokenID(tokens.count(new.kind))
                _ = tokens.add(new.kind, token, new.name)
                Command.createToken(new.kind, token, name: new.name).encode(into: &writer)
                commandCount += 1
                numbers.append(token)
            }
        }
        func final(_ command: Command) -> Command {
            command.mapTokens { _, token in
                token & Command.provisionalBit == 0 ? token : numbers[Int(token & ~Command.provisionalBit)]
            }
        }
        // Without new names the commands stand in the log as they came.
        if numbers.isEmpty {
            writer.write(raw: writeSetBytes[writeSet.commandBytes])
        } else {
            for command in writeSet.commands { final(command).encode(into: &writer) }
        }
        commandCount += writeSet.commands.count
        // Nodes that nobody else knows yet need not be remembered.
        var created: Set<UInt64> = []
        var touchedCount = 0
        for command in writeSet.commands {
            if command.changesSchema {
                try schema.apply(final(command))
                schemaChange = transaction
                if command.bringsConstraintIntoForce { constraintChange = transaction }
            }
            remember(command, transaction, &created, &touchedCount)
        }
        let record = LogEntryHeader.encode(
            kind: .transaction, epoch: epoch, following: position, wallClockMilliseconds: wallClockMilliseconds,
            commitPoint: commitPoint, commandCount: commandCount, commands: writer.bytes[...])
        position = record.position
        if let id = writeSet.requestID { requests.note(id, transaction) }
        for claim in writeSet.claims { claims[claim] = transaction }
        history.append((transaction, touchedCount + writeSet.claims.count))
        historyKeyCount += touchedCount + writeSet.claims.count
        forget()
        return record
    }

    private func check(_ writeSet: WriteSet, _ epoch: Epoch) throws(GraphError) {
        guard writeSet.base >= floor else {
            throw GraphError(
                .conflict,
                "the transaction began at \(writeSet.base), changes are remembered from \(floor) on: run it again",
                conflictingTransaction: floor)
        }
        // With optimistic commits another history may have gone as far; what was read there was never here.
        let known = writeSet.base > start.transactionID ? epoch : start.epoch
        guard writeSet.baseEpoch.map({ $0 == known }) ?? true else {
            throw GraphError(
                .conflict,
                "the transaction began at \(writeSet.base) of \(writeSet.baseEpoch ?? .zero), which is not in this log: run it again")
        }
        func conflict(_ key: EntityKey, _ since: TransactionID) -> GraphError {
            GraphError(
                .conflict,
                "\(key.isNode ? "node" : "relationship") \(key.id) was changed by \(since) after this transaction began at \(writeSet.base): run it again",
                conflictingTransaction: since)
        }
        func requireUnchanged(_ key: EntityKey) throws(GraphError) {
            guard let changes = recent.find(key.id, isNode: key.isNode) else { return }
            let last = max(changes.changed, changes.deleted)
            if last > writeSet.base { throw conflict(key, last) }
        }
        try checkSchema(writeSet)
        let newNameCount = TokenID(writeSet.newNames.count)
        var createdIndexes: [ManualIndex] = []
        var lastIndex: (id: SchemaRuleID, isOfNodes: Bool)?
        func requireToken(_ kind: TokenKind, _ token: TokenID) throws(GraphError) {
            let isKnown =
                token & Command.provisionalBit != 0
                ? token & ~Command.provisionalBit < newNameCount : Int(token) < tokens.count(kind)
            if !isKnown { throw GraphError(.invalidRequest, "a write set uses token \(token), which nobody introduced") }
        }
        for (index, command) in writeSet.commands.enumerated() {
            if index + 8 < writeSet.commands.count {
                switch writeSet.commands[index + 8] {
                case .createRelationship(_, _, let start, let end, _):
                    recent.prefetch(start, isNode: true)
                    recent.prefetch(end, isNode: true)
                case .setNodeProperty(let id, _, _): recent.prefetch(id, isNode: true)
                case .addToManualIndex(_, let entity, _, _): recent.prefetch(entity, isNode: lastIndex?.isOfNodes ?? true)
                default: break
                }
            }
            switch command {
            case .createToken:
                throw GraphError(.invalidRequest, "a write set may not number tokens")
            case .noteRequest, .compareGraphs:
                throw GraphError(.invalidRequest, "a write set has a command that only the master may give")
            case .createNode(let id, let labels, let properties):
                try requireReserved(id, below: nextNodeID, writeSet, epoch)
                for label in labels { try requireToken(.label, label) }
                for property in properties { try requireToken(.propertyKey, property.key) }
            case .createRelationship(let id, let type, let start, let end, let properties):
                try requireReserved(id, below: nextRelationshipID, writeSet, epoch)
                try requireToken(.relationshipType, type)
                for property in properties { try requireToken(.propertyKey, property.key) }
                for node in [start, end] {
                    let key = EntityKey(id: node, isNode: true)
                    if let deleted = recent.find(node, isNode: true)?.deleted, deleted > writeSet.base { throw conflict(key, deleted) }
                }
            case .setNodeProperty(let id, let key, _):
                try requireToken(.propertyKey, key)
                try requireUnchanged(EntityKey(id: id, isNode: true))
            case .addLabel(let id, let label), .removeLabel(let id, let label):
                try requireToken(.label, label)
                try requireUnchanged(EntityKey(id: id, isNode: true))
            case .setRelationshipProperty(let id, let key, _):
                try requireToken(.propertyKey, key)
                try requireUnchanged(EntityKey(id: id, isNode: false))
            case .deleteRelationship(let id):
                try requireUnchanged(EntityKey(id: id, isNode: false))
            case .deleteNode(let id):
                let key = EntityKey(id: id, isNode: true)
                if let newest = recent.find(id, isNode: true)?.newest, newest > writeSet.base { throw conflict(key, newest) }
            case .createSchemaRule(let rule):
                try requireToken(rule.tokenKind, rule.token)
                for key in rule.keys { try requireToken(.propertyKey, key) }
            case .addToManualIndex(let id, let entity, _, _):
                if lastIndex?.id != id {
                    try requireManualIndex(id, writeSet, &createdIndexes)
                    let index = schema.manualIndex(id) ?? createdIndexes.first { $0.id == id }
                    lastIndex = (id, index?.entity != .relationship)
                }
                // Who removes an entity takes it out of every index, whatever was added meanwhile.
                let isNode = lastIndex?.isOfNodes ?? true
                let key = EntityKey(id: entity, isNode: isNode)
                if let deleted = recent.find(entity, isNode: isNode)?.deleted, deleted > writeSet.base { throw conflict(key, deleted) }
            case .removeFromManualIndex(let id, _, _, _): try requireManualIndex(id, writeSet, &createdIndexes)
            case .dropSchemaRule, .setSchemaRuleState, .createManualIndex, .dropManualIndex, .setAutoIndexing: break
            }
        }
    }

    /// The index may have been dropped since the snapshot.
    private func requireManualIndex(
        _ id: SchemaRuleID, _ writeSet: WriteSet, _ created: inout [ManualIndex]
    ) throws(GraphError) {
        if schema.manualIndex(id) != nil || created.contains(where: { $0.id == id }) { return }
        created = writeSet.commands.compactMap { if case .createManualIndex(let index) = $0 { index } else { nil } }
        if created.contains(where: { $0.id == id }) { return }
        guard writeSet.base < schemaChange else {
            throw GraphError(.invalidRequest, "a write set changes index \(id.rawValue), which does not exist")
        }
        throw GraphError(
            .conflict, "an index was dropped after this transaction began at \(writeSet.base): run it again",
            conflictingTransaction: schemaChange)
    }

    /// Checks what a write set claims, and what it does to the schema.
    private func checkSchema(_ writeSet: WriteSet) throws(GraphError) {
        func conflict(_ what: String, _ since: TransactionID) -> GraphError {
            GraphError(
                .conflict, "\(what) by \(since) after this transaction began at \(writeSet.base): run it again",
                conflictingTransaction: since)
        }
        if writeSet.base < constraintChange { throw conflict("a constraint came into force", constraintChange) }
        for claim in writeSet.claims {
            if let since = claims[claim], since > writeSet.base {
                throw conflict("a value that a constraint keeps unique was taken", since)
            }
        }
        if !writeSet.checksConstraints && schema.hasConstraints {
            throw GraphError(
                .invalidRequest,
                "a write set of format 1 was not checked against the constraints of this database: upgrade the member that sent it")
        }
        guard writeSet.commands.contains(where: { $0.changesSchema }) else { return }
        if writeSet.base < schemaChange { throw conflict("the schema was changed", schemaChange) }
        let names = Set(writeSet.newNames.map { [$0.kind.rawValue] + Array($0.name.utf8) })
        guard names.count == writeSet.newNames.count else {
            throw GraphError(.invalidRequest, "a write set introduces a name twice")
        }
        // Nobody changed the schema since the snapshot, so what its member tried on it must fit here.
        var copy = schema
        for command in writeSet.commands where command.changesSchema { try copy.apply(command) }
    }

    private func requireReserved(
        _ id: UInt64, below next: UInt64, _ writeSet: WriteSet, _ epoch: Epoch
    ) throws(GraphError) {
        guard writeSet.idEpoch == epoch else {
            throw GraphError(
                .masterChanged, "the ids of this transaction were reserved under \(writeSet.idEpoch), the master rules under \(epoch)")
        }
        guard id < Manifest.idLimit else {
            throw GraphError(.general, "the store has used all ids below \(Manifest.idLimit): nothing more can be created in it")
        }
        guard id < next else { throw GraphError(.invalidRequest, "id \(id) was never reserved") }
    }

    private mutating func remember(
        _ command: Command, _ transaction: TransactionID, _ created: inout Set<UInt64>, _ touchedCount: inout Int
    ) {
        func touch(_ key: EntityKey, _ kind: RecentChanges.Kind) {
            recent.note(key.id, isNode: key.isNode, kind, transaction)
            touchedCount += 1
        }
        switch command {
        case .createToken, .createSchemaRule, .dropSchemaRule, .setSchemaRuleState, .createManualIndex, .dropManualIndex,
            .addToManualIndex, .removeFromManualIndex, .setAutoIndexing, .noteRequest, .compareGraphs:
            break
        case .createNode(let id, _, _): created.insert(id)
        case .createRelationship(_, _, let start, let end, _):
            if !created.contains(start) { touch(EntityKey(id: start, isNode: true), .attached) }
            if !created.contains(end) { touch(EntityKey(id: end, isNode: true), .attached) }
        case .setNodeProperty(let id, _, _), .addLabel(let id, _), .removeLabel(let id, _):
            if !created.contains(id) { touch(EntityKey(id: id, isNode: true), .changed) }
        case .setRelationshipProperty(let id, _, _): touch(EntityKey(id: id, isNode: false), .changed)
        case .deleteNode(let id): touch(EntityKey(id: id, isNode: true), .deleted)
        case .deleteRelationship(let id): touch(EntityKey(id: id, isNode: false), .deleted)
        }
    }

    private mutating func forget() {
        guard historyKeyCount > Self.rememberedKeyCountMaximum else { return }
        // Half of it at once, so that going through all that is remembered pays.
        while historyKeyCount > Self.rememberedKeyCountMaximum / 2, history.count > 1, let (transaction, count) = history.first {
            history.removeFirst()
            historyKeyCount -= count
            floor = transaction
        }
        recent.forget(upTo: floor)
        claims = claims.filter { $0.value > floor }
    }
}
