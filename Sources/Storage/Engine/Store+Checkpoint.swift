internal import FileSystem
public import GraphModel

extension Store {
    /// What a checkpoint writes between two syncs: about as long for the disk as a commit.
    static let checkpointSliceByteCount = 128 << 10

    /// Whether enough has changed since the last checkpoint for the next to be worth it.
    public var isCheckpointDue: Bool { !options.isReadOnly && overlayByteCount >= options.checkpointByteCount }

    /// Merges everything applied so far into new segments, while reads and writes go on: freeze the overlay, write the
    /// changed ranges, sync them, replace the manifest by rename, switch. A crash at any point leaves the old or the new
    /// base whole. Returns the transaction that the base now ends with. Does nothing once the store is closed.
    @discardableResult
    public func checkpoint() throws(GraphError) -> TransactionID { try checkpoint(installing: nil) }

    /// The same, and takes a newly populated index into the base.
    @discardableResult
    func checkpoint(installing populated: PopulatedIndex?) throws(GraphError) -> TransactionID {
        try checkpointing.withLock { isClosed throws(GraphError) in
            if isClosed { return checkpointed.transactionID }
            let frozen = applying.withLock { _ -> (state: AppliedState, requests: [RequestLedger.Entry])? in
                let state = state
                guard let overlay = state.view.layers.first,
                    populated != nil
                        || state.position.transactionID > state.view.base.manifest.position.transactionID
                else { return nil }
                // After a checkpoint that failed half-way two layers are frozen already; go on with them.
                let lower = state.view.layers.count > 1 ? state.view.layers : [overlay]
                publish(
                    state,
                    StoreView(
                        base: state.view.base, layers: [Overlay()] + lower,
                        schema: state.view.schema.withFreshLayers(installing: populated?.rule)))
                let merged = AppliedState(
                    view: StoreView(base: state.view.base, layers: lower, schema: state.view.schema),
                    position: state.position,
                    counts: state.counts, tokens: state.tokens, nextNodeID: state.nextNodeID,
                    nextRelationshipID: state.nextRelationshipID, wallClockMilliseconds: state.wallClockMilliseconds)
                return (merged, requests.entries)
            }
            guard let (frozen, requests) = frozen else { return checkpointed.transactionID }
            let manifest: Manifest
            do throws(FileError) {
                manifest = try writeSegments(frozen, requests, installing: populated)
                // Damage reads as absence: it must not become the truth.
                if let error = damage.error { throw FileError(.other, operation: "merge", path: directory, detail: error.message) }
                try fileSystem.syncDirectory(directory)
                try fileSystem.replace(directory + "/" + Manifest.fileName, with: manifest.encode())
            } catch {
                throw GraphError(error)
            }
            let base = try Base.open(
                manifest, directory: directory, fileSystem, damage: damage, reusing: frozen.view.base)
            // Here, so that no reader has to.
            try base.verifyNew()
            applying.withLock { _ in
                let state = state
                let merged = frozen.view.layers.map(ObjectIdentifier.init)
                let layers = state.view.layers.filter { !merged.contains(ObjectIdentifier($0)) }
                let schema = state.view.schema.merged(frozen.view.schema, runs: base.indexRuns)
                publish(state, StoreView(base: base, layers: layers, schema: schema))
            }
            let kept = Set(base.files.map(\.name))
            for file in frozen.view.base.files + (populated?.run.files ?? []) where !kept.contains(file.name) {
                file.markObsolete(in: ownership)
            }
            try log.prune(upTo: manifest.position.transactionID, now: wallClockMilliseconds())
            return manifest.position.transactionID
        }
    }

    private func publish(_ state: AppliedState, _ view: StoreView) {
        let next = AppliedState(
            view: view, position: state.position, counts: state.counts, tokens: state.tokens,
            nextNodeID: state.nextNodeID, nextRelationshipID: state.nextRelationshipID,
            wallClockMilliseconds: state.wallClockMilliseconds)
        current.withLock { $0 = next }
        measureOverlay()
    }

