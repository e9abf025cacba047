internal import FileSystem
internal import GraphModel

/// What grows while relationships are imported; a value, so that the loop over rows touches no class.
struct RelationshipStage {
    var partitions: AdjacencyPartitions
    let writer: RelationshipSegmentWriter
    let rangeLength: Int
    var builder: RelationshipSegmentBuilder?
    var count = 0
    var propertyCount = 0
    /// Relationships of `type` that are not yet in the counts.
    var type: TokenID = 0
    var typeCount = 0

    @inline(__always)
    mutating func add(_ type: TokenID, _ start: UInt32, _ end: UInt32, _ properties: [Property], _ counts: inout Counts) throws(FileError) {
        if count % rangeLength == 0 {
            try endRange()
            builder = RelationshipSegmentBuilder(firstID: UInt64(count), expectedCount: rangeLength)
        }
        builder?.add(type: type, start: UInt64(start), end: UInt64(end), properties: properties)
        try partitions.add(type, start, end, UInt64(count))
        count += 1
        propertyCount += properties.count
        if type != self.type { endType(type, &counts) }
        typeCount += 1
    }

    mutating func endType(_ next: TokenID, _ counts: inout Counts) {
        if typeCount > 0 { counts.add(typeCount, type: type) }
        counts.relationships += typeCount
        type = next
        typeCount = 0
    }

    /// Hands the range that is being filled over to the writing thread.
    mutating func endRange() throws(FileError) {
        guard let full = builder else { return }
        builder = nil
        try writer.add(full, range: UInt64((count - 1) / rangeLength))
    }
}

/// Writes segments of relationships on a thread of its own. At most one waits; then the importer waits.
final class RelationshipSegmentWriter: Sendable {
    private struct State {
        var waiting: (builder: RelationshipSegmentBuilder, range: UInt64)?
        var references: [Manifest.SegmentReference] = []
        var failure: FileError?
        var isEnding = false
        var hasEnded = false
    }
    private enum Work {
        case write(RelationshipSegmentBuilder, UInt64)
        case end
    }
    private let state: Monitor<State>
    private let thread: DedicatedThread

    init(_ directory: String, _ fileSystem: any FileSystem) {
        let state = Monitor(State())
        self.state = state
        thread = DedicatedThread(name: "import-write") {
            while true {
                let work: Work? = state.wait { state -> Work? in
                    if let (builder, range) = state.waiting {
                        state.waiting = nil
                        return .write(builder, range)
                    }
                    return state.isEnding ? .end : nil
                }
                state.signal()
                guard case .write(let builder, let range) = work else { break }
                let bytes = builder.finish(transactionID: TransactionID(1))
                let name = Manifest.segmentName(.relationships, range: range, generation: 1)
                do throws(FileError) {
                    try Store.writeNewFile(directory + "/" + name, bytes, fileSystem)
                    state.withLock {
                        $0.references.append(.init(range: range, name: name, byteCount: UInt64(bytes.count)))
                    }
                } catch {
                    state.withLock { $0.failure = error }
                }
            }
        }
    }

    func add(_ builder: RelationshipSegmentBuilder, range: UInt64) throws(FileError) {
        let failure: FileError?? = state.wait { state -> FileError?? in
            if let failure = state.failure { return .some(failure) }
            if state.waiting != nil { return nil }
            state.waiting = (builder, range)
            return .some(nil)
        }
        state.signal()
        if let failure = failure ?? nil { throw failure }
    }

    /// Waits for everything to be written.
    func finish() throws(FileError) -> [Manifest.SegmentReference] {
        stop()
        let (references, failure) = state.withLock { ($0.references, $0.failure) }
        if let failure { throw failure }
        return references
    }

    /// Ends the thread once what waits is written; may be called again.
    func stop() {
        let isFirst = state.withLock { state in
            defer { (state.isEnding, state.hasEnded) = (true, true) }
            return !state.hasEnded
        }
        state.signal()
        if isFirst { thread.join() }
    }
}

extension BulkImporter {
    func makeRelationshipStage() throws(GraphError) -> RelationshipStage {
        // What ids and nodes leave.
        let ids = idSpaces.values.reduce(0) { $0 + $1.byteCount }
        let rest = options.heldByteCountMaximum - ids - rows.heldByteCount
        return RelationshipStage(
            partitions: AdjacencyPartitions(
                nodeCount: statistics.nodeCount, nodeRangeBits: options.nodeRangeBits, byteCountMaximum: max(rest, 0),
                file: SpillFile(directory + "/import-adjacency.tmp", fileSystem)),
            writer: RelationshipSegmentWriter(directory, fileSystem), rangeLength: 1 << Int(options.relationshipRangeBits))
    }

    func finish(_ stage: inout RelationshipStage) throws(GraphError) {
        stage.endType(0, &counts)
        statistics.relationshipCount = stage.count
        statistics.propertyCount += stage.propertyCount
        do throws(FileError) {
            try stage.endRange()
            try stage.partitions.finish()
            manifest.relationshipSegments = try stage.writer.finish()
        } catch { throw GraphError(error) }
    }

