public import Coordination
public import GraphModel

/// Carries frames to the other processes of a cluster, best effort: what cannot be delivered is dropped, and the protocol
/// sends again. Never blocks.
public protocol FrameNetwork: Sendable {
    func send(_ frame: [UInt8], to address: String)
}

/// Fetches a copy of another member's store. Blocks until it is done; called on a thread of its own.
public protocol StoreCopier: Sendable {
    /// Copies into a directory that does not exist yet; leaves nothing there when it throws.
    ///
    /// - Parameter progress: is called with the bytes that have come, time and again.
    func copyStore(
        of member: ClusterRegister.Member, storeID: StoreID, into directory: String, progress: (UInt64) -> Void
    ) throws(GraphError)
}
