internal import GraphModel
internal import Storage

/// A built-in procedure: what CALL and SHOW run.
struct Procedure: Sendable {
    /// As it is shown; it is found in any case.
    let name: String
    /// The names of its parameters; those from `requiredCount` on may be left out.
    let parameters: [String]
    let requiredCount: Int
    let fields: [String]
    let isWrite: Bool
    let summary: String
    let body: @Sendable (Frame, [Value]) throws(GraphError) -> [[Value]]

    init(
        _ name: String, _ parameters: [String] = [], required: Int? = nil, gives fields: [String],
        isWrite: Bool = false, _ summary: String,
        _ body: @escaping @Sendable (Frame, [Value]) throws(GraphError) -> [[Value]]
    ) {
        self.name = name
        self.parameters = parameters
        requiredCount = required ?? parameters.count
        self.fields = fields
        self.isWrite = isWrite
        self.summary = summary
        self.body = body
    }

    var argumentCounts: ClosedRange<Int> { requiredCount...parameters.count }

    var signature: String {
        "\(name)(\(parameters.joined(separator: ", "))) :: (\(fields.joined(separator: ", ")))"
    }

    static func find(_ name: String) -> Procedure? { byName[name.lowercased()] }

    static let all: [Procedure] = (graphProcedures + schemaProcedures + serverProcedures).sorted { $0.name < $1.name }
    private static let byName = Dictionary(all.map { ($0.name.lowercased(), $0) }) { a, _ in a }
}

/// Calls a procedure for each row: a row for each of its rows, or the row itself when it gives nothing.
struct CallPlan: OperatorPlan {
    var isReusable: Bool { true }
    let procedure: Procedure
    let arguments: [Evaluator]
    let outputs: [(field: Int, slot: Slot)]
    let isUnit: Bool
    let carried: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { CallOperator(frame, next: next, self) }
}

private final class CallOperator: BatchingOperator {
    private let plan: CallPlan

    init(_ frame: Frame, next: Operator, _ plan: CallPlan) {
        self.plan = plan
        super.init(frame, next: next, carried: plan.carried, produced: plan.outputs.map(\.slot))
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        for row in 0..<batch.rowCount {
            frame.batch = batch
            var arguments: [Value] = []
            for argument in plan.arguments { arguments.append(try argument(frame, row)) }
            let found = try plan.procedure.body(frame, arguments)
            let heldByteCount = found.reduce(0) { sum, values in
                values.reduce(addSaturating(sum, 32)) { addSaturating($0, $1.byteCount) }
            }
            try frame.hold(heldByteCount)
            defer { frame.release(heldByteCount) }
            for values in plan.isUnit ? [[]] : found {
                for (field, slot) in plan.outputs { output.columns[slot.index].values.append(values[field]) }
                output.append(row, of: batch, carried)
                output.rowCount += 1
                if try !flushIfFull() { return false }
            }
        }
        return true
    }
}
