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

    mutating func committed(
        upTo transactionID: TransactionID, _ reply: (Owner, Result<TransactionID, GraphError>) -> Void
    ) {
        while let first = ordered.first, first.transactionID <= transactionID {
            ordered.removeFirst()
            reply(first.owner, .success(first.transactionID))
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
