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
    private(set) var constantSetCount = 0

    mutating func parameter(_ name: String) -> Int {
        if let index = parameters.firstIndex(where: { codeUnitsEqual($0, name) }) { return index }
        parameters.append(name)
        return parameters.count - 1
    }

    mutating func name(_ kind: TokenKind, _ text: String) -> Int {
        if let index = names.firstIndex(where: { $0.kind == kind && codeUnitsEqual($0.text, text) }) { return index }
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

/// One execution of a plan: the transaction, the parameters, the names as numbers, and the batch that expressions read.
final class Frame {
    let transaction: Transaction
    let parameters: ContiguousArray<Value>
    let control: ExecutionControl
    let running: RunningQueries
    let slotCount: Int
    let missingPropertyIsError: Bool
    private let isReadOnly: Bool
    private let names: [References.Name]
    private var tokens: ContiguousArray<TokenID>
    /// The rows that evaluators look at; set by each operator before it evaluates.
    var batch: Batch
    var statistics = QueryStatistics()
    /// Elements of lists that do not change within an execution, by the number of the IN that uses them.
    var constantSets: ContiguousArray<ConstantSet?>
    var patterns = PatternCache()
    /// Variables that expressions bind while they run.
    var locals: ContiguousArray<Value>
    /// Plans inside expressions and operators, by number, once they have run.
    var subplans: ContiguousArray<SubplanInstance?>
    /// What `datetime()` and its kin take for now: one instant for the whole execution.
    private(set) lazy var statementInstant = control.statementInstant ?? .current

    init(
        _ plan: Plan, _ transaction: Transaction, _ parameters: [String: Value], _ control: ExecutionControl,
        _ running: RunningQueries
    ) throws(GraphError) {
        self.transaction = transaction
        self.control = control
        self.running = running
        slotCount = plan.slotCount
        missingPropertyIsError = plan.dialect.missingPropertyIsError
        isReadOnly = transaction.isReadOnly
        batch = Batch(slotCount: plan.slotCount)
        locals = ContiguousArray(repeating: .null, count: plan.localCount)
        subplans = ContiguousArray(repeating: nil, count: plan.subplanCount)
        var resolved: ContiguousArray<Value> = []
        resolved.reserveCapacity(plan.references.parameters.count)
        for name in plan.references.parameters {
            guard let value = parameters[name] else {
                throw GraphError(.parameterMissing, "Expected a parameter named \(name)")
            }
            resolved.append(value)
        }
        self.parameters = resolved
        names = plan.references.names
        tokens = []
        tokens.reserveCapacity(names.count)
        for name in names { tokens.append(transaction.token(name.kind, name.text) ?? noToken) }
        constantSets = ContiguousArray(repeating: nil, count: plan.references.constantSetCount)
    }

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
