internal import GraphModel

/// A set of ids for counting distinct ones: few in a small table, many in pages of bits that are made when touched.
struct IDSet {
    private(set) var count = 0
    /// Open addressing, `noID` for a free place; empty once the pages are in use.
    private var table: ContiguousArray<UInt64> = []
    private var directory: ContiguousArray<Int32> = []
    private var words: ContiguousArray<UInt64> = []
    private static let tableCountMaximum = 512
    private static let pageShift: UInt64 = 12
    private static let wordsPerPage = 64

    private let usesPages: Bool

    /// - Parameter usesPages: whether a set that has become large goes into pages, as ids that lie together should.
    init(usesPages: Bool = true) { self.usesPages = usesPages }

    /// Bytes of the table or the pages.
    var byteCount: Int { (table.count + words.count) * 8 + directory.count * 4 }

    /// A set that is expected to become large, of ids up to about `expectedMaximum`: goes without the small table.
    init(expectedMaximum: Int) {
        usesPages = true
        let pageCount = expectedMaximum >> Int(Self.pageShift) + 1
        directory = ContiguousArray(repeating: -1, count: min(max(pageCount, 1), 1 << 16))
        words.reserveCapacity(min(pageCount, 64) * Self.wordsPerPage)
    }

    /// Forgets all ids.
    mutating func removeAll() {
        count = 0
        if !directory.isEmpty {
            for index in directory.indices { directory[index] = -1 }
            words.removeAll(keepingCapacity: words.count <= 1 << 16)
        }
        for index in table.indices { table[index] = noID }
    }

    /// Adds an id; true when it is new.
    @inline(__always)
    @discardableResult
    mutating func insert(_ id: UInt64) -> Bool {
        if directory.isEmpty { return insertIntoTable(id) }
        return insertIntoPages(id)
    }

    /// Adds many.
    mutating func insert(contentsOf ids: ContiguousArray<UInt64>, count: Int) {
        var index = 0
        while index < count, directory.isEmpty {
            if ids[index] != noID { insertIntoTable(ids[index]) }
            index += 1
        }
        // Locals, so that the loop need not write the fields back for every id.
        var words: ContiguousArray<UInt64> = []
        swap(&words, &self.words)
        var added = 0
        while index < count {
            let id = ids[index]
            index += 1
            if id == noID { continue }
            let page = Int(truncatingIfNeeded: id >> Self.pageShift)
            var start = page < directory.count ? Int(directory[page]) : -1
            if start < 0 { start = makePage(page, &words) }
            let word = start | Int(truncatingIfNeeded: id >> 6) & 63
            let before = words[word]
            let after = before | (1 as UInt64) << (id & 63)
            words[word] = after
            added &+= before == after ? 0 : 1
        }
        swap(&words, &self.words)
        self.count += added
    }

    @inline(__always)
    @discardableResult
    private mutating func insertIntoPages(_ id: UInt64) -> Bool {
        let page = Int(truncatingIfNeeded: id >> Self.pageShift)
        var start = page < directory.count ? Int(directory[page]) : -1
        if start < 0 {
            var words: ContiguousArray<UInt64> = []
            swap(&words, &self.words)
            start = makePage(page, &words)
            swap(&words, &self.words)
        }
        let word = start | Int(truncatingIfNeeded: id >> 6) & 63
        let before = words[word]
        words[word] = before | (1 as UInt64) << (id & 63)
        let isNew = before != words[word]
        count &+= isNew ? 1 : 0
        return isNew
    }

    /// Makes a page and returns the index of its first word.
    private mutating func makePage(_ page: Int, _ words: inout ContiguousArray<UInt64>) -> Int {
        if page >= directory.count {
            directory.append(
                contentsOf: repeatElement(-1, count: max(page + 1, directory.count * 2) - directory.count))
        }
        let start = words.count
        words.append(contentsOf: repeatElement(0, count: Self.wordsPerPage))
        directory[page] = Int32(start)
        return start
    }

