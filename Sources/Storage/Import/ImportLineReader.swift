package import FileSystem
package import GraphModel

/// The lines of text files, one after the other; empty ones are left out. Files may be gzip, and standard input.
package final class ImportLineReader {
    package struct Line: Sendable {
        /// Index of the file.
        package let file: Int
        /// From 1.
        package let number: UInt64
        package let bytes: [UInt8]
    }

    /// Bytes of the files, as they are on disk, and how many of them have been read; standard input counts for nothing.
    package let byteCount: UInt64
    package private(set) var consumedByteCount: UInt64 = 0
    private let reader: ImportReader

    /// - Throws: `.argumentError` for a file that is not there.
    package init(_ paths: [String], fileSystem: any FileSystem = POSIXFileSystem()) throws(GraphError) {
        do throws(FileError) { byteCount = try ImportSource.byteCount(paths, fileSystem) } catch {
            throw GraphError(.argumentError, error.description)
        }
        // No text has the separator: a line is a row of one field.
        reader = ImportReader(
            .init(paths: paths, separator: 0, quote: nil, blockByteCount: 1 << 20, earlierByteCount: 0), fileSystem)
    }

    deinit { reader.stop() }

    /// Some more lines; nil after the last.
    package func next() throws(GraphError) -> [Line]? {
        guard let batch = try reader.next() else { return nil }
        consumedByteCount = batch.consumedByteCount
        var lines: [Line] = []
        lines.reserveCapacity(batch.rowCount)
        batch.withBytes { bytes in
            for row in 0..<batch.rowCount {
                // With the byte 0 in it, which is no JSON, it is cut there.
                lines.append(Line(file: batch.file, number: batch.lines[row], bytes: Array(batch.field(row, 0, bytes).bytes)))
            }
        }
        return lines
    }
}
