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
/// | 8 | date: `Int64` days since 1970 |
/// | 9 | local time: `Int64` nanoseconds |
/// | 10 | time: `Int64` nanoseconds, `Int32` offset in seconds |
/// | 11 | local date-time: `Int64` seconds, `Int32` nanoseconds |
/// | 12 | date-time: `Int64` seconds UTC, `Int32` nanoseconds, `Int32` offset, zone as in 5, empty for none |
/// | 13 | duration: `Int64` months, days, seconds, `Int32` nanoseconds |
/// | 14 | point: `UInt32` SRID, two or three `Double` as in 4 |
package enum ValueCodec {
    static let stringTag: UInt8 = 5

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
            writer.write(stringTag)
            writer.write(string: string.text)
        case .bytes(let bytes):
            writer.write(UInt8(6))
            writer.write(data: bytes.bytes)
        case .temporal(let temporal): encode(temporal.content, into: &writer)
        case .point(let point):
            writer.write(UInt8(14))
            writer.write(point.system.rawValue)
            for number in point.coordinates { writer.write(number.bitPattern) }
        case .list(let list):
            writer.write(UInt8(7))
            writer.write(UInt32(list.elements.count))
            for element in list.elements { encode(element, into: &writer) }
        case .null, .map, .node, .relationship, .path:
            preconditionFailure("a \(value.kindName) reached the codec of stored values")
        }
    }

    private static func encode(_ temporal: Temporal, into writer: inout ByteWriter) {
        writer.write(8 + temporal.sort.rawValue)
        switch temporal {
        case .date(let days): writer.write(days)
        case .localTime(let nanoseconds): writer.write(nanoseconds)
        case .time(let nanoseconds, let offset):
            writer.write(nanoseconds)
            writer.write(offset)
        case .localDateTime(let seconds, let nanoseconds):
            writer.write(seconds)
            writer.write(nanoseconds)
        case .dateTime(let seconds, let nanoseconds, let offset, let zone):
            writer.write(seconds)
            writer.write(nanoseconds)
            writer.write(offset)
            writer.write(string: zone ?? "")
        case .duration(let months, let days, let seconds, let nanoseconds):
            writer.write(months)
            writer.write(days)
            writer.write(seconds)
            writer.write(nanoseconds)
        }
    }

    private static func decodeTemporal(_ sort: Temporal.Sort, _ reader: inout ByteReader) throws(MalformedBytes) -> Value {
        let start = reader.offset
        let content: Temporal
        switch sort {
        case .date: content = .date(days: try reader.read())
        case .localTime: content = .localTime(nanoseconds: try reader.read())
        case .time: content = .time(nanoseconds: try reader.read(), offsetSeconds: try reader.read())
        case .localDateTime: content = .localDateTime(seconds: try reader.read(), nanoseconds: try reader.read())
        case .dateTime:
            let seconds: Int64 = try reader.read()
            let nanoseconds: Int32 = try reader.read()
            let offset: Int32 = try reader.read()
            let zone = try reader.readString()
            content = .dateTime(
                seconds: seconds, nanoseconds: nanoseconds, offsetSeconds: offset, zone: zone.isEmpty ? nil : zone)
        case .duration:
            content = .duration(
                months: try reader.read(), days: try reader.read(), seconds: try reader.read(),
                nanoseconds: try reader.read())
        }
        guard let value = TemporalValue(content) else {
            throw MalformedBytes(offset: start, detail: "a part of the \(sort) is out of range")
        }
        return .temporal(value)
    }

    private static func decodePoint(_ reader: inout ByteReader) throws(MalformedBytes) -> Value {
        let start = reader.offset
        let number: UInt32 = try reader.read()
        guard let system = PointValue.System(rawValue: number) else {
            throw MalformedBytes(offset: start, detail: "\(number) is no SRID of a point")
        }
        var coordinates: [Double] = []
        for _ in 0..<system.dimensionCount { coordinates.append(Double(bitPattern: try reader.read())) }
        guard let point = PointValue(system, coordinates) else {
            throw MalformedBytes(offset: start, detail: "the coordinates of a point are out of range")
        }
        return .point(point)
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
        case 14: return try decodePoint(&reader)
        default:
            if tag >= 8, let sort = Temporal.Sort(rawValue: tag - 8) { return try decodeTemporal(sort, &reader) }
            throw MalformedBytes(offset: reader.offset - 1, detail: "\(tag) is no tag of a stored value")
        }
    }
}
