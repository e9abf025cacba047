package import FileSystem
package import GraphModel

/// Bytes of a storable value: a tag, then the content. Used in log entries, write sets and list columns.
///
/// | tag | content |
/// | --- | --- |
/// | 1, 2 | false, true |
/// | 3 | `Int64` |
/// | 4 | bits of a `Double`: NaN payloads and the sign of zero survive |
/// | 5 | `UInt32` length, UTF-8 |
/// | 6 | `UInt32` length, bytes |
/// | 7 | `UInt32` count, values |
package enum ValueCodec {
    package static func encode(_ value: Value, into writer: inout ByteWriter) {
        switch value {
        case .boolean(let flag): writer.write(UInt8(flag ? 2 : 1))
        case .integer(let number):
            writer.write(UInt8(3))
            writer.write(number)
        case .float(let number):
            writer.write(UInt8(4))
            writer.write(number.bitPattern)
        case .string(let string):
            writer.write(UInt8(5))
            writer.write(string: string.text)
        case .bytes(let bytes):
            writer.write(UInt8(6))
            writer.write(data: bytes.bytes)
        case .list(let list):
            writer.write(UInt8(7))
            writer.write(UInt32(list.elements.count))
            for element in list.elements { encode(element, into: &writer) }
        case .null, .map, .node, .relationship, .path:
            preconditionFailure("a \(value.kindName) reached the codec of stored values")
        }
    }

    package static func decode(_ reader: inout ByteReader) throws(MalformedBytes) -> Value {
        try decode(&reader, allowsList: true)
    }

    private static func decode(_ reader: inout ByteReader, allowsList: Bool) throws(MalformedBytes) -> Value {
        let tag: UInt8 = try reader.read()
        switch tag {
        case 1: return .boolean(false)
        case 2: return .boolean(true)
        case 3: return .integer(try reader.read())
        case 4: return .float(Double(bitPattern: try reader.read()))
        case 5: return .string(try reader.readString())
        case 6: return .bytes(BytesValue(try reader.readData()))
        case 7 where allowsList:
            let count = try reader.readCount(minimumByteCountOfElement: 1)
            var elements: [Value] = []
            elements.reserveCapacity(count)
            for _ in 0..<count { elements.append(try decode(&reader, allowsList: false)) }
            return .list(elements)
        default: throw MalformedBytes(offset: reader.offset - 1, detail: "\(tag) is no tag of a stored value")
        }
    }
}
