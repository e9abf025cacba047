internal import GraphModel
internal import RESTServer

/// Takes what sources find, row by row.
protocol UpsertSink {
    mutating func add(
        _ target: UpsertRequest.Target, _ keys: [Value], _ properties: [(name: String, value: Value)], _ origin: RowOrigin
    ) async throws(GraphError)

    /// A row that cannot be taken.
    mutating func bad(_ origin: RowOrigin, _ problem: String, isNodes: Bool) throws(GraphError)

    /// How much of a source has been read, 0 to 1.
    func show(_ stage: String, _ part: Double)
}

extension UpsertRequest.Key: CustomStringConvertible {
    public var description: String { "\(label).\(property)" }

    /// `Label.property`; nil for other text.
    init?(_ text: String) {
        guard let dot = text.lastIndex(of: "."), dot != text.startIndex, text.index(after: dot) != text.endIndex else { return nil }
        self.init(label: String(text[..<dot]), property: String(text[text.index(after: dot)...]))
    }
}

/// How `--key` and `--integer-ids` have it: which properties tell nodes apart.
struct UpsertKeys {
    /// Keeps ids that have no property of their own.
    private(set) var idProperty: String?
    private var byLabel: [CodeUnitKey: UpsertRequest.Key] = [:]
    let idsAreIntegers: Bool

    /// - Parameter text: `NAME`, `Label.property`, or several of these with commas between.
    init(_ text: String?, idsAreIntegers: Bool) throws(GraphError) {
        self.idsAreIntegers = idsAreIntegers
        for part in (text ?? "").split(separator: ",").map(String.init) {
            if let key = UpsertRequest.Key(part) {
                add(key)
            } else if idProperty == nil {
                idProperty = part
            } else {
                throw GraphError(.configuration, "--key \(text ?? ""): of the names only one can be without a label")
            }
        }
    }

    mutating func add(_ key: UpsertRequest.Key) { byLabel[CodeUnitKey(key.label)] = byLabel[CodeUnitKey(key.label)] ?? key }

    func key(label: String) -> UpsertRequest.Key? { byLabel[CodeUnitKey(label)] }

    /// An id as the graph keeps it; nil for one that is no integer where it must be.
    func id(_ text: String) -> Value? { idsAreIntegers ? Int64(text).map { .integer($0) } : .string(text) }
}
