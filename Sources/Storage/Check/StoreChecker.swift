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
    /// Indexes and constraints, named indexes included, and the entries of all indexes together.
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
        report.segmentCount = base.files.count
        base.verifyAll { report.note($0.message) }
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
                outgoing += checkAdjacency(id, isIncoming: false, transaction, &report)
                incoming += checkAdjacency(id, isIncoming: true, transaction, &report)
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

    /// Whether the relationships that a node lists say the same of themselves; returns how many it lists.
    private func checkAdjacency(
        _ id: UInt64, isIncoming: Bool, _ transaction: Transaction, _ report: inout CheckReport
    ) -> Int {
        var seen: ContiguousArray<UInt64> = []
        func check(_ type: TokenID, _ neighbour: UInt64, _ relationship: UInt64) {
            seen.append(relationship)
            let wanted = RelationshipRecord(
                id: RelationshipID(relationship), type: type, start: NodeID(isIncoming ? neighbour : id),
                end: NodeID(isIncoming ? id : neighbour))
            if transaction.relationship(wanted.id) != wanted {
                report.note(
                    "node \(id) lists relationship \(relationship) (\(isIncoming ? "incoming" : "outgoing"), other end \(neighbour)), which the relationship itself does not confirm")
            }
        }
        transaction.view.forEachPart(
            id, isIncoming: isIncoming, types: [], at: transaction.at,
            run: { adjacency, type, entries in
                for entry in entries { check(type, adjacency.neighbour(entry), adjacency.relationshipIDs[entry]) }
            }, edge: check)
        seen.sort()
        if zip(seen, seen.dropFirst()).contains(where: { $0 == $1 }) {
            report.note("node \(id) lists a relationship twice")
        }
        return seen.count
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
