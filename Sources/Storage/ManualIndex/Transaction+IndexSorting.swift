public import GraphModel

/// What the hits of a query are put in order by.
public enum IndexSorting: Sendable {
    /// The values of a key by their text; the least of an entity counts.
    case text(key: String, isReversed: Bool = false)
    /// The numbers of a key that were added for ranges.
    case number(key: String, isReversed: Bool = false)
    /// The best first.
    case score
}

extension Transaction {
    /// The hits of a query in another order: by the first criterion, where that leaves two equal by the next, at last by
    /// id. Entities without a value come first, as in the original.
    ///
    /// Throws as ``query(_:index:_:ends:checkpoint:)``.
    public func sorted(
        _ hits: [IndexHit], _ kind: SchemaRule.EntityKind, inIndex name: String, by criteria: [IndexSorting]
    ) throws(GraphError) -> [IndexHit] {
        var rows: [(hit: IndexHit, values: [Value])] = []
        rows.reserveCapacity(hits.count)
        for hit in hits {
            let entries = try entries(of: kind.entity(hit.id), inIndex: name)
            rows.append((hit, criteria.map { Self.value($0, hit, entries) }))
        }
        rows.sort { a, b in
            for (index, criterion) in criteria.enumerated() {
                let (x, y) = (a.values[index], b.values[index])
                var order = x.isNull ? (y.isNull ? 0 : -1) : y.isNull ? 1 : x.order(y)
                switch criterion {
                case .number(_, isReversed: true), .text(_, isReversed: true), .score: order = -order
                case .number, .text: break
                }
                if order != 0 { return order < 0 }
            }
            return a.hit.id < b.hit.id
        }
        return rows.map(\.hit)
    }

    private static func value(
        _ criterion: IndexSorting, _ hit: IndexHit, _ entries: [(key: String, value: IndexedValue)]
    ) -> Value {
        switch criterion {
        case .score: return .float(hit.score)
        case .text(let key, _):
            let texts = entries.compactMap { entry -> String? in
                if case .text(let text) = entry.value, codeUnitsEqual(entry.key, key) { text } else { nil }
            }
            return texts.min { codeUnitOrder($0, $1) < 0 }.map { .string($0) } ?? .null
        case .number(let key, _):
            let numbers = entries.compactMap { entry -> Value? in
                guard codeUnitsEqual(entry.key, key) else { return nil }
                switch entry.value {
                case .integer(let number): return .integer(number)
                case .float(let number): return .float(number)
                case .text: return nil
                }
            }
            return numbers.min { $0.order($1) < 0 } ?? .null
        }
    }
}
