internal import FileSystem
internal import GraphModel

/// A group of files that is being read, and its columns.
struct ImportGroup {
    let paths: [String]
    let reader: ImportReader
    let columns: [ImportColumn]
    /// Columns of properties, ascending by key. Columns of one key have different types, and a row a value in one of them.
    let properties: [(column: Int, key: TokenID)]
    /// The rows read with the header, which is their first.
    let first: CSVBatch
}

extension BulkImporter {
    /// Reads the header. The caller stops the reader.
    func open(_ input: Input) throws(GraphError) -> ImportGroup {
        let block = min(max(options.memoryByteCountMaximum / 64, 64 << 10), 1 << 20)
        let reader = ImportReader(
            .init(
                paths: input.paths, separator: options.separator, quote: options.quote, blockByteCount: block,
                earlierByteCount: stageDoneByteCount), fileSystem)
        do throws(GraphError) {
            let path = input.paths.first ?? ""
            let (first, columns) = try reader.header(path)
            var properties: [(column: Int, key: TokenID)] = []
            for (index, column) in columns.enumerated() {
                switch column.role {
                case .property: break
                case .id where !column.name.isEmpty: break
                case .id, .startID, .endID, .label, .type, .ignore: continue
                }
                let key = token(.propertyKey, column.name)
                guard !properties.contains(where: { $0.key == key && columns[$0.column].typeName == column.typeName }) else {
                    throw GraphError(.argumentError, "\(path): two columns have the name \"\(column.name)\" and one type")
                }
                properties.append((index, key))
            }
            properties.sort { $0.key < $1.key }
            return ImportGroup(
                paths: input.paths, reader: reader, columns: columns, properties: properties, first: first)
        } catch {
            reader.stop()
            throw error
        }
    }

    /// Calls `body` with every batch of a group and the first row of it to take; rows with wrong quotes are reported here
    /// and `body` has to leave them out.
    func forEachBatch(
        _ group: ImportGroup, stage: String, rowCount: () -> Int,
        _ body: (CSVBatch, Int) throws(GraphError) -> Void
    ) throws(GraphError) {
        var batch = group.first
        var firstRow = 1
        var last = stageDoneByteCount
        while true {
            for (row, what) in batch.malformed { try bad(group.paths[batch.file], batch.lines[row], what) }
            try body(batch, firstRow)
            last = batch.consumedByteCount
            report(stage, last, rowCount())
            guard let next = try group.reader.next() else { break }
            batch = next
            firstRow = 0
        }
        stageDoneByteCount = last
        report(stage, last, rowCount())
    }
}
