internal import Database
internal import GraphModel
internal import Storage
internal import Traversal

/// The whole graph as JSON Lines, from one transaction, while it is read: see ``GraphLines``. What `martlet export` asks for.
struct ExportRoutes: Sendable {
    let database: Database

    func add(to table: inout RouteTable) {
        table.add("/db/{name}/export", [(.get, .own(export))])
    }

    private func export(_ call: Call) async throws(GraphError) -> Answer {
        try DatabaseName.require(call.parameters[0])
        let control = database.makeControl(call.options)
        return try await call.piped(database, control, as: .jsonLines) { [database] pipe throws(GraphError) in
            try await database.read(call.options) { transaction throws(GraphError) in
                try database.attending(control) { () throws(GraphError) in
                    var lines = GraphLines(of: transaction) { () throws(GraphError) in
                        try control.check()
                    } send: { bytes throws(GraphError) in try pipe.send(bytes) }
                    try lines.write()
                }
            }
            return ResultPipe.Ending(kept: [])
        }
    }
}
