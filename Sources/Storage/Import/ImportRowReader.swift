package import FileSystem
package import GraphModel

/// The rows of a group of CSV files with their values, in order: for those who do not build a store of them.
package final class ImportRowReader {
    package struct Row: Sendable {
        /// Index of the file among those of the group.
        package let file: Int
        package let line: UInt64
        /// By column; nil where there is none. Of columns without a kind the text, of labels a list of them.
        package let values: [Value?]
        /// Why the row cannot be taken.
        package let problem: String?
    }

    package let columns: [ImportColumn]
    /// Bytes of the files, as they are on disk, and how many of them have been read.
    package let byteCount: UInt64
    package private(set) var consumedByteCount: UInt64 = 0
    private let reader: ImportReader
    private var waiting: (batch: CSVBatch, firstRow: Int)?
    private let arraySeparator: UInt8

    /// Reads the header.
    /// - Parameters:
    ///   - paths: only the first has a header.
    ///   - quote: nil: no character quotes.
    /// - Throws: `.argumentError` for a file that is not there, is empty, or whose header is wrong.
    package init(
        _ paths: [String], separator: UInt8, arraySeparator: UInt8, quote: UInt8?, fileSystem: any FileSystem = POSIXFileSystem()
    ) throws(GraphError) {
        do throws(FileError) { byteCount = try ImportSource.byteCount(paths, fileSystem) } catch {
            throw GraphError(.argumentError, error.description)
        }
        self.arraySeparator = arraySeparator
        let reader = ImportReader(
            .init(paths: paths, separator: separator, quote: quote, blockByteCount: 1 << 20, earlierByteCount: 0), fileSystem)
        self.reader = reader
        do throws(GraphError) {
            let (first, columns) = try reader.header(paths.first ?? "")
            self.columns = columns
            waiting = (first, 1)
        } catch {
            reader.stop()
            throw error
        }
    }

    deinit { reader.stop() }

    /// Some more rows; nil after the last.
    package func next() throws(GraphError) -> [Row]? {
        let firstRow = waiting?.firstRow ?? 0
        var next = waiting?.batch
        waiting = nil
        if next == nil { next = try reader.next() }
        guard let batch = next else { return nil }
        consumedByteCount = batch.consumedByteCount
        var rows: [Row] = []
        rows.reserveCapacity(batch.rowCount - firstRow)
        var malformed = batch.malformed[...]
        batch.withBytes { bytes in
            for row in firstRow..<batch.rowCount {
                var problem: String?
                while let next = malformed.first, next.row <= row {
                    malformed.removeFirst()
                    if next.row == row { problem = next.what }
                }
                var values: [Value?] = []
                if batch.fieldCount(row) > columns.count {
                    problem = problem ?? "\(batch.fieldCount(row)) fields, the header has \(columns.count)"
                }
                if problem == nil {
                    do throws(BadField) { values = try self.values(row, of: batch, bytes) } catch { problem = error.text }
                }
                rows.append(Row(file: batch.file, line: batch.lines[row], values: values, problem: problem))
            }
        }
        return rows
    }

    private func values(
        _ row: Int, of batch: CSVBatch, _ bytes: UnsafeBufferPointer<UInt8>
    ) throws(BadField) -> [Value?] {
        var values: [Value?] = []
        values.reserveCapacity(columns.count)
        for (index, column) in columns.enumerated() {
            let field = batch.field(row, index, bytes)
            switch column.role {
            case .ignore: values.append(nil)
            case .label:
                values.append(.list(field.bytes.split(separator: arraySeparator).map { .string(String(decoding: $0, as: UTF8.self)) }))
            case .id, .startID, .endID, .type, .property:
                values.append(try column.value(field, arraySeparator: arraySeparator))
            }
        }
        return values
    }
}
