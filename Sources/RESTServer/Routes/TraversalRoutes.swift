internal import Database
internal import GraphModel
internal import Storage
internal import Traversal

/// 18.13: traversals whose result comes at once.
struct TraversalRoutes: Sendable {
    let database: Database

    func add(to table: inout RouteTable) {
        let work = PipedWork(database: database) { call throws(GraphError) in
            let request = try TraversalRequest(call)
            return { transaction, control, output throws(GraphError) in
                var state = try request.begin(in: transaction, control)
                var list = ListEncoder(call, in: transaction, output)
                while try request.returnType.advance(&state, into: &list, in: transaction) {}
                return list.end()
            }
        }
        table.add("/db/data/node/{id}/traverse/{returnType}", [(.post, work.handler)])
    }
}
