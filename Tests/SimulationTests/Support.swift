import Simulation
import Testing

/// A cluster of which somebody is master after five seconds without faults, and who that is.
func founded(
    _ seed: UInt64, memberCount: Int = 3, clientCount: Int = 3, _ configure: (inout Schedule) -> Void = { _ in }
) throws -> (SimulatedCluster, master: Int) {
    let cluster = SimulatedCluster.scripted(seed: seed, memberCount: memberCount, clientCount: clientCount, configure)
    cluster.advance(milliseconds: 5000)
    return (cluster, try #require(cluster.leader))
}
