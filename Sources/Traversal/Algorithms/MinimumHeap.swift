/// A binary heap of numbers with a value each, the lowest value first; among equals the one pushed first.
struct MinimumHeap: Sendable {
    private struct Entry {
        let value: Double
        let order: Int
        let item: Int

        func isBefore(_ other: Entry) -> Bool {
            value != other.value ? value < other.value : order < other.order
        }
    }
    private var entries: ContiguousArray<Entry> = []
    private var pushCount = 0

    var isEmpty: Bool { entries.isEmpty }
    var byteCount: Int { entries.count * 24 }
    /// The lowest value.
    var lowest: Double? { entries.first?.value }

    mutating func push(_ value: Double, _ item: Int) {
        pushCount += 1
        entries.append(Entry(value: value, order: pushCount, item: item))
        var place = entries.count - 1
        while place > 0 {
            let parent = (place - 1) / 2
            guard entries[place].isBefore(entries[parent]) else { return }
            entries.swapAt(place, parent)
            place = parent
        }
    }

    mutating func pop() -> (value: Double, item: Int)? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        if entries.isEmpty { return (first.value, first.item) }
        entries[0] = last
        var place = 0
        while true {
            var smallest = place
            for child in 2 * place + 1...2 * place + 2 where child < entries.count {
                if entries[child].isBefore(entries[smallest]) { smallest = child }
            }
            if smallest == place { break }
            entries.swapAt(place, smallest)
            place = smallest
        }
        return (first.value, first.item)
    }
}
