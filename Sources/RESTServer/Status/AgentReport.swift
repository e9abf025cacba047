package import Database
internal import GraphModel

/// What a member says to a load balancer's agent check, a line in HAProxy's words: `ready up 100%`, `drain` or `down`.
/// Of one backend with all members in it those that lag behind get less to do.
package enum AgentReport {
    /// Less than this says nothing about a member: it is the way of a transaction to a slave.
    private static let lagThatCounts: Milliseconds = 100

    package static func line(_ status: DatabaseStatus, isDraining: Bool) -> String {
        if status.isDraining || isDraining { return "drain\n" }
        guard Readiness(status, isDraining: false).isReadable else { return "down\n" }
        // "ready" takes an earlier "drain" back, which would outlast a restart otherwise.
        return "ready up \(weight(status.lag))%\n"
    }

    /// 100 without lag, half of it for a second, a tenth for nine; never less than 1: it still serves.
    static func weight(_ lag: Milliseconds) -> UInt64 {
        if lag < lagThatCounts { return 100 }
        return max(1, 100_000 / (1000 + min(lag.rawValue, 1_000_000)))
    }
}
