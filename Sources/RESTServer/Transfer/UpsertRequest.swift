package import FileSystem
package import GraphModel
internal import Storage

/// Rows that are to be in a graph, as `martlet import --upsert` sends them: nodes with the same labels, or relationships of
/// one type between the same kinds of nodes. The layout is described in docs/formats/upsert.md.
package struct UpsertRequest: Sendable {
    /// How nodes are told apart: a label and a property.
    package struct Key: Hashable, Sendable {
        package let label: String
        package let property: String

        package init(label: String, property: String) {
            self.label = label
            self.property = property
        }
    }

    package enum Target: Hashable, Sendable {
        /// - Parameter labels: all that the nodes shall have; the key's may be among them.
        case nodes(Key, labels: [String])
        case relationships(type: String, start: Key, end: Key)

        /// How many values tell an entity apart.
        package var keyCount: Int {
            switch self {
            case .nodes: 1
            case .relationships: 2
            }
        }
    }

    package struct Row: Sendable {
        /// What tells its entity apart: a node's key, or both ends' keys.
        package let keys: [Value]
        /// The number of a name, and a value.
        package var properties: [(name: Int, value: Value)]

        package init(keys: [Value], properties: [(name: Int, value: Value)]) {
            self.keys = keys
            self.properties = properties
        }

        /// What an encoded row begins with.
        package static func encode(keys: [Value], into writer: inout ByteWriter) {
            for key in keys { ValueCodec.encode(key, into: &writer) }
        }

        /// What follows the keys.
        package static func encode(properties: [(name: Int, value: Value)], into writer: inout ByteWriter) {
            writer.write(UInt32(properties.count))
            for (name, value) in properties {
                writer.write(UInt32(name))
                ValueCodec.encode(value, into: &writer)
            }
        }

        /// - Parameter nameCount: how many names the request has.
        package init(_ reader: inout ByteReader, keyCount: Int, nameCount: Int) throws(MalformedBytes) {
            var keys: [Value] = []
            keys.reserveCapacity(keyCount)
            for _ in 0..<keyCount { keys.append(try ValueCodec.decode(&reader)) }
            self.keys = keys
            let propertyCount = try reader.readCount(minimumByteCountOfElement: 5)
            properties = []
            properties.reserveCapacity(propertyCount)
            for _ in 0..<propertyCount {
                let name = Int(try reader.read(UInt32.self))
                guard name < nameCount else {
                    throw MalformedBytes(offset: reader.offset, detail: "property \(name) of \(nameCount) is named")
                }
                properties.append((name, try ValueCodec.decode(&reader)))
            }
        }
    }

    package let target: Target
    /// Names of properties.
    package let names: [String]
    package let rows: [Row]

    private static let magic: UInt32 = 0x3155_504D

    /// The bytes of a request.
    ///
    /// - Parameter rows: writes the rows.
    package static func encode(
        _ target: Target, names: [String], rowCount: Int, rows: (inout ByteWriter) -> Void
    ) -> [UInt8] {
        var writer = ByteWriter(reservingByteCount: 256)
        writer.write(magic)
        func write(_ key: Key) {
            writer.write(string: key.label)
            writer.write(string: key.property)
        }
        func write(_ names: [String]) {
            writer.write(UInt32(names.count))
            for name in names { writer.write(string: name) }
        }
        switch target {
        case .nodes(let key, let labels):
            writer.write(UInt8(0))
            write(key)
            write(labels)
        case .relationships(let type, let start, let end):
            writer.write(UInt8(1))
            write(start)
            write(end)
            writer.write(string: type)
        }
        write(names)
        writer.write(UInt32(rowCount))
        rows(&writer)
        return writer.bytes
    }

    /// Throws `.invalidRequest` for bytes that are no request.
    package init(_ bytes: [UInt8]) throws(GraphError) {
        do throws(MalformedBytes) { try self.init(decoding: bytes) } catch {
            throw GraphError(.invalidRequest, "the body is no upsert of this version: \(error)")
        }
    }

    private init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        guard try reader.read(UInt32.self) == Self.magic else { throw MalformedBytes(offset: 0, detail: "it does not begin with MPU1") }
        func key() throws(MalformedBytes) -> Key { Key(label: try reader.readString(), property: try reader.readString()) }
        func names() throws(MalformedBytes) -> [String] {
            var names: [String] = []
            for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 4)) { names.append(try reader.readString()) }
            return names
        }
        let kind: UInt8 = try reader.read()
        switch kind {
        case 0: target = .nodes(try key(), labels: try names())
        case 1:
            let start = try key()
            let end = try key()
            target = .relationships(type: try reader.readString(), start: start, end: end)
        default: throw MalformedBytes(offset: 4, detail: "there is no kind \(kind)")
        }
        let names = try names()
        self.names = names
        let count = try reader.readCount(minimumByteCountOfElement: 5)
        var rows: [Row] = []
        rows.reserveCapacity(count)
        for _ in 0..<count { rows.append(try Row(&reader, keyCount: target.keyCount, nameCount: names.count)) }
        guard reader.offset == bytes.count else { throw MalformedBytes(offset: reader.offset, detail: "bytes follow the last row") }
        self.rows = rows
    }
}
