internal import Cypher
internal import GraphModel
internal import Storage

/// A function of the language: how many arguments it takes and what it does with them.
struct Function: Sendable {
    enum Body: Sendable {
        case one(@Sendable (Frame, Value) throws(GraphError) -> Value)
        case two(@Sendable (Frame, Value, Value) throws(GraphError) -> Value)
        /// Any number, evaluated on demand.
        case many(@Sendable ([Evaluator]) -> Evaluator)
    }
    let counts: ClosedRange<Int>
    /// What its first argument cannot be, known before anything runs.
    let refused: [VariableType]
    let body: Body

    /// A function of one argument; null gives null unless it `takesNull`.
    static func one(
        refusing refused: [VariableType] = [], takesNull: Bool = false,
        _ body: @escaping @Sendable (Frame, Value) throws(GraphError) -> Value
    ) -> Function {
        if takesNull { return Function(counts: 1...1, refused: refused, body: .one(body)) }
        return Function(
            counts: 1...1, refused: refused,
            body: .one { frame, value throws(GraphError) in value.isNull ? .null : try body(frame, value) })
    }

    /// A function of two arguments; null gives null.
    static func two(_ body: @escaping @Sendable (Frame, Value, Value) throws(GraphError) -> Value) -> Function {
        Function(
            counts: 2...2, refused: [],
            body: .two { frame, a, b throws(GraphError) in a.isNull || b.isNull ? .null : try body(frame, a, b) })
    }

    static func many(_ counts: ClosedRange<Int>, _ body: @escaping @Sendable ([Evaluator]) -> Evaluator) -> Function {
        Function(counts: counts, refused: [], body: .many(body))
    }

    /// The error of a function given something else than it takes.
    static func wrong(_ function: String, _ wanted: String, _ value: Value) -> GraphError {
        GraphError(.typeError, "\(function)() takes \(wanted), not a value of type \(value.kindName)")
    }

    /// Every function by its name in lower case.
    static let all: [String: Function] = graphFunctions.merging(listFunctions) { a, _ in a }
        .merging(numberFunctions) { a, _ in a }.merging(stringFunctions) { a, _ in a }

    // MARK: Nodes, relationships, paths

    private static let graphFunctions: [String: Function] = [
        "id": .one(refusing: [.path, .relationships]) { _, value throws(GraphError) in
            switch value {
            case .node(let id): .integer(Int64(bitPattern: id.rawValue))
            case .relationship(let id): .integer(Int64(bitPattern: id.rawValue))
            default: throw wrong("id", "a node or a relationship", value)
            }
        },
        "type": .one(refusing: [.node, .path, .relationships]) { frame, value throws(GraphError) in
            .string(frame.transaction.name(.relationshipType, try record("type", frame, value).type))
        },
        "startnode": .one(refusing: [.node, .path, .relationships]) { frame, value throws(GraphError) in
            .node(try record("startNode", frame, value).start)
        },
        "endnode": .one(refusing: [.node, .path, .relationships]) { frame, value throws(GraphError) in
            .node(try record("endNode", frame, value).end)
        },
        "labels": .one(refusing: [.relationship, .path, .relationships]) { frame, value throws(GraphError) in
            guard case .node(let id) = value else { throw wrong("labels", "a node", value) }
            if !frame.transaction.isReadOnly, !frame.transaction.nodeExists(id) { throw deleted(value) }
            return .list(frame.transaction.labels(of: id).map { .string(frame.transaction.name(.label, $0)) })
        },
        "nodes": .one(refusing: [.node, .relationship, .relationships]) { _, value throws(GraphError) in
            guard case .path(let path) = value else { throw wrong("nodes", "a path", value) }
            return .list(path.nodes.map { .node($0) })
        },
        "relationships": relationships,
        "rels": relationships,
        "keys": .one { frame, value throws(GraphError) in
            if case .map(let map) = value { return .list(map.entries.map { .string($0.key) }) }
            return .list(try properties("keys", frame, value).map { .string($0.key) })
        },
        "properties": .one { frame, value throws(GraphError) in
            if case .map = value { return value }
            return .map(MapValue(try properties("properties", frame, value)))
        },
    ]

    private static let relationships = Function.one(refusing: [.node, .relationship]) { _, value throws(GraphError) in
        switch value {
        case .path(let path): return .list(path.relationships.map { .relationship($0) })
        case .list: return value
        default: throw wrong("relationships", "a path", value)
        }
    }

    private static func record(
        _ function: String, _ frame: Frame, _ value: Value
    ) throws(GraphError) -> RelationshipRecord {
        guard case .relationship(let id) = value else { throw wrong(function, "a relationship", value) }
        guard let record = frame.transaction.relationship(id) else { throw deleted(value) }
        return record
    }

