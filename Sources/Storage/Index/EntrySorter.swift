internal import FileSystem
internal import GraphModel

/// Sorts index entries in bounded memory: what does not fit goes, sorted, to files, which are merged at the end.
///
/// The files are temporary; their names are those of segments that no manifest names, so whatever a crash leaves goes
/// with the next opening.
struct EntrySorter {
    private struct Record {
        let head: UInt64
        let offset: Int
        let count: Int
        let id: UInt64
    }
    private var bytes: [UInt8] = []
    private var records: [Record] = []
    private var files: [String] = []
    private let fileSystem: any FileSystem
    private let path: String
    private let byteCountMaximum: Int

    /// - Parameter path: beginning of the files' paths.
    init(_ fileSystem: any FileSystem, path: String, byteCountMaximum: Int) {
        self.fileSystem = fileSystem
        self.path = path
        self.byteCountMaximum = byteCountMaximum
    }

    mutating func add(_ key: [UInt8], _ id: UInt64) throws(FileError) {
        records.append(
            Record(head: key.withUnsafeBytes { IndexKey.head($0) }, offset: bytes.count, count: key.count, id: id))
        bytes.append(contentsOf: key)
        if bytes.count + records.count * MemoryLayout<Record>.stride >= byteCountMaximum { try spill() }
    }

    private mutating func sort() {
        bytes.withUnsafeBytes { bytes in
            func key(_ record: Record) -> UnsafeRawBufferPointer {
                UnsafeRawBufferPointer(rebasing: bytes[record.offset..<record.offset + record.count])
            }
            records.sort { a, b in
                if a.head != b.head { return a.head < b.head }
                return IndexKey.order(key(a), a.id, key(b), b.id) < 0
            }
        }
    }

    /// A file of entries: `UInt32` length of the key, `UInt64` id, key.
    private mutating func spill() throws(FileError) {
        sort()
        let name = "\(path).\(files.count).sort.seg"
        let file = try fileSystem.open(name, .createEmpty)
        defer { file.close() }
        files.append(name)
        var writer = ByteWriter(reservingByteCount: 1 << 20)
        var offset: UInt64 = 0
        for record in records {
            writer.write(UInt32(record.count))
            writer.write(record.id)
            writer.write(raw: bytes[record.offset..<record.offset + record.count])
            if writer.byteCount >= 1 << 20 {
                try file.write(writer.bytes, at: offset)
                offset += UInt64(writer.byteCount)
                writer.removeAll()
            }
        }
        try file.write(writer.bytes, at: offset)
        records.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }

    private struct Spilled {
        let file: MappedFile
        var offset = 0

        /// The entry at the front; nil at the end.
        var front: (key: UnsafeRawBufferPointer, id: UInt64)? {
            guard offset + 12 <= file.bytes.count else { return nil }
            let count = Int(UInt32(littleEndian: file.bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            let id = UInt64(littleEndian: file.bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt64.self))
            guard offset + 12 + count <= file.bytes.count else { return nil }
            return (UnsafeRawBufferPointer(rebasing: file.bytes[offset + 12..<offset + 12 + count]), id)
        }
    }

    /// Gives every entry in ascending order and takes the files away.
    mutating func finish(_ body: (UnsafeRawBufferPointer, UInt64) throws(FileError) -> Void) throws(FileError) {
        if files.isEmpty {
            sort()
            for record in records {
                var failure: FileError?
                bytes.withUnsafeBytes { bytes in
                    do throws(FileError) {
                        try body(
                            UnsafeRawBufferPointer(rebasing: bytes[record.offset..<record.offset + record.count]), record.id)
                    } catch {
                        failure = error
                    }
                }
                if let failure { throw failure }
            }
            return
        }
        if !records.isEmpty { try spill() }
        var sources: [Spilled] = []
        for name in files { sources.append(Spilled(file: try fileSystem.map(name))) }
        while true {
            var best: (index: Int, key: UnsafeRawBufferPointer, id: UInt64)?
            for (index, source) in sources.enumerated() {
                guard let (key, id) = source.front else { continue }
                if let known = best, IndexKey.order(known.key, known.id, key, id) <= 0 { continue }
                best = (index, key, id)
            }
            guard let best else { break }
            try body(best.key, best.id)
            sources[best.index].offset += 12 + best.key.count
        }
        sources = []
        try removeFiles()
    }

    /// Takes the files away, as after a failure.
    mutating func removeFiles() throws(FileError) {
        for name in files { try fileSystem.remove(name) }
        files = []
    }
}
