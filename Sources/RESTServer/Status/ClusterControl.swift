public import Database
public import GraphModel

/// What an operator can ask of a cluster through this server. A server that stands alone has none.
public protocol ClusterControl: Sendable {
    /// Makes another member master, or, with nil, whichever member is fit for it; returns the new master once it has
    /// taken over. Reads go on, writes wait.
    func switchMaster(to member: MemberID?) async throws(GraphError) -> MemberID
    /// Takes a member out of the cluster for good; returns once it is out. Only the master can.
    func removeMember(_ member: MemberID) async throws(GraphError)
    /// Fetches what the master has committed; returns once that is readable here.
    func pullUpdates() async throws(GraphError)
    /// Has all members say what their graphs come to; only the master can. Returns the transaction that asks for it.
    func compareGraphs() async throws(GraphError) -> TransactionID
    /// Returns once no comparison of graphs goes on here, soon in any case.
    func untilCompared() async
    /// The stores that were set aside here, the oldest first.
    func branchedStores() throws(GraphError) -> [BranchedStore]
}
