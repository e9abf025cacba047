internal import FileSystem
internal import GraphModel

extension BulkImporter {
    private static let progressRowCount = 65536

    func importNodes(_ input: Input) throws(GraphError) {
        var (csv, columns) = try openCSV(input.path)
        let fileLabels = input.names.map { token(.label, $0) }
        let keys = columns.map { $0.role == .property ? token(.propertyKey, $0.name) : 0 }
        let idColumns = columns.indices.filter { if case .id = columns[$0].role { true } else { false } }
        for column in columns {
            switch column.role {
            case .startID, .endID, .type:
                throw GraphError(.argumentError, "\(input.path): a file of nodes has no :START_ID, :END_ID or :TYPE column")
            case .id, .label, .ignore, .property: break
            }
        }
        let idKey = idColumns.first.flatMap { columns[$0].name.isEmpty ? nil : token(.propertyKey, columns[$0].name) }
        let rangeLength = 1 << Int(options.nodeRangeBits)
        var properties: [Property] = []
        while try csv.next() {
            if csv.fields.count == 1 && csv.isEmpty(0) { continue }
            guard csv.fields.count <= columns.count else {
                try bad(input.path, csv.line, "\(csv.fields.count) fields, the header has \(columns.count)")
                continue
            }
            properties.removeAll(keepingCapacity: true)
            var labels = fileLabels
            do throws(BadField) {
                for (index, column) in columns.enumerated() where index < csv.fields.count {
                    let bytes = csv.record[csv.fields[index]]
                    switch column.role {
                    case .property:
                        if let value = try column.value(bytes) { properties.set(keys[index], value) }
                    case .label:
                        for name in bytes.split(separator: UInt8(ascii: ";")) {
                            let label = token(.label, String(decoding: name, as: UTF8.self))
                            if !labels.contains(label) { labels.append(label) }
                        }
                    case .id:
                        if let idKey, let value = try column.value(bytes) { properties.set(idKey, value) }
                    case .startID, .endID, .type, .ignore: break
                    }
                }
            } catch {
                try bad(input.path, csv.line, error.text)
                continue
            }
            guard statistics.nodeCount < Int(UInt32.max) else {
                throw GraphError(.argumentError, "\(input.path): an import holds at most \(UInt32.max) nodes")
            }
            let node = UInt32(statistics.nodeCount)
            if let column = idColumns.first, case .id(let space) = columns[column].role {
                let id = column < csv.fields.count ? csv.record[csv.fields[column]] : []
                guard !id.isEmpty else {
                    try bad(input.path, csv.line, "the :ID field is empty")
                    continue
                }
                guard idSpaces[space, default: ImportIDMap()].insert(id, node) else {
                    try bad(
                        input.path, csv.line,
                        "id \"\(String(decoding: id, as: UTF8.self))\" occurs twice\(space.isEmpty ? "" : " in id space \(space)")")
                    continue
                }
            }
            if statistics.nodeCount % rangeLength == 0 {
                nodeBuilders.append(
                    NodeSegmentBuilder(firstID: UInt64(statistics.nodeCount), expectedCount: rangeLength))
            }
            labels.sort()
            nodeBuilders[nodeBuilders.count - 1].addEntity(labels: labels, properties: properties)
            statistics.nodeCount += 1
            statistics.propertyCount += properties.count
            counts.nodes += 1
            for label in labels { counts.add(1, label: label) }
            if statistics.nodeCount % Self.progressRowCount == 0 { report("nodes", csv, statistics.nodeCount) }
        }
        report("nodes", csv, statistics.nodeCount)
    }

    private func report(_ stage: String, _ csv: CSVReader, _ rowCount: Int) {
        onProgress(
            Progress(
                stage: stage, part: Double(csv.consumedByteCount) / Double(max(csv.byteCount, 1)), rowCount: rowCount))
    }

