internal import FileSystem
internal import GraphModel

extension BulkImporter {
    /// What the columns of a group of nodes mean.
    private struct NodeColumns {
        var id: Int?
        var space = ""
        var labels: [Int] = []
        var fileLabels: [TokenID] = []
    }

    func importNodes(_ input: Input) throws(GraphError) {
        let group = try open(input)
        defer { group.reader.stop() }
        let path = group.paths[0]
        var roles = NodeColumns()
        roles.fileLabels = input.names.map { token(.label, $0) }
        for (index, column) in group.columns.enumerated() {
            switch column.role {
            case .startID, .endID, .type:
                throw GraphError(.argumentError, "\(path): a file of nodes has no :START_ID, :END_ID or :TYPE column")
            case .id(let space):
                guard roles.id == nil else { throw GraphError(.argumentError, "\(path): two columns are an :ID") }
                roles.id = index
                roles.space = space
            case .label: roles.labels.append(index)
            case .ignore, .property: break
            }
        }
        var ids = idSpaces.removeValue(forKey: roles.space) ?? ImportIDMap()
        defer { idSpaces[roles.space] = ids }
        var scratch = ByteWriter()
        var lastLabels: [UInt8] = []
        var lastSet = try labelSet(roles.fileLabels)
        try forEachBatch(group, stage: "nodes", rowCount: { statistics.nodeCount }) { batch, firstRow throws(GraphError) in
            var malformed = batch.malformed[...]
            try batch.withBytes { bytes throws(GraphError) in
                for row in firstRow..<batch.rowCount {
                    if let next = malformed.first, next.row <= row {
                        malformed.removeFirst()
                        if next.row == row { continue }
                    }
                    if let problem = try add(
                        row, of: batch, bytes, group, roles, &ids, &scratch, &lastLabels, &lastSet)
                    {
                        try bad(group.paths[batch.file], batch.lines[row], problem)
                    }
                }
            }
            let held = ids.byteCount + idSpaces.values.reduce(0) { $0 + $1.byteCount }
            guard held <= options.heldByteCountMaximum else {
                throw GraphError(
                    .argumentError,
                    "\(path): the ids of \(statistics.nodeCount) nodes take \(held >> 20) MiB, and there may be more; with a memory limit of \(options.memoryByteCountMaximum >> 20) MiB they do not fit: give it more, or number the nodes")
            }
        }
    }

    /// Adds a row's node; what is wrong when it cannot be taken.
    private func add(
        _ row: Int, of batch: CSVBatch, _ bytes: UnsafeBufferPointer<UInt8>, _ group: ImportGroup, _ roles: NodeColumns,
        _ ids: inout ImportIDMap, _ scratch: inout ByteWriter, _ lastLabels: inout [UInt8], _ lastSet: inout UInt32
    ) throws(GraphError) -> String? {
        guard batch.fieldCount(row) <= group.columns.count else {
            return "\(batch.fieldCount(row)) fields, the header has \(group.columns.count)"
        }
        scratch.removeAll()
        var propertyCount = 0
        var last: TokenID?
        do throws(BadField) {
            for (column, key) in group.properties {
                let field = batch.field(row, column, bytes)
                if field.isMissing { continue }
                if try append(field, group.columns[column], key, to: &scratch) {
                    if key == last { throw BadField(twice: group.columns[column].name) }
                    last = key
                    propertyCount += 1
                }
            }
        } catch { return error.text }
        var set = lastSet
        if roles.labels.isEmpty {
            set = lastSet
        } else if roles.labels.count == 1, batch.field(row, roles.labels[0], bytes).bytes.elementsEqual(lastLabels) {
            set = lastSet
        } else {
            var labels = roles.fileLabels
            for column in roles.labels {
                let field = batch.field(row, column, bytes)
                for part in field.bytes.split(separator: options.arraySeparator) {
                    guard let name = String(validating: part, as: UTF8.self) else { return "a label is not valid UTF-8" }
                    let label = token(.label, name)
                    if !labels.contains(label) { labels.append(label) }
                }
            }
            set = try labelSet(labels)
        }
        guard statistics.nodeCount < Int(UInt32.max) else {
            throw GraphError(.argumentError, "\(group.paths[batch.file]): an import holds at most \(UInt32.max) nodes")
        }
        if let column = roles.id {
            let id = batch.field(row, column, bytes).bytes
            if id.isEmpty { return "the :ID field is empty" }
            guard ids.insert(id, UInt32(statistics.nodeCount)) else {
                return "id \"\(String(decoding: id, as: UTF8.self))\" occurs twice\(roles.space.isEmpty ? "" : " in id space \(roles.space)")"
            }
        }
        if roles.labels.count == 1, set != lastSet || lastLabels.isEmpty {
            lastLabels = Array(batch.field(row, roles.labels[0], bytes).bytes)
            lastSet = set
        }
        do throws(FileError) { try rows.add(labelSet: set, propertyCount: propertyCount, scratch) } catch {
            throw GraphError(error)
        }
        statistics.nodeCount += 1
        statistics.propertyCount += propertyCount
        counts.nodes += 1
        for label in labelSets[Int(set)] { counts.add(1, label: label) }
        return nil
    }

    /// Encodes a property; false when the field has no value.
    @inline(__always)
    private func append(
        _ field: CSVField, _ column: ImportColumn, _ key: TokenID, to writer: inout ByteWriter
    ) throws(BadField) -> Bool {
        if column.kind == .string, !column.isArray, field.isASCII {
            // The same bytes as below, without a string in between.
            writer.write(key)
            writer.write(ValueCodec.stringTag)
            writer.write(UInt32(field.bytes.count))
            writer.write(raw: field.bytes)
            return true
        }
        guard let value = try column.value(field, arraySeparator: options.arraySeparator) else { return false }
        writer.write(key)
        ValueCodec.encode(value, into: &writer)
        return true
    }

    /// The number of a set of labels.
    private func labelSet(_ labels: [TokenID]) throws(GraphError) -> UInt32 {
        let labels = labels.sorted()
        if let number = labelSetNumbers[labels] { return number }
        let number = UInt32(labelSets.count)
        labelSets.append(labels)
        labelSetNumbers[labels] = number
        return number
    }
}
