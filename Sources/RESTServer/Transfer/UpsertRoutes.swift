internal import Database
internal import GraphModel
internal import Storage

/// Where `martlet import --upsert` sends its rows: see ``UpsertRequest`` and ``GraphUpsert``.
struct UpsertRoutes: Sendable {
    let database: Database

    func add(to table: inout RouteTable) {
        table.add("/db/{name}/upsert", takesAnyBody: true, [(.post, .own(upsert))])
    }

    private func upsert(_ call: Call) async throws(GraphError) -> Answer {
        try DatabaseName.require(call.parameters[0])
        let (body, control) = (call.body, database.makeControl(call.options))
        // Rows of many kilobytes are not taken apart on the event loop.
        let request = try await database.compute { Result { () throws(GraphError) in try UpsertRequest(body) } }.get()
        let result = try await database.write(call.options) { [database] transaction throws(GraphError) in
            try database.attending(control) { () throws(GraphError) in try GraphUpsert.run(request, in: transaction) }
        }
        var answer = call.json(.ok) { json in
            json.beginObject()
            json.key("created")
            json.value(Int64(result.value.created))
            json.key("updated")
            json.value(Int64(result.value.updated))
            json.key("unchanged")
            json.value(Int64(result.value.unchanged))
            json.key("endless")
            json.beginList()
            for row in result.value.endless { json.value(Int64(row)) }
            json.endList()
            json.endObject()
        }
        answer.transactionID = result.transactionID
        return answer
    }
}
