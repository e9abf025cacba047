internal import Cypher
internal import GraphModel

// What can be known of an expression's value before the query runs, and the errors that follow from it.
extension ExpressionCompiler {
    /// The kinds that the value can be of, besides null.
    func types(of expression: Expression) -> TypeSet {
        switch expression.kind {
        case .literal(let value): return TypeSet(value)
        case .parameter, .property, .subscripted, .reduce: return .any
        case .variable(let name):
            if let local = locals.last(where: { codeUnitsEqual($0.name, name) }) { return local.types }
            return scope.find(name)?.types ?? .any
        case .list, .slice, .listComprehension, .patternComprehension, .subquery(.collect, _): return .list
        case .map, .mapProjection: return .map
        case .not, .and, .or, .xor, .compare, .in, .stringMatch, .isNull, .hasLabels, .quantifier,
            .subquery(.exists, _):
            return .boolean
        case .subquery(.count, _), .countAll: return .integer
        case .pattern(let part):
            if part.shortest == .one { return .path }
            return part.shortest == .none && context.dialect == .cypher9 ? .boolean : [.list, .boolean]
        case .negate(let operand): return types(of: operand)
        case .arithmetic(let operation, let left, let right): return arithmeticTypes(operation, left, right)
        case .function(let name, _, _): return Function.find(name, context.dialect)?.result ?? .any
        case .conditional(_, let branches, let otherwise):
            return branches.reduce(otherwise.map { types(of: $0) } ?? []) { $0.union(types(of: $1.result)) }
        }
    }

    private func arithmeticTypes(
        _ operation: Expression.Arithmetic, _ left: Expression, _ right: Expression
    ) -> TypeSet {
        let (a, b) = (types(of: left), types(of: right))
        if TypeSet.number.isSuperset(of: a), TypeSet.number.isSuperset(of: b) {
            if operation == .power { return .float }
            return a.union(b).contains(.float) ? (a == .integer && b == .integer ? .integer : .number) : .integer
        }
        if operation == .add, a == .list || b == .list { return .list }
        if operation == .add, a == .string || b == .string { return [.string, .list] }
        return .any
    }

    /// The kinds of a list's elements.
    func elementTypes(of expression: Expression) -> TypeSet {
        switch expression.kind {
        case .list(let elements):
            return elements.isEmpty ? .any : elements.reduce([]) { $0.union(types(of: $1)) }
        case .variable(let name) where local(name) == nil && scope.find(name)?.type == .relationships:
            return .relationship
        case .function("range", _, _): return .integer
        case .function("nodes", _, _): return .node
        case .function("relationships", _, _), .function("rels", _, _): return .relationship
        case .function("keys", _, _), .function("labels", _, _): return .string
        case .listComprehension(_, let list, _, nil): return elementTypes(of: list)
        case .slice(let list, _, _): return elementTypes(of: list)
        default: return .any
        }
    }

    /// Refuses what cannot be right whatever the graph holds.
    func refuseWrongTypes(_ expression: Expression) throws(GraphError) {
        switch expression.kind {
        case .not(let a): try require(a, .boolean, "NOT takes a condition")
        case .and(let a, let b), .or(let a, let b), .xor(let a, let b):
            try require(a, .boolean, "AND, OR and XOR join conditions")
            try require(b, .boolean, "AND, OR and XOR join conditions")
        case .negate(let a): try require(a, [.integer, .float, .temporal], "- takes a number")
        case .arithmetic(.add, let a, let b):
            let (x, y) = (types(of: a), types(of: b))
            let addable: TypeSet = [.integer, .float, .string, .list, .temporal, .bytes]
            if x != .list && y != .list {
                try require(a, addable, "+ takes numbers, strings, lists, dates and durations")
                try require(b, addable, "+ takes numbers, strings, lists, dates and durations")
            }
        case .arithmetic(let operation, let a, let b):
            let allowed: TypeSet = [.integer, .float, .temporal]
            try require(a, allowed, "\(Calculating.symbol(operation)) takes numbers")
            try require(b, allowed, "\(Calculating.symbol(operation)) takes numbers")
        case .property(let entity, let key, _):
            try require(
                entity, [.node, .relationship, .map, .temporal, .point],
                "only nodes, relationships and maps have a property like '\(key)'", code: .typeError)
        case .hasLabels(let entity, _): try require(entity, [.node, .relationship], "only nodes have labels")
        case .subscripted(let list, let index):
            try require(list, [.list, .map, .node, .relationship, .path], "[ ] reads from lists and maps", code: .typeError)
            let kinds = types(of: list)
            if kinds == .list { try require(index, .integer, "a list is read by whole numbers", code: .typeError) }
            if kinds == .map { try require(index, .string, "a map is read by strings", code: .typeError) }
        case .slice(let list, let from, let to):
            try require(list, .list, "[..] reads from lists")
            for bound in [from, to] { if let bound { try require(bound, .integer, "[..] takes whole numbers") } }
        case .in(_, let list): try require(list, [.list], "IN needs a list on its right")
        case .listComprehension(_, let list, _, _), .quantifier(_, _, let list, _), .reduce(_, _, _, let list, _):
            try require(list, [.list, .path], "a list is expected behind IN")
        default: break
        }
    }

    func require(
        _ expression: Expression, _ wanted: TypeSet, _ rule: String, code: ErrorCode = .syntaxError
    ) throws(GraphError) {
        let found = types(of: expression)
        guard found.isDisjoint(with: wanted), !found.isEmpty else { return }
        throw .syntax(
            "Type mismatch: \(rule), and this is \(found.text)", at: expression.offset, in: context.source, code: code)
    }
}