    /// What the columns of a group of relationships mean.
    private struct RelationshipColumns {
        var start = 0
        var end = 0
        var type: Int?
        var startSpace = ""
        var endSpace = ""
    }

    private func relationshipColumns(_ group: ImportGroup, _ input: Input) throws(GraphError) -> RelationshipColumns {
        let path = group.paths[0]
        var start: Int?
        var end: Int?
        var roles = RelationshipColumns()
        for (index, column) in group.columns.enumerated() {
            switch column.role {
            case .startID(let space): (start, roles.startSpace) = (index, space)
            case .endID(let space): (end, roles.endSpace) = (index, space)
            case .type: roles.type = index
            case .id, .label:
                throw GraphError(.argumentError, "\(path): a file of relationships has no :ID or :LABEL column")
            case .ignore, .property: break
            }
        }
        guard let start, let end else {
            throw GraphError(.argumentError, "\(path): the header must have a :START_ID and an :END_ID column")
        }
        guard roles.type != nil || !input.names.isEmpty else {
            throw GraphError(
                .argumentError, "\(path): the header has no :TYPE column, so name the type on the command line as TYPE=FILE")
        }
        (roles.start, roles.end) = (start, end)
        return roles
    }

    func importRelationships(_ input: Input, _ stage: inout RelationshipStage) throws(GraphError) {
        let group = try open(input)
        defer { group.reader.stop() }
        let roles = try relationshipColumns(group, input)
        let fileType = input.names.first.map { token(.relationshipType, $0) }
        let starts = idSpaces[roles.startSpace] ?? ImportIDMap()
        let ends = roles.startSpace == roles.endSpace ? starts : idSpaces[roles.endSpace] ?? ImportIDMap()
        var counts = self.counts
        defer { self.counts = counts }
        var types = RelationshipTypeCache()
        try forEachBatch(group, stage: "relationships", rowCount: { stage.count }) { batch, firstRow throws(GraphError) in
            var malformed = batch.malformed[...]
            try batch.withBytes { bytes throws(GraphError) in
                for row in firstRow..<batch.rowCount {
                    if let next = malformed.first, next.row <= row {
                        malformed.removeFirst()
                        if next.row == row { continue }
                    }
                    if let problem = try add(
                        row, of: batch, bytes, group, roles, fileType, starts, ends, &types, &stage, &counts)
                    {
                        try bad(group.paths[batch.file], batch.lines[row], problem)
                    }
                }
            }
        }
    }

    /// Adds a row's relationship; what is wrong when it cannot be taken.
    @inline(__always)
    private func add(
        _ row: Int, of batch: CSVBatch, _ bytes: UnsafeBufferPointer<UInt8>, _ group: ImportGroup,
        _ roles: RelationshipColumns, _ fileType: TokenID?, _ starts: borrowing ImportIDMap, _ ends: borrowing ImportIDMap,
        _ types: inout RelationshipTypeCache, _ stage: inout RelationshipStage, _ counts: inout Counts
    ) throws(GraphError) -> String? {
        let fieldCount = batch.fieldCount(row)
        guard fieldCount <= group.columns.count, fieldCount > max(roles.start, roles.end) else {
            return "\(fieldCount) fields, the header has \(group.columns.count)"
        }
        let startID = batch.field(row, roles.start, bytes).bytes
        let endID = batch.field(row, roles.end, bytes).bytes
        guard let start = starts.find(startID) else {
            return "no node has the :START_ID \"\(String(decoding: startID, as: UTF8.self))\""
        }
        guard let end = ends.find(endID) else {
            return "no node has the :END_ID \"\(String(decoding: endID, as: UTF8.self))\""
        }
        var type = fileType
        if let column = roles.type {
            let field = batch.field(row, column, bytes).bytes
            if !field.isEmpty {
                if !types.isLast(field) {
                    guard let name = String(validating: field, as: UTF8.self) else { return "the type is not valid UTF-8" }
                    types.set(field, token(.relationshipType, name))
                }
                type = types.token
            }
        }
        guard let type else { return "the :TYPE field is empty" }
        var properties: [Property] = []
        if !group.properties.isEmpty {
            do throws(BadField) {
                for (column, key) in group.properties {
                    let field = batch.field(row, column, bytes)
                    if let value = try group.columns[column].value(field, arraySeparator: options.arraySeparator) {
                        if key == properties.last?.key { throw BadField(twice: group.columns[column].name) }
                        properties.append(Property(key: key, value: value))
                    }
                }
            } catch { return error.text }
        }
        do throws(FileError) { try stage.add(type, start, end, properties, &counts) } catch { throw GraphError(error) }
        return nil
    }
}

/// The type of the row before: rows of a type tend to come together.
private struct RelationshipTypeCache {
    private var name: [UInt8] = []
    private(set) var token: TokenID = 0

    func isLast(_ name: UnsafeBufferPointer<UInt8>) -> Bool { name.elementsEqual(self.name) }

    mutating func set(_ name: UnsafeBufferPointer<UInt8>, _ token: TokenID) {
        self.name = Array(name)
        self.token = token
    }
}
