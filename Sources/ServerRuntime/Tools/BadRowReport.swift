internal import FileSystem
internal import GraphModel
internal import Storage

/// A CSV file of the rows that an import left out: `file,line,reason`.
final class BadRowReport {
    private let file: any File
    private var bytes = Array("file,line,reason\n".utf8)
    private var offset: UInt64 = 0
    private var failure: FileError?

    init(_ path: String) throws(GraphError) {
        do throws(FileError) { file = try POSIXFileSystem().open(path, .createEmpty) } catch { throw GraphError(error) }
    }

    func add(_ row: BulkImporter.BadRow) {
        bytes += Array("\(Self.quoted(row.path)),\(row.line),\(Self.quoted(row.reason))\n".utf8)
        if bytes.count > 64 << 10 { write() }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { result.unicodeScalars.append("\"") }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }

    private func write() {
        if failure != nil { return }
        do throws(FileError) {
            try file.write(bytes, at: offset)
            offset += UInt64(bytes.count)
            bytes.removeAll(keepingCapacity: true)
        } catch { failure = error }
    }

    /// Writes what is left; what went wrong, if anything did.
    func close() -> FileError? {
        write()
        file.close()
        return failure
    }
}
