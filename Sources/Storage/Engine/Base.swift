internal import CPrefetch
internal import FileSystem
internal import GraphModel
internal import Synchronization

/// One generation of immutable segments, as one manifest names them. Unmapped, and its obsolete files removed, when the
/// last snapshot that reads it goes.
///
/// Opening maps the segments; each is verified when its first reader comes. One that turns out damaged reads as empty
/// and is noted in ``damage``.
final class Base: @unchecked Sendable {
    // Safety: no lock and no thread owns it: `adjacencies`, `labelSets`, `columns` and `columnStarts` are written by the initialiser only and lead
    // into segments that this object keeps; what `verified` points to is atomic.
    let manifest: Manifest
    let damage: StoreDamage
    /// Which base of the store this is: places in its runs mean nothing in another.
    let generation: UInt32
    let nodeSegments: [NodeSegment?]
    let relationshipSegments: [RelationshipSegment?]
    /// The indexes that are populated, by rule.
    let indexRuns: [SchemaRuleID: IndexRun]
    /// Per range of nodes the outgoing and the incoming adjacency, flat: expanding touches no object.
    private let adjacencies: UnsafeMutablePointer<Adjacency>
    /// Per range of nodes its nodes' label sets, of which 0 is none for no node; nil where there is no segment.
    private let labelSets: UnsafeMutablePointer<UnsafePointer<UInt16>?>
    /// The columns of properties of all ranges of nodes, and per range and one more where its own begin; flat for the
    /// same reason.
    private let columns: UnsafeMutablePointer<ColumnSet.Column>
    private let columnStarts: UnsafeMutablePointer<Int>
    /// Per range of nodes whether its segment was verified.
    private let verified: UnsafeMutablePointer<Atomic<Bool>>
    private let rangeCount: UInt64
    private let nodeShift: UInt64
    private let nodeMask: UInt64
    private let relationshipShift: UInt64
    private let relationshipMask: UInt64

    init(
        manifest: Manifest, nodeSegments: [NodeSegment?], relationshipSegments: [RelationshipSegment?],
        indexRuns: [SchemaRuleID: IndexRun], damage: StoreDamage
    ) {
        self.indexRuns = indexRuns
        self.manifest = manifest
        self.damage = damage
        generation = UInt32(truncatingIfNeeded: manifest.generation)
        self.nodeSegments = nodeSegments
        self.relationshipSegments = relationshipSegments
        nodeShift = UInt64(manifest.nodeRangeBits)
        nodeMask = (1 << nodeShift) - 1
        relationshipShift = UInt64(manifest.relationshipRangeBits)
        relationshipMask = (1 << relationshipShift) - 1
        rangeCount = UInt64(nodeSegments.count)
        adjacencies = .allocate(capacity: nodeSegments.count * 2)
        labelSets = .allocate(capacity: nodeSegments.count)
        let allColumns = nodeSegments.map { $0?.columns.columns ?? [] }
        columns = .allocate(capacity: max(1, allColumns.reduce(0) { $0 + $1.count }))
        columnStarts = .allocate(capacity: nodeSegments.count + 1)
        columnStarts.initialize(to: 0)
        verified = .allocate(capacity: nodeSegments.count)
        for (range, segment) in nodeSegments.enumerated() {
            (adjacencies + range * 2).initialize(to: segment?.outgoing ?? Adjacency())
            (adjacencies + range * 2 + 1).initialize(to: segment?.incoming ?? Adjacency())
            (labelSets + range).initialize(to: segment?.labelSetOfNode)
            var end = columnStarts[range]
            for column in allColumns[range] {
                (columns + end).initialize(to: column)
                end += 1
            }
            (columnStarts + range + 1).initialize(to: end)
            (verified + range).initialize(to: Atomic(segment?.file.isVerified ?? true))
        }
    }

    deinit {
        adjacencies.deallocate()
        labelSets.deallocate()
        columns.deallocate()
        columnStarts.deallocate()
        verified.deallocate()
    }

    /// Maps every segment of a manifest, taking those that `previous` has mapped already.
    static func open(
        _ manifest: Manifest, directory: String, _ fileSystem: any FileSystem, damage: StoreDamage,
        reusing previous: Base? = nil
    ) throws(GraphError) -> Base {
        var known: [String: NodeSegment] = [:]
        var knownRelationships: [String: RelationshipSegment] = [:]
        if let previous {
            for segment in previous.nodeSegments { if let segment { known[segment.file.name] = segment } }
            for segment in previous.relationshipSegments {
                if let segment { knownRelationships[segment.file.name] = segment }
            }
        }
        var nodes: [NodeSegment?] = []
        for reference in manifest.nodeSegments {
            try checkRange(reference, after: nodes.count, manifest.nextNodeID >> UInt64(manifest.nodeRangeBits), directory)
            while nodes.count < Int(reference.range) { nodes.append(nil) }
            let segment =
                if let segment = known[reference.name] { segment } else {
                    try NodeSegment(SegmentFile(directory: directory, name: reference.name, fileSystem))
                }
            try check(segment.file, reference, bits: manifest.nodeRangeBits)
            nodes.append(segment)
        }
        var relationships: [RelationshipSegment?] = []
        for reference in manifest.relationshipSegments {
            try checkRange(
                reference, after: relationships.count,
                manifest.nextRelationshipID >> UInt64(manifest.relationshipRangeBits), directory)
            while relationships.count < Int(reference.range) { relationships.append(nil) }
            let segment =
                if let segment = knownRelationships[reference.name] { segment } else {
                    try RelationshipSegment(SegmentFile(directory: directory, name: reference.name, fileSystem))
                }
            try check(segment.file, reference, bits: manifest.relationshipRangeBits)
            relationships.append(segment)
        }
        return Base(
            manifest: manifest, nodeSegments: nodes, relationshipSegments: relationships,
            indexRuns: try openIndexRuns(manifest, directory: directory, fileSystem, damage: damage, reusing: previous),
            damage: damage)
    }

