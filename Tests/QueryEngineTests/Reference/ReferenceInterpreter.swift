import Cypher
import GraphModel
import TestSupport

/// Cypher by the most naive means, to hold the engine against: rows are dictionaries, every clause makes a new list of
/// rows from the one before, patterns match by trying everything. Uses nothing of the engine but the parser's tree.
final class ReferenceInterpreter {
    typealias Row = [String: Value]

    /// A result before SKIP and LIMIT.
    struct Answer {
        var columns: [String] = []
        var rows: [[Value]] = []
        /// Per row the number of its group among the rows that ORDER BY keeps apart; in no order all are in group 0.
        var groups: [Int] = []
        var skip = 0
        var limit = Int.max
        /// Nodes created, nodes deleted, relationships created, relationships deleted.
        var changes = [0, 0, 0, 0]
    }

    var graph: ReferenceGraph
    let dialect: Dialect
    let parameters: [String: Value]
    var changes = [0, 0, 0, 0]
    /// Set where an error of one row depends on the order in which conditions are tested.
    private(set) var mayFail = false
    /// Set where SKIP or LIMIT on the way cut between rows that differ and that nothing orders.
    private(set) var isOpen = false
    /// When set, rows whose order is open come in a random one.
    private var shuffler: SeededGenerator?
    private var workLeft: Int

    init(
        _ graph: ReferenceGraph, dialect: Dialect, parameters: [String: Value] = [:], shuffledBy seed: UInt64? = nil,
        workMaximum: Int = 60_000
    ) {
        self.graph = graph
        self.dialect = dialect
        self.parameters = parameters
        shuffler = seed.map { SeededGenerator(seed: $0) }
        workLeft = workMaximum
    }

    /// Counts steps, so that a query that explodes ends.
    func work(_ count: Int = 1) throws {
        workLeft -= count
        if workLeft < 0 { throw ReferenceFailure("too much work", isExhaustion: true) }
    }

    func run(_ query: Query) throws -> Answer {
        guard case .query(let body) = query.statement else { throw ReferenceFailure("a schema command", isExhaustion: true) }
        var answer = try run(body, [:])
        answer.changes = changes
        for relationship in graph.relationships.values
        where graph.nodes[relationship.start] == nil || graph.nodes[relationship.end] == nil {
            throw ReferenceFailure("a relationship is left without its node")
        }
        return answer
    }

    func shuffled<T>(_ rows: [T]) -> [T] {
        guard var generator = shuffler else { return rows }
        defer { shuffler = generator }
        return rows.shuffled(using: &generator)
    }

    /// Rows of a MATCH in one of the orders that a plan might give them: random, or nested loops over its variables.
    private func reordered(_ rows: [Row]) -> [Row] {
        guard var generator = shuffler, let first = rows.first else { return rows }
        defer { shuffler = generator }
        if Int.random(in: 0..<3, using: &generator) == 0 { return rows.shuffled(using: &generator) }
        let names = first.keys.sorted().shuffled(using: &generator)
        let isDescending = Bool.random(using: &generator)
        let keyed = rows.map { row in (row: row, key: names.map { row[$0] ?? .null }) }
        return keyed.sorted { a, b in
            let order = ReferenceValues.sortOrder(.list(a.key), .list(b.key))
            return isDescending ? order > 0 : order < 0
        }.map(\.row)
    }

    // MARK: Bodies

    /// A query or subquery for one row from outside: all branches of a UNION.
    func run(_ body: QueryBody, _ outer: Row) throws -> Answer {
        var result = Answer()
        for (index, clauses) in body.branches.enumerated() {
            let answer = try run(clauses, [outer])
            if body.branches.count == 1 { return answer }
            if index == 0 { result.columns = answer.columns }
            let places = try result.columns.map { name in
                guard let place = answer.columns.firstIndex(of: name) else { throw ReferenceFailure("no column \(name)") }
                return place
            }
            for row in Self.cut(answer) { result.rows.append(places.map { row[$0] }) }
        }
        if body.unionIsDistinct {
            result.rows = result.rows.reduce(into: []) { kept, row in
                if !kept.contains(where: { ReferenceValues.areSame($0, row) }) { kept.append(row) }
            }
        }
        result.groups = result.rows.map { _ in 0 }
        return result
    }

