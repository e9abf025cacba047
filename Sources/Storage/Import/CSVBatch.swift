/// Rows of one file with their fields marked. Fields are ranges of a block of the file, in place; nothing is allocated
/// per row.
struct CSVBatch: Sendable {
    /// Index of the file among those of its group.
    let file: Int
    fileprivate(set) var bytes: [UInt8]
    /// Per field where it begins and ends in `bytes`; the top bit of the end says that it was quoted.
    fileprivate(set) var fields: ContiguousArray<(start: UInt32, end: UInt32)> = []
    /// Per row its first field, and one past the last row's.
    fileprivate(set) var rowFields: ContiguousArray<UInt32> = [0]
    /// Per row the line of the file where it begins.
    fileprivate(set) var lines: ContiguousArray<UInt64> = []
    /// Rows whose quotes are wrong, ascending, and how.
    fileprivate(set) var malformed: [(row: Int, what: String)] = []
    /// Bytes of all files of the stage that were read when this batch was made.
    var consumedByteCount: UInt64 = 0

    static let quoted: UInt32 = 1 << 31

    var rowCount: Int { lines.count }

    /// Calls `body` with the rows' bytes; ``CSVRow`` is valid inside.
    @inline(__always)
    func withBytes<E: Error>(_ body: (UnsafeBufferPointer<UInt8>) throws(E) -> Void) throws(E) {
        try bytes.withUnsafeBufferPointer(body)
    }
}

/// The content of a field, valid while its batch's bytes are lent.
struct CSVField {
    let bytes: UnsafeBufferPointer<UInt8>
    let isQuoted: Bool

    /// Nothing between two separators, not even quotes: there is no value.
    var isMissing: Bool { bytes.isEmpty && !isQuoted }
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Whether no byte has its top bit set.
    @inline(__always)
    var isASCII: Bool {
        let raw = UnsafeRawBufferPointer(bytes)
        var bits: UInt64 = 0
        var offset = 0
        while offset + 8 <= raw.count {
            bits |= raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        while offset < raw.count {
            bits |= UInt64(raw[offset])
            offset += 1
        }
        return bits & 0x8080_8080_8080_8080 == 0
    }
}

extension CSVBatch {
    func fieldCount(_ row: Int) -> Int { Int(rowFields[row + 1] - rowFields[row]) }

    /// A field of a row; missing when the row is too short.
    @inline(__always)
    func field(_ row: Int, _ column: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> CSVField {
        let index = Int(rowFields[row]) + column
        guard index < Int(rowFields[row + 1]) else { return CSVField(bytes: .init(start: nil, count: 0), isQuoted: false) }
        let (start, end) = fields[index]
        return CSVField(
            bytes: UnsafeBufferPointer(rebasing: bytes[Int(start)..<Int(end & ~Self.quoted)]), isQuoted: end & Self.quoted != 0)
    }
}

/// Cuts blocks of a file into rows (RFC 4180: quoted fields may contain separators, doubled quotes and line ends).
struct CSVTokenizer {
    let separator: UInt8
    /// nil: no character quotes.
    let quote: UInt8?
    private var line: UInt64 = 1

    init(separator: UInt8, quote: UInt8?) {
        self.separator = separator
        self.quote = quote
    }

    /// Marks the rows of `bytes`; what is left over, the beginning of a row, goes back into `bytes`. At the end of the file
    /// nothing is left over.
    mutating func rows(of bytes: inout [UInt8], file: Int, isAtEnd: Bool) -> CSVBatch {
        var batch = CSVBatch(file: file, bytes: [])
        var escaped: [Int] = []
        var consumed = 0
        bytes.withUnsafeMutableBufferPointer { buffer in
            var index = 0
            while index < buffer.count {
                let firstField = batch.fields.count
                var lines: UInt64 = 1
                var problem: String?
                escaped.removeAll(keepingCapacity: true)
                guard
                    let end = row(
                        UnsafeBufferPointer(buffer), from: index, isAtEnd, &batch.fields, &escaped, &lines, &problem)
                else {
                    batch.fields.removeSubrange(firstField...)
                    break
                }
                for field in escaped { unescape(&batch.fields[field], buffer) }
                if let problem { batch.malformed.append((batch.lines.count, problem)) }
                // A line without anything on it is no row.
                if batch.fields.count == firstField + 1, batch.fields[firstField].start == batch.fields[firstField].end {
                    batch.fields.removeLast()
                } else {
                    batch.lines.append(line)
                    batch.rowFields.append(UInt32(batch.fields.count))
                }
                line += lines
                index = end
            }
            consumed = index
        }
        let rest = Array(bytes[consumed...])
        batch.bytes = bytes
        bytes = rest
        return batch
    }

    /// Marks the fields of one row and returns where the next begins; nil when the row does not end here.
    @inline(__always)
    private func row(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, _ isAtEnd: Bool,
        _ fields: inout ContiguousArray<(start: UInt32, end: UInt32)>, _ escaped: inout [Int], _ lines: inout UInt64,
        _ problem: inout String?
    ) -> Int? {
        let newline = UInt8(ascii: "\n")
        var index = start
        while true {
            var fieldStart = index
            var fieldEnd: Int
            var mark: UInt32 = 0
            if let quote, index < bytes.count, bytes[index] == quote {
                mark = CSVBatch.quoted
                index += 1
                fieldStart = index
                var hasDoubled = false
                while true {
                    guard index < bytes.count else {
                        if !isAtEnd { return nil }
                        problem = "the closing quote is missing"
                        break
                    }
                    let byte = bytes[index]
                    if byte == quote {
                        if index + 1 >= bytes.count && !isAtEnd { return nil }
                        guard index + 1 < bytes.count, bytes[index + 1] == quote else { break }
                        hasDoubled = true
                        index += 1
                    } else if byte == newline {
                        lines += 1
                    }
                    index += 1
                }
                fieldEnd = min(index, bytes.count)
                if hasDoubled { escaped.append(fields.count) }
                index = min(index + 1, bytes.count)
                let tail = index
                while index < bytes.count, bytes[index] != separator, bytes[index] != newline { index += 1 }
                if index >= bytes.count && !isAtEnd { return nil }
                if index > tail, !(index == tail + 1 && bytes[tail] == UInt8(ascii: "\r")) {
                    problem = "there is text behind a closing quote"
                }
            } else {
                while index < bytes.count, bytes[index] != separator, bytes[index] != newline { index += 1 }
                if index >= bytes.count && !isAtEnd { return nil }
                fieldEnd = index
                let isLast = index >= bytes.count || bytes[index] == newline
                if isLast, fieldEnd > fieldStart, bytes[fieldEnd - 1] == UInt8(ascii: "\r") { fieldEnd -= 1 }
            }
            fields.append((UInt32(fieldStart), UInt32(fieldEnd) | mark))
            if index >= bytes.count { return index }
            index += 1
            if bytes[index - 1] == newline { return index }
        }
    }

    /// Makes one quote of two, in place: what is behind moves up.
    private func unescape(_ field: inout (start: UInt32, end: UInt32), _ bytes: UnsafeMutableBufferPointer<UInt8>) {
        let end = Int(field.end & ~CSVBatch.quoted)
        var target = Int(field.start)
        var source = target
        while source < end {
            bytes[target] = bytes[source]
            if bytes[source] == quote { source += 1 }
            source += 1
            target += 1
        }
        field.end = UInt32(target) | CSVBatch.quoted
    }
}
