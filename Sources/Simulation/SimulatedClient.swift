import GraphModel
import Replication
import Storage
import Synchronization

/// One client: writes at random members, one request at a time, and remembers what it was told.
final class SimulatedClient {
    enum Outcome: Sendable {
        case committed(TransactionID)
        case notApplied(String)
        case unknown
        /// The counter's lock is held.
        case locked
        /// Somebody else changed the counter while its lock was held.
        case overtaken(String)
    }
    let index: Int
    var operation: UInt64 = 0
    /// Where the request that runs was sent; nil between requests.
    var pendingNode: Int?
    var pendingIncarnation = 0
    var isIncrement = false
    /// The lock of the operation that runs, if it takes one.
    var lock: CounterLock?
    /// Increments that were committed under the lock.
    var lockedIncrements = 0
    /// The operation's name, if it has one.
    var requestID: RequestID?
    /// An earlier try of the operation ended without a word.
    var isUncertain = false
    /// Operations that turned out to be committed when they were sent again.
    var settledRequests = 0
    /// Whether the operation leaves something that is looked for at the end.
    var isCounted = true

    /// Marks that must be in the graph at the end, and that must not be.
    var committedMarks: [UInt64] = []
    var refusedMarks: [UInt64] = []
    var committedIncrements = 0
    var possibleIncrements = 0

    init(index: Int) { self.index = index }

    /// The next operation; the same once more while nobody knows what became of it.
    func begin(isIncrement: Bool, isNamed: Bool) {
        if isUncertain { return }
        operation += 1
        self.isIncrement = isIncrement
        isCounted = true
        requestID = isNamed ? RequestID("client-\(index)-\(operation)") : nil
    }

    var mark: UInt64 { UInt64(index) << 32 | operation }
}

/// Answers to clients, in the order they were given.
final class Answers: Sendable {
    struct Answer: Sendable {
        let client: Int
        let operation: UInt64
        let outcome: SimulatedClient.Outcome
    }
    private let answers = Mutex<[Answer]>([])

    func give(_ answer: Answer) { answers.withLock { $0.append(answer) } }

    func takeAll() -> [Answer] {
        answers.withLock { answers in
            defer { answers.removeAll() }
            return answers
        }
    }
}

extension SimulatedCluster {
    static let markKey = "mark"
    static let counterKey = "counter"

    func runClient(_ index: Int) {
        let client = clients[index]
        // Once faults have ended a little load shows that writes go through.
        schedule(.client(index), in: (isCalm ? 300 + random.below(300) : 2 + random.below(80)) * 1_000_000)
        if let pending = client.pendingNode {
            let node = nodes[pending]
            // The connection broke: nobody knows.
            if node.incarnation != client.pendingIncarnation || !node.isUp { finish(client, .unknown) }
            return
        }
        let node = random.pick(members)
        if isSilent { return }
        guard let engine = node.engine, let store = engine.store, !node.isPaused else { return }
        client.begin(
            isIncrement: random.below(3) == 0,
            isNamed: schedule.retriesRequests && !schedule.createsNamedNodes && !schedule.locksCounter
                && engine.core.clusterVersion >= 2)
        if let id = client.requestID, !engine.core.isMaster, let first = store.transaction(of: id) {
            violation = violation ?? invariants.acknowledge(first, by: node, self)
            return finish(client, .committed(first))
        }
        if schedule.createsNamedNodes {
            workOnSchema(node)
            guard node.engine === engine, engine.store === store else { return }
        }
        if schedule.locksCounter && client.isIncrement && random.below(4) > 0 { return lockCounter(client, node) }
        // Writes of a member lock what they change there, which is all that matters on the master.
        let session = schedule.locksCounter ? store.locks.makeSession(.suspending, timeout: .init(.max)) : nil
        var options = WriteOptions()
        options.requestID = client.requestID
        let transaction = store.beginWrite(engine.reserve, locks: session, options: options)
        do throws(GraphError) {
            if schedule.createsNamedNodes && !client.isIncrement {
                client.isCounted = try addNamedNode(transaction, client.mark)
            } else if client.isIncrement {
                try increment(transaction)
            } else {
                try addNode(transaction, client.mark)
            }
        } catch {
            if transaction.missingIDs.nodes + transaction.missingIDs.relationships > 0 {
                engine.reserveIDs(nodes: 8, relationships: 8, now: node.now) { _ in }
                settle(node)
            }
            return
        }
        guard let writeSet = try? transaction.finish() else { return }
        client.pendingNode = node.index
        client.pendingIncarnation = node.incarnation
        client.lock = session.map { CounterLock(number: 0, session: $0) }
        let (answers, operation) = (answers, client.operation)
        engine.commit(writeSet, now: node.now) { result in
            let outcome: SimulatedClient.Outcome =
                switch result {
                case .success(let transactionID): .committed(transactionID)
                case .failure(let error):
                    error.committedTransaction.map { .committed($0) } ?? (error.code == .outcomeUnknown ? .unknown : .notApplied(error.message))
                }
            answers.give(.init(client: index, operation: operation, outcome: outcome))
        }
        settle(node)
    }

