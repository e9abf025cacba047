internal import GraphModel
internal import Storage
internal import Traversal

/// What a traversal returns of each position: the last segment of its URI.
enum ReturnType: String, CaseIterable, Sendable {
    case node, relationship, path, fullpath

    init(segment: String) throws(GraphError) {
        guard let known = ReturnType(rawValue: segment) else {
            let allowed = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw GraphError(.noSuchResource, "a traversal cannot return \"\(segment)\": possible are \(allowed)")
        }
        self = known
    }

    /// Walks to the next result and writes it; false when there are no more. A start position has no relationship and
    /// gives nothing; neither does what has been deleted since it was met.
    func advance(
        _ state: inout TraversalState, into list: inout ListEncoder, in transaction: Transaction
    ) throws(GraphError) -> Bool {
        do throws(GraphError) {
            guard try state.advance(in: transaction) else { return false }
        } catch {
            throw error.asBadInput
        }
        switch self {
        case .node:
            let node = state.endNode
            if transaction.nodeExists(node) { try list.append { $0.node(node, .listed) } }
        case .relationship:
            guard let record = state.lastRelationship.flatMap(transaction.relationship) else { break }
            try list.append { $0.relationship(record, .listed) }
        case .path:
            let path = state.path()
            try list.append { $0.path(path) }
        case .fullpath:
            let path = state.path()
            try list.append { $0.fullPath(path) }
        }
        return true
    }
}
