internal import GraphModel
internal import Storage
internal import Traversal

/// What a request for a traversal asks for: from where, what, and what of it.
struct TraversalRequest: Sendable {
    let start: NodeID
    let returnType: ReturnType
    private let description: TraversalDescription

    init(_ call: Call) throws(GraphError) {
        start = try call.nodeID()
        returnType = try ReturnType(segment: call.parameters[1])
        do throws(GraphError) { description = try TraversalInput.description(try call.map()) } catch {
            throw error.asBadInput
        }
    }

    /// Throws the manual's error when the start node is not there.
    func begin(in transaction: Transaction, _ control: TraversalControl) throws(GraphError) -> TraversalState {
        try transaction.requireNode(start)
        return TraversalState(description, from: [start], in: transaction, control: control)
    }
}
