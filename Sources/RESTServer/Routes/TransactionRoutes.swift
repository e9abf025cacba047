internal import Database
internal import FileSystem
internal import GraphModel
internal import HTTPTypes
internal import QueryEngine
internal import Storage

/// Cypher in transactions that may span several requests, as later versions of this API have it. Errors are in the
/// answer, whose status is 200 or 201 in any case, but for a transaction that is not open.
struct TransactionRoutes: Sendable {
    let database: Database
    let open: OpenTransactions

    func add(to table: inout RouteTable) {
        // The name of the database is a parameter only where it is not `data`.
        for (path, style) in [
            ("/db/data/transaction", Style.transaction), ("/db/data/tx", .tx), ("/db/{name}/tx", .named),
        ] {
            table.add(path, [(.post, handler(style, begin))])
            table.add(path + "/commit", [(.post, handler(style, runAlone))])
            table.add(path + "/{id}", [(.post, handler(style, proceed)), (.delete, handler(style, rollBack))])
            table.add(path + "/{id}/commit", [(.post, handler(style, commit))])
        }
    }

    // MARK: Requests

    private enum Style {
        case transaction, tx, named
    }

    /// One request, with where its transactions are.
    private struct Request {
        let call: Call
        /// `/db/data/transaction`
        let path: String
        let id: UInt64?
        /// Whether rows say which entities they are of: later versions do.
        let showsMetadata: Bool
    }

    private func handler(
        _ style: Style, _ body: @escaping @Sendable (Request) async throws(GraphError) -> Answer
    ) -> Handler {
        .own { call throws(GraphError) in
            var parameters = call.parameters[...]
            let path: String
            switch style {
            case .transaction: path = "/db/data/transaction"
            case .tx: path = "/db/data/tx"
            case .named:
                let name = parameters.removeFirst()
                try DatabaseName.require(name)
                path = "/db/\(name)/tx"
            }
            return try await body(
                Request(
                    call: call, path: path, id: parameters.first.flatMap { UInt64($0) },
                    showsMetadata: style != .transaction))
        }
    }

    private func begin(_ request: Request) async throws(GraphError) -> Answer {
        await answering(request) { work throws(GraphError) in
            let (id, transaction) = try await open.begin(request.call.options)
            return try await step(id, transaction, work, status: .created)
        }
    }

    private func proceed(_ request: Request) async throws(GraphError) -> Answer {
        let (id, transaction) = try use(request)
        return await answering(request, orEnding: (id, transaction)) { work throws(GraphError) in
            try await step(id, transaction, work, status: .ok)
        }
    }

    private func commit(_ request: Request) async throws(GraphError) -> Answer {
        let (id, transaction) = try use(request)
        return await answering(request, orEnding: (id, transaction)) { work throws(GraphError) in
            defer { open.remove(id) }
            let result = try await transaction.commit { transaction throws(GraphError) in try work.run(in: transaction) }
            return Outcome(transactionID: result.transactionID)
        }
    }

    private func rollBack(_ request: Request) async throws(GraphError) -> Answer {
        let (id, transaction) = try use(request)
        open.remove(id)
        try transaction.rollBack()
        return reply(request, [], Outcome(), nil)
    }

    /// Begins, runs and commits: such a transaction can run again where another one was faster.
    private func runAlone(_ request: Request) async throws(GraphError) -> Answer {
        var repetition: GraphError?
        let answer = await answering(request) { work throws(GraphError) in
            let options = request.call.options
            let isDone = try await database.read(options) { transaction throws(GraphError) in
                guard work.onlyReads(transaction) else { return false }
                try work.run(in: transaction)
                return true
            }
            if isDone { return Outcome() }
            do throws(GraphError) {
                let result = try await database.write(options) { transaction throws(GraphError) in
                    try work.run(in: transaction)
                }
                return Outcome(transactionID: result.transactionID)
            } catch {
                if error.committedTransaction != nil { repetition = error }
                throw error
            }
        }
        if let repetition { throw repetition }
        return answer
    }

    private func use(_ request: Request) throws(GraphError) -> (UInt64, DetachedTransaction) {
        (request.id ?? 0, try open.use(request.id))
    }

    private func step(
        _ id: UInt64, _ transaction: DetachedTransaction, _ work: StatementBatch, status: HTTPResponse.Status
    ) async throws(GraphError) -> Outcome {
        do throws(GraphError) {
            try await transaction.run { transaction throws(GraphError) in try work.run(in: transaction) }
        } catch {
            open.remove(id)
            throw error
        }
        return Outcome(status: status, open: (id, open.giveBack(id)))
    }

    // MARK: Answers

    private struct Outcome {
        var status: HTTPResponse.Status = .ok
        /// What stays open, and for how long.
        var open: (id: UInt64, timeLeft: Milliseconds)?
        var transactionID: TransactionID?
    }

    /// Reads the statements and has them run. Whatever goes wrong ends the transaction and is told in the answer.
    private func answering(
        _ request: Request, orEnding transaction: (id: UInt64, transaction: DetachedTransaction)? = nil,
        _ run: (StatementBatch) async throws(GraphError) -> Outcome
    ) async -> Answer {
        let statements: [StatementInput]
        do throws(GraphError) { statements = try StatementInput.all(try await request.call.parsedMap()) } catch {
            if let (id, transaction) = transaction {
                open.remove(id)
                try? transaction.rollBack()
            }
            return reply(request, [], Outcome(), error)
        }
        let control = database.makeControl(request.call.options)
        let work = StatementBatch(
            statements, request.call, database, control, showsMetadata: request.showsMetadata)
        // Statements whose client has gone would only be in the way of others.
        let client = ClientPresence.of(request.call.channel)
        client?.onLeaving { control.cancel() }
        defer { client?.onLeaving(nil) }
        do throws(GraphError) {
            let outcome = try await run(work)
            return reply(request, work.results, outcome, nil)
        } catch {
            return reply(request, work.results, Outcome(), error)
        }
    }

    private func reply(
        _ request: Request, _ results: [[UInt8]], _ outcome: Outcome, _ error: GraphError?
    ) -> Answer {
        let location = outcome.open.map { "\(request.call.base.text)\(request.path)/\($0.id)" }
        var answer = request.call.json(outcome.status) { json in
            json.beginObject()
            if let location {
                json.key("commit")
                json.string(location + "/commit")
            }
            json.key("results")
            json.beginList()
            for result in results { json.embed(result) }
            json.endList()
            if let timeLeft = outcome.open?.timeLeft {
                json.key("transaction")
                json.beginObject()
                json.key("expires")
                json.string(Self.expiry(timeLeft))
                json.endObject()
            }
            json.key("errors")
            json.beginList()
            if let error {
                json.beginObject()
                json.key("code")
                json.string(error.code.name)
                json.key("message")
                json.string(error.message)
                json.endObject()
            }
            json.endList()
            json.endObject()
        }
        if outcome.status == .created { answer.location = location }
        answer.transactionID = outcome.transactionID
        if let error { answer.headers.append(HTTPField(name: .errorCode, value: error.code.name)) }
        return answer
    }

    /// As in RFC 1123, rounded down: whoever comes before that comes in time.
    private static func expiry(_ timeLeft: Milliseconds) -> String {
        DateHeader.format((wallClockMilliseconds() + Int64(clamping: timeLeft.rawValue)) / 1000)
            .replacing("GMT", with: "+0000")
    }
}

extension ErrorCode {
    static let databaseNotFound = ErrorCode(
        "Neo.ClientError.Database.DatabaseNotFound", httpStatus: 404, legacyException: "NotFoundException")
}
