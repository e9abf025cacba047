internal import GraphModel
internal import Synchronization

/// Which transaction carried out which request: the latest ones, in the order of the log. A part of the store's state:
/// whoever applied the same transactions knows the same requests.
struct RequestLedger: Sendable {
    struct Entry: Sendable, Equatable {
        let id: RequestID
        let transaction: TransactionID
    }

    /// Requests that are remembered; the oldest ones beyond that go.
    static let countMaximum = 65_536

    private(set) var entries = ReleasingQueue<Entry>()
    private var transactions: [RequestID: TransactionID] = [:]

    init(_ entries: [Entry]) { for entry in entries { add(entry) } }

    subscript(id: RequestID) -> TransactionID? { transactions[id] }

    mutating func add(_ entry: Entry) {
        entries.append(entry)
        transactions[entry.id] = entry.transaction
        guard entries.count > Self.countMaximum, let oldest = entries.removeFirst() else { return }
        if transactions[oldest.id] == oldest.transaction { transactions[oldest.id] = nil }
    }
}

/// The ledger of a store: everything that is applied. Changed while entries are applied, looked at by anybody.
final class AppliedRequests: Sendable {
    private let ledger: Mutex<RequestLedger>

    init(_ entries: [RequestLedger.Entry]) { ledger = Mutex(RequestLedger(entries)) }

    subscript(id: RequestID) -> TransactionID? { ledger.withLock { $0[id] } }
    var entries: [RequestLedger.Entry] { ledger.withLock { $0.entries.elements } }
    /// Every request up to this transaction has been here.
    var latest: TransactionID { ledger.withLock { $0.entries.last?.transaction ?? .zero } }

    func add(_ entries: [RequestLedger.Entry]) { ledger.withLock { for entry in entries { $0.add(entry) } } }
}

/// Every request in the log, for whoever orders the next one: those that are applied, and those that are not yet.
struct OrderedRequests: Sendable {
    private var applied: AppliedRequests?
    private var ordered: [RequestID: TransactionID] = [:]
    /// At so many it is time to let go of what the store knows by now.
    private var shortenAt = Self.shortenAtMinimum
    private static let shortenAtMinimum = 1024

    init(_ applied: AppliedRequests) { self.applied = applied }

    subscript(id: RequestID) -> TransactionID? { ordered[id] ?? applied?[id] }

    mutating func note(_ id: RequestID, _ transaction: TransactionID) {
        ordered[id] = transaction
        guard ordered.count >= shortenAt else { return }
        let latest = applied?.latest ?? .zero
        ordered = ordered.filter { $0.value > latest }
        shortenAt = max(Self.shortenAtMinimum, 2 * ordered.count)
    }

    /// Begins with nothing: a rule broken on purpose.
    mutating func forget() {
        applied = nil
        ordered = [:]
    }
}
