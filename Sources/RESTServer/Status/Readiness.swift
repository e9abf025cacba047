package import Database
internal import GraphModel

/// What a load balancer may send here. An answer of yes means: a request of that kind sent now succeeds.
package struct Readiness: Sendable, Equatable {
    /// Takes writes as master, with its lease and a quorum.
    package let isMaster: Bool
    /// Serves reads and is not the master.
    package let isSlave: Bool
    /// Serves reads.
    package let isReadable: Bool

    package init(_ status: DatabaseStatus, isDraining: Bool) {
        let isServing = !status.isDraining && !isDraining
        isMaster = isServing && status.isWritableMaster
        isReadable = isServing && status.isReadable
        // Reads are highly available: a member without a master, even one that has just lost its own mastership, goes
        // on serving them. A server that stands alone is nobody's slave.
        isSlave = isReadable && !status.isWritableMaster && status.mode == .ha
    }

    /// The later convention's word for this member.
    var word: String { isMaster ? "master" : (isReadable ? "slave" : "UNKNOWN") }
}

/// `?max_lag_ms=` and `?max_lag_tx=`: how far behind a slave may be.
struct LagLimit: Sendable {
    private let milliseconds: UInt64?
    private let transactions: UInt64?

    init(_ target: Target) throws(GraphError) {
        func number(_ name: String) throws(GraphError) -> UInt64? {
            guard let text = try target.parameter(name) else { return nil }
            guard let number = UInt64(text) else {
                throw GraphError(.invalidRequest, "\(name) is \"\(text)\"; it must be a whole number")
            }
            return number
        }
        milliseconds = try number("max_lag_ms")
        transactions = try number("max_lag_tx")
    }

    func allows(_ status: DatabaseStatus) -> Bool {
        if let milliseconds, status.lag.rawValue > milliseconds { return false }
        if let transactions, status.lagTransactions > transactions { return false }
        return true
    }
}
