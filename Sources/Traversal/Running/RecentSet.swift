/// The ids that were met most recently, up to a number of them: meeting one again makes it the most recent.
struct RecentSet: Sendable {
    private struct Entry {
        let id: UInt64
        var newer: Int32
        var older: Int32
    }
    private var places: [UInt64: Int32] = [:]
    private var entries: ContiguousArray<Entry> = []
    private var newest: Int32 = -1
    private var oldest: Int32 = -1
    private let capacity: Int

    init(capacity: Int) { self.capacity = max(1, min(capacity, Int(Int32.max))) }

    var byteCount: Int { entries.count * 40 }

    /// Notes that an id was met; true when it is not among the recent ones.
    mutating func insert(_ id: UInt64) -> Bool {
        if let place = places[id] {
            unlink(place)
            link(place)
            return false
        }
        var place = Int32(entries.count)
        if entries.count < capacity {
            entries.append(Entry(id: id, newer: -1, older: -1))
        } else {
            place = oldest
            unlink(place)
            places[entries[Int(place)].id] = nil
            entries[Int(place)] = Entry(id: id, newer: -1, older: -1)
        }
        places[id] = place
        link(place)
        return true
    }

    private mutating func unlink(_ place: Int32) {
        let entry = entries[Int(place)]
        if entry.newer >= 0 { entries[Int(entry.newer)].older = entry.older } else { newest = entry.older }
        if entry.older >= 0 { entries[Int(entry.older)].newer = entry.newer } else { oldest = entry.newer }
    }

    private mutating func link(_ place: Int32) {
        entries[Int(place)].newer = -1
        entries[Int(place)].older = newest
        if newest >= 0 { entries[Int(newest)].newer = place } else { oldest = place }
        newest = place
    }
}
