import FileSystem
import GraphModel
import Synchronization

/// Threads that write numbered nodes, each through a connection of its own, and remember what was acknowledged.
final class WriteLoad: Sendable {
    struct State: Sendable {
        var isStopped = false
        var acknowledged: [Int64] = []
        /// When the latest acknowledgements came, on the monotonic clock.
        var acknowledgedAt: [UInt64] = []
        /// How long each of them took, in nanoseconds.
        var durations: [UInt64] = []
        var refused: [Int: Int] = [:]
        var unknown = 0
        /// Answers that say that the request was committed before.
        var repetitions = 0
        /// The first refusal of each status, for messages.
        var samples: [Int: String] = [:]
        var sent = 0
        /// Epochs that acknowledged, from the answers' headers, with the time.
        var epochs: [(began: UInt64, at: UInt64, epoch: Int, port: Int, transaction: Int)] = []
    }
    let state = Mutex(State())
    private let threads = Mutex<[DedicatedThread]>([])
    private let namesRequests: Bool

    /// - Parameters:
    ///   - ports: client number n talks to port n modulo their count.
    ///   - namesRequests: whether requests have ids, and are sent until it is known that they were carried out.
    init(
        clients: Int, ports: [Int], keys start: Int64 = 0, pauseNanoseconds: UInt64 = 0, namesRequests: Bool = false
    ) {
        self.namesRequests = namesRequests
        let started = (0..<clients).map { index in
            DedicatedThread(name: "writer-\(index)") { [self] in
                run(index, port: ports[index % ports.count], start + Int64(index) * 10_000_000, pauseNanoseconds)
            }
        }
        threads.withLock { $0 = started }
    }

    private func run(_ index: Int, port: Int, _ firstKey: Int64, _ pause: UInt64) {
        let client = BlockingHTTPClient(port: port)
        let clock = Monitor(())
        var key = firstKey
        var isOpen = false
        while isOpen || !state.withLock(\.isStopped) {
            if !isOpen { key += 1 }
            state.withLock { $0.sent += 1 }
            let began = monotonicNanoseconds()
            do {
                let headers = namesRequests ? ["X-Request-Id": "write-\(key)"] : [:]
                let answer = try client.cypher("CREATE (n:W {key: {key}})", "{\"key\": \(key)}", headers: headers)
                isOpen = namesRequests && answer.status != 200
                let now = monotonicNanoseconds()
                state.withLock { state in
                    if answer.status == 200 {
                        if answer.headers["x-request-replayed"] != nil { state.repetitions += 1 }
                        state.acknowledged.append(key)
                        state.acknowledgedAt.append(now)
                        state.durations.append(now - began)
                        if let epoch = answer.headers["x-ha-epoch"].flatMap({ Int($0) }), let transaction = answer.headers["x-ha-tx"].flatMap({ Int($0) }) {
                            state.epochs.append((began, now, epoch, port, transaction))
                        }
                    } else {
                        state.refused[answer.status, default: 0] += 1
                        if state.samples[answer.status] == nil { state.samples[answer.status] = String(answer.text.prefix(300)) }
                    }
                }
                if answer.status != 200 { Self.rest(clock, 10_000_000) }
            } catch {
                isOpen = namesRequests
                state.withLock { $0.unknown += 1 }
                Self.rest(clock, 10_000_000)
            }
            if pause > 0 { Self.rest(clock, pause) }
        }
    }

    static func rest(_ monitor: Monitor<Void>, _ nanoseconds: UInt64) {
        let woken: Void? = monitor.wait(untilNanoseconds: monotonicNanoseconds() + nanoseconds) { _ in nil }
        _ = woken
    }

    /// The time of the first acknowledgement after a moment; nil when there was none yet.
    func firstAcknowledgement(after moment: UInt64) -> UInt64? {
        state.withLock { state in state.acknowledgedAt.last(where: { _ in true }).flatMap { last in
            last <= moment ? nil : state.acknowledgedAt.first { $0 > moment }
        } }
    }

    /// Waits until a write is acknowledged that was not under way at a moment any more, and returns how long after it that
    /// was, in seconds.
    func secondsUntilWrite(after moment: UInt64, underWayNanoseconds: UInt64 = 20_000_000) throws -> Double {
        var first: UInt64?
        try waitUntil("writes are accepted again") {
            first = firstAcknowledgement(after: moment + underWayNanoseconds)
            return first != nil
        }
        return Double((first ?? moment) - moment) / 1e9
    }

    /// The longest time without an acknowledgement since a moment, in milliseconds.
    func longestGap(since moment: UInt64) -> Double {
        state.withLock { state in
            var latest = moment
            var longest: UInt64 = 0
            // Threads may overtake each other on the way to the list.
            for time in state.acknowledgedAt where time > latest {
                longest = max(longest, time - latest)
                latest = time
            }
            return Double(longest) / 1e6
        }
    }

    /// The time that 99 of 100 acknowledgements between two moments took at most, in milliseconds, and their number.
    func percentile99(from start: UInt64, to end: UInt64) -> (milliseconds: Double, count: Int) {
        let durations = state.withLock { state in
            zip(state.acknowledgedAt, state.durations).filter { (start...end).contains($0.0) }.map(\.1)
        }.sorted()
        guard !durations.isEmpty else { return (0, 0) }
        return (Double(durations[min(durations.count - 1, durations.count * 99 / 100)]) / 1e6, durations.count)
    }

    var acknowledgedCount: Int { state.withLock(\.acknowledged.count) }
    var acknowledgedKeys: [Int64] { state.withLock(\.acknowledged) }

    func stop() {
        state.withLock { $0.isStopped = true }
        for thread in threads.withLock({ $0 }) { thread.join() }
    }

    var summary: String {
        state.withLock { "\($0.sent) sent, \($0.acknowledged.count) acknowledged, refused \($0.refused), \($0.unknown) unknown, \($0.repetitions) repetitions\($0.samples.isEmpty ? "" : ", for example \($0.samples)")" }
    }
}

/// Threads that read through one port and count what fails.
final class ReadLoad: Sendable {
    private let state = Mutex((isStopped: false, done: 0, failures: [String]()))
    private let threads = Mutex<[DedicatedThread]>([])
    let clientCount: Int

    init(clients: Int, port: Int) {
        clientCount = clients
        let started = (0..<clients).map { index in
            DedicatedThread(name: "reader-\(index)") { [self] in
                let client = BlockingHTTPClient(port: port)
                let clock = Monitor(())
                while !state.withLock(\.isStopped) {
                    do {
                        let answer = try client.request("GET", "/db/data/node/0")
                        state.withLock { state in
                            if answer.status == 200 { state.done += 1 } else { state.failures.append("\(answer.status) \(answer.text.prefix(200))") }
                        }
                    } catch {
                        state.withLock { $0.failures.append("\(error)") }
                    }
                    WriteLoad.rest(clock, 2_000_000)
                }
            }
        }
        threads.withLock { $0 = started }
    }

    var failures: [String] { state.withLock(\.failures) }
    var doneCount: Int { state.withLock(\.done) }

    func stop() {
        state.withLock { $0.isStopped = true }
        for thread in threads.withLock({ $0 }) { thread.join() }
    }
}
