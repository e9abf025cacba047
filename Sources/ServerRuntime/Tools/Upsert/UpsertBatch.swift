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
    private(set) var rows: [UpsertRequest.Row] = []
    private(set) var origins: [RowOrigin] = []
    private(set) var names: [String] = []
    private var numbers: [CodeUnitKey: Int] = [:]
    private var places: [KeyBytes: Int] = [:]

    init(_ target: UpsertRequest.Target) { self.target = target }

    var isNodes: Bool {
        if case .nodes = target { true } else { false }
    }

    /// False when the entity is in the batch already.
    mutating func add(_ keys: [Value], _ properties: [(name: String, value: Value)], _ origin: RowOrigin) -> Bool {
        let key = KeyBytes(keys)
        guard let place = places[key] else {
            places[key] = rows.count
            var numbered: [(name: Int, value: Value)] = []
            numbered.reserveCapacity(properties.count)
            for (name, value) in properties { numbered.append((number(name), value)) }
            rows.append(UpsertRequest.Row(keys: keys, properties: numbered))
            origins.append(origin)
            return true
        }
        for (name, value) in properties {
            let number = number(name)
            if let known = rows[place].properties.firstIndex(where: { $0.name == number }) {
                rows[place].properties[known].value = value
            } else {
                rows[place].properties.append((number, value))
            }
        }
        return false
    }

    private mutating func number(_ name: String) -> Int {
        if let number = numbers[CodeUnitKey(name)] { return number }
        names.append(name)
        numbers[CodeUnitKey(name)] = names.count - 1
        return names.count - 1
    }

    /// The request for some of the rows.
    func request(_ range: Range<Int>) -> [UInt8] { UpsertRequest.encode(target, names: names, rows: rows[range]) }
}

/// What tells an entity apart, as bytes.
struct KeyBytes: Hashable, Sendable {
    private let bytes: [UInt8]

    init(_ keys: [Value]) {
        var writer = ByteWriter(reservingByteCount: 32)
        for key in keys { ValueCodec.encode(key, into: &writer) }
        bytes = writer.bytes
    }

    func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
}
