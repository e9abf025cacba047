internal import FileSystem
internal import GraphModel

extension BulkImporter {
    /// A partition's way into segments: everything that a worker needs.
    private struct Work: Sendable {
        let firstNode: Int
        let nodeCount: Int
        let outgoing: AdjacencyPartition
        let incoming: AdjacencyPartition
        let parts: [ImportedRows.Part]
    }

    /// Shared by the workers.
    private struct State: Sendable {
        var partitions: AdjacencyPartitions
        var rows: ImportedRows
        var next = 0
        var nodeCount = 0
        var references: [Manifest.SegmentReference] = []
        var failure: FileError?
        var workerCount: Int
    }

    /// What does not change while the workers run.
    private struct Plan: Sendable {
        let directory: String
        let fileSystem: any FileSystem
        let labelSets: [[TokenID]]
        let nodeCount: Int
        let rangeBits: Int
        let shape: AdjacencyPartitions.Shape
        let partitionCount: Int
        let rowFile: SpillFile
        let adjacencyFile: SpillFile
    }

    /// Sorts the partitions and writes the segments of nodes, several at a time as far as memory allows.
    func writeNodeSegments(_ partitions: inout AdjacencyPartitions) throws(GraphError) {
        let plan = Plan(
            directory: directory, fileSystem: fileSystem, labelSets: labelSets, nodeCount: statistics.nodeCount,
            rangeBits: Int(options.nodeRangeBits), shape: partitions.shape, partitionCount: partitions.count,
            rowFile: rows.file, adjacencyFile: partitions.file)
        // An entry is 12 bytes sorted, 16 in the builder of a segment, and some in its bytes.
        let needed = partitions.entryCountMaximum * 48 + 1
        let workerCount = max(1, min(processorCount(), options.memoryByteCountMaximum / 4 / needed))
        let state = Monitor(State(partitions: partitions, rows: rows, workerCount: workerCount))
        partitions = AdjacencyPartitions(
            nodeCount: 0, nodeRangeBits: options.nodeRangeBits, byteCountMaximum: 0, file: plan.adjacencyFile)
        rows = ImportedRows(rangeLength: 1, heldByteCountMaximum: 0, file: plan.rowFile)
        let threads = (0..<workerCount).map { _ in
            DedicatedThread(name: "import-sort") { Self.work(plan, state) }
        }
        onProgress(Progress(stage: "adjacency", part: 0, rowCount: 0))
        var reported = 0
        while true {
            let progress: (Int, Bool)? = state.wait { state in
                state.nodeCount > reported || state.workerCount == 0 ? (state.nodeCount, state.workerCount == 0) : nil
            }
            guard let (done, isOver) = progress else { break }
            reported = done
            onProgress(
                Progress(
                    stage: "adjacency", part: Double(done) / Double(max(statistics.nodeCount, 1)), rowCount: done))
            if isOver { break }
        }
        for thread in threads { thread.join() }
        let (references, failure) = state.withLock { ($0.references, $0.failure) }
        if let failure { throw GraphError(failure) }
        manifest.nodeSegments = references.sorted { $0.range < $1.range }
        manifest.relationshipSegments.sort { $0.range < $1.range }
    }

    private static func work(_ plan: Plan, _ state: Monitor<State>) {
        while true {
            let work: Work? = state.withLock { state in
                guard state.failure == nil, state.next < plan.partitionCount else { return nil }
                let index = state.next
                state.next += 1
                let first = index << Int(plan.shape.nodeBits)
                let count = min(1 << Int(plan.shape.nodeBits), plan.nodeCount - first)
                let (outgoing, incoming) = state.partitions.take(index)
                let ranges = first >> plan.rangeBits...(first + count - 1) >> plan.rangeBits
                var parts: [ImportedRows.Part] = []
                for range in ranges { parts.append(state.rows.take(range)) }
                return Work(firstNode: first, nodeCount: count, outgoing: outgoing, incoming: incoming, parts: parts)
            }
            guard let work else { break }
            do throws(FileError) {
                try write(work, plan) { nodeCount, reference in
                    state.withLock { state in
                        state.nodeCount += nodeCount
                        state.references.append(reference)
                    }
                    state.signal()
                }
            } catch {
                state.withLock { $0.failure = error }
            }
        }
        state.withLock { $0.workerCount -= 1 }
        state.signal()
    }

    private static func write(
        _ work: consuming Work, _ plan: Plan, _ done: (Int, Manifest.SegmentReference) -> Void
    ) throws(FileError) {
        let firstNode = work.firstNode
        let nodeCount = work.nodeCount
        let parts = work.parts
        let outgoing = try SortedAdjacency(work.outgoing, nodeCount: nodeCount, plan.shape, plan.adjacencyFile)
        let incoming = try SortedAdjacency(work.incoming, nodeCount: nodeCount, plan.shape, plan.adjacencyFile)
        let rangeLength = 1 << plan.rangeBits
        for (index, part) in parts.enumerated() {
            let first = index * rangeLength
            let count = min(rangeLength, nodeCount - first)
            var builder = NodeSegmentBuilder(firstID: UInt64(firstNode + first), expectedCount: count)
            var node = first
            let rows = try ImportedRows.bytes(part, plan.rowFile)
            do throws(MalformedBytes) {
                try ImportedRows.forEach(rows) { labelSet, properties in
                    builder.addEntity(labels: plan.labelSets[labelSet], properties: properties)
                    outgoing.add(node, to: &builder.outgoing)
                    incoming.add(node, to: &builder.incoming)
                    builder.endNode()
                    node += 1
                }
            } catch {
                throw FileError(.io, operation: "read", path: plan.rowFile.path, detail: error.description)
            }
            let bytes = builder.finish(transactionID: TransactionID(1))
            let range = UInt64((firstNode + first) >> plan.rangeBits)
            let name = Manifest.segmentName(.nodes, range: range, generation: 1)
            try Store.writeNewFile(plan.directory + "/" + name, bytes, plan.fileSystem)
            done(count, .init(range: range, name: name, byteCount: UInt64(bytes.count)))
        }
    }
}
