internal import GraphModel

extension Store {
    /// Compares every index with the entities, both ways, and looks whether the constraints hold.
    func checkSchema(_ transaction: Transaction, _ report: inout CheckReport) {
        report.schemaRuleCount = transaction.schemaRules.count + transaction.currentSchema.manualIndexes.count
        for index in transaction.view.schema.indexes {
            guard index.isComplete else { continue }
            checkEntries(index, transaction, &report)
            checkEntities(index, transaction, &report)
        }
        for index in transaction.currentSchema.manualIndexes { checkManualIndex(index, transaction, &report) }
        for rule in transaction.schemaRules where rule.kind != .index && rule.state == .online {
            if let problem = transaction.firstViolation(of: rule) { report.note(problem.message) }
        }
    }

    /// Every entry stands in order and leads to an entity that has its key.
    private func checkEntries(_ index: IndexView, _ transaction: Transaction, _ report: inout CheckReport) {
        var merge = transaction.merge(index, .all, .ascending)
        var last: (key: UnsafeRawBufferPointer, id: UInt64)?
        var key: [UInt8] = []
        while let entry = merge.next() {
            report.indexEntryCount += 1
            if let last, IndexKey.order(last.key, last.id, entry.key, entry.id) >= 0 {
                report.note("index \"\(index.rule.name)\": the entry of entity \(entry.id) is out of order")
            }
            last = entry
            key.removeAll(keepingCapacity: true)
            let isInIndex = transaction.content(index.rule.entity, entry.id)?.appendKey(of: index.rule, to: &key) ?? false
            if !isInIndex || !key.withUnsafeBytes({ IndexKey.areEqual($0, entry.key) }) {
                report.note(
                    "index \"\(index.rule.name)\" has an entry for entity \(entry.id), which the entity itself does not confirm")
            }
        }
    }

    /// Every entity that belongs into the index is found in it.
    private func checkEntities(_ index: IndexView, _ transaction: Transaction, _ report: inout CheckReport) {
        var cursor: UInt64 = 0
        var ids: ContiguousArray<UInt64> = []
        var key: [UInt8] = []
        var more = true
        while more {
            ids.removeAll(keepingCapacity: true)
            more = transaction.scan(index.rule, &cursor, limit: 4096, into: &ids)
            for id in ids {
                key.removeAll(keepingCapacity: true)
                guard let content = transaction.content(index.rule.entity, id), content.appendKey(of: index.rule, to: &key)
                else { continue }
                if !key.withUnsafeBytes({ transaction.contains(index, $0, id) }) {
                    report.note("index \"\(index.rule.name)\" does not find entity \(id), which belongs into it")
                }
            }
        }
    }
}
