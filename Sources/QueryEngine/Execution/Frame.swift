internal import Cypher
internal import FileSystem
internal import GraphModel
internal import Storage

/// What a plan refers to by number: parameters and names, collected while it is made, resolved once per execution.
struct References: Sendable {
    struct Name: Sendable {
        let kind: TokenKind
        let text: String
    }
    private(set) var parameters: [String] = []
    private(set) var names: [Name] = []
    private var parameterIndexes: [CodeUnitKey: Int] = [:]
    private var nameIndexes: [TokenKind: [CodeUnitKey: Int]] = [:]
    private(set) var constantSetCount = 0

    mutating func parameter(_ name: String) -> Int {
        if let index = parameterIndexes[CodeUnitKey(name)] { return index }
        parameterIndexes[CodeUnitKey(name)] = parameters.count
        parameters.append(name)
        return parameters.count - 1
    }

    mutating func name(_ kind: TokenKind, _ text: String) -> Int {
        if let index = nameIndexes[kind]?[CodeUnitKey(text)] { return index }
        nameIndexes[kind, default: [:]][CodeUnitKey(text)] = names.count
        names.append(Name(kind: kind, text: text))
        return names.count - 1
    }

    mutating func constantSet() -> Int {
        defer { constantSetCount += 1 }
        return constantSetCount
    }
}

/// A name that nothing in the store bears yet.
let noToken = TokenID.max

/// What an execution of a plan reads: the transaction, the parameters, the names as numbers, and the batch that
/// expressions look at. Serves one execution after the other.
final class Frame {
    let running: RunningQueries
    private let plan: Plan
    let slotCount: Int
    let missingPropertyIsError: Bool
    /// Rows that an operator gathers before it hands them on. A single node's relationships may exceed it.
    let batchRowCount: Int
    private var current: Transaction?
    private(set) var parameters: ContiguousArray<Value> = []
    private(set) var control = ExecutionControl()
    private var isReadOnly = true
    private var tokens: ContiguousArray<TokenID>
    /// The version of the store's names that `tokens` are of; 0 for none.
    private var namesVersion: UInt64 = 0
    /// Counts the times that `tokens` were looked up anew.
    private(set) var namesGeneration = 0
    /// The rows that evaluators look at; set by each operator before it evaluates.
    var batch: Batch
    private let noBatch: Batch
    var statistics = QueryStatistics()
    /// Set when the execution is profiled.
    var profile: Profile?
    /// Properties looked up, for profiles.
    var hitCount = 0
    /// Bytes that operators keep, roughly.
    var heldByteCount = 0
    /// The most that they have kept before they gave some back.
    var heldByteCountPeak = 0
    /// Steps of loops inside expressions since the query was last asked whether it has to end.
    var stepCount = 0
    /// Elements of lists that do not change within an execution, by the number of the IN that uses them.
    var constantSets: ContiguousArray<ConstantSet?>
    var patterns = PatternCache()
    /// Variables that expressions bind while they run.
    var locals: ContiguousArray<Value>
    /// What expressions ask of connections between nodes, by number.
    var connections: ContiguousArray<ConnectionTest>
    /// Plans inside expressions and operators, by number, once they have run.
    var subplans: ContiguousArray<SubplanInstance?>
    /// What `datetime()` and its kin take for now: one instant for the whole execution.
    var statementInstant: StatementInstant {
        if let instant { return instant }
        let now = control.statementInstant ?? .current
        instant = now
        return now
    }
    private var instant: StatementInstant?

    init(_ plan: Plan, _ running: RunningQueries) {
        self.plan = plan
        self.running = running
        slotCount = plan.slotCount
        batchRowCount = plan.batchRowCount
        missingPropertyIsError = plan.dialect.missingPropertyIsError
        noBatch = Batch(slotCount: plan.slotCount)
        batch = noBatch
        locals = ContiguousArray(repeating: .null, count: plan.localCount)
        subplans = ContiguousArray(repeating: nil, count: plan.subplanCount)
        connections = ContiguousArray(plan.connections.map { ConnectionTest($0.direction, $0.types) })
        tokens = ContiguousArray(repeating: noToken, count: plan.references.names.count)
        constantSets = ContiguousArray(repeating: nil, count: plan.references.constantSetCount)
    }

