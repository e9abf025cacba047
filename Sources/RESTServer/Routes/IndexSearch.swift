internal import Database
internal import GraphModel
internal import HTTPTypes
internal import LuceneQuery
internal import QueryEngine
internal import Storage

/// 18.9.9, 18.9.10 and 18.11: asking an index.
struct IndexSearch: Sendable {
    let database: Database
    let kind: SchemaRule.EntityKind
    /// Asks the automatic index, which needs no name, is there even when it is not, and shows no entries.
    var isAutomatic = false

    private func index(_ call: Call) -> (name: String, rest: ArraySlice<String>) {
        isAutomatic ? (kind.autoIndexName, call.parameters[...]) : (call.parameters[0], call.parameters[1...])
    }

    /// An automatic index is made when the first entity gets into it.
    private func isMissing(_ transaction: Transaction) -> Bool {
        isAutomatic && transaction.manualIndex(kind, named: kind.autoIndexName) == nil
    }

    func lookUp(_ call: Call) async throws(GraphError) -> Answer {
        let (name, rest) = index(call)
        let pair = Array(rest.suffix(2))
        return try await lookUp(call, name, key: pair[0], value: pair[1])
    }

    func lookUp(_ call: Call, _ name: String, key: String, value: String) async throws(GraphError) -> Answer {
        let (layout, base, kind, isAutomatic) = (call.layout, call.base, kind, isAutomatic)
        let bytes = try await database.read(call.options) { transaction throws(GraphError) in
            var ids: ContiguousArray<UInt64> = []
            if !isMissing(transaction) {
                try transaction.lookUp(kind, inIndex: name, key: key, value: .text(value), into: &ids)
            }
            var writer = RepresentationWriter(layout, base: base, transaction: transaction)
            let pair = IndexURI.pair(base, kind, name, key, value)
            writer.json.beginList()
            for id in ids {
                let mark = IndexMark(location: isAutomatic ? nil : pair + String(id))
                try writer.entity(kind.entity(id), .listed, mark)
            }
            writer.json.endList()
            return writer.json.bytes
        }
        return call.json(.ok, bytes)
    }

    private enum Order: String, CaseIterable {
        case index, relevance, score
    }

    /// - Parameter key: of terms that name none.
    func query(_ call: Call, key: String?) async throws(GraphError) -> Answer {
        guard let text = try call.target.parameter("query") else {
            throw GraphError(.invalidRequest, "the URI needs a query, as in ?query=name:*e*")
        }
        var order: Order?
        if let word = try call.target.parameter("order") {
            guard let known = Order(rawValue: word.lowercased()) else {
                throw GraphError(.invalidRequest, "order is \"\(word)\": allowed are index, relevance and score")
            }
            order = known
        }
        let query = try IndexQuery.parse(text, key: key)
        let (layout, base, kind, name, wanted) = (call.layout, call.base, kind, index(call).name, order)
        let control = database.makeControl(call.options)
        let bytes = try await database.read(call.options) { transaction throws(GraphError) in
            var hits =
                isMissing(transaction)
                ? []
                : try transaction.query(kind, index: name, query) { () throws(GraphError) in try control.check() }
            if wanted == .relevance || wanted == .score {
                hits.sort { $0.score != $1.score ? $0.score > $1.score : $0.id < $1.id }
            }
            var writer = RepresentationWriter(layout, base: base, transaction: transaction)
            writer.json.beginList()
            for hit in hits {
                try writer.entity(kind.entity(hit.id), .listed, IndexMark(score: wanted == nil ? nil : hit.score))
            }
            writer.json.endList()
            return writer.json.bytes
        }
        return call.json(.ok, bytes)
    }
}