    private static func deleted(_ value: Value) -> GraphError {
        GraphError(.entityNotFound, "the \(value.kindName.lowercased()) has been deleted in this transaction")
    }

    /// The properties of a node, relationship or map, by name.
    static func properties(
        _ function: String, _ frame: Frame, _ value: Value
    ) throws(GraphError) -> [(key: String, value: Value)] {
        let stored: [(key: TokenID, value: Value)]
        switch value {
        case .node(let id):
            if !frame.transaction.isReadOnly, !frame.transaction.nodeExists(id) { throw deleted(value) }
            stored = frame.transaction.properties(ofNode: id)
        case .relationship(let id):
            if !frame.transaction.isReadOnly, frame.transaction.relationship(id) == nil { throw deleted(value) }
            stored = frame.transaction.properties(ofRelationship: id)
        case .map(let map): return map.entries
        default: throw wrong(function, "a node, a relationship or a map", value)
        }
        return stored.map { (frame.transaction.name(.propertyKey, $0.key), $0.value) }
    }

    // MARK: Lists

    private static let listFunctions: [String: Function] = [
        "length": .one(refusing: [.node, .relationship], size("length")),
        "size": .one(refusing: [.node, .relationship, .path], size("size")),
        "head": .one { _, value throws(GraphError) in try list("head", value).first ?? .null },
        "last": .one { _, value throws(GraphError) in try list("last", value).last ?? .null },
        "tail": .one { _, value throws(GraphError) in .list(Array(try list("tail", value).dropFirst())) },
        "reverse": .one { _, value throws(GraphError) in
            switch value {
            case .list(let list): return .list(list.elements.reversed())
            case .string(let text):
                return .string(String(String.UnicodeScalarView(text.text.unicodeScalars.reversed())))
            default: throw wrong("reverse", "a list or a string", value)
            }
        },
        "coalesce": .many(1...Int.max) { arguments in
            { frame, row throws(GraphError) in
                for argument in arguments {
                    let value = try argument(frame, row)
                    if !value.isNull { return value }
                }
                return .null
            }
        },
        "range": .many(2...3) { arguments in
            { frame, row throws(GraphError) in
                let (start, end, step) = try range(arguments, frame, row)
                let (distance, overflow) = end.subtractingReportingOverflow(start)
                guard !overflow, step != .min, distance != .min, distance / step < rangeCountMaximum else {
                    throw GraphError(.argumentError, "range(\(start), \(end), \(step)) is too long for a list")
                }
                var values: [Value] = []
                if (step > 0) == (distance >= 0) || distance == 0 { values.reserveCapacity(Int(distance / step) + 1) }
                for number in stride(from: start, through: end, by: Int64.Stride(step)) {
                    values.append(.integer(number))
                }
                return .list(values)
            }
        },
    ]

    private static let rangeCountMaximum = 20_000_000 as Int64

    /// The numbers that `range` is given; the step is 1 when it is left out, and never 0.
    static func range(
        _ arguments: [Evaluator], _ frame: Frame, _ row: Int
    ) throws(GraphError) -> (start: Int64, end: Int64, step: Int64) {
        let start = try integer("range", try arguments[0](frame, row))
        let end = try integer("range", try arguments[1](frame, row))
        let step = arguments.count > 2 ? try integer("range", try arguments[2](frame, row)) : 1
        guard step != 0 else { throw GraphError(.argumentError, "the step of range() cannot be 0") }
        return (start, end, step)
    }

    private static func size(_ name: String) -> @Sendable (Frame, Value) throws(GraphError) -> Value {
        { _, value throws(GraphError) in
            switch value {
            case .list(let list): return .integer(Int64(list.elements.count))
            case .string(let text): return .integer(Int64(text.text.utf16.count))
            case .path(let path): return .integer(Int64(path.relationships.count))
            case .map(let map): return .integer(Int64(map.entries.count))
            default: throw wrong(name, "a path, a list or a string", value)
            }
        }
    }

    static func list(_ name: String, _ value: Value) throws(GraphError) -> [Value] {
        switch value {
        case .list(let list): list.elements
        case .path(let path): path.elements
        default: throw wrong(name, "a list", value)
        }
    }

    static func integer(_ name: String, _ value: Value) throws(GraphError) -> Int64 {
        switch value {
        case .integer(let number): return number
        case .float(let number):
            if let whole = Converting.exact(number), Double(whole) == number { return whole }
        default: break
        }
        throw wrong(name, "whole numbers", value)
    }
}

extension Path {
    /// Nodes and relationships by turns.
    var elements: [Value] {
        var result: [Value] = []
        for (index, node) in nodes.enumerated() {
            result.append(.node(node))
            if index < relationships.count { result.append(.relationship(relationships[index])) }
        }
        return result
    }
}