    static func cut(_ answer: Answer) -> [[Value]] { Array(answer.rows.dropFirst(answer.skip).prefix(answer.limit)) }

    /// The rows of a subquery in an expression; one that only matches has a row for each match.
    func rows(of body: QueryBody, _ environment: Environment) throws -> [[Value]] {
        Self.cut(try run(body, environment.row))
    }

    private func run(_ clauses: [Clause], _ start: [Row]) throws -> Answer {
        var rows = start
        var index = 0
        while index < clauses.count {
            let clause = clauses[index]
            index += 1
            var filter: Expression?
            if index < clauses.count, case .filter(let condition) = clauses[index].kind {
                filter = condition
                index += 1
            }
            if case .return(let projection) = clause.kind { return try finish(projection, rows) }
            rows = try run(clause, filter, rows)
            try work(rows.count)
        }
        let isUpdating = clauses.last?.isUpdating ?? false
        return Answer(rows: isUpdating ? [] : rows.map { _ in [] }, groups: isUpdating ? [] : rows.map { _ in 0 })
    }

    private func run(_ clause: Clause, _ filter: Expression?, _ rows: [Row]) throws -> [Row] {
        switch clause.kind {
        case .start(let items):
            return try keep(items.reduce(rows) { rows, item in try start(item, rows) }, filter)
        case .match(let parts, let isOptional):
            if dialect == .cypher18 { return try reordered(keep(matchManual(parts, rows), filter)) }
            return try reordered(rows.flatMap { row in try match(parts, filter, isOptional, row) })
        case .filter(let condition): return try keep(rows, condition)
        case .unwind(let list, let variable):
            return try rows.flatMap { row -> [Row] in
                switch try evaluate(list, Environment(row: row)) {
                case .null: return []
                case .list(let list): return list.elements.map { row.merging([variable: $0]) { $1 } }
                case let other: return [row.merging([variable: other]) { $1 }]
                }
            }
        case .with(let projection):
            let (outputs, skip, limit) = try project(projection, rows)
            noteCut(outputs, at: skip)
            if limit < Int.max - skip { noteCut(outputs, at: skip + limit) }
            return try keep(outputs.dropFirst(skip).prefix(limit).map(\.row), filter)
        case .subquery(let body, let imports):
            return try rows.flatMap { row -> [Row] in
                let visible = imports.map { names in names == ["*"] ? row : row.filter { names.contains($0.key) } }
                let answer = try run(body, visible ?? row)
                // One that returns nothing keeps the row.
                guard body.branches[0].contains(where: { if case .return = $0.kind { true } else { false } }) else { return [row] }
                return Self.cut(answer).map { values in
                    row.merging(zip(answer.columns, values).map { ($0, $1) }) { $1 }
                }
            }
        case .call: throw ReferenceFailure("procedures are not tested", isExhaustion: true)
        case .return: return rows
        default: return try update(clause, rows)
        }
    }

    private func match(_ parts: [PatternPart], _ filter: Expression?, _ isOptional: Bool, _ row: Row) throws -> [Row] {
        let found = try keep(match(parts, row), filter)
        if !isOptional || !found.isEmpty { return found }
        return [row.merging(parts.flatMap(\.names).map { ($0, .null) }) { old, _ in old }]
    }

    /// WHERE. Which of several conditions is tested first is open: one that is false may hide the error of another.
    func keep(_ rows: [Row], _ filter: Expression?) throws -> [Row] {
        guard let filter else { return rows }
        return try rows.filter { row in
            var failure: (any Error)?
            var truths: [Bool?] = []
            for condition in filter.conjuncts {
                do { truths.append(try holds(condition, Environment(row: row))) } catch { failure = failure ?? error }
            }
            let isOut = truths.contains { $0 != true }
            if let failure {
                guard isOut, (failure as? ReferenceFailure)?.isExhaustion != true else { throw failure }
                mayFail = true
            }
            return !isOut
        }
    }

