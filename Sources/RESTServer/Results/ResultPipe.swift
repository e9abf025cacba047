internal import FileSystem
package import GraphModel
package import NIOCore

/// Bytes of a query's result on their way from the thread that runs it to the connection that wants it.
///
/// The queue is bounded: when a client takes its rows too slowly, the query waits; when it takes none at all for a
/// while, the query ends. Nothing leaves before ``Limits/startByteCount`` are there or the result is complete, so that
/// an error among the first rows is still an answer with a status of its own.
package final class ResultPipe: Sendable {
    package struct Limits: Sendable {
        package var startByteCount: Int
        package var queuedByteCountMaximum: Int
        package var stall: Milliseconds = 30_000

        package init(startByteCount: Int, queuedByteCountMaximum: Int) {
            self.startByteCount = startByteCount
            self.queuedByteCountMaximum = queuedByteCountMaximum
        }

        static let streamed = Limits(startByteCount: 64 << 10, queuedByteCountMaximum: 1 << 20)
        /// An answer that was not asked for as a stream is sent as a whole, with its length, unless it is very long.
        static let whole = Limits(startByteCount: 4 << 20, queuedByteCountMaximum: 8 << 20)
    }

    /// How a query's run ended.
    package typealias Outcome = Result<Ending, GraphError>

    /// What a run leaves behind at its end.
    package struct Ending: Sendable {
        /// What was made and did not go through the pipe.
        package let kept: [ByteBuffer]
        /// The transaction that a write made.
        package let transactionID: TransactionID?

        package init(kept: [ByteBuffer], transactionID: TransactionID? = nil) {
            self.kept = kept
            self.transactionID = transactionID
        }
    }

    private struct State {
        var chunks: [ByteBuffer] = []
        var byteCount = 0
        var hasStarted = false
        var isAbandoned = false
        var outcome: Outcome?
        var reader: CheckedContinuation<Void, Never>?
    }

    private let state = Monitor(State())
    private let limits: Limits
    private let whileBlocked: @Sendable (() -> Void) -> Void

    /// `whileBlocked` runs a body that waits for a client, in a way that other queries do not wait with it.
    package init(_ limits: Limits, whileBlocked: @escaping @Sendable (() -> Void) -> Void) {
        self.limits = limits
        self.whileBlocked = whileBlocked
    }

    // MARK: The query's side

    /// Queues bytes; waits while too many are queued. Throws when the client is gone or takes nothing.
    package func send(_ bytes: [UInt8]) throws(GraphError) {
        let (isFull, reader) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            state.chunks.append(ByteBuffer(bytes: bytes))
            state.byteCount += bytes.count
            if state.byteCount >= limits.startByteCount { state.hasStarted = true }
            return (
                state.byteCount >= limits.queuedByteCountMaximum || state.isAbandoned,
                state.hasStarted ? Self.takeReader(&state) : nil
            )
        }
        reader?.resume()
        if isFull { try waitForRoom() }
    }

    private func waitForRoom() throws(GraphError) {
        let deadline = monotonicNanoseconds() + limits.stall.rawValue * 1_000_000
        var isAbandoned: Bool?
        whileBlocked {
            isAbandoned = state.wait(untilNanoseconds: deadline) { state in
                if state.isAbandoned { return true }
                return state.byteCount <= limits.queuedByteCountMaximum / 2 ? false : nil
            }
        }
        switch isAbandoned {
        case false?: return
        case true?: throw GraphError(.executionLimit, "the client closed the connection before it had the whole result")
        case nil: throw GraphError(.executionLimit, "the client took nothing of the result for \(limits.stall)")
        }
    }

    /// Says how the run ended. Called once.
    package func finish(_ outcome: Outcome) {
        let reader = state.withLock { state in
            state.outcome = outcome
            return Self.takeReader(&state)
        }
        reader?.resume()
    }

    // MARK: The connection's side

    package enum Start {
        /// The result is under way and must be taken with ``next()``.
        case started
        /// The run has ended before anything had to leave; the chunks come before what the encoder still has.
        case ended(Outcome, [ByteBuffer])
    }

    /// Waits until the result starts or ends.
    package func start() async -> Start {
        while true {
            let result = state.withLock { state -> Start? in
                if state.hasStarted { return .started }
                if let outcome = state.outcome { return .ended(outcome, state.chunks) }
                return nil
            }
            if let result { return result }
            await wait { $0.hasStarted || $0.outcome != nil }
        }
    }

    /// The next bytes; nil after the last. Throws the query's error when it fails half-way.
    package func next() async throws(GraphError) -> [ByteBuffer]? {
        while true {
            let (chunks, outcome) = state.withLock { state -> ([ByteBuffer], Outcome?) in
                let chunks = state.chunks
                state.chunks = []
                state.byteCount = 0
                return (chunks, state.outcome)
            }
            if !chunks.isEmpty {
                state.signal()
                return chunks
            }
            switch outcome {
            case .failure(let error)?: throw error
            case .success?: return nil
            case nil: await wait { !$0.chunks.isEmpty || $0.outcome != nil }
            }
        }
    }

    /// Tells the query that nobody wants the rest.
    package func abandon() {
        state.withLock { $0.isAbandoned = true }
        state.signal()
    }

    /// What the encoder kept back, once the run has ended.
    var rest: [ByteBuffer] {
        state.withLock { state in
            guard case .success(let result)? = state.outcome else { return [] }
            return result.kept
        }
    }

    private func wait(_ isReady: @Sendable (borrowing State) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isReadyNow = state.withLock { state -> Bool in
                if isReady(state) { return true }
                state.reader = continuation
                return false
            }
            if isReadyNow { continuation.resume() }
        }
    }

    private static func takeReader(_ state: inout State) -> CheckedContinuation<Void, Never>? {
        defer { state.reader = nil }
        return state.reader
    }
}
