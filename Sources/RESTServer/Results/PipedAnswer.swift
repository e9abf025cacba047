internal import Database
internal import GraphModel
internal import QueryEngine

extension Call {
    /// Answers with what `run` makes, while it makes it: see ``ResultPipe``. An error before anything had to leave is
    /// thrown; a client that leaves ends the run.
    ///
    /// - Parameter streamType: what the answer is, when it is always a stream.
    func piped(
        _ database: Database, _ control: ExecutionControl, as streamType: ContentType? = nil,
        _ run: @escaping @Sendable (ResultPipe) async throws(GraphError) -> ResultPipe.Ending
    ) async throws(GraphError) -> Answer {
        let contentType = streamType ?? self.contentType
        let pipe = ResultPipe(isStreamed || streamType != nil ? .streamed : .whole) { database.whileBlocked($0) }
        // A query whose client has gone would only be in the way of others.
        let client = ClientPresence.of(channel)
        client?.onLeaving {
            control.cancel()
            pipe.abandon()
        }
        Task(executorPreference: executor) {
            do throws(GraphError) { pipe.finish(.success(try await run(pipe))) } catch { pipe.finish(.failure(error)) }
        }
        switch await pipe.start() {
        case .ended(.success(let ending), let chunks):
            client?.onLeaving(nil)
            var answer = Answer(.ok, contentType, .buffers(chunks + ending.kept))
            answer.transactionID = ending.transactionID
            return answer
        case .ended(.failure(let error), _):
            client?.onLeaving(nil)
            throw error
        case .started:
            return Answer(
                .ok, contentType,
                .stream { writer in
                    do {
                        while let chunks = try await pipe.next() { try await writer.write(contentsOf: chunks) }
                        try await writer.write(contentsOf: pipe.rest)
                    } catch {
                        pipe.abandon()
                        control.cancel()
                        client?.onLeaving(nil)
                        throw error
                    }
                    client?.onLeaving(nil)
                    try await writer.finish(nil)
                })
        }
    }
}