    // MARK: WITH, RETURN

    private struct Output {
        let row: Row
        let values: [Value]
        /// What ORDER BY sees.
        let environment: Environment
        var keys: [Value] = []
    }

    private func noteCut(_ outputs: [Output], at place: Int) {
        guard place > 0, place < outputs.count, ReferenceValues.areSame(outputs[place - 1].keys, outputs[place].keys)
        else { return }
        let equal = outputs.filter { ReferenceValues.areSame($0.keys, outputs[place].keys) }
        if equal.contains(where: { !ReferenceValues.areSame($0.values, equal[0].values) }) { isOpen = true }
    }

    private func finish(_ projection: Projection, _ rows: [Row]) throws -> Answer {
        let (outputs, skip, limit) = try project(projection, rows)
        var answer = Answer(columns: columns(projection, rows), skip: skip, limit: limit)
        answer.rows = outputs.map(\.values)
        for (index, output) in outputs.enumerated() {
            let isNew = index > 0 && !ReferenceValues.areSame(output.keys, outputs[index - 1].keys)
            answer.groups.append(index == 0 ? 0 : answer.groups[index - 1] + (isNew ? 1 : 0))
        }
        return answer
    }

    private func columns(_ projection: Projection, _ rows: [Row]) -> [String] {
        (projection.includesAll ? rows.first?.keys.sorted() ?? [] : []) + projection.items.map(\.name)
    }

    private func project(_ projection: Projection, _ rows: [Row]) throws -> (rows: [Output], skip: Int, limit: Int) {
        var groups: [Environment] = rows.map { Environment(row: $0) }
        let isGrouped = projection.items.contains { $0.expression.containsAggregate }
        if isGrouped {
            let keys = projection.items.map(\.expression).filter { !$0.containsAggregate }
            var found: [(key: [Value], rows: [Row])] = keys.isEmpty ? [([], [])] : []
            for row in rows {
                let key = try keys.map { try evaluate($0, Environment(row: row)) }
                if let place = found.firstIndex(where: { ReferenceValues.areSame($0.key, key) }) {
                    found[place].rows.append(row)
                } else {
                    found.append((key, [row]))
                }
            }
            groups = found.map { Environment(row: $0.rows.first ?? [:], group: $0.rows) }
        }
        var outputs: [Output] = []
        for environment in groups {
            var row: Row = projection.includesAll ? environment.row : [:]
            var values = projection.includesAll ? row.sorted { $0.key < $1.key }.map(\.value) : []
            for item in projection.items {
                let value = try evaluate(item.expression, environment)
                row[item.name] = value
                values.append(value)
            }
            if projection.isDistinct, outputs.contains(where: { ReferenceValues.areSame($0.values, values) }) { continue }
            var around = environment
            around.row.merge(row) { $1 }
            outputs.append(Output(row: row, values: values, environment: around))
        }
        outputs = shuffled(outputs)
        for index in outputs.indices {
            outputs[index].keys = try projection.order.map { try evaluate($0.expression, outputs[index].environment) }
        }
        outputs = Self.sorted(outputs, projection.order)
        return (outputs, try count(projection.skip) ?? 0, try count(projection.limit) ?? Int.max)
    }

    private static func sorted(_ outputs: [Output], _ order: [Projection.Order]) -> [Output] {
        if order.isEmpty { return outputs }
        return outputs.enumerated().sorted { a, b in
            for (index, key) in order.enumerated() {
                let comparison = ReferenceValues.sortOrder(a.element.keys[index], b.element.keys[index])
                if comparison != 0 { return key.isDescending ? comparison > 0 : comparison < 0 }
            }
            return a.offset < b.offset
        }.map(\.element)
    }

    private func count(_ expression: Expression?) throws -> Int? {
        guard let expression else { return nil }
        guard case .integer(let number) = try evaluate(expression, Environment(row: [:])), number >= 0 else {
            throw ReferenceFailure("SKIP or LIMIT")
        }
        return Int(number)
    }
}
