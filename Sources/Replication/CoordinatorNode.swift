public import Coordination
public import FileSystem
public import GraphModel
internal import Synchronization

/// A coordinator in a real process: ``CoordinatorEngine`` on a thread of its own, which owns the state file.
public final class CoordinatorNode: Sendable {
    private struct Queue {
        var frames: [[UInt8]] = []
        var isClosed = false
    }
    private let queue = Monitor(Queue())
    private let thread = Mutex<DedicatedThread?>(nil)
    private let leading = Atomic<Bool>(false)
    /// Frames that may wait; beyond it the oldest protocols' answer applies: they are dropped and sent again.
    static let queuedFrameCountMaximum = 10_000

    // Safety: made by the caller, then used only by the node's thread.
    private final class Confined: @unchecked Sendable {
        let engine: CoordinatorEngine
        init(_ engine: CoordinatorEngine) { self.engine = engine }
    }

    /// Opens the coordinator's state and starts it. `onFailure` is called once, when the state can no longer be written:
    /// a coordinator must not go on then.
    public init(
        address: String, coordinators: [String], statePath: String, fileSystem: any FileSystem = POSIXFileSystem(),
        options: RaftCore.Options = .init(), network: any FrameNetwork,
        note: @escaping @Sendable (NoteLevel, String) -> Void = { _, _ in },
        onFailure: @escaping @Sendable (GraphError) -> Void
    ) throws(GraphError) {
        let engine = try CoordinatorEngine(
            address: address, coordinators: coordinators, path: statePath, fileSystem: fileSystem, options: options,
            seed: UInt64.random(in: .min ... .max), now: Instant.now, note: note, send: { network.send($0, to: $1) })
        let confined = Confined(engine)
        let started = DedicatedThread(name: "martlet-coord") { [self] in
            do throws(GraphError) { try run(confined.engine) } catch { onFailure(error) }
        }
        thread.withLock { $0 = started }
    }

    public var isLeader: Bool { leading.load(ordering: .relaxed) }

    /// Hands over a frame from the network.
    public func receive(_ frame: [UInt8]) {
        queue.withLock { queue in
            if queue.frames.count < Self.queuedFrameCountMaximum { queue.frames.append(frame) }
        }
        queue.signal()
    }

    private func run(_ engine: CoordinatorEngine) throws(GraphError) {
        while true {
            let work = queue.wait(untilNanoseconds: engine.nextTickAt.nanoseconds) { queue -> (frames: [[UInt8]], isClosed: Bool)? in
                guard !queue.frames.isEmpty || queue.isClosed else { return nil }
                defer { queue.frames = [] }
                return (queue.frames, queue.isClosed)
            }
            if work?.isClosed ?? false { return }
            for frame in work?.frames ?? [] {
                // A frame that cannot be read comes from another version or from nowhere: it is dropped.
                guard let decoded = try? ClusterFrame(decoding: frame) else { continue }
                try engine.receive(decoded, now: .now)
            }
            try engine.tick(now: .now)
            leading.store(engine.isLeader, ordering: .relaxed)
        }
    }

    /// Ends the thread.
    public func close() {
        queue.withLock { $0.isClosed = true }
        queue.signal()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }
}

extension Instant {
    /// The machine's monotonic clock. Only for the shells; state machines are told the time.
    public static var now: Instant { Instant(nanoseconds: monotonicNanoseconds()) }
}
