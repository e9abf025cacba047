internal import FileSystem
public import GraphModel

extension Store {
    /// Makes entries readable, in order, up to and including a transaction.
    ///
    /// Deterministic: the same store and the same entry give the same store on every member. Throws `.corrupt` when an
    /// entry cannot be applied to this store, which stops the store: it never goes on with a part of a transaction.
    public func apply(upTo transactionID: TransactionID) throws(GraphError) {
        try applying.withLock { _ throws(GraphError) in
            let records = takeUnapplied(upTo: transactionID)
            if records.isEmpty { return }
            let before = state
            guard let overlay = before.view.layers.first else { throw GraphError(.general, "a store without an overlay") }
            var application = Application(before, overlay)
            for record in records {
                do throws(GraphError) { try application.apply(record) } catch {
                    // What is damaged reads as missing: name the cause, not the consequence.
                    try damage.requireNone()
                    throw error
                }
                guard application.asksForComparison else { continue }
                // The graph as it is here, not as the rest of the batch leaves it.
                let here = publish(application)
                hooks.onGraphComparison?(MarkedGraph(here))
                application = Application(here, overlay)
            }
            publish(application)
            measureOverlay()
        }
    }

    @discardableResult
    private func publish(_ application: Application) -> AppliedState {
        let after = application.finish()
        current.withLock { $0 = after }
        // Afterwards, so that what is known to be committed is readable.
        if !application.requests.isEmpty { requests.add(application.requests) }
        return after
    }

    private func takeUnapplied(upTo transactionID: TransactionID) -> [LogRecord] {
        unapplied.withLock { unapplied in
            var records: [LogRecord] = []
            while let record = unapplied.first, record.position.transactionID <= transactionID {
                records.append(record)
                unapplied.removeFirst()
            }
            return records
        }
    }
}

/// Applies entries to the active overlay and collects the state that will be published.
struct Application {
    private(set) var view: StoreView
    private let overlay: Overlay
    private var position: LogPosition
    private var counts: Counts
    private var tokens: TokenTable
    private var nextNodeID: UInt64
    private var nextRelationshipID: UInt64
    private var wallClock: Int64
    private(set) var requests: [RequestLedger.Entry] = []
    private(set) var asksForComparison = false
    var gathered = GatheredAdditions()

    init(_ state: AppliedState, _ overlay: Overlay) {
        view = state.view
        self.overlay = overlay
        position = state.position
        counts = state.counts
        tokens = state.tokens
        nextNodeID = state.nextNodeID
        nextRelationshipID = state.nextRelationshipID
        wallClock = state.wallClockMilliseconds
    }

    func finish() -> AppliedState {
        AppliedState(
            view: view, position: position, counts: counts, tokens: tokens, nextNodeID: nextNodeID,
            nextRelationshipID: nextRelationshipID, wallClockMilliseconds: wallClock)
    }

    mutating func apply(_ record: LogRecord) throws(GraphError) {
        guard record.position.transactionID == position.transactionID.next else {
            throw GraphError(.corrupt, "\(record.position) cannot be applied after \(position)")
        }
        let transaction = record.position.transactionID.rawValue
        do {
            let (header, commands) = try record.decoded()
            for (index, command) in commands.enumerated() {
                for stage in 0..<3 where index + 24 - 8 * stage < commands.count {
                    prefetch(commands[index + 24 - 8 * stage], stage: stage)
                }
                try applyWithIndexes(command, transaction)
            }
            gathered.put(transaction)
            wallClock = header.wallClockMilliseconds
        } catch let error as MalformedBytes {
            throw GraphError(.corrupt, "\(record.position): \(error)")
        } catch let error as GraphError {
            throw GraphError(.corrupt, "\(record.position): \(error.message)")
        } catch {
            throw GraphError(.corrupt, "\(record.position): \(error)")
        }
        position = record.position
    }

    /// Applies a command and keeps the indexes in step with the entity that it changes.
    private mutating func applyWithIndexes(_ command: Command, _ transaction: UInt64) throws(GraphError) {
        guard let (entity, id) = command.indexedEntity, view.schema.concerns(entity) else {
            return try apply(command, transaction)
        }
        let before = view.indexedContent(entity, id, at: transaction)
        try apply(command, transaction)
        let after = view.indexedContent(entity, id, at: transaction)
        SchemaView.forEachChange(view.schema.indexes, entity, from: before, to: after) { index, isPresent, key in
            index.layers.first?.set(isPresent, key, id: id, transaction: transaction)
        }
    }

    private mutating func applySchema(_ command: Command, _ transaction: UInt64) throws(GraphError) {
        gathered.put(transaction)
        var schema = view.schema.schema
        try schema.apply(command)
        view = StoreView(base: view.base, layers: view.layers, schema: view.schema.changed(to: schema))
    }

