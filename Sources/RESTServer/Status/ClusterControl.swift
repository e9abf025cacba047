public import GraphModel

/// What an operator can ask of a cluster through this server. A server that stands alone has none.
public protocol ClusterControl: Sendable {
    /// Makes another member master, or, with nil, whichever member is fit for it; returns the new master once it has
    /// taken over. Reads go on, writes wait.
    func switchMaster(to member: MemberID?) async throws(GraphError) -> MemberID
}
