internal import FileSystem
internal import GraphModel
internal import Gzip
internal import Storage

/// A file that is written from its beginning to its end, packed on the way where that is wanted. It has its name once it is
/// complete; `-` is standard output.
final class ExportFile {
    let path: String
    private let file: (any File)?
    private let deflater: Deflater?
    private var waiting: [UInt8] = []
    private var offset: UInt64 = 0
    private static let blockByteCount = 256 << 10

    private var temporaryPath: String { path + ".part" }

    init(_ path: String, isPacked: Bool) throws(GraphError) {
        self.path = path
        deflater = isPacked ? Deflater(level: 6) : nil
        if path == standardInputPath {
            file = nil
        } else {
            do throws(FileError) { file = try POSIXFileSystem().open(path + ".part", .createEmpty) } catch { throw GraphError(error) }
        }
    }

    /// Bytes that were written, packed ones where they are packed.
    var byteCount: UInt64 { offset + UInt64(waiting.count) }

    func write(_ bytes: [UInt8]) throws(GraphError) {
        waiting += bytes
        if waiting.count >= Self.blockByteCount { try flush(.none) }
    }

    private func flush(_ end: Deflater.End) throws(GraphError) {
        var bytes = waiting
        if let deflater {
            var packed: [UInt8] = []
            guard bytes.withUnsafeBytes({ deflater.deflate($0, end, into: &packed) }) else {
                throw GraphError(.general, "there is no memory to pack \(path)")
            }
            bytes = packed
        }
        waiting.removeAll(keepingCapacity: true)
        if let file {
            do throws(FileError) { try file.write(bytes, at: offset) } catch { throw GraphError(error) }
        } else if !StandardStream.output.write(bytes) {
            throw GraphError(.general, "nobody takes standard output any more")
        }
        offset += UInt64(bytes.count)
    }

    /// Writes what waits and gives the file its name.
    func finish() throws(GraphError) {
        try flush(.finished)
        guard let file else { return }
        do throws(FileError) {
            try file.sync()
            file.close()
            try POSIXFileSystem().rename(temporaryPath, to: path)
        } catch { throw GraphError(error) }
    }

    /// Removes what there is of the file.
    func discard() {
        guard let file else { return }
        file.close()
        try? POSIXFileSystem().remove(temporaryPath)
    }
}
