internal import GraphModel

// The product, its functions and procedures, and the queries that run.
extension Procedure {
    static let serverProcedures: [Procedure] = [
        Procedure("db.ping", gives: ["success"], "Answers.") { _, _ in [[.boolean(true)]] },
        Procedure("dbms.components", gives: ["name", "versions", "edition"], "The product and its version.") { _, _ in
            [[.string("Martlet"), .list([.string(martletVersion)]), .string("community")]]
        },
        Procedure("dbms.procedures", gives: ["name", "description", "mode", "signature"], "All procedures.") { _, _ in
            all.map {
                [.string($0.name), .string($0.summary), .string($0.isWrite ? "WRITE" : "READ"), .string($0.signature)]
            }
        },
        Procedure(
            "dbms.functions", gives: ["name", "category", "description", "signature", "aggregating"],
            "All functions, aggregates included."
        ) { _, _ in
            FunctionDescription.all.map { function in
                let texts = [function.name, function.category, function.summary, function.signature]
                return texts.map { .string($0) } + [.boolean(function.category == "Aggregating")]
            }
        },
        Procedure(
            "dbms.listTransactions", ["names"], required: 0,
            gives: ["transactionId", "currentQuery", "elapsedTimeMillis", "status"], "The queries that run now."
        ) { frame, arguments throws(GraphError) in
            let wanted = try arguments.first.map { value throws(GraphError) in try names(value) }
            return frame.running.list().filter { wanted?.contains($0.name) ?? true }.map {
                [
                    .string($0.name), .string($0.text), .integer(Int64($0.elapsedNanoseconds / 1_000_000)),
                    .string($0.isCancelled ? "Terminated" : "Running"),
                ]
            }
        },
        Procedure(
            "dbms.terminateTransactions", ["names"], gives: ["transactionId", "message"],
            "Ends queries by the names that SHOW TRANSACTIONS gives them. Nothing of what they wrote remains."
        ) { frame, arguments throws(GraphError) in
            let wanted = try names(arguments[0])
            return wanted.map { name in
                let isFound = frame.running.terminate(name)
                return [.string(name), .string(isFound ? "Transaction terminated." : "Transaction not found.")]
            }
        },
    ]

    private static func names(_ value: Value) throws(GraphError) -> [String] {
        switch value {
        case .string(let name): return [name.text]
        case .list(let list):
            var result: [String] = []
            for element in list.elements { result += try names(element) }
            return result
        default:
            throw GraphError(.typeError, "the names of transactions are strings, not a value of type \(value.kindName)")
        }
    }
}