    /// Takes the answers that a node just gave.
    func collectAnswers(of node: SimulatedNode) {
        for answer in answers.takeAll() {
            if case .committed(let transactionID) = answer.outcome, violation == nil {
                violation = invariants.acknowledge(transactionID, by: node, self)
            }
            let client = clients[answer.client]
            guard client.pendingNode == node.index, client.operation == answer.operation else { continue }
            switch answer.outcome {
            case .locked: incrementUnderLock(client, node)
            case .overtaken(let message):
                violation = violation ?? "an increment under the counter's lock was overtaken: \(message)"
                finish(client, .notApplied(message))
            default: finish(client, answer.outcome)
            }
        }
    }

    func increment(_ transaction: Transaction) throws(GraphError) {
        var value: Int64 = 0
        if let key = transaction.token(.propertyKey, Self.counterKey),
            case .integer(let known)? = transaction.property(key, ofNode: NodeID(0))
        {
            value = known
        }
        try transaction.setProperty(Self.counterKey, to: .integer(value + 1), ofNode: NodeID(0))
    }

    private func addNode(_ transaction: Transaction, _ mark: UInt64) throws(GraphError) {
        let node = try transaction.createNode(
            labels: ["L\(random.below(3))"], properties: [(Self.markKey, .integer(Int64(mark)))])
        if random.below(2) == 0 {
            _ = try transaction.createRelationship(type: "T\(random.below(2))", from: node, to: NodeID(0))
        }
        if random.below(4) == 0, node.rawValue > 3, transaction.nodeExists(NodeID(node.rawValue / 2)) {
            try transaction.setProperty("p", to: .string("v\(mark)"), ofNode: NodeID(node.rawValue / 2))
        }
    }

    func finish(_ client: SimulatedClient, _ outcome: SimulatedClient.Outcome) {
        if case .committed = outcome, let lock = client.lock, lock.number != 0 { client.lockedIncrements += 1 }
        releaseLock(of: client)
        client.pendingNode = nil
        guard client.isCounted else { return }
        if client.requestID != nil {
            if case .committed = outcome {
                if client.isUncertain { client.settledRequests += 1 }
                client.isUncertain = false
            }
            if case .unknown = outcome { client.isUncertain = true }
            // Of this try nothing was applied, which says nothing of those before.
            if client.isUncertain { return }
        }
        let mark = client.mark
        switch outcome {
        case .committed:
            if client.isIncrement { client.committedIncrements += 1 } else { client.committedMarks.append(mark) }
        case .notApplied, .locked, .overtaken:
            trace("client \(client.index) is told that \(client.operation) was not applied: \(outcome)")
            if !client.isIncrement { client.refusedMarks.append(mark) }
        case .unknown: if client.isIncrement { client.possibleIncrements += 1 }
        }
    }
}
