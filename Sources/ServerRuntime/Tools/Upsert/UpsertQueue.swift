internal import FileSystem
internal import GraphModel
internal import RESTServer
internal import Storage

/// What became of rows.
struct UpsertCounts {
    var created = 0
    var updated = 0
    var unchanged = 0
    /// Rows of an entity that another row of the same batch had, too.
    var repeated = 0
    var failed = 0
    var rowCount: Int { created + updated + unchanged + repeated + failed }
}

/// Gathers rows to batches and sends these in their order. While one waits for the disk, or for other members, the server
/// works at the next, unless that has rows of the same entities: what is in the graph at the end is then as with one at a time.
struct UpsertQueue: UpsertSink {
    private let client: UpsertClient
    private let batchRowCount: Int
    private let badRowCountMaximum: Int
    private let progress: ProgressDisplay
    private let badRows: BadRowReport?
    private(set) var counts = (nodes: UpsertCounts(), relationships: UpsertCounts())
    private var batches: [UpsertBatch] = []
    private var places: [UpsertRequest.Target: Int] = [:]
    private var lastPlace = 0
    private var waitingRowCount = 0
    /// Whose indexes are known to be there.
    private var knownKeys: Set<UpsertRequest.Key> = []
    /// Sent and not yet answered, oldest first.
    private var pending: [(batch: UpsertBatch, answer: Task<Result<UpsertClient.Outcome, GraphError>, Never>)] = []

    private static let pendingBatchCountMaximum = 2
    /// Large rows are sent in smaller batches.
    private static let batchByteCountMaximum = 8 << 20
    /// Rows of different targets that wait at most, in batches.
    private static let waitingBatchCountMaximum = 4

    init(
        _ client: UpsertClient, batchRowCount: Int, badRowCountMaximum: Int, progress: ProgressDisplay, badRows: BadRowReport?
    ) {
        self.client = client
        self.batchRowCount = batchRowCount
        self.badRowCountMaximum = badRowCountMaximum
        self.progress = progress
        self.badRows = badRows
    }

    func show(_ stage: String, _ part: Double) {
        progress.update(stage: stage, part: part, rowCount: counts.nodes.rowCount + counts.relationships.rowCount)
    }

    mutating func add(
        _ target: UpsertRequest.Target, _ keys: [Value], _ properties: [(name: String, value: Value)], _ origin: RowOrigin
    ) async throws(GraphError) {
        if !batches.indices.contains(lastPlace) || batches[lastPlace].target != target {
            if let place = places[target] {
                lastPlace = place
            } else {
                lastPlace = batches.count
                places[target] = lastPlace
                batches.append(UpsertBatch(target))
            }
        }
        let place = lastPlace
        if try batches[place].add(keys, properties, origin) {
            waitingRowCount += 1
        } else {
            count(batches[place].isNodes) { $0.repeated += 1 }
        }
        if batches[place].rowCount >= batchRowCount || batches[place].byteCount >= Self.batchByteCountMaximum {
            try await send(place)
        } else if waitingRowCount >= batchRowCount * Self.waitingBatchCountMaximum {
            let fullest = batches.indices.max { batches[$0].rowCount < batches[$1].rowCount }
            if let fullest { try await send(fullest) }
        }
    }

    /// Sends what waits, and waits for what was sent.
    mutating func finish() async throws(GraphError) {
        try await sendNodes()
        for place in batches.indices { try await sendAlone(place) }
        while !pending.isEmpty { try await settleOldest() }
    }

    /// Nodes first: a relationship may need them.
    private mutating func send(_ place: Int) async throws(GraphError) {
        if !batches[place].isNodes { try await sendNodes() }
        try await sendAlone(place)
    }

    private mutating func sendNodes() async throws(GraphError) {
        for place in batches.indices where batches[place].isNodes { try await sendAlone(place) }
    }

    private mutating func sendAlone(_ place: Int) async throws(GraphError) {
        let batch = batches[place]
        if batch.rowCount == 0 { return }
        batches[place] = UpsertBatch(batch.target)
        waitingRowCount -= batch.rowCount
        for key in batch.target.keys where !knownKeys.contains(key) { try await requireIndex(key) }
        let request = batch.request(0..<batch.rowCount)
        while pending.count == Self.pendingBatchCountMaximum || !pending.allSatisfy({ $0.batch.isApart(from: batch) }) {
            try await settleOldest()
        }
        let client = client
        pending.append((batch, Task { await client.tryUpsert(request) }))
    }

