internal import Database
internal import GraphModel
internal import Storage

/// How a request is answered. All but ``own(_:asJob:)`` say what is done with the graph and leave to others in which
/// transaction: alone a request has one of its own, in a batch it shares one with other jobs.
enum Handler: Sendable {
    /// Answers from one transaction. May run again when a write has to be tried again, so it has no effects of its own.
    typealias Work = @Sendable (Call, Transaction) throws(GraphError) -> Answer

    /// Does everything itself, and its own way. Without `asJob` it cannot be part of a batch; `writes` tells whether it
    /// may change anything there.
    case own(@Sendable (Call) async throws(GraphError) -> Answer, asJob: Work? = nil, writes: Bool = true)
    /// Reads so little that it runs on the connection's thread: one entity by its id.
    case lookup(Work)
    /// Reads on a query thread.
    case reading(Work)
    /// Writes on a query thread; the answer leaves once the commit is acknowledged.
    case writing(Work)

    /// What it does as part of a larger transaction; nil when it cannot be.
    var job: (work: Work, writes: Bool)? {
        switch self {
        case .own(_, let work, let writes): work.map { ($0, writes) }
        case .lookup(let work), .reading(let work): (work, false)
        case .writing(let work): (work, true)
        }
    }

    /// Answers a request of its own.
    func answer(_ call: Call, _ database: Database) async throws(GraphError) -> Answer {
        switch self {
        case .own(let handler, _, _): return try await handler(call)
        case .lookup(let work):
            return try await database.readHere(call.options) { transaction throws(GraphError) in
                try work(call, transaction)
            }
        case .reading(let work):
            let call = try await call.parsed()
            return try await database.read(call.options) { transaction throws(GraphError) in
                try work(call, transaction)
            }
        case .writing(let work):
            let call = try await call.parsed()
            let result = try await database.write(call.options) { transaction throws(GraphError) in
                try work(call, transaction)
            }
            var answer = result.value
            answer.transactionID = result.transactionID
            return answer
        }
    }
}
