internal import Database
internal import GraphModel
internal import NIOCore
internal import Storage
internal import Traversal

/// 18.14: paths between two nodes.
struct PathRoutes: Sendable {
    let database: Database

    func add(to table: inout RouteTable) {
        let one = PipedWork(database: database) { call throws(GraphError) in
            let input = try PathInput(call)
            return { transaction, control, _ throws(GraphError) in
                guard let found = try input.onePath(in: transaction, control) else {
                    throw GraphError(
                        .noSuchPath,
                        "there is no path from node \(input.start.rawValue) to node \(input.end.rawValue) of that kind and length")
                }
                var writer = RepresentationWriter(call.layout, base: call.base, transaction: transaction)
                writer.path(found.path, weight: found.weight)
                return [ByteBuffer(bytes: writer.json.bytes)]
            }
        }
        let all = PipedWork(database: database) { call throws(GraphError) in
            let input = try PathInput(call)
            return { transaction, control, output throws(GraphError) in
                var list = ListEncoder(call, in: transaction, output)
                try input.forEachPath(in: transaction, control) { path, weight throws(GraphError) in
                    try list.append { $0.path(path, weight: weight) }
                    return true
                }
                return list.end()
            }
        }
        table.add("/db/data/node/{id}/path", [(.post, one.handler)])
        table.add("/db/data/node/{id}/paths", [(.post, all.handler)])
    }
}
