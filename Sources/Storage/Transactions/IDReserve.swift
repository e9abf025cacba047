public import GraphModel
internal import Synchronization

/// Ids that this member may use for new entities, reserved from the master in blocks. A block is bound to the epoch it
/// was handed out in: a new master does not know of it, so a new epoch empties the reserve.
public final class IDReserve: Sendable {
    private struct State {
        var epoch = Epoch.zero
        var nodes: ArraySlice<Range<UInt64>> = []
        var relationships: ArraySlice<Range<UInt64>> = []
    }
    private let state = Mutex(State())

    public init() {}

    public var epoch: Epoch { state.withLock { $0.epoch } }

    /// Adds a block; a block of another epoch replaces all.
    public func add(nodes: Range<UInt64>, relationships: Range<UInt64>, epoch: Epoch) {
        state.withLock { state in
            if state.epoch != epoch { state = State(epoch: epoch) }
            if !nodes.isEmpty { state.nodes.append(nodes) }
            if !relationships.isEmpty { state.relationships.append(relationships) }
        }
    }

    /// Empties the reserve, when the master changed.
    public func removeAll() { state.withLock { $0 = State() } }

    func takeNode() -> (id: UInt64, epoch: Epoch)? {
        state.withLock { state in Self.take(&state.nodes).map { ($0, state.epoch) } }
    }

    func takeRelationship() -> (id: UInt64, epoch: Epoch)? {
        state.withLock { state in Self.take(&state.relationships).map { ($0, state.epoch) } }
    }

    private static func take(_ blocks: inout ArraySlice<Range<UInt64>>) -> UInt64? {
        guard let block = blocks.first else { return nil }
        if block.count == 1 {
            blocks.removeFirst()
        } else {
            blocks[blocks.startIndex] = block.lowerBound + 1..<block.upperBound
        }
        return block.lowerBound
    }
}
