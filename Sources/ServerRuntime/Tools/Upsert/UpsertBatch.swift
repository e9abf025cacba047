internal import GraphModel
internal import RESTServer
internal import Storage

/// A row on its way into the graph.
struct UpsertRow {
    /// What tells its entity apart: a node's key, or both ends' keys.
    let keys: [Value]
    var properties: [(name: String, value: Value)]
    let file: Int
    let line: UInt64
}

/// Rows that one statement puts into the graph: nodes with the same labels, or relationships of one type between the same
/// kinds of nodes. An entity is there once; of several rows for it the last counts where they differ.
struct UpsertBatch {
    let target: Target
    private(set) var rows: [UpsertRow] = []
    /// By the keys, written out.
    private var places: [[UInt8]: Int] = [:]

    enum Target: Hashable {
        case nodes(UpsertKey, labels: [String])
        case relationships(type: String, start: UpsertKey, end: UpsertKey)
    }

    init(_ target: Target) { self.target = target }

    /// False when the entity is in the batch already.
    mutating func add(_ row: UpsertRow) -> Bool {
        let keys = Self.json(row.keys)
        guard let place = places[keys] else {
            places[keys] = rows.count
            rows.append(row)
            return true
        }
        for (name, value) in row.properties {
            if let known = rows[place].properties.firstIndex(where: { codeUnitsEqual($0.name, name) }) {
                rows[place].properties[known].value = value
            } else {
                rows[place].properties.append((name, value))
            }
        }
        return false
    }

    /// What a row's entity was: as the statement numbers it.
    enum Outcome: Int64 {
        case unchanged, updated, created
        /// A node at the end of a relationship is missing.
        case endless
    }

    /// Looks at every entity and writes what is not there or differs. Gives (outcome, count, numbers of endless rows).
    var statement: String {
        let differs = "any(x IN keys(row.p) WHERE found[x] IS NULL OR found[x] <> row.p[x])"
        let writes = "FOREACH (ignored IN CASE WHEN state IN [1, 2] THEN [1] ELSE [] END |"
        let end = "RETURN state, count(*), CASE state WHEN 3 THEN collect(row.i) ELSE [] END"
        switch target {
        case .nodes(let key, let labels):
            let node = "\(Self.name(key.label)) {\(Self.quoted(key.property)): row.k[0]}"
            let lacksLabel = labels.dropFirst().map { " OR NOT found\(Self.name($0))" }.joined()
            let more = labels.dropFirst().map(Self.name).joined()
            return """
                UNWIND $rows AS row OPTIONAL MATCH (found\(node)) WITH row, head(collect(found)) AS found \
                WITH row, CASE WHEN found IS NULL THEN 2 WHEN \(differs)\(lacksLabel) THEN 1 ELSE 0 END AS state \
                \(writes) MERGE (n\(node)) SET n += row.p\(more.isEmpty ? "" : ", n\(more)")) \(end)
                """
        case .relationships(let type, let start, let end_):
            func node(_ variable: String, _ key: UpsertKey, _ index: Int) -> String {
                "(\(variable)\(Self.name(key.label)) {\(Self.quoted(key.property)): row.k[\(index)]})"
            }
            return """
                UNWIND $rows AS row OPTIONAL MATCH \(node("a", start, 0)) OPTIONAL MATCH \(node("b", end_, 1)) \
                OPTIONAL MATCH (a)-[found\(Self.name(type))]->(b) WITH row, a, b, head(collect(found)) AS found \
                WITH row, a, b, CASE WHEN a IS NULL OR b IS NULL THEN 3 WHEN found IS NULL THEN 2 WHEN \(differs) THEN 1 \
                ELSE 0 END AS state \(writes) MERGE (a)-[r\(Self.name(type))]->(b) SET r += row.p) \(end)
                """
        }
    }

    /// `{"rows": [{"i": 0, "k": ["a"], "p": {"name": "b"}}, …]}` of some of the rows.
    func parameters(_ range: Range<Int>) -> [UInt8] {
        var json = JSONWriter(.compact, capacity: range.count * 96)
        json.beginObject()
        json.key("rows")
        json.beginList()
        for index in range {
            json.beginObject()
            json.key("i")
            json.value(UInt64(index))
            json.key("k")
            json.embed(Self.json(rows[index].keys))
            json.key("p")
            json.beginObject()
            for (name, value) in rows[index].properties {
                json.key(name)
                Self.write(value, &json)
            }
            json.endObject()
            json.endObject()
        }
        json.endList()
        json.endObject()
        return json.bytes
    }

    static func json(_ keys: [Value]) -> [UInt8] {
        var json = JSONWriter(.compact, capacity: 32)
        json.beginList()
        for key in keys { write(key, &json) }
        json.endList()
        return json.bytes
    }

    static func json(_ text: String) -> [UInt8] {
        var json = JSONWriter(.compact)
        json.string(text)
        return json.bytes
    }

    private static func write(_ value: Value, _ json: inout JSONWriter) {
        switch value {
        case .string(let text): json.string(text.text)
        case .integer(let number): json.value(number)
        case .float(let number): json.value(number)
        case .boolean(let isTrue): json.value(isTrue)
        case .list(let list):
            json.beginList()
            for element in list.elements { write(element, &json) }
            json.endList()
        default: json.null()
        }
    }

    private static func quoted(_ name: String) -> String { "`" + name.split(separator: "`", omittingEmptySubsequences: false).joined(separator: "``") + "`" }
    /// With the colon of a label or type before it.
    private static func name(_ name: String) -> String { ":" + quoted(name) }
}
