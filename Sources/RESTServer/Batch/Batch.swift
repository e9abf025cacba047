internal import GraphModel
internal import HTTPTypes
internal import NIOCore
internal import QueryEngine
internal import Storage
internal import Synchronization

/// Jobs that are one transaction: all of them, or none (18.15).
final class Batch: Sendable {
    private struct Step: Sendable {
        let job: BatchJob
        /// Nil where it depends on what another job makes.
        let route: Result<BatchRoute, GraphError>?
        let hasReferences: Bool
    }

    /// Why a batch came to nothing.
    struct Failure: Sendable {
        let error: GraphError
        /// For a client that wanted a stream: what the jobs before had to say, and the one that failed.
        let output: [ByteBuffer]
    }

    private let steps: [Step]
    private let table: RouteTable
    private let call: Call
    private let control: ExecutionControl
    private let byteCountMaximum: Int
    private let failed = Mutex<Failure?>(nil)

    /// - Parameters:
    ///   - call: the request that the batch came with.
    ///   - table: what jobs can ask for.
    ///   - byteCountMaximum: longest output; 0 is no limit.
    /// - Throws: `.invalidRequest` for what is no list of jobs.
    init(
        _ jobs: [Value], _ call: Call, _ table: RouteTable, _ control: ExecutionControl, byteCountMaximum: Int
    ) throws(GraphError) {
        self.table = table
        self.control = control
        self.byteCountMaximum = byteCountMaximum > 0 ? byteCountMaximum : .max
        var call = call
        call.control = control
        call.body = []
        self.call = call
        var steps: [Step] = []
        steps.reserveCapacity(jobs.count)
        var last: Step?
        for (index, value) in jobs.enumerated() {
            let job = try BatchJob(value, index: index)
            var route: Result<BatchRoute, GraphError>?
            // Many jobs in a row do the same.
            if let last, last.job.method == job.method, codeUnitsEqual(last.job.to, job.to) {
                route = last.route
            } else if !BatchReferences.areIn(job.to) {
                route = Self.route(job.method, job.to, table)
            }
            let step = Step(
                job: job, route: route, hasReferences: route == nil || (job.body.map(BatchReferences.areIn) ?? false))
            steps.append(step)
            last = step
        }
        self.steps = steps
    }

    private static func route(
        _ method: HTTPRequest.Method, _ to: String, _ table: RouteTable
    ) -> Result<BatchRoute, GraphError> {
        Result { () throws(GraphError) in try BatchRoute(method, to, table) }
    }

    /// Whether it needs a transaction that can write.
    var writes: Bool {
        steps.contains { step in
            switch step.route {
            case .success(let route)?: route.writes
            case .failure?: false
            case nil: step.job.method != .get
            }
        }
    }

    /// What a job of the last run failed with; nil when none did.
    var failure: Failure? { failed.withLock { $0 } }

    /// Carries out all jobs. May run again in another transaction.
    ///
    /// - Throws: what makes a transaction run again, or ended it; ``failure`` tells whether a job did.
    func run(in transaction: Transaction) throws(GraphError) -> [ByteBuffer] {
        failed.withLock { $0 = nil }
        var references = BatchReferences()
        var output = BatchOutput(call.layout, isStreamed: call.isStreamed)
        for (index, step) in steps.enumerated() {
            try control.check()
            let job = step.job
            let from = step.route == nil ? try references.resolve(job.to) : job.to
            do throws(GraphError) {
                let answer = try carryOut(step, from, &references, transaction)
                guard (200..<300).contains(answer.status.code) else {
                    // The one answer of the data routes that is neither: what was to be unique is there.
                    throw GraphError(.constraintViolation, "what it should create is there already")
                }
                if let id = job.id, let location = answer.location { references.set(id, location) }
                output.append(job.id, from, answer)
            } catch {
                if error.isRetryable || transaction.failure != nil || control.isCancelled { throw error }
                output.append(job.id, from, error)
                failed.withLock { $0 = Failure(error: Self.failure(of: job, index, from, error), output: output.end()) }
                throw error
            }
            if output.byteCount > byteCountMaximum {
                throw GraphError(
                    .queryMemory,
                    "the results of this batch take more than \(byteCountMaximum) bytes: split it into several")
            }
        }
        return output.end()
    }

    private func carryOut(
        _ step: Step, _ from: String, _ references: inout BatchReferences, _ transaction: Transaction
    ) throws(GraphError) -> Answer {
        let route = try (step.route ?? Self.route(step.job.method, from, table)).get()
        var call = call
        call.target = route.target
        call.parameters = route.parameters
        call.input = step.job.body
        if step.hasReferences, let body = step.job.body { call.input = try references.resolve(body) }
        return try route.work(call, transaction)
    }

    private static func failure(
        of job: BatchJob, _ index: Int, _ from: String, _ error: GraphError
    ) -> GraphError {
        let code = ErrorCode(error.code.name, httpStatus: 500, legacyException: "BatchOperationFailedException")
        let name = job.id.map { " (id \($0))" } ?? ""
        let cause = error.message.isEmpty ? error.code.legacyException : error.message
        return GraphError(
            code,
            "job \(index)\(name) of the batch, \(job.method.rawValue) \(from), failed with \(error.code.httpStatus), so nothing of the batch was done: \(cause)")
    }
}