    private func writeSegments(
        _ frozen: AppliedState, _ requests: [RequestLedger.Entry], installing populated: PopulatedIndex?
    ) throws(FileError) -> Manifest {
        var manifest = frozen.view.base.manifest
        var nodeRanges: Set<UInt64> = []
        var relationshipRanges: Set<UInt64> = []
        for layer in frozen.view.layers {
            layer.nodes.forEach { id, _ in nodeRanges.insert(id >> UInt64(manifest.nodeRangeBits)) }
            layer.relationships.forEach { id, _ in
                relationshipRanges.insert(id >> UInt64(manifest.relationshipRangeBits))
            }
        }
        let transaction = frozen.position.transactionID
        for range in nodeRanges.sorted() {
            let bytes = Self.nodeSegment(frozen.view, range, manifest.nodeRangeBits, transaction)
            let name = Manifest.segmentName(.nodes, range: range, generation: manifest.generation)
            try Self.writeNewFile(directory + "/" + name, bytes, fileSystem, sliceByteCount: Self.checkpointSliceByteCount)
            Self.replace(&manifest.nodeSegments, range, name, bytes.count)
        }
        for range in relationshipRanges.sorted() {
            let bytes = Self.relationshipSegment(frozen.view, range, manifest.relationshipRangeBits, transaction)
            let name = Manifest.segmentName(.relationships, range: range, generation: manifest.generation)
            try Self.writeNewFile(directory + "/" + name, bytes, fileSystem, sliceByteCount: Self.checkpointSliceByteCount)
            Self.replace(&manifest.relationshipSegments, range, name, bytes.count)
        }
        manifest.indexRuns = try writeIndexRuns(frozen, installing: populated, generation: manifest.generation)
        manifest.schema = frozen.view.schema.schema
        manifest.generation += 1
        manifest.position = frozen.position
        manifest.wallClockMilliseconds = frozen.wallClockMilliseconds
        manifest.nextNodeID = frozen.nextNodeID
        manifest.nextRelationshipID = frozen.nextRelationshipID
        manifest.counts = frozen.counts
        manifest.tokens = frozen.tokens
        manifest.requests = requests
        return manifest
    }

    private static func replace(
        _ list: inout [Manifest.SegmentReference], _ range: UInt64, _ name: String, _ byteCount: Int
    ) {
        list.removeAll { $0.range == range }
        list.append(.init(range: range, name: name, byteCount: UInt64(byteCount)))
        list.sort { $0.range < $1.range }
    }

    private static func nodeSegment(
        _ view: StoreView, _ range: UInt64, _ bits: UInt8, _ transaction: TransactionID
    ) -> [UInt8] {
        let first = range << UInt64(bits)
        let transactionID = transaction.rawValue
        var builder = NodeSegmentBuilder(firstID: first, expectedCount: 1 << Int(bits))
        for id in first..<first + (1 << UInt64(bits)) where view.nodeExists(id, at: transactionID) {
            while builder.slotCount < Int(id - first) { builder.addAbsent() }
            builder.addEntity(
                labels: view.labels(ofNode: id, at: transactionID),
                properties: view.properties(ofNode: id, at: transactionID))
            view.copyAdjacency(id, isIncoming: false, at: transactionID, to: &builder.outgoing)
            view.copyAdjacency(id, isIncoming: true, at: transactionID, to: &builder.incoming)
            builder.endNode()
        }
        return builder.finish(transactionID: transaction)
    }

    private static func relationshipSegment(
        _ view: StoreView, _ range: UInt64, _ bits: UInt8, _ transaction: TransactionID
    ) -> [UInt8] {
        let first = range << UInt64(bits)
        let transactionID = transaction.rawValue
        var builder = RelationshipSegmentBuilder(firstID: first, expectedCount: 1 << Int(bits))
        for id in first..<first + (1 << UInt64(bits)) {
            guard let record = view.relationship(id, at: transactionID) else { continue }
            while builder.slotCount < Int(id - first) { builder.addAbsent() }
            builder.add(
                type: record.type, start: record.start.rawValue, end: record.end.rawValue,
                properties: view.properties(ofRelationship: id, at: transactionID))
        }
        return builder.finish(transactionID: transaction)
    }
}
