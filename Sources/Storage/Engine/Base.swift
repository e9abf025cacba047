internal import FileSystem
internal import GraphModel

/// One generation of immutable segments, as one manifest names them. Unmapped, and its obsolete files removed, when the
/// last snapshot that reads it goes.
final class Base: Sendable {
    let manifest: Manifest
    let nodeSegments: [NodeSegment?]
    let relationshipSegments: [RelationshipSegment?]
    /// The indexes that are populated, by rule.
    let indexRuns: [SchemaRuleID: IndexRun]
    private let nodeShift: UInt64
    private let nodeMask: UInt64
    private let relationshipShift: UInt64
    private let relationshipMask: UInt64

    init(
        manifest: Manifest, nodeSegments: [NodeSegment?], relationshipSegments: [RelationshipSegment?],
        indexRuns: [SchemaRuleID: IndexRun]
    ) {
        self.indexRuns = indexRuns
        self.manifest = manifest
        self.nodeSegments = nodeSegments
        self.relationshipSegments = relationshipSegments
        nodeShift = UInt64(manifest.nodeRangeBits)
        nodeMask = (1 << nodeShift) - 1
        relationshipShift = UInt64(manifest.relationshipRangeBits)
        relationshipMask = (1 << relationshipShift) - 1
    }

    /// Maps every segment of a manifest, taking those that `previous` has mapped already.
    static func open(
        _ manifest: Manifest, directory: String, _ fileSystem: any FileSystem, reusing previous: Base? = nil
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
            try Self.checkRange(reference, after: nodes.count, directory)
            while nodes.count < Int(reference.range) { nodes.append(nil) }
            let segment =
                if let segment = known[reference.name] { segment } else {
                    try NodeSegment(directory: directory, name: reference.name, fileSystem)
                }
            try check(segment.file, reference, bits: manifest.nodeRangeBits)
            nodes.append(segment)
        }
        var relationships: [RelationshipSegment?] = []
        for reference in manifest.relationshipSegments {
            try Self.checkRange(reference, after: relationships.count, directory)
            while relationships.count < Int(reference.range) { relationships.append(nil) }
            let segment =
                if let segment = knownRelationships[reference.name] { segment } else {
                    try RelationshipSegment(directory: directory, name: reference.name, fileSystem)
                }
            try check(segment.file, reference, bits: manifest.relationshipRangeBits)
            relationships.append(segment)
        }
        return Base(
            manifest: manifest, nodeSegments: nodes, relationshipSegments: relationships,
            indexRuns: try openIndexRuns(manifest, directory: directory, fileSystem, reusing: previous))
    }

    private static func checkRange(
        _ reference: Manifest.SegmentReference, after count: Int, _ directory: String
    ) throws(GraphError) {
        guard reference.range >= UInt64(count), reference.range < 1 << 32 else {
            throw GraphError(.corrupt, "\(directory)/\(Manifest.fileName): segment \(reference.name) is out of order")
        }
    }

    private static func check(
        _ file: SegmentFile, _ reference: Manifest.SegmentReference, bits: UInt8
    ) throws(GraphError) {
        guard UInt64(file.byteCount) == reference.byteCount, file.slotCount == 1 << Int(bits),
            file.firstID == reference.range << UInt64(bits)
        else {
            throw GraphError(.corrupt, "\(file.path): is not the segment that the manifest means")
        }
    }

    @inline(__always)
    func node(_ id: UInt64) -> (segment: NodeSegment, slot: Int)? {
        let range = id >> nodeShift
        guard range < UInt64(nodeSegments.count), let segment = nodeSegments[Int(range)] else { return nil }
        return (segment, Int(id & nodeMask))
    }

    @inline(__always)
    func relationship(_ id: UInt64) -> (segment: RelationshipSegment, slot: Int)? {
        let range = id >> relationshipShift
        guard range < UInt64(relationshipSegments.count), let segment = relationshipSegments[Int(range)] else {
            return nil
        }
        return (segment, Int(id & relationshipMask))
    }
}
