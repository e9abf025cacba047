internal import GraphModel

/// Who waits for what on a member: for the quorum of a transaction ordered here, for the master's word on one sent
/// there, for a transaction to become readable. Every wait ends: by the event, by a deadline, or by a change of master.
struct CommitWaiters {
    typealias Completion = @Sendable (Result<TransactionID, GraphError>) -> Void

    /// Who asked for a transaction.
    enum Owner {
        case local(Completion)
        case member(MemberID, id: UInt64)
    }

    struct Ordered {
        let transactionID: TransactionID
        let owner: Owner
        let deadline: Instant
        /// For who sent the transaction's request once more: what to say when it is committed.
        var repetition: GraphError?

        var result: Result<TransactionID, GraphError> { repetition.map { .failure($0) } ?? .success(transactionID) }
    }
    struct Forwarded {
        let completion: Completion
        let deadline: Instant
    }
    /// A request that waits for a mastership to begin.
    struct Held {
        let deadline: Instant
        let resume: (Instant) -> Void
        let fail: (GraphError) -> Void
    }
    struct Applied {
        let transactionID: TransactionID
        let deadline: Instant
        let completion: @Sendable (Bool) -> Void
    }

    /// Ordered here, ascending, waiting for a quorum.
    var ordered: ArraySlice<Ordered> = []
    /// Sent to the master.
    var forwarded: [UInt64: Forwarded] = [:]
    var forwardedReserves: [UInt64: (completion: @Sendable (GraphError?) -> Void, deadline: Instant)] = [:]
    /// Asked of the master: how far it has committed.
    var pulls: [UInt64: (done: @Sendable (Bool) -> Void, deadline: Instant)] = [:]
    var held: [Held] = []
    var applied: [Applied] = []
    private var lastID: UInt64

    /// - Parameter firstID: differs per start of the process, so that the master never takes a new request for an old one.
    init(firstID: UInt64) { lastID = firstID }

    mutating func makeID() -> UInt64 {
        lastID &+= 1
        return lastID
    }

    /// Whether clients have still to be told of a transaction, or of an earlier one.
    func awaitsAcknowledgement(of transactionID: TransactionID) -> Bool {
        ordered.first.map { $0.transactionID <= transactionID } ?? false
    }

    /// Waits for a transaction that somebody else had ordered.
    mutating func join(_ transactionID: TransactionID, _ owner: Owner, deadline: Instant, repetition: GraphError) {
        let index = ordered.firstIndex { $0.transactionID > transactionID } ?? ordered.endIndex
        // They expire in their order.
        let deadline = index < ordered.endIndex ? min(deadline, ordered[index].deadline) : deadline
        ordered.insert(
            Ordered(transactionID: transactionID, owner: owner, deadline: deadline, repetition: repetition), at: index)
    }

    mutating func committed(
        upTo transactionID: TransactionID, _ reply: (Owner, Result<TransactionID, GraphError>) -> Void
    ) {
        while let first = ordered.first, first.transactionID <= transactionID {
            ordered.removeFirst()
            reply(first.owner, first.result)
        }
        if ordered.startIndex > 4096 { ordered = ArraySlice(Array(ordered)) }
    }

    mutating func failOrdered(_ error: GraphError, _ reply: (Owner, Result<TransactionID, GraphError>) -> Void) {
        let all = ordered
        ordered = []
        for waiter in all { reply(waiter.owner, .failure(error)) }
    }

    mutating func failForwarded(_ error: GraphError) {
        let commits = forwarded
        let reserves = forwardedReserves
        forwarded = [:]
        forwardedReserves = [:]
        for id in commits.keys.sorted() { commits[id]?.completion(.failure(error)) }
        for id in reserves.keys.sorted() {
            reserves[id]?.completion(GraphError(.masterChanged, "no ids could be reserved: \(error.message)"))
        }
    }

    mutating func failAll(_ error: GraphError, _ reply: (Owner, Result<TransactionID, GraphError>) -> Void) {
        failOrdered(error, reply)
        failForwarded(error)
        let waiting = held
        held = []
        for request in waiting { request.fail(GraphError(.unavailable, "nothing was applied: \(error.message)")) }
        let reads = applied
        applied = []
        let asked = pulls
        pulls = [:]
        for id in asked.keys.sorted() { asked[id]?.done(false) }
        for wait in reads { wait.completion(false) }
    }
}