    private static func checkRange(
        _ reference: Manifest.SegmentReference, after count: Int, _ last: UInt64, _ directory: String
    ) throws(GraphError) {
        guard reference.range >= UInt64(count), reference.range <= last, reference.range < 1 << 24 else {
            throw GraphError(.corrupt, "\(directory)/\(Manifest.fileName): segment \(reference.name) is out of order")
        }
    }

    private static func check(
        _ file: SegmentFile, _ reference: Manifest.SegmentReference, bits: UInt8
    ) throws(GraphError) {
        guard UInt64(file.byteCount) == reference.byteCount, file.slotCount <= 1 << Int(bits),
            file.firstID == reference.range << UInt64(bits)
        else {
            throw GraphError(.corrupt, "\(file.path): is not the segment that the manifest means")
        }
    }

    var files: [SegmentFile] {
        nodeSegments.compactMap { $0?.file } + relationshipSegments.compactMap { $0?.file } + indexFiles
    }

    // MARK: Verifying

    /// Compares every segment with its checksums, also those that were verified before, and hands each problem over.
    func verifyAll(_ onProblem: (GraphError) -> Void) {
        for segment in nodeSegments {
            guard let segment else { continue }
            do throws(GraphError) { try segment.verify(nodeLimit: manifest.nextNodeID) } catch { onProblem(error) }
        }
        for segment in relationshipSegments {
            guard let segment else { continue }
            do throws(GraphError) { try segment.verify() } catch { onProblem(error) }
        }
        for run in indexRuns.values.sorted(by: { $0.rule < $1.rule }) { run.verifyAll(onProblem) }
    }

    /// The same for those that nobody has verified yet; throws at the first problem.
    ///
    /// - Parameter known: names of segments to leave out.
    func verifyNew(except known: Set<String> = []) throws(GraphError) {
        func isNew(_ file: SegmentFile) -> Bool { !file.isVerified && !known.contains(file.name) }
        for segment in nodeSegments {
            if let segment, isNew(segment.file) { try segment.verify(nodeLimit: manifest.nextNodeID) }
        }
        for segment in relationshipSegments {
            if let segment, isNew(segment.file) { try segment.verify() }
        }
        for run in indexRuns.values.sorted(by: { $0.rule < $1.rule }) { try run.verify(where: isNew) }
    }

    /// Verifies a segment before there is a base.
    static func verify(_ file: SegmentFile, of manifest: Manifest) throws(GraphError) {
        switch file.kind {
        case .nodes: try NodeSegment(file).verify(nodeLimit: manifest.nextNodeID)
        case .relationships: try RelationshipSegment(file).verify()
        case .index: try IndexChunk(file).verify(file)
        }
    }

    @inline(never)
    private func verify(nodes range: Int) -> Bool {
        guard let segment = nodeSegments[range] else { return false }
        do throws(GraphError) {
            if !segment.file.isVerified { try segment.verify(nodeLimit: manifest.nextNodeID) }
            verified[range].store(true, ordering: .releasing)
            return true
        } catch {
            damage.note(error)
            return false
        }
    }

    @inline(never)
    private func verify(_ segment: RelationshipSegment) -> Bool {
        do throws(GraphError) {
            try segment.verify()
            return true
        } catch {
            damage.note(error)
            return false
        }
    }

    // MARK: Finding

    @inline(__always)
    func node(_ id: UInt64) -> (segment: NodeSegment, slot: Int)? {
        let range = id >> nodeShift
        guard range < rangeCount, let segment = nodeSegments[Int(range)] else { return nil }
        let slot = Int(id & nodeMask)
        guard slot < segment.slotCount, segment.file.isVerified || verify(nodes: Int(range)) else { return nil }
        return (segment, slot)
    }

    /// Whether the base has a node; touches no object.
    @inline(__always)
    func hasNode(_ id: UInt64) -> Bool {
        let range = id >> nodeShift
        guard range < rangeCount, let labelSets = labelSets[Int(range)] else { return false }
        let slot = Int(id & nodeMask)
        guard slot < adjacencies[Int(range) * 2].slotCount else { return false }
        guard verified[Int(range)].load(ordering: .acquiring) || verify(nodes: Int(range)) else { return false }
        return labelSets[slot] != 0
    }

