extension JSONParser {
    /// The string whose opening quote is at the position.
    mutating func string() throws(JSONError) -> String {
        let start = position
        position += 1
        let runStart = position
        // Most strings have no escapes: they are taken as they are.
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let text = try text(bytes[runStart..<position], at: runStart)
                position += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(start, Array(bytes[runStart..<position])) }
            if byte < 0x20 { throw error("\(found) must be written as an escape within a string") }
            position += 1
        }
        throw JSONError("the string that begins here has no end", at: start, in: bytes)
    }

    private mutating func escapedString(_ start: Int, _ begun: [UInt8]) throws(JSONError) -> String {
        var decoded = begun
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return try text(decoded[...], at: start + 1)
            case UInt8(ascii: "\\"):
                try escape(into: &decoded)
            case ..<0x20:
                throw error("\(found) must be written as an escape within a string")
            default:
                decoded.append(byte)
                position += 1
            }
        }
        throw JSONError("the string that begins here has no end", at: start, in: bytes)
    }

    private mutating func escape(into decoded: inout [UInt8]) throws(JSONError) {
        let start = position
        position += 1
        guard position < bytes.count else { throw error("the text ends within an escape") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): decoded.append(byte)
        case UInt8(ascii: "b"): decoded.append(0x08)
        case UInt8(ascii: "f"): decoded.append(0x0C)
        case UInt8(ascii: "n"): decoded.append(0x0A)
        case UInt8(ascii: "r"): decoded.append(0x0D)
        case UInt8(ascii: "t"): decoded.append(0x09)
        case UInt8(ascii: "u"):
            var unit = try hexUnit()
            if unit & 0xFC00 == 0xD800, take(UInt8(ascii: "\\")) {
                guard take(UInt8(ascii: "u")) else { throw unpaired(at: start) }
                let low = try hexUnit()
                guard low & 0xFC00 == 0xDC00 else { throw unpaired(at: start) }
                unit = 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
            }
            guard let scalar = Unicode.Scalar(unit) else { throw unpaired(at: start) }
            decoded.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
        default:
            throw JSONError("there is no such escape", at: start, in: bytes)
        }
    }

    private func unpaired(at offset: Int) -> JSONError {
        JSONError("an unpaired surrogate is not a character", at: offset, in: bytes)
    }

    private mutating func hexUnit() throws(JSONError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = hexDigitValue(bytes[position]) else {
                throw error("four hexadecimal digits are expected, not \(found)")
            }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }

    /// Text that must be UTF-8.
    private func text(_ slice: ArraySlice<UInt8>, at offset: Int) throws(JSONError) -> String {
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw JSONError("the string is not valid UTF-8", at: offset, in: bytes)
        }
        return text
    }
}

/// The value of a hexadecimal digit.
package func hexDigitValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
