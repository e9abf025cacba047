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

    func lookUp(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let (name, rest) = index(call)
        let pair = Array(rest.suffix(2))
        return try lookUp(call, transaction, name, key: pair[0], value: pair[1])
    }

    func lookUp(
        _ call: Call, _ transaction: Transaction, _ name: String, key: String, value: String
    ) throws(GraphError) -> Answer {
        var ids: ContiguousArray<UInt64> = []
        if !isMissing(transaction) {
            try transaction.lookUp(kind, inIndex: name, key: key, value: .text(value), into: &ids)
        }
        let pair = IndexURI.pair(call.base, kind, name, key, value)
        return try call.json(.ok, transaction) { writer throws(GraphError) in
            writer.json.beginList()
            for id in ids {
                let mark = IndexMark(location: isAutomatic ? nil : pair + String(id))
                try writer.entity(kind.entity(id), .listed, mark)
            }
            writer.json.endList()
        }
    }

    private enum Order: String, CaseIterable {
        case index, relevance, score
    }

    /// - Parameter key: of terms that name none.
    func query(_ call: Call, _ transaction: Transaction, key: String?) throws(GraphError) -> Answer {
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
        let control = call.control ?? database.makeControl(call.options)
        var hits =
            isMissing(transaction)
            ? []
            : try transaction.query(kind, index: index(call).name, query) { () throws(GraphError) in
                try control.check()
            }
        if order == .relevance || order == .score {
            hits.sort { $0.score != $1.score ? $0.score > $1.score : $0.id < $1.id }
        }
        return try call.json(.ok, transaction) { writer throws(GraphError) in
            writer.json.beginList()
            for hit in hits {
                try writer.entity(kind.entity(hit.id), .listed, IndexMark(score: order == nil ? nil : hit.score))
            }
            writer.json.endList()
        }
    }
}