    /// The range of a node and the number of its label set there; nil for a node that the base does not have. Touches no
    /// object.
    @inline(__always)
    func labelSet(ofNode id: UInt64) -> (range: Int, labelSet: UInt16)? {
        guard let (range, slot) = place(ofNode: id), let labelSets = labelSets[range], labelSets[slot] != 0 else {
            return nil
        }
        return (range, labelSets[slot])
    }

    func labelSet(_ labelSet: UInt16, range: Int, contains label: TokenID) -> Bool {
        nodeSegments[range]?.labelSet(labelSet, contains: label) ?? false
    }

    /// A property of a node; touches no object.
    @inline(__always)
    func property(_ key: TokenID, ofNode id: UInt64) -> Value? {
        guard let (range, slot) = place(ofNode: id) else { return nil }
        for number in columnStarts[range]..<columnStarts[range + 1] where columns[number].key == key {
            let column = columns + number
            if let index = column.pointee.index(of: slot) { return column.pointee.value(at: index) }
        }
        return nil
    }

    /// Where the properties of a node are: the range, for ``integers(_:range:)``, and the slot in it.
    @inline(__always)
    func place(ofNode id: UInt64) -> (range: Int, slot: Int)? {
        let range = id >> nodeShift
        guard range < rangeCount else { return nil }
        let slot = Int(id & nodeMask)
        guard slot < adjacencies[Int(range) * 2].slotCount else { return nil }
        guard verified[Int(range)].load(ordering: .acquiring) || verify(nodes: Int(range)) else { return nil }
        return (Int(range), slot)
    }

    /// The column of integers of a key in a range of nodes.
    func integers(_ key: TokenID, range: Int) -> ColumnSet.Column? {
        for number in columnStarts[range]..<columnStarts[range + 1]
        where columns[number].key == key && columns[number].kind == .integer { return columns[number] }
        return nil
    }

    /// How many slots a range of nodes has.
    func slotCount(range: Int) -> Int { adjacencies[range * 2].slotCount }

    /// Asks for what ``hasNode(_:)`` will read.
    @inline(__always)
    func prefetchNode(_ id: UInt64) {
        let range = id >> nodeShift
        guard range < rangeCount, let labelSets = labelSets[Int(range)] else { return }
        martlet_prefetch(labelSets + Int(id & nodeMask))
    }

    @inline(__always)
    func relationship(_ id: UInt64) -> (segment: RelationshipSegment, slot: Int)? {
        let range = id >> relationshipShift
        guard range < UInt64(relationshipSegments.count), let segment = relationshipSegments[Int(range)] else {
            return nil
        }
        let slot = Int(id & relationshipMask)
        guard slot < segment.slotCount, segment.file.isVerified || verify(segment) else { return nil }
        return (segment, slot)
    }

    /// Asks for what ``adjacency(_:isIncoming:)`` will lead to.
    @inline(__always)
    func prefetchAdjacency(_ id: UInt64, isIncoming: Bool) {
        let range = id >> nodeShift
        if range >= rangeCount { return }
        let adjacency = adjacencies + (Int(range) * 2 + (isIncoming ? 1 : 0))
        let slot = Int(id & nodeMask)
        if slot < adjacency.pointee.slotCount { adjacency.pointee.prefetch(slot) }
    }

    /// Where a relationship stands in the run of one of its nodes; nil when it does not.
    func place(of record: RelationshipRecord, isIncoming: Bool) -> UInt32? {
        let node = isIncoming ? record.end : record.start
        guard let (adjacency, slot) = adjacency(node.rawValue, isIncoming: isIncoming) else { return nil }
        return adjacency.pointee.place(slot, type: record.type, record.id.rawValue)
    }

    /// Where the range of an id ends, or the ids that a scan wants if that comes first; all at once behind the last range.
    func endOfNodeRange(_ id: UInt64, upTo end: UInt64) -> UInt64 {
        id >> nodeShift < rangeCount ? min(end, (id | nodeMask) + 1) : end
    }

    func endOfRelationshipRange(_ id: UInt64, upTo end: UInt64) -> UInt64 {
        id >> relationshipShift < UInt64(relationshipSegments.count) ? min(end, (id | relationshipMask) + 1) : end
    }

    /// One direction of the adjacency of a node's range, and the node's slot in it; valid while this object lives.
    @inline(__always)
    func adjacency(_ id: UInt64, isIncoming: Bool) -> (UnsafePointer<Adjacency>, slot: Int)? {
        let range = id >> nodeShift
        guard range < rangeCount else { return nil }
        let index = Int(range) * 2 + (isIncoming ? 1 : 0)
        let adjacency = UnsafePointer<Adjacency>(adjacencies + index)
        let slot = Int(id & nodeMask)
        guard slot < adjacency.pointee.slotCount else { return nil }
        guard verified[Int(range)].load(ordering: .acquiring) || verify(nodes: Int(range)) else { return nil }
        return (adjacency, slot)
    }
}
