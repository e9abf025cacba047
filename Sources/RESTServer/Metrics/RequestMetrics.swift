internal import GraphModel
internal import Synchronization

/// A number that many threads add to.
final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)
    var value: UInt64 { count.load(ordering: .relaxed) }
    func add(_ amount: UInt64 = 1) { count.wrappingAdd(amount, ordering: .relaxed) }
    func subtract(_ amount: UInt64 = 1) { count.wrappingSubtract(amount, ordering: .relaxed) }
}

/// What the server counts about requests: by route and status, with the time they took.
final class RequestMetrics: Sendable {
    /// Status codes that have a counter of their own; all others share the last one.
    static let statuses = [200, 201, 204, 303, 400, 403, 404, 405, 406, 409, 413, 415, 500, 501, 503, 504]
    /// Upper bounds of the buckets, in microseconds.
    static let boundsMicroseconds: [UInt64] = [
        50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000,
        30_000_000,
    ]

    final class Route: Sendable {
        let pattern: String
        let byStatus = (0...RequestMetrics.statuses.count).map { _ in Counter() }
        /// Not cumulative here; the last one is for what took longer than any bound.
        let buckets = (0...RequestMetrics.boundsMicroseconds.count).map { _ in Counter() }
        let nanoseconds = Counter()

        init(_ pattern: String) { self.pattern = pattern }
    }

    /// In the order of the route table; the last one is for requests that have no route.
    let routes: [Route]
    let inFlight = Counter()
    let committedWrites = Counter()
    private let errors = Mutex<[String: UInt64]>([:])

    init(_ table: RouteTable) { routes = table.resources.map { Route($0.pattern) } + [Route("unknown")] }

    func record(route: Int?, status: Int, nanoseconds: UInt64) {
        let route = routes[route ?? routes.count - 1]
        route.byStatus[Self.statuses.firstIndex(of: status) ?? Self.statuses.count].add()
        let microseconds = nanoseconds / 1000
        let bucket = Self.boundsMicroseconds.firstIndex { microseconds <= $0 } ?? Self.boundsMicroseconds.count
        route.buckets[bucket].add()
        route.nanoseconds.add(nanoseconds)
    }

    func record(_ error: GraphError) {
        errors.withLock { $0[error.code.name, default: 0] += 1 }
    }

    var errorsByCode: [(code: String, count: UInt64)] {
        errors.withLock { $0.map { ($0.key, $0.value) } }.sorted { codeUnitOrder($0.code, $1.code) < 0 }
    }
}