    /// The ends of relationships are all over the memory: what a later command needs is asked for now.
    private func prefetch(_ command: Command, stage: Int) {
        func ask(_ node: UInt64) {
            if stage == 0 { view.base.prefetchNode(node) }
            overlay.prefetch(node, stage: stage)
        }
        switch command {
        case .createRelationship(_, _, let start, let end, _):
            ask(start)
            ask(end)
        case .addToManualIndex(_, let node, _, _): ask(node)
        default: break
        }
    }

    private mutating func apply(_ command: Command, _ transaction: UInt64) throws(GraphError) {
        switch command {
        case .createToken(let kind, let token, let name):
            guard tokens.add(kind, token, name) else {
                throw GraphError(.corrupt, "token \(token) \"\(name)\" is not the next of its kind")
            }
        case .createNode(let id, let labels, let properties):
            guard !view.nodeExists(id, at: transaction) else { throw GraphError(.corrupt, "node \(id) exists already") }
            overlay.setNode(
                id, transactionID: transaction, exists: true, labels: labels.sorted(),
                properties: properties.sorted { $0.key < $1.key })
            counts.nodes += 1
            for label in labels { counts.add(1, label: label) }
            nextNodeID = max(nextNodeID, id + 1)
        case .deleteNode(let id):
            try requireNode(id, transaction)
            dropManualEntries(.node, id, transaction)
            for label in view.labels(ofNode: id, at: transaction) { counts.add(-1, label: label) }
            counts.nodes -= 1
            overlay.setNode(id, transactionID: transaction, exists: false, labels: [], properties: [])
        case .createRelationship(let id, let type, let start, let end, let properties):
            try requireNode(start, transaction)
            try requireNode(end, transaction)
            // No id from here on was ever used.
            let isFresh = id >= nextRelationshipID
            guard isFresh || (view.relationship(id, at: transaction) == nil && overlay.relationship(id) == nil) else {
                throw GraphError(.corrupt, "relationship \(id) exists already")
            }
            overlay.addRelationship(
                RelationshipRecord(id: RelationshipID(id), type: type, start: NodeID(start), end: NodeID(end)),
                transactionID: transaction, properties: properties.sorted { $0.key < $1.key })
            counts.relationships += 1
            counts.add(1, type: type)
            nextRelationshipID = max(nextRelationshipID, id + 1)
        case .deleteRelationship(let id):
            let record = try requireRelationship(id, transaction)
            dropManualEntries(.relationship, id, transaction)
            overlay.removeRelationship(record, transactionID: transaction, base: view.base)
            counts.relationships -= 1
            counts.add(-1, type: record.type)
        case .setNodeProperty(let id, let key, let value):
            try requireNode(id, transaction)
            var properties = view.properties(ofNode: id, at: transaction)
            properties.set(key, value)
            overlay.setNode(
                id, transactionID: transaction, exists: true, labels: view.labels(ofNode: id, at: transaction),
                properties: properties)
        case .setRelationshipProperty(let id, let key, let value):
            let record = try requireRelationship(id, transaction)
            var properties = view.properties(ofRelationship: id, at: transaction)
            properties.set(key, value)
            overlay.setRelationshipProperties(record, transactionID: transaction, properties: properties)
        case .addLabel(let id, let label):
            try requireNode(id, transaction)
            var labels = view.labels(ofNode: id, at: transaction)
            guard !labels.contains(label) else { return }
            labels.append(label)
            labels.sort()
            overlay.setNode(
                id, transactionID: transaction, exists: true, labels: labels,
                properties: view.properties(ofNode: id, at: transaction))
            counts.add(1, label: label)
        case .removeLabel(let id, let label):
            try requireNode(id, transaction)
            var labels = view.labels(ofNode: id, at: transaction)
            guard labels.contains(label) else { return }
            labels.removeAll { $0 == label }
            overlay.setNode(
                id, transactionID: transaction, exists: true, labels: labels,
                properties: view.properties(ofNode: id, at: transaction))
            counts.add(-1, label: label)
        case .createSchemaRule, .dropSchemaRule, .setSchemaRuleState, .createManualIndex, .dropManualIndex, .setAutoIndexing:
            try applySchema(command, transaction)
        case .addToManualIndex(let index, let id, let key, let value):
            try changeManualIndex(index, id, key, value, isAddition: true, transaction)
        case .removeFromManualIndex(let index, let id, let key, let value):
            try changeManualIndex(index, id, key, value, isAddition: false, transaction)
        case .compareGraphs: asksForComparison = true
        case .noteRequest(let id): requests.append(.init(id: id, transaction: TransactionID(transaction)))
        }
    }

    private func requireNode(_ id: UInt64, _ transaction: UInt64) throws(GraphError) {
        guard view.nodeExists(id, at: transaction) else { throw GraphError(.corrupt, "node \(id) does not exist") }
    }

    private func requireRelationship(_ id: UInt64, _ transaction: UInt64) throws(GraphError) -> RelationshipRecord {
        guard let record = view.relationship(id, at: transaction) else {
            throw GraphError(.corrupt, "relationship \(id) does not exist")
        }
        return record
    }
}
