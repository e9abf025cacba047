internal import NIOCore

/// What a network knows of one peer: its connections, and the frames that wait for one.
struct Peer {
    struct Link {
        let channel: any Channel
        let isDialled: Bool
    }

    /// Oldest first. Frames go over the first for as long as it lives, so that they keep their order when both sides
    /// dial at once.
    private(set) var links: [Link] = []
    private(set) var isDialling = false
    private var mayDialAt = NIODeadline.uptimeNanoseconds(0)
    private var queue = CircularBuffer<[UInt8]>()
    private(set) var queuedByteCount = 0
    private var isFlushScheduled = false

    /// What a queued frame costs beside its bytes; keeps the bound for many tiny frames.
    static let overheadPerFrame = 64

    var isForgettable: Bool { links.isEmpty && !isDialling }

    enum Step {
        case none
        case flush(any Channel)
        case dial
    }

    /// Queues a frame, or drops it when there is no room or the peer was out of reach a moment ago.
    mutating func enqueue(_ frame: [UInt8], now: NIODeadline, byteCountMaximum: Int) -> Step {
        let cost = frame.count + Self.overheadPerFrame
        if queuedByteCount + cost > byteCountMaximum && !queue.isEmpty { return .none }
        if isForgettable && mayDialAt > now { return .none }
        queue.append(frame)
        queuedByteCount += cost
        guard let link = links.first else {
            if isDialling { return .none }
            isDialling = true
            return .dial
        }
        if isFlushScheduled { return .none }
        isFlushScheduled = true
        return .flush(link.channel)
    }

    /// Takes frames of about so many bytes off the queue, at least one; none when another connection is the one in use.
    mutating func takeBatch(for channel: any Channel, byteCount: Int) -> [[UInt8]] {
        guard let first = links.first, first.channel === channel else { return [] }
        isFlushScheduled = false
        guard channel.isWritable else { return [] }
        var batch: [[UInt8]] = []
        var taken = 0
        while taken < byteCount, let frame = queue.popFirst() {
            taken += frame.count + Self.overheadPerFrame
            batch.append(frame)
        }
        queuedByteCount -= taken
        return batch
    }

    /// Adds a connection. Returns those that it replaces: a peer that dials while we hold a connection it dialled before
    /// no longer has that one.
    mutating func add(_ link: Link) -> [any Channel] {
        if link.isDialled { isDialling = false }
        let replaced = link.isDialled ? [] : links.filter { !$0.isDialled }.map(\.channel)
        links.append(link)
        return replaced
    }

    mutating func dialFailed(mayDialAt: NIODeadline) {
        isDialling = false
        self.mayDialAt = mayDialAt
        if links.isEmpty { dropQueue() }
    }

    /// Takes a connection away. Returns whether the peer may be gone: frames were sent over it, or it was the last.
    mutating func remove(_ channel: any Channel) -> Bool {
        guard let index = links.firstIndex(where: { $0.channel === channel }) else { return false }
        links.remove(at: index)
        // A flush was to run for the connection that is gone; the next one is scheduled anew.
        if index == 0 { isFlushScheduled = false }
        if links.isEmpty && !isDialling { dropQueue() }
        return index == 0
    }

    private mutating func dropQueue() {
        queue.removeAll()
        queuedByteCount = 0
    }
}