    func importRelationships(_ input: Input) throws(GraphError) {
        var (csv, columns) = try openCSV(input.path)
        let keys = columns.map { $0.role == .property ? token(.propertyKey, $0.name) : 0 }
        var startColumn: Int?
        var endColumn: Int?
        var typeColumn: Int?
        var startSpace = ""
        var endSpace = ""
        for (index, column) in columns.enumerated() {
            switch column.role {
            case .startID(let space): (startColumn, startSpace) = (index, space)
            case .endID(let space): (endColumn, endSpace) = (index, space)
            case .type: typeColumn = index
            case .id, .label:
                throw GraphError(.argumentError, "\(input.path): a file of relationships has no :ID or :LABEL column")
            case .ignore, .property: break
            }
        }
        guard let startColumn, let endColumn else {
            throw GraphError(.argumentError, "\(input.path): the header must have a :START_ID and an :END_ID column")
        }
        guard typeColumn != nil || !input.names.isEmpty else {
            throw GraphError(
                .argumentError, "\(input.path): the header has no :TYPE column, so name the type on the command line as TYPE=FILE")
        }
        let fileType = input.names.first.map { token(.relationshipType, $0) }
        let starts = idSpaces[startSpace] ?? ImportIDMap()
        let ends = startSpace == endSpace ? starts : idSpaces[endSpace] ?? ImportIDMap()
        var properties: [Property] = []
        while try csv.next() {
            if csv.fields.count == 1 && csv.isEmpty(0) { continue }
            guard csv.fields.count <= columns.count, csv.fields.count > max(startColumn, endColumn) else {
                try bad(input.path, csv.line, "\(csv.fields.count) fields, the header has \(columns.count)")
                continue
            }
            let startID = csv.record[csv.fields[startColumn]]
            let endID = csv.record[csv.fields[endColumn]]
            guard let start = starts.find(startID) else {
                try bad(input.path, csv.line, "no node has the :START_ID \"\(String(decoding: startID, as: UTF8.self))\"")
                continue
            }
            guard let end = ends.find(endID) else {
                try bad(input.path, csv.line, "no node has the :END_ID \"\(String(decoding: endID, as: UTF8.self))\"")
                continue
            }
            var type = fileType
            if let typeColumn, typeColumn < csv.fields.count, !csv.isEmpty(typeColumn) {
                type = token(.relationshipType, csv.text(typeColumn))
            }
            guard let type, type <= TokenID(UInt16.max) else {
                try bad(input.path, csv.line, "the :TYPE field is empty, or there are more than 65536 types")
                continue
            }
            properties.removeAll(keepingCapacity: true)
            do throws(BadField) {
                for (index, column) in columns.enumerated() where column.role == .property && index < csv.fields.count {
                    if let value = try column.value(csv.record[csv.fields[index]]) { properties.set(keys[index], value) }
                }
            } catch {
                try bad(input.path, csv.line, error.text)
                continue
            }
            try addRelationship(type, start, end, properties)
            if statistics.relationshipCount % Self.progressRowCount == 0 {
                report("relationships", csv, statistics.relationshipCount)
            }
        }
        report("relationships", csv, statistics.relationshipCount)
    }

    private func addRelationship(
        _ type: TokenID, _ start: UInt32, _ end: UInt32, _ properties: [Property]
    ) throws(GraphError) {
        let rangeLength = 1 << Int(options.relationshipRangeBits)
        if statistics.relationshipCount % rangeLength == 0 {
            do throws(FileError) { try finishRelationshipSegment() } catch { throw GraphError(error) }
            relationshipBuilder = RelationshipSegmentBuilder(
                firstID: UInt64(statistics.relationshipCount), expectedCount: rangeLength)
        }
        relationshipBuilder?.add(type: type, start: UInt64(start), end: UInt64(end), properties: properties)
        starts.append(start)
        ends.append(end)
        types.append(UInt16(type))
        statistics.relationshipCount += 1
        statistics.propertyCount += properties.count
        counts.relationships += 1
        counts.add(1, type: type)
    }

    /// Writes the range that is being filled.
    func finishRelationshipSegment() throws(FileError) {
        guard let builder = relationshipBuilder else { return }
        relationshipBuilder = nil
        let range = UInt64((statistics.relationshipCount - 1) >> Int(options.relationshipRangeBits))
        let bytes = builder.finish(transactionID: TransactionID(1))
        let name = Manifest.segmentName(.relationships, range: range, generation: 1)
        try Store.writeNewFile(directory + "/" + name, bytes, fileSystem)
        manifest.relationshipSegments.append(.init(range: range, name: name, byteCount: UInt64(bytes.count)))
    }
}
