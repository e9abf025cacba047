internal import GraphModel
internal import Storage

/// Expressions over the rows of one batch as columns of plain integers, each computed once.
struct IntegerColumns {
    private struct Known {
        let slot: Slot
        /// The property's name; nil for the slot itself.
        let name: Int?
        var isWhole = false
        var column: ContiguousArray<Int64> = []
    }
    private var known: [Known] = []
    private var knownCount = 0

    /// Another batch.
    mutating func begin() { knownCount = 0 }

    /// The values of an expression over the frame's batch; nil unless every one is an integer.
    mutating func column(_ shape: Compiled.Shape, _ frame: Frame) -> ContiguousArray<Int64>? {
        let (slot, name): (Slot, Int?)
        switch shape {
        case .slot(let value): (slot, name) = (value, nil)
        case .nodeProperty(let node, let key): (slot, name) = (node, key)
        case .other: return nil
        }
        for index in 0..<knownCount where known[index].slot == slot && known[index].name == name {
            return known[index].isWhole ? known[index].column : nil
        }
        var new = Known(slot: slot, name: name)
        if knownCount < known.count { swap(&new.column, &known[knownCount].column) }
        if let name {
            let token = frame.token(name)
            let nodes = frame.batch.columns[slot.index].ids
            frame.hitCount &+= nodes.count
            new.isWhole = token != noToken && frame.transaction.integers(token, ofNodes: nodes, into: &new.column)
        } else if !slot.isID {
            new.isWhole = Self.read(frame.batch.columns[slot.index].values, into: &new.column)
        }
        if knownCount < known.count { known[knownCount] = new } else { known.append(new) }
        knownCount += 1
        return new.isWhole ? new.column : nil
    }

    private static func read(_ values: ContiguousArray<Value>, into column: inout ContiguousArray<Int64>) -> Bool {
        column.removeAll(keepingCapacity: true)
        column.reserveCapacity(values.count)
        for value in values {
            guard case .integer(let integer) = value else { return false }
            column.append(integer)
        }
        return true
    }
}

/// Numbers integers in the order of their first appearance: those of a narrow range by a table, others by a dictionary.
struct IntegerNumbering {
    private(set) var integers: ContiguousArray<Int64> = []
    /// Numbers of the integers from `least` on; -1 for none yet.
    private var table: ContiguousArray<Int32> = []
    private var least: Int64 = 0
    private var others: [Int64: Int32] = [:]
    private static let tableCount: Int64 = 1 << 12

    mutating func number(_ column: ContiguousArray<Int64>, into groups: inout ContiguousArray<Int>) {
        if table.isEmpty {
            table = ContiguousArray(repeating: -1, count: Int(Self.tableCount))
            // Half of the table for what is below the first one seen.
            least = (column.first ?? 0) &- Self.tableCount / 2
        }
        groups.append(contentsOf: repeatElement(0, count: column.count))
        let start = groups.count - column.count
        let (table, least) = (table, least)
        var hasNew = false
        for row in 0..<column.count {
            let place = UInt64(bitPattern: column[row] &- least)
            let number = place < UInt64(Self.tableCount) ? table[Int(place)] : -1
            groups[start + row] = Int(number)
            if number < 0 { hasNew = true }
        }
        if hasNew {
            for row in 0..<column.count where groups[start + row] < 0 { groups[start + row] = number(column[row]) }
        }
    }

    private mutating func number(_ integer: Int64) -> Int {
        let new = Int32(integers.count)
        let place = integer &- least
        if place >= 0 && place < Self.tableCount {
            if table[Int(place)] >= 0 { return Int(table[Int(place)]) }
            table[Int(place)] = new
        } else {
            if let number = others[integer] { return Int(number) }
            others[integer] = new
        }
        integers.append(integer)
        return Int(new)
    }

    mutating func removeAll() {
        for integer in integers {
            let place = integer &- least
            if place >= 0 && place < Self.tableCount { table[Int(place)] = -1 }
        }
        integers.removeAll(keepingCapacity: integers.count < 1 << 14)
        others.removeAll(keepingCapacity: others.count < 1 << 14)
    }
}

/// A set of any integers.
struct IntegerSet {
    private var count = 0
    /// Open addressing, 0 for a free place.
    private var table: ContiguousArray<Int64> = []
    private var hasZero = false
    private static let keptCount = 1 << 12

    /// Adds an integer; true when it is new.
    mutating func insert(_ integer: Int64) -> Bool {
        if integer == 0 {
            defer { hasZero = true }
            return !hasZero
        }
        if count * 2 >= table.count { grow() }
        let mask = table.count - 1
        var place = IDSet.hash(UInt64(bitPattern: integer)) & mask
        while table[place] != 0 {
            if table[place] == integer { return false }
            place = (place + 1) & mask
        }
        table[place] = integer
        count += 1
        return true
    }

    /// Adds many; appends those that are new, in their order.
    mutating func insert(contentsOf integers: ContiguousArray<Int64>, new: inout ContiguousArray<Int64>) {
        while (count + integers.count) * 2 > table.count { grow() }
        // A local, so that the loop need not write the field back for every integer.
        var table: ContiguousArray<Int64> = []
        swap(&table, &self.table)
        let mask = table.count - 1
        var added = 0
        for integer in integers {
            if integer == 0 {
                if !hasZero { new.append(0) }
                hasZero = true
                continue
            }
            var place = IDSet.hash(UInt64(bitPattern: integer)) & mask
            while table[place] != 0 && table[place] != integer { place = (place + 1) & mask }
            if table[place] == 0 {
                table[place] = integer
                new.append(integer)
                added += 1
            }
        }
        swap(&table, &self.table)
        count += added
    }

    private mutating func grow() {
        let old = table
        table = ContiguousArray(repeating: 0, count: max(16, old.count * 4))
        let mask = table.count - 1
        for integer in old where integer != 0 {
            var place = IDSet.hash(UInt64(bitPattern: integer)) & mask
            while table[place] != 0 { place = (place + 1) & mask }
            table[place] = integer
        }
    }

    mutating func removeAll() {
        if table.count > Self.keptCount { table = [] } else {
            for index in table.indices { table[index] = 0 }
        }
        count = 0
        hasZero = false
    }
}