    @discardableResult
    private mutating func insertIntoTable(_ id: UInt64) -> Bool {
        if count * 2 >= table.count { if grow() { return insertIntoPages(id) } }
        let mask = table.count - 1
        var place = Self.hash(id) & mask
        while table[place] != noID {
            if table[place] == id { return false }
            place = (place + 1) & mask
        }
        table[place] = id
        count += 1
        return true
    }

    /// Makes room; true when the set has moved to pages.
    private mutating func grow() -> Bool {
        let old = table
        if usesPages, old.count >= Self.tableCountMaximum {
            table = []
            count = 0
            for id in old where id != noID { insertIntoPages(id) }
            return true
        }
        let factor = old.count < Self.tableCountMaximum ? 4 : 2
        table = ContiguousArray(repeating: noID, count: max(16, old.count * factor))
        count = 0
        for id in old where id != noID { insertIntoTable(id) }
        return false
    }

    static func hash(_ id: UInt64) -> Int {
        Int(truncatingIfNeeded: (id &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }
}

/// Numbers ids in the order of their first appearance; for grouping by a node or relationship.
struct IDNumbering {
    private(set) var ids: ContiguousArray<UInt64> = []
    private var table: ContiguousArray<Int32> = ContiguousArray(repeating: -1, count: 64)
    /// null is a group of its own.
    private var numberOfNone: Int?

    mutating func number(_ id: UInt64) -> Int {
        if id == noID {
            if let numberOfNone { return numberOfNone }
            numberOfNone = ids.count
            ids.append(id)
            return ids.count - 1
        }
        if ids.count * 2 >= table.count { grow() }
        let mask = table.count - 1
        var place = IDSet.hash(id) & mask
        while table[place] >= 0 {
            if ids[Int(table[place])] == id { return Int(table[place]) }
            place = (place + 1) & mask
        }
        table[place] = Int32(ids.count)
        ids.append(id)
        return ids.count - 1
    }

    private mutating func grow() {
        table = ContiguousArray(repeating: -1, count: table.count * 4)
        let mask = table.count - 1
        for (number, id) in ids.enumerated() where id != noID {
            var place = IDSet.hash(id) & mask
            while table[place] >= 0 { place = (place + 1) & mask }
            table[place] = Int32(number)
        }
    }
}

/// Numbers combinations of values in the order of their first appearance.
struct ValueNumbering {
    let width: Int
    /// `width` values for each number.
    private(set) var values: ContiguousArray<Value> = []
    private var hashes: ContiguousArray<Int> = []
    private var table: ContiguousArray<Int32> = ContiguousArray(repeating: -1, count: 64)

    init(width: Int) { self.width = width }

    var count: Int { hashes.count }

    mutating func number(_ key: ContiguousArray<Value>) -> Int {
        if hashes.count * 2 >= table.count { grow() }
        var hasher = Hasher()
        for value in key { value.hash(into: &hasher) }
        let hash = hasher.finalize()
        let mask = table.count - 1
        var place = hash & mask
        while table[place] >= 0 {
            let number = Int(table[place])
            if hashes[number] == hash, isEqual(number, key) { return number }
            place = (place + 1) & mask
        }
        table[place] = Int32(hashes.count)
        hashes.append(hash)
        values.append(contentsOf: key)
        return hashes.count - 1
    }

    private func isEqual(_ number: Int, _ key: ContiguousArray<Value>) -> Bool {
        for index in 0..<width where values[number * width + index] != key[index] { return false }
        return true
    }

    private mutating func grow() {
        table = ContiguousArray(repeating: -1, count: table.count * 4)
        let mask = table.count - 1
        for (number, hash) in hashes.enumerated() {
            var place = hash & mask
            while table[place] >= 0 { place = (place + 1) & mask }
            table[place] = Int32(number)
        }
    }
}
