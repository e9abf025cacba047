public import GraphModel

/// The graph as it was right after a transaction that asks for its checksum; readable for as long as this is kept.
public struct MarkedGraph: Sendable {
    private let state: AppliedState

    init(_ state: AppliedState) { self.state = state }

    /// Of that transaction.
    public var position: LogPosition { state.position }

    /// Walks the whole graph; nil when `isCancelled` said so meanwhile, which is asked every few thousand entities.
    /// Throws `.corrupt` when something in the store turned out to be damaged.
    public func checksum(unless isCancelled: () -> Bool) throws(GraphError) -> GraphChecksum? {
        let transaction = Transaction(reading: state)
        defer { transaction.close() }
        let checksum = transaction.graphChecksum(unless: isCancelled)
        try transaction.requireIntact()
        return checksum
    }
}
