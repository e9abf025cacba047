/// Pending events in order of time, then of being scheduled.
struct EventQueue {
    struct Entry {
        let at: UInt64
        let sequence: UInt64
        let event: SimulationEvent
    }
    private var heap: [Entry] = []
    private var sequence: UInt64 = 0

    var isEmpty: Bool { heap.isEmpty }
    var nextAt: UInt64? { heap.first?.at }

    mutating func schedule(_ event: SimulationEvent, at time: UInt64) {
        sequence += 1
        heap.append(Entry(at: time, sequence: sequence, event: event))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard Self.precedes(heap[child], heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func next() -> Entry? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if heap.isEmpty { return first }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && Self.precedes(heap[child], heap[least]) {
                least = child
            }
            if least == parent { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    private static func precedes(_ a: Entry, _ b: Entry) -> Bool { (a.at, a.sequence) < (b.at, b.sequence) }
}

/// Something that happens at one place of the simulated world. `incarnation` voids events of a process that is gone.
enum SimulationEvent {
    case deliver([UInt8], to: String, from: Int)
    case tick(node: Int, incarnation: Int)
    case diskSynced(node: Int, incarnation: Int)
    case linkDown(node: Int, peerAddress: String)
    case connectionRefused(node: Int, peerAddress: String)
    case start(node: Int)
    case loseCoordinatorState(node: Int)
    case operatorRestarts(node: Int, incarnation: Int)
    case resume(node: Int)
    case copyStore(node: Int, incarnation: Int, from: Int, setAside: Bool)
    case client(Int)
    case fault
    case heal(FaultKind, Int)
}
