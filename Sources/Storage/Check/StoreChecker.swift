internal import FileSystem
public import GraphModel

/// What a check found.
public struct CheckReport: Sendable {
    public var storeID = StoreID.none
    public var position = LogPosition.zero
    public var nodeCount = 0
    public var relationshipCount = 0
    public var segmentCount = 0
    public var logEntryCount = 0
    /// Indexes and constraints, and the entries of all indexes together.
    public var schemaRuleCount = 0
    public var indexEntryCount = 0
    public var checksum = GraphChecksum()
    /// One line per inconsistency, at most ``problemCountMaximum``.
    public var problems: [String] = []
    public static let problemCountMaximum = 100

    public var isConsistent: Bool { problems.isEmpty }

    mutating func note(_ problem: String) {
        if problems.count < Self.problemCountMaximum { problems.append(problem) }
    }
}

extension Store {
    /// Walks segments, log, adjacency, counts, indexes and constraints over a snapshot; safe beside a running workload. `progress` is called
    /// with the part done, 0 to 1.
    public func check(progress: (Double) -> Void = { _ in }) -> CheckReport {
        var report = CheckReport()
        let transaction = beginRead()
        let state = transaction.state
        report.storeID = storeID
        report.position = state.position
        checkSegments(state.view.base, &report)
        checkLog(&report)
        progress(0.2)
        checkNodes(transaction, &report) { progress(0.2 + 0.4 * $0) }
        checkRelationships(transaction, &report) { progress(0.6 + 0.1 * $0) }
        checkSchema(transaction, &report)
        progress(0.8)
        report.checksum = transaction.graphChecksum()
        progress(1)
        return report
    }

    private func checkSegments(_ base: Base, _ report: inout CheckReport) {
        for file in base.files {
            report.segmentCount += 1
            do throws(GraphError) { try file.verifySections() } catch { report.note(error.message) }
        }
    }

    private func checkLog(_ report: inout CheckReport) {
        do throws(GraphError) {
            var position = TransactionID(max(firstAvailable.rawValue, 1) - 1)
            var checksum: UInt64?
            let end = durable.transactionID
            while position < end, let records = try records(after: position, maximumByteCount: 1 << 20), !records.isEmpty {
                for record in records where record.position.transactionID <= end {
                    if let checksum, record.previousChecksum != checksum {
                        report.note("the log's chain is broken before \(record.position)")
                    }
                    do throws(MalformedBytes) { _ = try record.commands() } catch {
                        report.note("log entry \(record.position): \(error)")
                    }
                    checksum = record.position.checksum
                    position = record.position.transactionID
                    report.logEntryCount += 1
                }
                if records.allSatisfy({ $0.position.transactionID > end }) { break }
            }
        } catch {
            report.note(error.message)
        }
    }

    private func checkNodes(_ transaction: Transaction, _ report: inout CheckReport, _ progress: (Double) -> Void) {
        var counts = Counts()
        var outgoing = 0
        var incoming = 0
        var cursor: UInt64 = 0
        var ids: ContiguousArray<UInt64> = []
        var more = true
        while more {
            ids.removeAll(keepingCapacity: true)
            more = transaction.scanNodes(label: nil, cursor: &cursor, limit: 1024, into: &ids)
            for id in ids {
                report.nodeCount += 1
                for label in transaction.labels(of: NodeID(id)) { counts.add(1, label: label) }
                let entries = transaction.view.adjacency(id, at: transaction.at)
                var seen: [UInt64] = []
                for entry in entries {
                    if entry.isIncoming { incoming += 1 } else { outgoing += 1 }
                    seen.append(entry.relationship << 1 | (entry.isIncoming ? 1 : 0))
                    let wanted = RelationshipRecord(
                        id: RelationshipID(entry.relationship), type: entry.type,
                        start: NodeID(entry.isIncoming ? entry.neighbour : id),
                        end: NodeID(entry.isIncoming ? id : entry.neighbour))
                    if transaction.relationship(wanted.id) != wanted {
                        report.note(
                            "node \(id) lists relationship \(entry.relationship) (\(entry.isIncoming ? "incoming" : "outgoing"), other end \(entry.neighbour)), which the relationship itself does not confirm")
                    }
                }
                if Set(seen).count != seen.count { report.note("node \(id) lists a relationship twice") }
            }
            progress(Double(report.nodeCount) / Double(max(transaction.nodeCount(), 1)))
        }
        let stored = transaction.state.counts
        if report.nodeCount != stored.nodes {
            report.note("\(report.nodeCount) nodes exist, the counter says \(stored.nodes)")
        }
        for (index, end) in [("outgoing", outgoing), ("incoming", incoming)] where end != stored.relationships {
            report.note("nodes list \(end) \(index) relationships, the counter says \(stored.relationships)")
        }
        for token in 0..<TokenID(transaction.tokenCount(.label)) where counts.nodes(label: token) != stored.nodes(label: token) {
            report.note(
                "\(counts.nodes(label: token)) nodes have label \(transaction.name(.label, token)), the counter says \(stored.nodes(label: token))")
        }
    }

    private func checkRelationships(
        _ transaction: Transaction, _ report: inout CheckReport, _ progress: (Double) -> Void
    ) {
        var counts = Counts()
        var cursor: UInt64 = 0
        var ids: ContiguousArray<UInt64> = []
        var more = true
        while more {
            ids.removeAll(keepingCapacity: true)
            more = transaction.scanRelationships(type: nil, cursor: &cursor, limit: 4096, into: &ids)
            for id in ids {
                guard let record = transaction.relationship(RelationshipID(id)) else { continue }
                report.relationshipCount += 1
                counts.add(1, type: record.type)
                for end in [record.start, record.end] where !transaction.nodeExists(end) {
                    report.note("relationship \(id) leads to node \(end.rawValue), which does not exist")
                }
            }
            progress(Double(report.relationshipCount) / Double(max(transaction.relationshipCount(), 1)))
        }
        let stored = transaction.state.counts
        if report.relationshipCount != stored.relationships {
            report.note("\(report.relationshipCount) relationships exist, the counter says \(stored.relationships)")
        }
        for token in 0..<TokenID(transaction.tokenCount(.relationshipType))
        where counts.relationships(type: token) != stored.relationships(type: token) {
            report.note(
                "\(counts.relationships(type: token)) relationships have type \(transaction.name(.relationshipType, token)), the counter says \(stored.relationships(type: token))")
        }
    }
}
