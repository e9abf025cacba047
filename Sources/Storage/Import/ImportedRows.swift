internal import FileSystem
internal import GraphModel

/// The nodes' labels and properties until their adjacency is known: encoded, range by range, in memory or in a temporary
/// file.
///
/// A node is a `UInt32` number of its set of labels, a `UInt32` count of properties, and per property a `UInt32` key and a
/// value as in log entries.
struct ImportedRows: Sendable {
    enum Part: Sendable {
        case memory([UInt8])
        case spilled(SpillFile.Part)
    }
    private(set) var parts: [Part] = []
    private(set) var heldByteCount = 0
    private var open = ByteWriter()
    private var openCount = 0
    private let rangeLength: Int
    private let heldByteCountMaximum: Int
    private(set) var file: SpillFile

    init(rangeLength: Int, heldByteCountMaximum: Int, file: SpillFile) {
        self.rangeLength = rangeLength
        self.heldByteCountMaximum = heldByteCountMaximum
        self.file = file
    }

    mutating func add(labelSet: UInt32, propertyCount: Int, _ properties: ByteWriter) throws(FileError) {
        open.write(labelSet)
        open.write(UInt32(propertyCount))
        open.write(raw: properties.bytes)
        openCount += 1
        if openCount == rangeLength { try finish() }
    }

    /// Ends the range that is being filled.
    mutating func finish() throws(FileError) {
        if openCount == 0 { return }
        if heldByteCount + open.byteCount <= heldByteCountMaximum {
            parts.append(.memory(open.bytes))
            heldByteCount += open.byteCount
            open = ByteWriter(reservingByteCount: open.byteCount)
        } else {
            var outcome: Result<SpillFile.Part, FileError>?
            open.bytes.withUnsafeBytes { bytes in
                do throws(FileError) { outcome = .success(try file.append(bytes)) } catch { outcome = .failure(error) }
            }
            if let outcome { parts.append(.spilled(try outcome.get())) }
            open.removeAll()
        }
        openCount = 0
    }

    /// Gives a range's part away: it is not needed again.
    mutating func take(_ range: Int) -> Part {
        defer { parts[range] = .memory([]) }
        return parts[range]
    }

    mutating func remove() throws(FileError) {
        parts = []
        try file.remove()
    }

    /// The bytes of a part.
    static func bytes(_ part: Part, _ file: SpillFile) throws(FileError) -> [UInt8] {
        switch part {
        case .memory(let bytes): return bytes
        case .spilled(let place):
            var failure: FileError?
            let bytes = [UInt8](unsafeUninitializedCapacity: place.byteCount) { buffer, count in
                do throws(FileError) {
                    try file.read(place, into: UnsafeMutableRawBufferPointer(buffer))
                    count = place.byteCount
                } catch { failure = error }
            }
            if let failure { throw failure }
            return bytes
        }
    }

    /// Calls `body` for each node of a part.
    static func forEach(
        _ bytes: [UInt8], _ body: (_ labelSet: Int, _ properties: [Property]) -> Void
    ) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        var properties: [Property] = []
        while !reader.isAtEnd {
            let labelSet: UInt32 = try reader.read()
            let count = try reader.readCount(minimumByteCountOfElement: 5)
            properties.removeAll(keepingCapacity: true)
            for _ in 0..<count {
                properties.append(Property(key: try reader.read(), value: try ValueCodec.decode(&reader)))
            }
            body(Int(labelSet), properties)
        }
    }
}