    /// Begins an execution. Throws `.parameterMissing`.
    func begin(
        _ transaction: Transaction, _ parameters: [String: Value], _ control: ExecutionControl
    ) throws(GraphError) {
        for name in plan.references.parameters {
            guard let value = parameters[name] else {
                throw GraphError(.parameterMissing, "Expected a parameter named \(name)")
            }
            self.parameters.append(try Self.limitedInDepth(value))
        }
        current = transaction
        self.control = control
        isReadOnly = transaction.isReadOnly
        if namesVersion != transaction.namesVersion || !isReadOnly {
            for (index, name) in plan.references.names.enumerated() {
                tokens[index] = transaction.token(name.kind, name.text) ?? noToken
            }
            // A write transaction has names of its own.
            namesVersion = isReadOnly ? transaction.namesVersion : 0
            namesGeneration += 1
        }
    }

    /// Lets go of what belongs to the execution.
    func end() {
        current = nil
        parameters.removeAll(keepingCapacity: true)
        statistics = QueryStatistics()
        heldByteCount = 0
        heldByteCountPeak = 0
        for index in constantSets.indices { constantSets[index] = nil }
        patterns = PatternCache()
        batch = noBatch
        for index in locals.indices { locals[index] = .null }
        for index in subplans.indices { subplans[index]?.argument.trim() }
        for index in connections.indices { connections[index].reset() }
        instant = nil
    }

    @inline(__always)
    var transaction: Transaction {
        guard let current else { preconditionFailure("an operator runs outside of an execution") }
        return current
    }

    private var names: [References.Name] { plan.references.names }

    /// The number of a name, `noToken` while nobody bears it. A query that writes may introduce it half-way.
    @inline(__always)
    func token(_ index: Int) -> TokenID {
        let token = tokens[index]
        return token == noToken && !isReadOnly ? lookUp(index) : token
    }

    private func lookUp(_ index: Int) -> TokenID {
        let token = transaction.token(names[index].kind, names[index].text) ?? noToken
        tokens[index] = token
        return token
    }

    func name(_ index: Int) -> String { names[index].text }


    /// The numbers of the names that exist; nil when names are asked for and none exists, so that nothing can match.
    func tokens(_ indexes: [Int]) -> [TokenID]? {
        if indexes.isEmpty { return [] }
        let known = indexes.map { token($0) }.filter { $0 != noToken }
        return known.isEmpty ? nil : known
    }

    /// Throws when the query was cancelled or its time is over. Called for each batch.
    func checkControl() throws(GraphError) { try control.check() }

    /// A property of a node, by the dialect's rule for a missing one.
    func property(_ key: Int, ofNode id: UInt64, _ missingIsError: Bool) throws(GraphError) -> Value {
        let token = token(key)
        hitCount &+= 1
        if token != noToken, let value = transaction.property(token, ofNode: NodeID(id)) { return value }
        if !isReadOnly, !transaction.nodeExists(NodeID(id)) {
            throw GraphError(.entityNotFound, "Node \(id) has been deleted in this transaction")
        }
        if missingIsError {
            throw GraphError(.propertyNotFound, "The property '\(name(key))' does not exist on Node[\(id)]")
        }
        return .null
    }

    func property(_ key: Int, ofRelationship id: UInt64, _ missingIsError: Bool) throws(GraphError) -> Value {
        let token = token(key)
        hitCount &+= 1
        if token != noToken, let value = transaction.property(token, ofRelationship: RelationshipID(id)) {
            return value
        }
        if !isReadOnly, transaction.relationship(RelationshipID(id)) == nil {
            throw GraphError(.entityNotFound, "Relationship \(id) has been deleted in this transaction")
        }
        if missingIsError {
            throw GraphError(.propertyNotFound, "The property '\(name(key))' does not exist on Relationship[\(id)]")
        }
        return .null
    }
}

/// The numbers of some types, looked up once for as long as they stay the same.
struct TypeNumbers {
    private let names: [Int]
    private var numbers: [TokenID]? = []
    private var generation = -1

    init(_ names: [Int]) { self.names = names }

    /// nil when types are asked for and none exists: nothing can match.
    mutating func resolve(_ frame: Frame) -> [TokenID]? {
        if names.isEmpty { return [] }
        // In a write transaction a type may come into being half-way.
        if generation != frame.namesGeneration || (numbers?.count ?? 0) < names.count && !frame.transaction.isReadOnly {
            numbers = frame.tokens(names)
            generation = frame.namesGeneration
        }
        return numbers
    }
}
