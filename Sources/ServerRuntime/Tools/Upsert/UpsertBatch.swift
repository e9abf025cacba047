internal import FileSystem
internal import GraphModel
internal import RESTServer
internal import Storage

/// Where a row stands.
struct RowOrigin: Sendable {
    let path: String
    let line: UInt64
}

/// Rows that one request puts into the graph. An entity is there once; of several rows for it the last counts where they
/// differ.
struct UpsertBatch: Sendable {
    let target: UpsertRequest.Target
    private var rows: EncodedRows
    private(set) var origins: [RowOrigin] = []
    private var names: [String] = []
    private var numbers: [CodeUnitKey: Int] = [:]
    /// Rows often name their properties in the same order: the number that comes next then.
    private var nextNumber = 0
    /// Of the row that is being added.
    private var numbered: [(name: Int, value: Value)] = []

    init(_ target: UpsertRequest.Target) {
        self.target = target
        rows = EncodedRows(keyCount: target.keyCount)
    }

    var isNodes: Bool {
        if case .nodes = target { true } else { false }
    }

    var rowCount: Int { rows.count }
    /// What the request takes, roughly.
    var byteCount: Int { rows.byteCount }

    /// False when the entity is in the batch already.
    mutating func add(
        _ keys: [Value], _ properties: [(name: String, value: Value)], _ origin: RowOrigin
    ) throws(GraphError) -> Bool {
        numbered.removeAll(keepingCapacity: true)
        for (name, value) in properties { numbered.append((number(name), value)) }
        do throws(MalformedBytes) {
            guard try rows.add(keys, numbered) else { return false }
        } catch { throw GraphError(.general, "\(origin.path), line \(origin.line): \(error)") }
        origins.append(origin)
        return true
    }

    private mutating func number(_ name: String) -> Int {
        let number: Int
        if nextNumber < names.count, codeUnitsEqual(names[nextNumber], name) {
            number = nextNumber
        } else if let known = numbers[CodeUnitKey(name)] {
            number = known
        } else {
            number = names.count
            numbers[CodeUnitKey(name)] = number
            names.append(name)
        }
        nextNumber = number + 1 < names.count ? number + 1 : 0
        return number
    }

    /// Whether two batches may go in either order: neither has an entity of the other, nor one that the other needs.
    func isApart(from other: UpsertBatch) -> Bool { target == other.target && rows.isDisjoint(with: other.rows) }

    /// The request for some of the rows.
    func request(_ range: Range<Int>) -> [UInt8] {
        UpsertRequest.encode(target, names: names, rowCount: range.count) { rows.write(range, to: &$0) }
    }

    /// What tells the entity of a row apart, for people: the key at its start, and the one at its end.
    func keys(_ row: Int) -> (start: String, end: String) {
        let keys = (try? rows.row(row).keys) ?? []
        return (keys.first.map { IndexedValue($0).text } ?? "", keys.last.map { IndexedValue($0).text } ?? "")
    }
}
