/// Appends fixed-width little-endian integers and length-prefixed data. Every format on disk and on the wire goes
/// through here.
public struct ByteWriter: Sendable {
    @usableFromInline var storage: [UInt8]
    @inlinable public var bytes: [UInt8] { storage }

    public init(reservingByteCount count: Int = 0) {
        storage = []
        storage.reserveCapacity(count)
    }

    @inlinable public var byteCount: Int { storage.count }

    @inlinable public mutating func write<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { storage.append(contentsOf: $0) }
    }

    @inlinable public mutating func write(_ value: Bool) { storage.append(value ? 1 : 0) }

    @inlinable public mutating func write(raw data: some Sequence<UInt8>) { storage.append(contentsOf: data) }

    /// A `UInt32` byte count, then the bytes.
    public mutating func write(data: [UInt8]) {
        write(UInt32(data.count))
        storage.append(contentsOf: data)
    }

    /// A `UInt32` byte count, then UTF-8.
    public mutating func write(string: String) {
        var string = string
        string.withUTF8 { utf8 in
            write(UInt32(utf8.count))
            storage.append(contentsOf: utf8)
        }
    }

    /// Overwrites an integer written earlier, for lengths and checksums known only at the end.
    @inlinable public mutating func patch<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        withUnsafeBytes(of: value.littleEndian) { source in
            for (index, byte) in source.enumerated() { storage[offset + index] = byte }
        }
    }

    /// Takes back what was written last.
    public mutating func removeLast(byteCount: Int) { storage.removeLast(byteCount) }

    public mutating func removeAll(keepingCapacity: Bool = true) { storage.removeAll(keepingCapacity: keepingCapacity) }
}

/// The end of the data came too early, or a length in it is impossible.
public struct MalformedBytes: Error, Sendable, Equatable, CustomStringConvertible {
    public let offset: Int
    public let detail: String
    public init(offset: Int, detail: String) {
        self.offset = offset
        self.detail = detail
    }
    public var description: String { "malformed data at byte \(offset): \(detail)" }
}

/// Reads what ``ByteWriter`` wrote. Never traps on outside input: whatever does not fit throws.
public struct ByteReader: Sendable {
    @usableFromInline let bytes: ArraySlice<UInt8>
    @usableFromInline var cursor: Int
    /// Index of the next byte, in the indices of the data.
    @inlinable public var offset: Int { cursor }

    public init(_ bytes: [UInt8]) { self.init(bytes[...]) }
    public init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        cursor = bytes.startIndex
    }

    @inlinable public var remainingByteCount: Int { bytes.endIndex - cursor }
    @inlinable public var isAtEnd: Bool { cursor == bytes.endIndex }

    @usableFromInline func need(_ count: Int, _ what: String) throws(MalformedBytes) {
        guard count >= 0, remainingByteCount >= count else {
            throw MalformedBytes(
                offset: offset - bytes.startIndex, detail: "\(what) needs \(count) bytes, \(remainingByteCount) left")
        }
    }

    @inlinable public mutating func read<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(MalformedBytes) -> T {
        let size = MemoryLayout<T>.size
        if remainingByteCount < size { try need(size, "integer") }
        let position = cursor - bytes.startIndex
        cursor += size
        return bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: T.self)) }
    }

    public mutating func readBool() throws(MalformedBytes) -> Bool {
        let value: UInt8 = try read()
        guard value <= 1 else { throw MalformedBytes(offset: offset - 1, detail: "\(value) is not a boolean") }
        return value == 1
    }

    public mutating func readRaw(_ count: Int) throws(MalformedBytes) -> ArraySlice<UInt8> {
        try need(count, "data")
        defer { cursor += count }
        return bytes[cursor..<cursor + count]
    }

    public mutating func readData() throws(MalformedBytes) -> [UInt8] {
        let count: UInt32 = try read()
        return Array(try readRaw(Int(count)))
    }

    public mutating func readString() throws(MalformedBytes) -> String {
        let start = offset
        let count: UInt32 = try read()
        try need(Int(count), "data")
        let position = cursor - bytes.startIndex
        cursor += Int(count)
        let string = bytes.withUnsafeBytes { bytes in
            let raw = UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(count)])
            // Much faster than validating, and nearly all strings are such.
            return raw.isASCII ? String(decoding: raw, as: UTF8.self) : String(validating: raw, as: UTF8.self)
        }
        guard let string else { throw MalformedBytes(offset: start, detail: "a string is not valid UTF-8") }
        return string
    }

    /// Reads an element count and refuses one that the remaining bytes cannot hold.
    public mutating func readCount(minimumByteCountOfElement: Int) throws(MalformedBytes) -> Int {
        let count: UInt32 = try read()
        try need(Int(count) * minimumByteCountOfElement, "\(count) elements")
        return Int(count)
    }
}

extension UnsafeRawBufferPointer {
    fileprivate var isASCII: Bool {
        var seen: UInt64 = 0
        var index = 0
        while index + 8 <= count {
            seen |= loadUnaligned(fromByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < count {
            seen |= UInt64(self[index])
            index += 1
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }
}
