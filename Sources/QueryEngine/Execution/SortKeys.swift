internal import GraphModel

/// What rows are sorted by, key by key. A key that is integers alone is kept as plain ones.
struct SortKeys {
    private struct Key {
        let slot: Slot
        let isDescending: Bool
        /// So that the lower one always comes first, those of a descending key stand for what is left when all bits turn.
        var integers: ContiguousArray<Int64> = []
        /// In use from the first value on that is no integer.
        var values: ContiguousArray<Value> = []
        var isPlain: Bool

        init(_ key: Step.SortKey) {
            slot = key.slot
            isDescending = key.isDescending
            isPlain = !key.slot.isID
        }

        private var mask: Int64 { isDescending ? -1 : 0 }

        mutating func append(_ batch: Batch) {
            if isPlain {
                if appendIntegers(batch.columns[slot.index].values) { return }
                becomeValues()
            }
            for row in 0..<batch.rowCount { values.append(batch.value(slot, row)) }
        }

        private mutating func appendIntegers(_ column: ContiguousArray<Value>) -> Bool {
            let before = integers.count
            let mask = mask
            for value in column {
                guard case .integer(let integer) = value else {
                    integers.removeLast(integers.count - before)
                    return false
                }
                integers.append(integer ^ mask)
            }
            return true
        }

        private mutating func becomeValues() {
            let mask = mask
            values = ContiguousArray(integers.map { Value.integer($0 ^ mask) })
            integers = []
            isPlain = false
        }

        mutating func keep(_ rows: ContiguousArray<Int>) {
            if isPlain {
                integers = ContiguousArray(rows.map { integers[$0] })
            } else {
                values = ContiguousArray(rows.map { values[$0] })
            }
        }

        mutating func removeAll(keepingAtMost count: Int) {
            integers.removeAll(keepingCapacity: integers.capacity <= count)
            values.removeAll(keepingCapacity: values.capacity <= count)
            isPlain = !slot.isID
        }
    }

    private var keys: [Key]
    private var rowCount = 0

    init(_ keys: [Step.SortKey]) { self.keys = keys.map(Key.init) }

    mutating func append(_ batch: Batch) {
        for index in keys.indices { keys[index].append(batch) }
        rowCount += batch.rowCount
    }

    /// Keeps some rows, in the given order.
    mutating func keep(_ rows: ContiguousArray<Int>) {
        for index in keys.indices { keys[index].keep(rows) }
        rowCount = rows.count
    }

    mutating func removeAll(keepingAtMost count: Int) {
        for index in keys.indices { keys[index].removeAll(keepingAtMost: count) }
        rowCount = 0
    }

    /// Row numbers in order, the first ones of them or all; equal rows as they came. Once `isOver` says so the order no
    /// longer matters and comes soon; it is asked now and then.
    func order(first wanted: Int?, isOver: () -> Bool) -> ContiguousArray<Int> {
        var comparisonCount = 0
        var gaveUp = false
        func givesUp() -> Bool {
            comparisonCount &+= 1
            if comparisonCount & 0xFFFF == 0, isOver() { gaveUp = true }
            return gaveUp
        }
        let wanted = min(wanted ?? rowCount, rowCount)
        guard keys.first?.isPlain == true else {
            var rows = ContiguousArray(0..<rowCount)
            rows.sort(first: wanted) { a, b in givesUp() ? false : isBefore(a, b, fromKey: 0) }
            return rows
        }
        var rows: ContiguousArray<(integer: Int64, row: Int)> = []
        rows.reserveCapacity(rowCount)
        for row in 0..<rowCount { rows.append((keys[0].integers[row], row)) }
        rows.sort(first: wanted) { a, b in
            if givesUp() { return false }
            return a.integer != b.integer ? a.integer < b.integer : isBefore(a.row, b.row, fromKey: 1)
        }
        return ContiguousArray(rows.map(\.row))
    }

    private func isBefore(_ a: Int, _ b: Int, fromKey first: Int) -> Bool {
        for index in first..<keys.count {
            if keys[index].isPlain {
                let (x, y) = (keys[index].integers[a], keys[index].integers[b])
                if x != y { return x < y }
            } else {
                let result = keys[index].values[a].order(keys[index].values[b])
                if result != 0 { return (result < 0) != keys[index].isDescending }
            }
        }
        return a < b
    }
}

extension ContiguousArray {
    /// Sorts and leaves only the first elements: of many a few by a heap of as many, its last one on top.
    fileprivate mutating func sort(first wanted: Int, by isBefore: (Element, Element) -> Bool) {
        if wanted > 0 && wanted < count / 4 {
            for index in stride(from: wanted / 2 - 1, through: 0, by: -1) { sink(index, wanted, isBefore) }
            for index in wanted..<count where isBefore(self[index], self[0]) {
                self[0] = self[index]
                sink(0, wanted, isBefore)
            }
            removeLast(count - wanted)
        }
        sort(by: isBefore)
        if wanted < count { removeLast(count - wanted) }
    }

    private mutating func sink(_ start: Int, _ heapCount: Int, _ isBefore: (Element, Element) -> Bool) {
        var parent = start
        while true {
            var child = 2 * parent + 1
            guard child < heapCount else { return }
            if child + 1 < heapCount, isBefore(self[child], self[child + 1]) { child += 1 }
            guard isBefore(self[parent], self[child]) else { return }
            swapAt(parent, child)
            parent = child
        }
    }
}
