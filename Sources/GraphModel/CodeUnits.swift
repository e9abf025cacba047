// Swift's `String ==` is canonical equivalence ("ü" composed equals decomposed). The database compares code units, as
// the original does; every comparison of user text goes through these functions.

/// Whether two strings are the same sequence of code units.
public func codeUnitsEqual(_ a: String, _ b: String) -> Bool {
    let fast = a.utf8.withContiguousStorageIfAvailable { x in
        b.utf8.withContiguousStorageIfAvailable { y in
            bytesEqual(UnsafeRawBufferPointer(x), UnsafeRawBufferPointer(y))
        }
    }
    if let result = fast ?? nil { return result }
    return a.utf8.elementsEqual(b.utf8)
}

/// Text as a key of dictionaries: equal when the code units are.
public struct CodeUnitKey: Hashable, Sendable {
    public let text: String

    public init(_ text: String) { self.text = text }

    public static func == (a: CodeUnitKey, b: CodeUnitKey) -> Bool { codeUnitsEqual(a.text, b.text) }

    public func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

/// Whether two blocks hold the same; eight bytes at a time.
package func bytesEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    if a.count != b.count { return false }
    var offset = 0
    while offset + 8 <= a.count {
        if a.loadUnaligned(fromByteOffset: offset, as: UInt64.self) != b.loadUnaligned(fromByteOffset: offset, as: UInt64.self) {
            return false
        }
        offset += 8
    }
    while offset < a.count {
        if a[offset] != b[offset] { return false }
        offset += 1
    }
    return true
}

/// Orders two strings by their UTF-16 code units, without converting them: -1, 0 or 1.
///
/// UTF-8 byte order equals UTF-16 order except that U+E000…U+FFFF (lead bytes EE, EF) sort after the surrogates of the
/// supplementary planes (lead bytes F0…F4).
public func codeUnitOrder(_ a: String, _ b: String) -> Int {
    func compare(_ x: some Collection<UInt8>, _ y: some Collection<UInt8>) -> Int {
        var i = x.makeIterator()
        var j = y.makeIterator()
        while true {
            switch (i.next(), j.next()) {
            case (nil, nil): return 0
            case (nil, _): return -1
            case (_, nil): return 1
            case (let p?, let q?):
                if p == q { continue }
                if p >= 0xEE && q >= 0xEE && (p >= 0xF0) != (q >= 0xF0) { return p >= 0xF0 ? -1 : 1 }
                return p < q ? -1 : 1
            }
        }
    }
    let fast = a.utf8.withContiguousStorageIfAvailable { x in
        b.utf8.withContiguousStorageIfAvailable { y in compare(x, y) }
    }
    if let result = fast ?? nil { return result }
    return compare(a.utf8, b.utf8)
}
