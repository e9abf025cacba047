internal import Database
internal import GraphModel
internal import NIOCore
internal import QueryEngine
internal import Storage
internal import Traversal

/// Reading that may take long and give much: alone its output leaves while it runs, in a batch it is kept.
struct PipedWork: Sendable {
    /// Where output goes.
    enum Output: Sendable {
        case pipe(ResultPipe)
        /// 0 is no limit.
        case kept(byteCountMaximum: Int)
    }
    /// Returns what it did not send.
    typealias Run = @Sendable (Transaction, TraversalControl, Output) throws(GraphError) -> [ByteBuffer]

    let database: Database
    /// Reads what a request asks for; throws before anything has begun.
    let prepare: @Sendable (Call) throws(GraphError) -> Run

    var handler: Handler { .own(answer, asJob: answerAsJob, writes: false) }

    private func answer(_ call: Call) async throws(GraphError) -> Answer {
        let call = try await call.parsed()
        let run = try prepare(call)
        let control = database.makeControl(call.options)
        return try await call.piped(database, control) { [database] pipe throws(GraphError) in
            let kept = try await database.read(call.options) { transaction throws(GraphError) in
                try database.attending(control) { () throws(GraphError) in
                    try run(transaction, database.traversalControl(control), .pipe(pipe))
                }
            }
            return ResultPipe.Ending(kept: kept)
        }
    }

    private func answerAsJob(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let control = database.traversalControl(call.control ?? database.makeControl(call.options))
        let output = Output.kept(byteCountMaximum: database.options.queryByteCountMaximum)
        return Answer(.ok, call.contentType, .buffers(try prepare(call)(transaction, control, output)))
    }
}

extension Database {
    /// The limits of a query for a traversal.
    func traversalControl(_ control: ExecutionControl) -> TraversalControl {
        TraversalControl(byteCountMaximum: options.queryByteCountMaximum) { () throws(GraphError) in
            try control.check()
        }
    }
}
