import GraphModel
import Storage
import TestSupport
import Testing

/// What an index must hold, worked out from a plain graph.
struct IndexModel {
    typealias Entry = (values: [Value], id: UInt64)
    let status: SchemaRuleStatus
    /// In the order of the index.
    let entries: [Entry]

    init(_ status: SchemaRuleStatus, _ graph: ModelGraph) {
        self.status = status
        var entries: [Entry] = []
        func add(_ id: UInt64, _ properties: [String: Value]) {
            let values = status.keyNames.compactMap { properties[$0] }
            if values.count == status.keyNames.count { entries.append((values, id)) }
        }
        switch status.rule.entity {
        case .node:
            for (id, node) in graph.nodes where node.labels.contains(status.tokenName) { add(id, node.properties) }
        case .relationship:
            for (id, relationship) in graph.relationships where relationship.type == status.tokenName {
                add(id, relationship.properties)
            }
        }
        self.entries = entries.sorted { Self.order($0, $1) < 0 }
    }

    static func order(_ a: [Value], _ b: [Value]) -> Int {
        zip(a, b).lazy.map { $0.order($1) }.first { $0 != 0 } ?? 0
    }

    static func order(_ a: Entry, _ b: Entry) -> Int {
        let byValue = order(a.values, b.values)
        return byValue != 0 ? byValue : a.id < b.id ? -1 : a.id == b.id ? 0 : 1
    }

    var hasDuplicates: Bool { zip(entries, entries.dropFirst()).contains { Self.order($0.values, $1.values) == 0 } }

    /// Compares all ways of reading with the model.
    ///
    /// - Parameter isCurrent: whether nothing was committed since the snapshot, so that statistics are exact.
    func verify(
        _ transaction: Transaction, _ generator: inout SeededGenerator, _ comment: Comment, isCurrent: Bool = true
    ) throws {
        let id = status.rule.id
        for order in [IndexOrder.ascending, .descending] {
            let wanted = order == .ascending ? entries.map(\.id) : entries.reversed().map(\.id)
            #expect(try Self.scan(transaction, id, .all, order, &generator) == wanted, comment)
        }
        let probes = entries.shuffled(using: &generator).prefix(3).map(\.values) + [status.keyNames.map { _ in .integer(7) }]
        for values in probes {
            var ids: ContiguousArray<UInt64> = []
            try transaction.seek(id, equals: values, into: &ids)
            #expect(Array(ids) == entries.filter { Self.order($0.values, values) == 0 }.map(\.id), comment)
            ids.removeAll()
            try transaction.seek(id, equals: [values[0]], into: &ids)
            #expect(Array(ids) == entries.filter { $0.values[0] == values[0] }.map(\.id), comment)
            let isIncluded = Bool.random(using: &generator)
            let order = Bool.random(using: &generator) ? IndexOrder.ascending : .descending
            let below = try Self.scan(transaction, id, .between(nil, .init(values[0], isIncluded: isIncluded)), order, &generator)
            let above = try Self.scan(transaction, id, .between(.init(values[0], isIncluded: isIncluded), nil), order, &generator)
            #expect(below.sorted() == matching(values[0], isIncluded) { $0 < 0 }, comment)
            #expect(above.sorted() == matching(values[0], isIncluded) { $0 > 0 }, comment)
        }
        for prefix in ["", "u", "x", "\u{1F426}"] {
            let found = try Self.scan(transaction, id, .prefix(prefix), .ascending, &generator)
            let wanted = entries.filter { entry in
                if case .string(let text) = entry.values[0] { Array(text.text.utf8).starts(with: Array(prefix.utf8)) } else { false }
            }
            #expect(found == wanted.map(\.id), comment)
        }
        if isCurrent { #expect(transaction.statistics(id).entryCount == entries.count, comment) }
    }

    /// Ids of the entries whose first value has the kind of a bound and lies on one side of it; ascending.
    private func matching(_ bound: Value, _ isIncluded: Bool, _ isWanted: (Int) -> Bool) -> [UInt64] {
        func kind(_ value: Value) -> Int {
            switch value {
            case .boolean: 1
            case .integer, .float: 2
            case .string: 3
            case .bytes: 4
            case .temporal(let temporal): 10 + Int(temporal.content.sort.rawValue)
            case .point: 6
            default: 5
            }
        }
        func isNaN(_ value: Value) -> Bool { if case .float(let number) = value { number.isNaN } else { false } }
        if isNaN(bound) { return [] }
        // No order in comparisons.
        if case .point = bound { return [] }
        if case .temporal(let temporal) = bound, temporal.content.sort == .duration { return [] }
        return entries.filter { entry in
            guard kind(entry.values[0]) == kind(bound), !isNaN(entry.values[0]) else { return false }
            let order = entry.values[0].order(bound)
            return order == 0 ? isIncluded : isWanted(order)
        }.map(\.id).sorted()
    }

    static func scan(
        _ transaction: Transaction, _ id: SchemaRuleID, _ range: IndexRange, _ order: IndexOrder,
        _ generator: inout SeededGenerator
    ) throws -> [UInt64] {
        var ids: ContiguousArray<UInt64> = []
        var cursor = IndexCursor()
        while try transaction.scan(
            id, range, order: order, cursor: &cursor, limit: Int.random(in: 1...9, using: &generator), into: &ids)
        {}
        return Array(ids)
    }
}
