internal import GraphModel

extension Store {
    /// Every entry of a named index can be read, belongs to an entity that exists, and has its counterparts: a pair is
    /// found by its value, by its entity, and by each of its tokens, and by nothing else.
    func checkManualIndex(_ index: ManualIndex, _ transaction: Transaction, _ report: inout CheckReport) {
        let reader = transaction.reader(index)
        var merge = reader.merge(.all)
        while let entry = merge.next() {
            report.indexEntryCount += 1
            let place = "index `\(index.name)`, \(index.entity.word) \(entry.id)"
            let exists =
                index.entity == .node
                ? transaction.nodeExists(NodeID(entry.id)) : transaction.relationship(RelationshipID(entry.id)) != nil
            if !exists { report.note("\(place): is in the index and does not exist") }
            switch entry.key.first {
            case ManualIndexKey.valueSection:
                var parts = ManualIndexKey.Reader(entry.key, from: 1)
                guard let key = parts.string(), let value = parts.value(), parts.isAtEnd else {
                    report.note("\(place): an entry cannot be read")
                    continue
                }
                if !reader.contains(ManualIndexKey.entity(entry.id, key, value), entry.id) {
                    report.note("\(place): is found by \(key)=\(value.text), but knows nothing of it")
                }
                for token in reader.index.tokens(value)
                where !reader.contains(ManualIndexKey.token(key, String(decoding: token, as: UTF8.self)), entry.id) {
                    report.note("\(place): is not found by a token of \(key)=\(value.text)")
                }
            case ManualIndexKey.entitySection:
                var parts = ManualIndexKey.Reader(entry.key, from: 1)
                guard parts.entity() == entry.id, let key = parts.string(), let value = parts.value(), parts.isAtEnd else {
                    report.note("\(place): an entry cannot be read")
                    continue
                }
                if !reader.contains(ManualIndexKey.value(key, value), entry.id) {
                    report.note("\(place): is not found by \(key)=\(value.text)")
                }
            case ManualIndexKey.tokenSection:
                var parts = ManualIndexKey.Reader(entry.key, from: 1)
                guard let key = parts.string(), let token = parts.string(), parts.isAtEnd else {
                    report.note("\(place): an entry cannot be read")
                    continue
                }
                let bytes = Array(token.utf8)
                if !reader.values(of: entry.id, key: key).contains(where: { reader.index.tokens($0.value).contains(bytes) }) {
                    report.note("\(place): is found by token \"\(token)\" of \(key), which no value has")
                }
            default: report.note("\(place): an entry of no kind")
            }
        }
    }
}
