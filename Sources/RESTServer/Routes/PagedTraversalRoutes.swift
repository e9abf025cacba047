internal import Database
internal import GraphModel
internal import HTTPTypes
internal import NIOCore
internal import QueryEngine
internal import Storage
internal import Traversal

/// 18.13.5 to 18.13.8: traversals whose results are taken page by page.
struct PagedTraversalRoutes: Sendable {
    let database: Database
    let traversals: PagedTraversals

    func add(to table: inout RouteTable) {
        table.add("/db/data/node/{id}/paged/traverse/{returnType}", [(.post, .own(begin))])
        table.add("/db/data/node/{id}/paged/traverse/{returnType}/{token}", [(.get, .own(next))])
    }

    private static let defaultPageSize = 50
    private static let defaultLeaseSeconds = 60

    /// A whole number of the URI's query.
    private func parameter(
        _ name: String, _ call: Call, default fallback: Int, maximum: Int
    ) throws(GraphError) -> Int {
        guard let text = try call.target.parameter(name) else { return fallback }
        guard let number = Int(text), (1...maximum).contains(number) else {
            throw GraphError(.invalidRequest, "\(name) is \"\(text)\": it must be a whole number from 1 to \(maximum)")
        }
        return number
    }

    private func begin(_ call: Call) async throws(GraphError) -> Answer {
        let call = try await call.parsed()
        let request = try TraversalRequest(call)
        let pageSize = try parameter(
            "pageSize", call, default: Self.defaultPageSize, maximum: traversals.limits.pageSizeMaximum)
        let leaseSeconds = try parameter(
            "leaseTime", call, default: Self.defaultLeaseSeconds, maximum: traversals.limits.leaseSecondsMaximum)
        let lease = Milliseconds(UInt64(leaseSeconds) * 1000)
        let token = try traversals.begin(start: request.start, pageSize: pageSize, lease: lease)
        let page = try await page(call, token, pageSize, request.returnType) { transaction, control throws(GraphError) in
            try request.begin(in: transaction, control)
        }
        Self.watch(token, of: traversals, for: lease, on: call.channel.eventLoop)
        var answer = Answer(.created, call.contentType, .buffers(page.bytes))
        let place = "\(call.base.text)/db/data/node/\(request.start.rawValue)/paged/traverse/\(request.returnType.rawValue)"
        answer.location = "\(place)/\(token)"
        return answer
    }

    private func next(_ call: Call) async throws(GraphError) -> Answer {
        let start = try call.nodeID()
        let returnType = try ReturnType(segment: call.parameters[1])
        let token = call.parameters[2]
        if call.head.method == .head {
            // Who only looks takes no page.
            if !traversals.isOpen(token, start: start) { throw PagedTraversals.missing }
            return Answer(.ok, call.contentType)
        }
        let pageSize = try traversals.take(token, start: start)
        let page = try await page(call, token, pageSize, returnType) { [traversals] transaction, control throws(GraphError) in
            guard var state = traversals.takeState(token) else { throw PagedTraversals.missing }
            state.resume(in: transaction, control: control)
            return state
        }
        if page.isEmpty { throw PagedTraversals.missing }
        return Answer(.ok, call.contentType, .buffers(page.bytes))
    }

    private struct Page: Sendable {
        let bytes: [ByteBuffer]
        let isEmpty: Bool
    }

    /// Reads a page and puts the traversal back; one that has come to its end, or fails, is over.
    private func page(
        _ call: Call, _ token: String, _ pageSize: Int, _ returnType: ReturnType,
        _ resume: @escaping @Sendable (Transaction, TraversalControl) throws(GraphError) -> TraversalState
    ) async throws(GraphError) -> Page {
        let control = database.makeControl(call.options)
        let client = ClientPresence.of(call.channel)
        client?.onLeaving { control.cancel() }
        defer { client?.onLeaving(nil) }
        let limits = traversals.limits
        let walk = TraversalControl(byteCountMaximum: limits.byteCountMaximum) { () throws(GraphError) in
            try control.check()
        }
        do throws(GraphError) {
            return try await database.read(call.options) { [database, traversals] transaction throws(GraphError) in
                try database.attending(control) { () throws(GraphError) in
                    var state = try resume(transaction, walk)
                    var list = ListEncoder(call, in: transaction, .kept(byteCountMaximum: 0))
                    var isOver = false
                    while !isOver, list.elementCount < pageSize,
                        list.elementCount == 0 || list.byteCount < limits.pageByteCount
                    {
                        isOver = try !returnType.advance(&state, into: &list, in: transaction)
                    }
                    if isOver { traversals.end(token) } else { try traversals.giveBack(state, token) }
                    return Page(bytes: list.end(), isEmpty: list.elementCount == 0)
                }
            }
        } catch {
            traversals.end(token)
            throw error
        }
    }

    /// Looks after the end of each lease whether it was renewed, until the traversal is gone.
    private static func watch(
        _ token: String, of traversals: PagedTraversals, for time: Milliseconds, on loop: any EventLoop
    ) {
        loop.scheduleTask(in: .milliseconds(Int64(clamping: time.rawValue))) { [weak traversals] in
            guard let traversals, let rest = traversals.expire(token) else { return }
            watch(token, of: traversals, for: rest, on: loop)
        }
    }
}
