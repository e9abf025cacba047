public import GraphModel

/// A condition on the position of a traversal, written in the part of JavaScript that the filters of the REST API use.
///
/// Nothing is executed: the text is read into a tree, and the tree is evaluated. What is possible is in
/// docs/traversals.md; everything else is refused with its name and position. An evaluation reads the graph and changes
/// nothing, makes at most 16 MiB of text, and its time is bounded by the length of the expression and of what it reads.
public struct TraversalExpression: Sendable {
    private let tree: ExpressionTree
    /// Each is evaluated; the last is the result.
    private let roots: [Int]

    /// - Throws: `.syntaxError` when the text is longer than 16384 characters, cannot be read, or says something that is
    ///   not evaluated here.
    public init(_ text: String) throws(GraphError) { (tree, roots) = try ExpressionParser.parse(text) }

    /// Whether a position fulfils the condition.
    ///
    /// - Throws: `.propertyNotFound` for a property that is not there, `.typeError` when the result or a part is of the
    ///   wrong kind (a method called on null among it), `.argumentError`.
    public func isTrue(at position: TraversalPosition) throws(GraphError) -> Bool {
        var evaluator = ExpressionEvaluator(tree, at: position)
        var value = ExpressionValue.null
        for root in roots { value = try evaluator.evaluate(root) }
        guard case .boolean(let flag) = value else {
            throw GraphError(
                .typeError, "the expression must give true or false, not \(value.kindName)")
        }
        return flag
    }
}

extension Evaluator {
    /// Includes where an expression is true, and goes on everywhere.
    public static func including(where expression: TraversalExpression) -> Evaluator {
        .including { position throws(GraphError) in try expression.isTrue(at: position) }
    }

    /// Goes no further where an expression is true, and includes everything.
    public static func pruning(where expression: TraversalExpression) -> Evaluator {
        .pruning { position throws(GraphError) in try expression.isTrue(at: position) }
    }
}