    /// Waits for the batch that was sent first.
    private mutating func settleOldest() async throws(GraphError) {
        let (batch, answer) = pending.removeFirst()
        try await settle(batch, 0..<batch.rowCount, await answer.value)
    }

    /// Counts what became of rows. Where the server has something against them, the halves are tried, down to the row.
    private mutating func settle(
        _ batch: UpsertBatch, _ range: Range<Int>, _ answer: Result<UpsertClient.Outcome, GraphError>
    ) async throws(GraphError) {
        for note in client.takeNotes() { progress.note(note) }
        let outcome: UpsertClient.Outcome
        do throws(GraphError) {
            outcome = try answer.get()
        } catch where error.code == .invalidRequest {
            if range.count == 1 {
                return try bad(batch.origins[range.lowerBound], error.message, isNodes: batch.isNodes)
            }
            let middle = range.lowerBound + range.count / 2
            for half in [range.lowerBound..<middle, middle..<range.upperBound] {
                try await settle(batch, half, await client.tryUpsert(batch.request(half)))
            }
            return
        } catch { throw error }
        count(batch.isNodes) { counts in
            counts.created += outcome.created
            counts.updated += outcome.updated
            counts.unchanged += outcome.unchanged
        }
        for number in outcome.endless where range.contains(range.lowerBound + number) {
            let place = range.lowerBound + number
            let (start, end) = batch.keys(place)
            try bad(batch.origins[place], "there is no node \"\(start)\" or no node \"\(end)\"", isNodes: batch.isNodes)
        }
    }

    private mutating func count(_ isNodes: Bool, _ change: (inout UpsertCounts) -> Void) {
        if isNodes { change(&counts.nodes) } else { change(&counts.relationships) }
    }

    mutating func bad(_ origin: RowOrigin, _ problem: String, isNodes: Bool) throws(GraphError) {
        count(isNodes) { $0.failed += 1 }
        let row = BulkImporter.BadRow(path: origin.path, line: origin.line, reason: problem)
        if let badRows { badRows.add(row) } else { progress.note("bad row: \(row)") }
        let failed = counts.nodes.failed + counts.relationships.failed
        guard failed <= badRowCountMaximum else {
            throw GraphError(.general, "\(failed) rows could not be taken, more than \(badRowCountMaximum); the last: \(row)")
        }
    }

    /// A key that is unique is found fast, and two imports at once cannot make two nodes of it.
    mutating func requireIndex(_ key: UpsertRequest.Key) async throws(GraphError) {
        do throws(GraphError) {
            _ = try await client.run("CREATE CONSTRAINT ON (n:\(key.label.cypherName)) ASSERT n.\(key.property.cypherName) IS UNIQUE")
        } catch where error.code == .schemaRuleExists {
            // An index alone may be there; with it nodes are found as fast.
        } catch { throw error }
        let question = "CALL db.constraints() YIELD labelsOrTypes, properties, state, failureMessage WHERE labelsOrTypes = [$l] AND properties = [$p] RETURN state, failureMessage"
        var parameters = Array("{\"l\": ".utf8)
        parameters += UpsertClient.json(key.label) + Array(", \"p\": ".utf8) + UpsertClient.json(key.property) + Array("}".utf8)
        while true {
            let before = await client.lastApplied()
            let rows = try await client.run(question, parameters: parameters)
            guard case .string(let state)? = rows.first?.first, state.text != "ONLINE" else { break }
            if state.text == "FAILED" {
                throw GraphError(.constraintViolation, "\(key) is not unique in the graph: \(rows[0].last.map { "\($0)" } ?? "")")
            }
            progress.update(stage: "indexes \(key)", part: 0, rowCount: nil)
            // Each of its states comes with a transaction.
            if let before { await client.waitUntilApplied(before + 1) }
        }
        knownKeys.insert(key)
    }
}

extension UpsertRequest.Target {
    var keys: [UpsertRequest.Key] {
        switch self {
        case .nodes(let key, _): [key]
        case .relationships(_, let start, let end): start == end ? [start] : [start, end]
        }
    }
}
