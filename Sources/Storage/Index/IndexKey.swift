package import GraphModel

/// Bytes of index keys: comparing them as unsigned bytes gives the order of `Value.order`, equal values give equal bytes.
///
/// Each value begins with a tag that ranks its kind and ends itself, so the key of several properties is the keys of its
/// values one after the other. `docs/formats/index.md` has the table.
package enum IndexKey {
    enum Tag {
        static let list: UInt8 = 0x30
        static let bytes: UInt8 = 0x50
        static let point: UInt8 = 0x52
        static let dateTime: UInt8 = 0x54
        static let localDateTime: UInt8 = 0x56
        static let date: UInt8 = 0x58
        static let time: UInt8 = 0x5A
        static let localTime: UInt8 = 0x5C
        static let duration: UInt8 = 0x5E
        static let string: UInt8 = 0x60
        static let boolean: UInt8 = 0x70
        static let number: UInt8 = 0x80
    }
    /// Above every byte that can follow a value: a key with it appended ends the run of all keys that begin alike.
    static let end: UInt8 = 0xFF

    /// Appends the key of a value; false, with nothing appended that counts, when no property can have this value.
    package static func append(_ value: Value, to key: inout [UInt8]) -> Bool {
        switch value {
        case .boolean(let flag):
            key.append(Tag.boolean)
            key.append(flag ? 1 : 0)
        case .integer(let number): append(number, to: &key)
        case .float(let number): append(number, remainder: 0, to: &key)
        case .string(let string):
            append(textPrefix: string.text, to: &key)
            key.append(0)
        case .bytes(let bytes):
            key.append(Tag.bytes)
            for byte in bytes.bytes {
                key.append(byte)
                if byte == 0 { key.append(0xFF) }
            }
            key.append(0)
            key.append(0)
        case .temporal(let temporal): append(temporal.content, to: &key)
        case .point(let point):
            key.append(Tag.point)
            append(raw: point.system.rawValue, to: &key)
            for number in point.coordinates { append(raw: ordered(number), to: &key) }
        case .list(let list):
            key.append(Tag.list)
            for element in list.elements where !append(element, to: &key) { return false }
            key.append(0)
        case .null, .map, .node, .relationship, .path: return false
        }
        return true
    }

    /// The key of some properties of an entity, in the order of `tokens`; false when one of them is not set.
    static func append(_ properties: [Property], _ tokens: [TokenID], to key: inout [UInt8]) -> Bool {
        for token in tokens {
            guard let value = properties.value(token), append(value, to: &key) else { return false }
        }
        return true
    }

    /// A string without its end: all strings that begin with it have keys that begin with this.
    ///
    /// UTF-8 orders like UTF-16 code units but for the lead bytes EE and EF, which rank above F0…F4; they change places.
    /// Everything moves up by one, so that 0 can end the string.
    static func append(textPrefix text: String, to key: inout [UInt8]) {
        key.append(Tag.string)
        let start = key.count
        key.append(contentsOf: text.utf8)
        key.withUnsafeMutableBufferPointer { key in
            for index in start..<key.count {
                let byte = key[index]
                key[index] = byte < 0xEE ? byte &+ 1 : byte >= 0xF0 ? byte &- 1 : byte &+ 6
            }
        }
    }

    /// Temporal values: numbers of fixed width, the sign bit turned, in the order in which `Temporal.order` looks at them.
    private static func append(_ temporal: Temporal, to key: inout [UInt8]) {
        func add(_ tag: UInt8, _ numbers: Int64...) {
            key.append(tag)
            for number in numbers { append(raw: UInt64(bitPattern: number) ^ 1 << 63, to: &key) }
        }
        switch temporal {
        case .date(let days): add(Tag.date, days)
        case .localTime(let nanoseconds): add(Tag.localTime, nanoseconds)
        case .time(let nanoseconds, let offset): add(Tag.time, Temporal.instant(nanoseconds, offset), Int64(offset))
        case .localDateTime(let seconds, let nanoseconds): add(Tag.localDateTime, seconds, Int64(nanoseconds))
        case .dateTime(let seconds, let nanoseconds, let offset, let zone):
            add(Tag.dateTime, seconds, Int64(nanoseconds), Int64(offset))
            // ASCII without 0.
            key.append(contentsOf: (zone ?? "").utf8)
            key.append(0)
        case .duration(let months, let days, _, let nanoseconds):
            add(Tag.duration, temporal.averageSeconds ?? .max, Int64(nanoseconds), months, days)
        }
    }

    private static func append(raw number: some FixedWidthInteger, to key: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { key.append(contentsOf: $0) }
    }

    /// Bits that order as unsigned numbers like doubles do: -0 as 0, one NaN after all.
    private static func ordered(_ number: Double) -> UInt64 {
        let bits = (number == 0 ? 0 : number).bitPattern
        return number.isNaN ? .max : bits >> 63 == 1 ? ~bits : bits | 1 << 63
    }

    private static func append(_ number: Int64, to key: inout [UInt8]) {
        if number.magnitude <= 1 << 53 { return append(Double(number), remainder: 0, to: &key) }
        // The largest double not above it, and what is missing: exact where a double alone is not.
        var floor = Double(number)
        if floor >= 0x1p63 || Int64(floor) > number { floor = floor.nextDown }
        append(floor, remainder: UInt16(truncatingIfNeeded: number &- Int64(floor)), to: &key)
    }

    private static func append(_ number: Double, remainder: UInt16, to key: inout [UInt8]) {
        key.append(Tag.number)
        append(raw: ordered(number), to: &key)
        if number.magnitude >= 0x1p53 {
            key.append(UInt8(remainder >> 8))
            key.append(UInt8(remainder & 0xFF))
        }
    }

    // MARK: Comparing and hashing

    /// The first eight bytes, filled up with zeros, as a number that orders like them.
    @inline(__always)
    static func head(_ key: UnsafeRawBufferPointer) -> UInt64 {
        if key.count >= 8 { return UInt64(bigEndian: key.loadUnaligned(as: UInt64.self)) }
        var result: UInt64 = 0
        for byte in key { result = result << 8 | UInt64(byte) }
        return key.isEmpty ? 0 : result << UInt64(64 - 8 * key.count)
    }

    /// How many bytes two keys have in common at their beginnings.
    static func commonByteCount(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
        let most = min(a.count, b.count)
        var index = 0
        while index + 8 <= most {
            let difference =
                a.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ b.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if difference != 0 { return index + UInt64(littleEndian: difference).trailingZeroBitCount / 8 }
            index += 8
        }
        while index < most, a[index] == b[index] { index += 1 }
        return index
    }

    /// -1, 0 or 1: bytes as unsigned numbers, a beginning before what it begins.
    @inline(__always)
    static func order(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
        let x = head(a)
        let y = head(b)
        if x != y { return x < y ? -1 : 1 }
        var index = 8
        let common = min(a.count, b.count)
        while index + 8 <= common {
            let x = UInt64(bigEndian: a.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let y = UInt64(bigEndian: b.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            if x != y { return x < y ? -1 : 1 }
            index += 8
        }
        while index < common {
            if a[index] != b[index] { return a[index] < b[index] ? -1 : 1 }
            index += 1
        }
        return a.count < b.count ? -1 : a.count == b.count ? 0 : 1
    }

    @inline(__always)
    static func order(_ a: UnsafeRawBufferPointer, _ x: UInt64, _ b: UnsafeRawBufferPointer, _ y: UInt64) -> Int {
        let byKey = order(a, b)
        return byKey != 0 ? byKey : x < y ? -1 : x == y ? 0 : 1
    }

    @inline(__always)
    static func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        a.count == b.count && order(a, b) == 0
    }

    /// A hash that stands in files: eight bytes at a time, little-endian, the rest filled up with zeros.
    static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
        var hash = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: key.count)
        var index = 0
        while index < key.count {
            var word: UInt64 = 0
            if index + 8 <= key.count {
                word = UInt64(littleEndian: key.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            } else {
                for offset in (index..<key.count).reversed() { word = word << 8 | UInt64(key[offset]) }
            }
            hash = (hash ^ word) &* 0xBF58_476D_1CE4_E5B9
            hash ^= hash >> 29
            index += 8
        }
        hash ^= hash >> 32
        hash &*= 0x94D0_49BB_1331_11EB
        return hash ^ (hash >> 29)
    }
}
