internal import GraphModel

/// A list; a set, too, when it keeps no element twice.
final class ListItem: Held {
    private(set) var elements: [Item] = []
    /// Changes by something else than elements at the end.
    private(set) var changeCount = 0
    /// The keys of the elements, of as many of them as were looked at.
    private var known: Set<ItemKey> = []
    private var knownCount = 0
    private var knownChangeCount = 0
    let isSet: Bool

    private static let elementByteCount = 40

    init(_ memory: Memory, isSet: Bool = false) {
        self.isSet = isSet
        super.init(memory)
    }

    convenience init(_ memory: Memory, _ elements: [Item]) throws(GraphError) {
        self.init(memory)
        try replace(elements)
    }

    deinit { memory.bury(&elements) }

    override func clear() { (elements, known) = ([], []) }

    /// False when it is a set and has the element.
    @discardableResult
    func append(_ item: Item) throws(GraphError) -> Bool {
        if isSet, try contains(item) { return false }
        try grow(Self.elementByteCount + item.byteCount)
        elements.append(item)
        return true
    }

    func replace(_ items: [Item]) throws(GraphError) {
        shrink(elements.reduce(0) { $0 + Self.elementByteCount + $1.byteCount })
        changeCount += 1
        elements = []
        for item in items { try append(item) }
    }

    func set(_ index: Int, _ item: Item) throws(GraphError) {
        changeCount += 1
        try grow(item.byteCount)
        shrink(elements[index].byteCount)
        elements[index] = item
    }

    func remove(at index: Int) -> Item {
        changeCount += 1
        let item = elements.remove(at: index)
        shrink(Self.elementByteCount + item.byteCount)
        return item
    }

    /// O(1) on average: keys are kept from one call to the next.
    func contains(_ item: Item) throws(GraphError) -> Bool {
        let key = try ItemKey(item)
        if knownChangeCount != changeCount {
            (known, knownCount, knownChangeCount) = ([], 0, changeCount)
        }
        while knownCount < elements.count {
            if known.insert(try ItemKey(elements[knownCount])).inserted { try grow(48) }
            knownCount += 1
        }
        return known.contains(key)
    }
}

/// A map with its entries in the order in which their keys came.
final class MapItem: Held {
    private var entries: [(key: Item, value: Item)?] = []
    private var places: [ItemKey: Int] = [:]

    private static let entryByteCount = 120

    var count: Int { places.count }

    deinit {
        var items = entries.flatMap { entry -> [Item] in entry.map { [$0.key, $0.value] } ?? [] }
        clear()
        memory.bury(&items)
    }

    override func clear() { (entries, places) = ([], [:]) }

    var all: [(key: Item, value: Item)] { entries.compactMap { $0 } }

    func value(_ key: Item) throws(GraphError) -> Item? {
        guard let place = places[try ItemKey(key)] else { return nil }
        return entries[place]?.value
    }

    func set(_ key: Item, _ value: Item) throws(GraphError) {
        let itemKey = try ItemKey(key)
        if let place = places[itemKey] {
            try grow(value.byteCount)
            shrink(entries[place]?.value.byteCount ?? 0)
            entries[place]?.value = value
            return
        }
        try grow(Self.entryByteCount + key.byteCount + value.byteCount)
        places[itemKey] = entries.count
        entries.append((key, value))
    }

    func remove(_ key: Item) throws(GraphError) -> Item? {
        guard let place = places.removeValue(forKey: try ItemKey(key)), let entry = entries[place] else { return nil }
        shrink(Self.entryByteCount + entry.key.byteCount + entry.value.byteCount)
        entries[place] = nil
        if entries.count > 16 && places.count * 2 < entries.count {
            entries = entries.filter { $0 != nil }
            for (place, entry) in entries.enumerated() { if let entry { places[try ItemKey(entry.key)] = place } }
        }
        return entry.value
    }

    func removeAll() {
        shrink(all.reduce(0) { $0 + Self.entryByteCount + $1.key.byteCount + $1.value.byteCount })
        clear()
    }
}

/// A key of a map with its value, or any two items.
final class EntryItem: Held {
    private(set) var key: Item
    private(set) var value: Item

    init(_ memory: Memory, _ key: Item, _ value: Item) {
        (self.key, self.value) = (key, value)
        super.init(memory)
    }

    deinit {
        var items = [key, value]
        clear()
        memory.bury(&items)
    }

    override func clear() { (key, value) = (.null, .null) }
}

/// What the closures of a loop get to know.
final class BundleItem: Held {
    private(set) var item: Item
    private(set) var path: PathNode?
    let loops: Int64

    init(_ memory: Memory, _ traveller: Traveller) {
        (item, path, loops) = (traveller.item, traveller.path, traveller.loops)
        super.init(memory)
    }

    deinit {
        var items = [item]
        item = .null
        memory.bury(&items)
        memory.bury(&path)
    }

    override func clear() { (item, path) = (.null, nil) }
}

/// Rows of named columns.
final class TableItem: Held {
    private(set) var columns: [String] = []
    private(set) var rows: [[Item]] = []

    deinit {
        var items = rows.flatMap { $0 }
        rows = []
        memory.bury(&items)
    }

    override func clear() { rows = [] }

    func append(_ row: [Item], columns: [String]) throws(GraphError) {
        if rows.isEmpty { self.columns = columns }
        try grow(row.reduce(48) { $0 + 24 + $1.byteCount })
        rows.append(row)
    }
}

/// What tells one item from another in maps and sets.
indirect enum ItemKey: Hashable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case float(Double)
    case string(CodeUnitKey)
    case vertex(NodeID)
    case edge(RelationshipID)
    case stored(Value)
    case list([ItemKey])
    case entries([ItemKey: ItemKey])

    /// Throws for what has no value that stays the same.
    init(_ item: Item) throws(GraphError) { try self.init(item, depth: 0) }

    private init(_ item: Item, depth: Int) throws(GraphError) {
        if depth > 32 { throw GraphError(.scriptFailure, "the script fails: a list is too deep to be compared") }
        switch item {
        case .null: self = .null
        case .boolean(let flag): self = .boolean(flag)
        case .integer(let number): self = .integer(number)
        // 1 and 1.0 are equal.
        case .float(let number): self = Int64(exactly: number).map { .integer($0) } ?? .float(number)
        case .string(let text): self = .string(CodeUnitKey(text))
        case .vertex(let id): self = .vertex(id)
        case .edge(let id): self = .edge(id)
        case .stored(let value): self = .stored(value)
        case .object(.relationshipType(let name)): self = .string(CodeUnitKey(name))
        case .list(let list):
            var keys: [ItemKey] = []
            for element in list.elements { keys.append(try ItemKey(element, depth: depth + 1)) }
            self = .list(keys)
        case .map(let map):
            var keys: [ItemKey: ItemKey] = [:]
            for (key, value) in map.all { keys[try ItemKey(key, depth: depth + 1)] = try ItemKey(value, depth: depth + 1) }
            self = .entries(keys)
        case .range(let first, let last): self = .list([.integer(first), .integer(last)])
        case .closure, .pipe, .table, .type, .object:
            throw GraphError(.scriptFailure, "the script fails: \(item.kindName) cannot be compared or be a key of a map")
        }
    }
}
