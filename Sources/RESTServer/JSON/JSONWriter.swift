internal import GraphModel

/// Writes JSON as bytes, once, in the order of the calls.
///
/// Two layouts: ``Layout/manual`` is the indented one that every unstreamed answer of the manual has, byte for byte;
/// ``Layout/compact`` has no white space and is for streams. Strings are escaped as far as JSON demands, integers and
/// doubles are written exactly (doubles in the shortest form that reads back as the same number), and a double that
/// JSON has no number for becomes the string `"NaN"`, `"Infinity"` or `"-Infinity"`, as the original wrote it.
package struct JSONWriter: Sendable {
    package enum Layout: Sendable { case manual, compact }

    package private(set) var bytes: [UInt8] = []
    private let isIndented: Bool
    /// Objects that are open; lists do not indent.
    private var depth = 0
    /// Whether the innermost open container has an element already.
    private var hasElement = false
    /// Whether a key was just written, so that a value follows on the same line.
    private var isAfterKey = false

    package init(_ layout: Layout, capacity: Int = 0) {
        isIndented = layout == .manual
        if capacity > 0 { bytes.reserveCapacity(capacity) }
    }

    package var byteCount: Int { bytes.count }

    /// Hands out what was written so far and goes on with an empty buffer.
    package mutating func take() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &bytes)
        return taken
    }

    // MARK: Containers

    package mutating func beginObject() {
        beforeValue()
        bytes.append(UInt8(ascii: "{"))
        depth += 1
        hasElement = false
    }

    package mutating func endObject() {
        depth -= 1
        // An empty object still takes two lines in the manual's layout.
        if isIndented { newLine() }
        bytes.append(UInt8(ascii: "}"))
        hasElement = true
    }

    package mutating func beginList() {
        beforeValue()
        bytes.append(UInt8(ascii: "["))
        isInList = true
        hasElement = false
    }

    package mutating func endList() {
        if isIndented { bytes.append(UInt8(ascii: " ")) }
        bytes.append(UInt8(ascii: "]"))
        hasElement = true
    }

    /// Set where a list begins, so that its first element gets its blank.
    private var isInList = false

    /// A key that needs no escaping.
    package mutating func key(_ name: StaticString) {
        beginKey()
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        endKey()
    }

    package mutating func key(_ name: String) {
        beginKey()
        escape(name)
        endKey()
    }

    private mutating func beginKey() {
        if hasElement { bytes.append(UInt8(ascii: ",")) }
        if isIndented { newLine() }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func endKey() {
        bytes.append(UInt8(ascii: "\""))
        if isIndented {
            bytes.append(UInt8(ascii: " "))
            bytes.append(UInt8(ascii: ":"))
            bytes.append(UInt8(ascii: " "))
        } else {
            bytes.append(UInt8(ascii: ":"))
        }
        isAfterKey = true
    }

    private mutating func beforeValue() {
        defer { isInList = false }
        if isAfterKey {
            isAfterKey = false
            return
        }
        if hasElement {
            bytes.append(UInt8(ascii: ","))
            if isIndented { bytes.append(UInt8(ascii: " ")) }
        } else if isInList && isIndented {
            bytes.append(UInt8(ascii: " "))
        }
    }

    private mutating func newLine() {
        bytes.append(UInt8(ascii: "\n"))
        for _ in 0..<depth {
            bytes.append(UInt8(ascii: " "))
            bytes.append(UInt8(ascii: " "))
        }
    }

    /// Ends a line, for texts of one value in each.
    package mutating func endLine() {
        bytes.append(UInt8(ascii: "\n"))
        hasElement = false
    }

    // MARK: Scalars

    package mutating func null() {
        beforeValue()
        literal("null")
        hasElement = true
    }

    package mutating func value(_ value: Bool) {
        beforeValue()
        literal(value ? "true" : "false")
        hasElement = true
    }

    package mutating func value(_ value: Int64) {
        beforeValue()
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        digits(value.magnitude)
        hasElement = true
    }

    package mutating func value(_ value: UInt64) {
        beforeValue()
        digits(value)
        hasElement = true
    }

    package mutating func value(_ value: Double) {
        guard value.isFinite else {
            return string(value.isNaN ? "NaN" : (value < 0 ? "-Infinity" : "Infinity"))
        }
        beforeValue()
        bytes.append(contentsOf: value.description.utf8)
        hasElement = true
    }

    package mutating func string(_ text: String) {
        beforeValue()
        bytes.append(UInt8(ascii: "\""))
        escape(text)
        bytes.append(UInt8(ascii: "\""))
        hasElement = true
    }

    package mutating func strings(_ texts: [String]) {
        beginList()
        for text in texts { string(text) }
        endList()
    }

    /// A string made of parts that need no escaping, written between ``beginPlainString()`` and ``endPlainString()``.
    package mutating func beginPlainString() {
        beforeValue()
        bytes.append(UInt8(ascii: "\""))
    }

    package mutating func plain(_ part: StaticString) { literal(part) }
    package mutating func plain(_ part: [UInt8]) { bytes.append(contentsOf: part) }
    package mutating func plain(_ number: UInt64) { digits(number) }

    package mutating func endPlainString() {
        bytes.append(UInt8(ascii: "\""))
        hasElement = true
    }

    /// A value that another writer of the same layout wrote on its own; its lines are indented as they are here.
    package mutating func embed(_ value: [UInt8]) {
        beforeValue()
        hasElement = true
        guard isIndented, depth > 0 else { return bytes.append(contentsOf: value) }
        let indentation = [UInt8](repeating: UInt8(ascii: " "), count: 2 * depth)
        var rest = value[...]
        // Strings have no line ends of their own, they are escaped.
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            bytes.append(contentsOf: rest[...end])
            bytes.append(contentsOf: indentation)
            rest = rest[(end + 1)...]
        }
        bytes.append(contentsOf: rest)
    }

    private mutating func literal(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    private mutating func digits(_ number: UInt64) {
        if number < 10 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number))
            return
        }
        let start = bytes.count
        var rest = number
        while rest > 0 {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit))
            rest = quotient
        }
        bytes[start...].reverse()
    }

    // MARK: Escaping

    private mutating func escape(_ text: String) {
        let isDone: Void? = text.utf8.withContiguousStorageIfAvailable { escape($0) }
        if isDone == nil { Array(text.utf8).withUnsafeBufferPointer { escape($0) } }
    }

    /// Appends runs that need no escaping as a whole.
    private mutating func escape(_ text: UnsafeBufferPointer<UInt8>) {
        var runStart = 0
        for index in 0..<text.count {
            let byte = text[index]
            if byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") { continue }
            bytes.append(contentsOf: text[runStart..<index])
            runStart = index + 1
            bytes.append(UInt8(ascii: "\\"))
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
            case 0x08: bytes.append(UInt8(ascii: "b"))
            case 0x09: bytes.append(UInt8(ascii: "t"))
            case 0x0A: bytes.append(UInt8(ascii: "n"))
            case 0x0C: bytes.append(UInt8(ascii: "f"))
            case 0x0D: bytes.append(UInt8(ascii: "r"))
            default:
                literal("u00")
                bytes.append(Self.hexDigit(byte >> 4))
                bytes.append(Self.hexDigit(byte & 15))
            }
        }
        bytes.append(contentsOf: text[runStart...])
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}
