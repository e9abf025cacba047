internal import Cypher
internal import Database
internal import FileSystem
internal import GraphModel
internal import HTTPTypes
internal import QueryEngine
internal import Storage

/// 18.3: Cypher queries, in the dialect of the manual unless the query says otherwise.
struct CypherRoutes: Sendable {
    let database: Database
    let loadDocument: RESTService.Options.DocumentLoader?

    /// Runs a query.
    var query: Handler { .own(run, asJob: runAsJob) }

    func add(to table: inout RouteTable) {
        table.add("/db/data/cypher", [(.post, query)])
        // 18.17: the same under the name it had as a plugin; deprecated.
        let scripts = GremlinScripts(database: database, loadDocument: loadDocument)
        PluginRoutes(cypherQuery: query, gremlinScript: scripts.handler).add(to: &table)
    }

    private func run(_ call: Call) async throws(GraphError) -> Answer {
        let (statement, control) = try statement(try await call.parsedMap(), call)
        let (database, layout, base) = (database, call.layout, call.base)
        do throws(GraphError) {
            if let encoder = try await database.queryHere(statement, { RowEncoder(layout, base: base, pipe: nil) }) {
                return Answer(.ok, call.contentType, .buffers(encoder.kept))
            }
            return try await call.piped(database, control) { pipe throws(GraphError) in
                let result = try await database.query(statement) { RowEncoder(layout, base: base, pipe: pipe) }
                return ResultPipe.Ending(kept: result.consumer.kept, transactionID: result.transactionID)
            }
        } catch {
            throw Self.legacy(error)
        }
    }

    /// Within a larger transaction nothing leaves before that ends.
    private func runAsJob(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let (statement, _) = try statement(try call.map(), call)
        let encoder = RowEncoder(call.layout, base: call.base, pipe: nil)
        do throws(GraphError) {
            return Answer(.ok, call.contentType, .buffers(try database.run(statement, encoder, in: transaction).kept))
        } catch {
            throw Self.legacy(error)
        }
    }

    private func statement(_ body: MapValue, _ call: Call) throws(GraphError) -> (Statement, ExecutionControl) {
        guard let query = body["query"] else {
            throw GraphError(.invalidRequest, "You have to provide the 'query' parameter.")
        }
        guard case .string(let text) = query else {
            throw GraphError(.invalidRequest, "\"query\" must be a string, not \(query.kindName)")
        }
        var statement = Statement(
            text.text, dialect: database.options.dialect ?? Dialect.detect(in: text.text))
        switch body["params"] {
        case nil, .null?: break
        case .map(let map)?: for (key, value) in map.entries { statement.parameters[key] = value }
        case let other?:
            throw GraphError(.invalidRequest, "\"params\" must be an object, not \(other.kindName)")
        }
        statement.request = call.options
        let control = call.control ?? database.makeControl(call.options)
        statement.control = control
        return (statement, control)
    }

    /// This endpoint answers every error of the client with 400; there is no resource that could be missing or in
    /// conflict.
    private static func legacy(_ error: GraphError) -> GraphError {
        // What a REST call names wrongly is bad input; what a query gives a function has a name of its own.
        if error.code == .argumentError {
            return GraphError(
                ErrorCode(error.code.name, httpStatus: 400, legacyException: "InvalidArgumentException"), error.message)
        }
        if error.code == .constraintViolation {
            return GraphError(
                ErrorCode(error.code.name, httpStatus: 400, legacyException: "ConstraintViolationException"), error.message)
        }
        guard (401..<500).contains(error.code.httpStatus), error.code != .readOnly else { return error }
        return GraphError(
            ErrorCode(error.code.name, httpStatus: 400, legacyException: error.code.legacyException), error.message)
    }
}
