internal import GraphModel

/// Keys of the entries of a named index. One sorted list holds three kinds of them, told apart by their first byte:
///
/// | key | finds |
/// | --- | --- |
/// | `01`, key, value | the entities of a value |
/// | `02`, key, token | the entities of a token; only where an analyzer makes other tokens than the value itself |
/// | `03`, entity, key, value | the values of an entity |
///
/// Strings are those of ``IndexKey``; each part ends itself, so the keys that begin with some parts are a range.
enum ManualIndexKey {
    static let valueSection: UInt8 = 1
    static let tokenSection: UInt8 = 2
    static let entitySection: UInt8 = 3
    static let integerTag: UInt8 = 0x10
    static let floatTag: UInt8 = 0x11

    static func value(_ key: String, _ value: IndexedValue) -> [UInt8] {
        var bytes = [valueSection]
        append(key, to: &bytes)
        append(value, to: &bytes)
        return bytes
    }

    static func token(_ key: String, _ token: String) -> [UInt8] {
        var bytes = terms(key, isAnalyzed: true)
        append(token, to: &bytes)
        return bytes
    }

    /// What all terms of a key begin with: tokens, or whole values.
    static func terms(_ key: String, isAnalyzed: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        appendTerms(key, isAnalyzed: isAnalyzed, to: &bytes)
        return bytes
    }

    static func appendTerms(_ key: String, isAnalyzed: Bool, to bytes: inout [UInt8]) {
        bytes.append(isAnalyzed ? tokenSection : valueSection)
        append(key, to: &bytes)
    }

    static func entity(_ id: UInt64, _ key: String? = nil, _ value: IndexedValue? = nil) -> [UInt8] {
        var bytes: [UInt8] = []
        write(entity: id, key, value, into: &bytes)
        return bytes
    }

    /// The same, instead of what `bytes` held.
    static func write(entity id: UInt64, _ key: String?, _ value: IndexedValue?, into bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(entitySection)
        append(id, to: &bytes)
        if let key { append(key, to: &bytes) }
        if let value { append(value, to: &bytes) }
    }

    /// Makes of the key of an entity's value that of the value, which ends alike; gives back where it begins.
    static func turnIntoValueKey(_ entityKey: inout [UInt8]) -> Int {
        let start = MemoryLayout<UInt64>.size
        entityKey[start] = valueSection
        return start
    }

    static func append(_ text: String, to bytes: inout [UInt8]) {
        IndexKey.append(textPrefix: text, to: &bytes)
        bytes.append(0)
    }

    static func append(_ value: IndexedValue, to bytes: inout [UInt8]) {
        switch value {
        case .text(let text): append(text, to: &bytes)
        case .integer(let number):
            bytes.append(integerTag)
            append(UInt64(bitPattern: number) ^ 1 << 63, to: &bytes)
        case .float(let number):
            bytes.append(floatTag)
            let bits = (number == 0 ? 0 : number).bitPattern
            append(number.isNaN ? .max : bits >> 63 == 1 ? ~bits : bits | 1 << 63, to: &bytes)
        }
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    // MARK: Reading

    /// Reads a key from its front; every part is nil when it is not there.
    struct Reader {
        private let bytes: UnsafeRawBufferPointer
        private var offset: Int

        init(_ bytes: UnsafeRawBufferPointer, from offset: Int) {
            self.bytes = bytes
            self.offset = offset
        }

        var isAtEnd: Bool { offset == bytes.count }

        mutating func string() -> String? {
            guard offset < bytes.count, bytes[offset] == IndexKey.Tag.string else { return nil }
            var end = offset + 1
            while end < bytes.count, bytes[end] != 0 { end += 1 }
            guard end < bytes.count else { return nil }
            let text = String(validating: bytes[offset + 1..<end].lazy.map(Self.original), as: UTF8.self)
            offset = end + 1
            return text
        }

        /// Undoes what ``IndexKey/append(textPrefix:to:)`` does to a byte.
        private static func original(_ byte: UInt8) -> UInt8 {
            byte <= 0xEE ? byte &- 1 : byte >= 0xF4 ? byte &- 6 : byte &+ 1
        }

        private mutating func number() -> UInt64? {
            guard bytes.count - offset >= 9 else { return nil }
            defer { offset += 9 }
            return UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 1, as: UInt64.self))
        }

        mutating func value() -> IndexedValue? {
            guard offset < bytes.count else { return nil }
            switch bytes[offset] {
            case ManualIndexKey.integerTag: return number().map { .integer(Int64(bitPattern: $0 ^ 1 << 63)) }
            case ManualIndexKey.floatTag:
                return number().map { bits in
                    bits == .max ? .float(.nan) : .float(Double(bitPattern: bits >> 63 == 1 ? bits ^ 1 << 63 : ~bits))
                }
            default: return string().map { .text($0) }
            }
        }

        /// The id behind the first byte of an entity's entry.
        mutating func entity() -> UInt64? {
            guard bytes.count - offset >= 8 else { return nil }
            defer { offset += 8 }
            return UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
    }
}
