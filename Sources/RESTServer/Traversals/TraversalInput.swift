internal import GraphModel
internal import Traversal

/// Reads the description of a traversal (18.13), with the defaults that the original had.
enum TraversalInput {
    private enum Order: String, CaseIterable {
        case breadth = "breadth_first"
        case depth = "depth_first"
    }
    private enum UniquenessName: String, CaseIterable {
        case none
        case nodeGlobal = "node_global"
        case nodePath = "node_path"
        case nodeRecent = "node_recent"
        case relationshipGlobal = "relationship_global"
        case relationshipPath = "relationship_path"
        case relationshipRecent = "relationship_recent"
    }
    private enum Language: String, CaseIterable {
        case builtin, javascript
    }
    private enum BuiltinFilter: String, CaseIterable {
        case all
        case allButStartNode = "all_but_start_node"
        case none
    }
    private enum BuiltinPruner: String, CaseIterable {
        case none
    }
    private enum DirectionName: String, CaseIterable {
        case all, `in`, out
    }

    static func description(_ body: MapValue) throws(GraphError) -> TraversalDescription {
        var description = TraversalDescription().expand(try expander(body)).uniqueness(try uniqueness(body))
        if let order: Order = try body.word("order") {
            description = order == .breadth ? description.breadthFirst() : description.depthFirst()
        }
        let pruner = try map(body, "prune_evaluator")
        if let pruner, let evaluator = try prunes(pruner) { description = description.evaluator(evaluator) }
        // One relationship far, when nothing says where it ends.
        if let depth = try body.count("max_depth") ?? (pruner == nil ? 1 : nil) {
            description = description.evaluator(.toDepth(depth))
        }
        guard let filter = try map(body, "return_filter") else { return description.evaluator(.excludeStartPosition) }
        return try includes(filter).map { description.evaluator($0) } ?? description
    }

    /// The relationships to follow; all of them when nothing is said.
    static func expander(_ body: MapValue) throws(GraphError) -> PathExpander {
        var expander = PathExpander()
        for rule in try body.objects("relationships", countMaximum: 1000) {
            guard let type = try rule.text("type"), !type.isEmpty else {
                throw GraphError(
                    .invalidRequest, "each of \"relationships\" needs a \"type\", the name of a relationship type")
            }
            let name: DirectionName? = try rule.word("direction")
            switch name {
            case .in: expander = expander.adding(type, .incoming)
            case .out: expander = expander.adding(type, .outgoing)
            case .all, nil: expander = expander.adding(type, .both)
            }
        }
        return expander
    }

    /// A name, or an object with a name and a value.
    private static func uniqueness(_ body: MapValue) throws(GraphError) -> Uniqueness {
        var count: Int?
        let name: UniquenessName?
        if case .map(let map)? = body["uniqueness"] {
            name = try map.word("name")
            count = try map.count("value", minimum: 1)
        } else {
            name = try body.word("uniqueness")
        }
        return switch name {
        case .none?: .none
        case .nodeGlobal, nil: .nodeGlobal
        case .nodePath: .nodePath
        case .nodeRecent: .nodeRecent(count ?? Uniqueness.recentCount)
        case .relationshipGlobal: .relationshipGlobal
        case .relationshipPath: .relationshipPath
        case .relationshipRecent: .relationshipRecent(count ?? Uniqueness.recentCount)
        }
    }

    // MARK: Evaluators

    private static func map(_ body: MapValue, _ key: String) throws(GraphError) -> MapValue? {
        switch body[key] {
        case nil, .null?: return nil
        case .map(let map)?: return map
        case let other?:
            throw GraphError(
                .invalidRequest, "\"\(key)\" must be an object with \"language\" and \"name\" or \"body\", not \(other.kindName)")
        }
    }

    private static func language(_ map: MapValue) throws(GraphError) -> Language {
        guard let language: Language = try map.word("language") else {
            throw GraphError(.invalidRequest, "an evaluator needs a \"language\": builtin or javascript")
        }
        return language
    }

    private static func expression(_ map: MapValue) throws(GraphError) -> TraversalExpression {
        guard let body = try map.text("body") else {
            throw GraphError(.invalidRequest, "an evaluator in javascript needs a \"body\", the expression")
        }
        return try TraversalExpression(body)
    }

    private static func builtin<Name: CaseIterable & RawRepresentable<String>>(
        _ map: MapValue
    ) throws(GraphError) -> Name {
        if let name: Name = try map.word("name") { return name }
        throw GraphError(
            .invalidRequest,
            "a builtin evaluator needs a \"name\": \(Name.allCases.map(\.rawValue).joined(separator: ", "))")
    }

    private static func prunes(_ map: MapValue) throws(GraphError) -> Evaluator? {
        switch try language(map) {
        case .javascript: return .pruning(where: try expression(map))
        case .builtin:
            let _: BuiltinPruner = try builtin(map)
            return nil
        }
    }

    private static func includes(_ map: MapValue) throws(GraphError) -> Evaluator? {
        switch try language(map) {
        case .javascript: return .including(where: try expression(map))
        case .builtin:
            let name: BuiltinFilter = try builtin(map)
            return switch name {
            case .all: nil
            case .allButStartNode: .excludeStartPosition
            case .none: .including { _ in false }
            }
        }
    }
}

extension GraphError {
    /// What a filter, a cost or a depth is found to be wrong about is bad input in this protocol.
    var asBadInput: GraphError {
        let codes: [ErrorCode] = [.syntaxError, .typeError, .argumentError, .propertyNotFound, .arithmeticError]
        guard codes.contains(code) else { return self }
        return GraphError(
            ErrorCode(code.name, httpStatus: 400, legacyException: ErrorCode.invalidRequest.legacyException), message)
    }
}
