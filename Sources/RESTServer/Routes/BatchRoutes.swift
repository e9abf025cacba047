internal import Database
internal import GraphModel
internal import HTTPTypes
internal import NIOCore
internal import Storage

/// 18.15: many requests in one, and in one transaction.
struct BatchRoutes: Sendable {
    let database: Database
    let jobCountMaximum: Int
    /// What jobs can ask for.
    let table: RouteTable

    func add(to table: inout RouteTable) { table.add("/db/data/batch", [(.post, .own(run))]) }

    private func run(_ call: Call) async throws(GraphError) -> Answer {
        guard case .list(let jobs)? = try await call.parsed().input else {
            throw GraphError(.invalidRequest, "the body must be a list of jobs: [{\"method\": …, \"to\": …, \"body\": …, \"id\": …}, …]")
        }
        guard jobs.elements.count <= jobCountMaximum else {
            throw GraphError(
                .bodyTooLarge, "the batch has \(jobs.elements.count) jobs; \(jobCountMaximum) is the most: split it into several")
        }
        let control = database.makeControl(call.options)
        let batch = try Batch(
            jobs.elements, call, table, control, byteCountMaximum: database.options.queryByteCountMaximum)
        // A batch whose client has gone would only be in the way of others.
        let client = ClientPresence.of(call.channel)
        client?.onLeaving { control.cancel() }
        defer { client?.onLeaving(nil) }
        let work = { @Sendable [database] (transaction: Transaction) throws(GraphError) -> [ByteBuffer] in
            try database.attending(control) { () throws(GraphError) in try batch.run(in: transaction) }
        }
        // The manual names no stream here.
        var answer = Answer(.ok, .json)
        do throws(GraphError) {
            if batch.writes {
                let result = try await database.write(call.options, work)
                answer.body = .buffers(result.value)
                answer.transactionID = result.transactionID
            } else {
                answer.body = .buffers(try await database.read(call.options, work))
            }
        } catch {
            guard let failure = batch.failure, error.committedTransaction == nil else { throw error }
            if call.isStreamed {
                answer.body = .buffers(failure.output)
            } else {
                answer = .error(failure.error, request: "POST /db/data/batch", isLegacy: true)
            }
        }
        return answer
    }
}
