public import GraphModel
internal import Storage

/// A traversal of one graph from given nodes. Walks only as far as its results are asked for; each iteration begins anew.
///
/// Belongs to its transaction's thread. As a `Sequence` it cannot throw: a failure ends the iteration, and ``failure``
/// says what it was; ``forEachPath(_:)`` and ``cursor()`` throw.
public final class Traverser: Sequence {
    private let description: TraversalDescription
    private let starts: [NodeID]
    private let transaction: Transaction
    private let control: TraversalControl
    /// What ended the last iteration before its end; nil when nothing did.
    public private(set) var failure: GraphError?

    init(
        _ description: TraversalDescription, from starts: [NodeID], in transaction: Transaction,
        control: TraversalControl
    ) {
        self.description = description
        self.starts = starts
        self.transaction = transaction
        self.control = control
    }

    /// Walks from result to result without making paths of them.
    public func cursor() -> TraversalCursor {
        TraversalCursor(
            TraversalState(description, from: starts, in: transaction, control: control), in: transaction)
    }

    /// Calls `body` with each path, until it returns false.
    ///
    /// - Throws: `.entityNotFound` when a start node is not there, `.queryMemory`, and what evaluators, expanders, the
    ///   control and `body` throw.
    public func forEachPath(_ body: (Path) throws(GraphError) -> Bool) throws(GraphError) {
        var cursor = cursor()
        while try cursor.next() {
            if try !body(cursor.path()) { return }
        }
    }

    // MARK: As sequences

    public func makeIterator() -> Results<Path> { Results(self) { $0.path() } }

    /// The last node of each result.
    public var nodes: ResultSequence<NodeID> { ResultSequence(self) { $0.endNode } }

    /// The last relationship of each result; a start node contributes none.
    public var relationships: ResultSequence<RelationshipID> { ResultSequence(self) { $0.lastRelationship } }

    public struct ResultSequence<Element>: Sequence {
        private let traverser: Traverser
        private let element: (borrowing TraversalCursor) -> Element?

        init(_ traverser: Traverser, _ element: @escaping (borrowing TraversalCursor) -> Element?) {
            self.traverser = traverser
            self.element = element
        }
        public func makeIterator() -> Results<Element> { Results(traverser, element) }
    }

    public struct Results<Element>: IteratorProtocol {
        private let traverser: Traverser
        private var cursor: TraversalCursor
        private let element: (borrowing TraversalCursor) -> Element?

        init(_ traverser: Traverser, _ element: @escaping (borrowing TraversalCursor) -> Element?) {
            self.traverser = traverser
            self.element = element
            cursor = traverser.cursor()
            traverser.failure = nil
        }

        public mutating func next() -> Element? {
            do throws(GraphError) {
                while try cursor.next() {
                    if let element = element(cursor) { return element }
                }
            } catch {
                traverser.failure = error
            }
            return nil
        }
    }
}

/// Where a traversal is. Look at it only after ``next()`` has returned true.
public struct TraversalCursor {
    private var state: TraversalState
    private let transaction: Transaction

    init(_ state: TraversalState, in transaction: Transaction) {
        self.state = state
        self.transaction = transaction
    }

    /// Walks to the next result; false when there are no more. Throws as ``Traverser/forEachPath(_:)`` does.
    public mutating func next() throws(GraphError) -> Bool { try state.advance(in: transaction) }

    /// How many relationships the path has; 0 at a start node.
    public var length: Int { state.length }
    public var endNode: NodeID { state.endNode }
    /// Nil at a start node.
    public var lastRelationship: RelationshipID? { state.lastRelationship }
    /// The whole path. O(length).
    public func path() -> Path { state.path() }
}
