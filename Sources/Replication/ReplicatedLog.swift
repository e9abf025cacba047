public import GraphModel
public import Storage

/// What the protocol reads of a member's log while it decides. Plain data; no call waits.
public protocol ReplicatedLog {
    /// The end of the log, on disk or not.
    var last: LogPosition { get }
    var durable: LogPosition { get }
    var applied: LogPosition { get }
    /// The first transaction that the log still holds.
    var firstAvailable: TransactionID { get }
    /// The position of a transaction; nil when the log does not hold it.
    func knownPosition(of transactionID: TransactionID) -> LogPosition?
}

extension Store: ReplicatedLog {
    public func knownPosition(of transactionID: TransactionID) -> LogPosition? {
        // A part of the log that cannot be read is as good as gone: the peer then gets a store copy.
        (try? position(of: transactionID)) ?? nil
    }
}

/// The log of a member that has no store yet.
struct EmptyLog: ReplicatedLog {
    var last: LogPosition { .zero }
    var durable: LogPosition { .zero }
    var applied: LogPosition { .zero }
    var firstAvailable: TransactionID { TransactionID(1) }
    func knownPosition(of transactionID: TransactionID) -> LogPosition? { nil }
}
