internal import FileSystem
internal import GraphModel

/// Reads records of a CSV file (RFC 4180: quoted fields may contain separators, doubled quotes and line ends) in large
/// blocks. Fields are handed out as byte ranges of a reused buffer; nothing is allocated per field.
struct CSVReader {
    private let file: any File
    private let path: String
    private let separator: UInt8
    private var buffer: [UInt8] = []
    private var start = 0
    private var fileOffset: UInt64 = 0
    private var isAtEnd = false
    private(set) var line = 0
    private var nextLine = 1
    /// The fields of the current record: ranges in ``record``.
    private(set) var fields: [Range<Int>] = []
    /// Content of the current record's fields, one after the other, without quotes.
    private(set) var record: [UInt8] = []
    private static let blockByteCount = 1 << 20
    /// Limit of one record; a missing closing quote would otherwise swallow the whole file.
    private static let recordByteCountMaximum = 64 << 20

    let byteCount: UInt64
    var consumedByteCount: UInt64 { fileOffset - UInt64(buffer.count - start) }

    init(_ path: String, _ fileSystem: any FileSystem, separator: UInt8 = UInt8(ascii: ",")) throws(FileError) {
        self.path = path
        self.separator = separator
        file = try fileSystem.open(path, .readOnly)
        byteCount = try file.byteCount()
    }

    private mutating func fill() throws(FileError) {
        buffer.removeFirst(start)
        start = 0
        let old = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: Self.blockByteCount))
        var failure: FileError?
        var count = 0
        buffer.withUnsafeMutableBytes { bytes in
            do throws(FileError) {
                count = try file.read(at: fileOffset, into: UnsafeMutableRawBufferPointer(rebasing: bytes[old...]))
            } catch { failure = error }
        }
        if let failure { throw failure }
        buffer.removeLast(Self.blockByteCount - count)
        fileOffset += UInt64(count)
        if count == 0 { isAtEnd = true }
    }

    /// Moves to the next record; false at the end of the file.
    mutating func next() throws(GraphError) -> Bool {
        do throws(FileError) {
            while true {
                if let result = parse() { return result }
                if buffer.count - start > Self.recordByteCountMaximum {
                    throw FileError(
                        .other, operation: "read", path: path,
                        detail: "line \(nextLine): a record is longer than 64 MiB; is a closing quote missing?")
                }
                try fill()
            }
        } catch {
            throw GraphError(error)
        }
    }

    /// nil when the buffer ends before the record does.
    private mutating func parse() -> Bool? {
        if start >= buffer.count { return isAtEnd ? false : nil }
        fields.removeAll(keepingCapacity: true)
        record.removeAll(keepingCapacity: true)
        var lines = 0
        let outcome: Int? = buffer.withUnsafeBufferPointer { bytes -> Int? in
            var index = start
            while true {
                let fieldStart = record.count
                if index < bytes.count && bytes[index] == UInt8(ascii: "\"") {
                    index += 1
                    while true {
                        guard index < bytes.count else {
                            if !isAtEnd { return nil }
                            break
                        }
                        let byte = bytes[index]
                        if byte == UInt8(ascii: "\"") {
                            if index + 1 >= bytes.count && !isAtEnd { return nil }
                            if index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "\"") {
                                record.append(byte)
                                index += 2
                                continue
                            }
                            index += 1
                            break
                        }
                        if byte == UInt8(ascii: "\n") { lines += 1 }
                        record.append(byte)
                        index += 1
                    }
                }
                let plainStart = index
                while index < bytes.count, bytes[index] != separator, bytes[index] != UInt8(ascii: "\n") { index += 1 }
                if index >= bytes.count && !isAtEnd { return nil }
                record.append(contentsOf: bytes[plainStart..<index])
                let isLast = index >= bytes.count || bytes[index] == UInt8(ascii: "\n")
                if isLast, record.count > fieldStart, record.last == UInt8(ascii: "\r") { record.removeLast() }
                fields.append(fieldStart..<record.count)
                index += 1
                if isLast { return min(index, bytes.count) }
            }
        }
        guard let end = outcome else { return nil }
        line = nextLine
        nextLine += lines + 1
        start = end
        return true
    }

    func text(_ field: Int) -> String { String(decoding: record[fields[field]], as: UTF8.self) }
    func isEmpty(_ field: Int) -> Bool { fields[field].isEmpty }
}
