public import GraphModel

/// A plan as people and tools see it; after PROFILE with what each operator did.
public struct PlanDescription: Sendable, Equatable {
    public struct Operator: Sendable, Equatable {
        public let name: String
        public let details: String
        /// The plans that it runs for its rows.
        public let inside: [[Operator]]
        /// Rows that it gave; nil when the query was not profiled.
        public let rowCount: Int?
        /// Records read: entities found, properties looked up.
        public let hitCount: Int?
        /// Time spent in it, the plans inside it included, in nanoseconds.
        public let nanoseconds: UInt64?
    }

    /// In the order in which rows pass through them.
    public let operators: [Operator]
    public let columns: [String]

    init(_ recorded: [PlanRecorder.Node], columns: [String], _ profile: Profile? = nil) {
        operators = Self.operators(recorded, profile)
        self.columns = columns
    }

    private static func operators(_ recorded: [PlanRecorder.Node], _ profile: Profile?) -> [Operator] {
        recorded.map { node in
            let name = node.text.prefix { $0 != " " }
            let entry = profile.flatMap { node.number < $0.entries.count ? $0.entries[node.number] : nil }
            return Operator(
                name: String(name), details: String(node.text.dropFirst(name.count + 1)),
                inside: node.inside.map { operators($0, profile) }, rowCount: entry?.rowCount,
                hitCount: entry?.hitCount, nanoseconds: entry?.nanoseconds)
        }
    }

    /// A line for each operator: the first takes place first.
    public var text: String {
        var lines: [String] = []
        Self.describe(operators, "", &lines)
        if !columns.isEmpty { lines.append("Result: \(columns.joined(separator: ", "))") }
        return lines.joined(separator: "\n")
    }

    private static func describe(_ operators: [Operator], _ indentation: String, _ lines: inout [String]) {
        for item in operators {
            var line = indentation + item.name + (item.details.isEmpty ? "" : " " + item.details)
            if let rows = item.rowCount, let hits = item.hitCount, let nanoseconds = item.nanoseconds {
                line += "  [rows \(rows), hits \(hits), \(nanoseconds / 1000) us]"
            }
            lines.append(line)
            for plan in item.inside { describe(plan, indentation + "  ", &lines) }
        }
    }

    /// The same as a map, for JSON.
    public var value: Value { .map(MapValue([("operators", Self.value(operators)), ("columns", .list(columns.map { .string($0) }))])) }

    private static func value(_ operators: [Operator]) -> Value {
        .list(
            operators.map { item in
                var entries: [(key: String, value: Value)] = [
                    ("operator", .string(item.name)), ("details", .string(item.details)),
                ]
                if let rows = item.rowCount { entries.append(("rows", .integer(Int64(rows)))) }
                if let hits = item.hitCount { entries.append(("dbHits", .integer(Int64(hits)))) }
                if let time = item.nanoseconds { entries.append(("timeMicros", .integer(Int64(time / 1000)))) }
                if !item.inside.isEmpty { entries.append(("inside", .list(item.inside.map { value($0) }))) }
                return .map(MapValue(entries))
            })
    }
}
