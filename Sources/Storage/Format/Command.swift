package import FileSystem
package import GraphModel

/// One property of an entity: the number of its key, and its value (never null).
package struct Property: Sendable, Equatable {
    package let key: TokenID
    package let value: Value
    package init(key: TokenID, value: Value) {
        self.key = key
        self.value = value
    }
}

/// One change to the graph or its schema, complete in itself: applying it needs neither query text nor clock.
///
/// In a log entry every token is a number of the store. In a write set a token with ``provisionalBit`` set is an index
/// into the write set's own list of new names.
package enum Command: Sendable, Equatable {
    case createToken(TokenKind, TokenID, name: String)
    case createNode(UInt64, labels: [TokenID], properties: [Property])
    case deleteNode(UInt64)
    case createRelationship(UInt64, type: TokenID, start: UInt64, end: UInt64, properties: [Property])
    case deleteRelationship(UInt64)
    /// Sets, or with nil removes, a property.
    case setNodeProperty(UInt64, key: TokenID, value: Value?)
    case setRelationshipProperty(UInt64, key: TokenID, value: Value?)
    case addLabel(UInt64, TokenID)
    case removeLabel(UInt64, TokenID)
    case createSchemaRule(SchemaRule)
    case dropSchemaRule(SchemaRuleID)
    /// The text says why, when the state is failed.
    case setSchemaRuleState(SchemaRuleID, SchemaRule.State, String)
    case createManualIndex(ManualIndex)
    case dropManualIndex(SchemaRuleID)
    /// The value is a string, or for ranges of numbers an integer or a float.
    case addToManualIndex(SchemaRuleID, entity: UInt64, key: String, value: Value)
    case removeFromManualIndex(SchemaRuleID, entity: UInt64, key: String, value: Value)
    case setAutoIndexing(SchemaRule.EntityKind, AutoIndexing)
    /// This transaction carries out the request; changes nothing in the graph.
    case noteRequest(RequestID)
    /// Every member is to say what the graph comes to here; changes nothing in it.
    case compareGraphs

    package static let provisionalBit: TokenID = 0x8000_0000

    private enum Tag: UInt8 {
        case createToken = 1
        case createNode, deleteNode, createRelationship, deleteRelationship
        case setNodeProperty, removeNodeProperty, setRelationshipProperty, removeRelationshipProperty
        case addLabel, removeLabel
        case createSchemaRule, dropSchemaRule, setSchemaRuleState
        case createManualIndex, dropManualIndex, addToManualIndex, removeFromManualIndex, setAutoIndexing
        case noteRequest, compareGraphs
    }

    package func encode(into writer: inout ByteWriter) {
        func tag(_ tag: Tag) { writer.write(tag.rawValue) }
        switch self {
        case .createToken(let kind, let token, let name):
            tag(.createToken)
            writer.write(kind.rawValue)
            writer.write(token)
            writer.write(string: name)
        case .createNode(let id, let labels, let properties):
            tag(.createNode)
            writer.write(id)
            writer.write(UInt32(labels.count))
            labels.forEach { writer.write($0) }
            Self.encode(properties, into: &writer)
        case .deleteNode(let id):
            tag(.deleteNode)
            writer.write(id)
        case .createRelationship(let id, let type, let start, let end, let properties):
            tag(.createRelationship)
            writer.write(id)
            writer.write(type)
            writer.write(start)
            writer.write(end)
            Self.encode(properties, into: &writer)
        case .deleteRelationship(let id):
            tag(.deleteRelationship)
            writer.write(id)
        case .setNodeProperty(let id, let key, let value):
            tag(value == nil ? .removeNodeProperty : .setNodeProperty)
            writer.write(id)
            writer.write(key)
            if let value { ValueCodec.encode(value, into: &writer) }
        case .setRelationshipProperty(let id, let key, let value):
            tag(value == nil ? .removeRelationshipProperty : .setRelationshipProperty)
            writer.write(id)
            writer.write(key)
            if let value { ValueCodec.encode(value, into: &writer) }
        case .addLabel(let id, let label):
            tag(.addLabel)
            writer.write(id)
            writer.write(label)
        case .removeLabel(let id, let label):
            tag(.removeLabel)
            writer.write(id)
            writer.write(label)
        case .createSchemaRule(let rule):
            tag(.createSchemaRule)
            rule.encode(into: &writer)
        case .dropSchemaRule(let id):
            tag(.dropSchemaRule)
            writer.write(id.rawValue)
        case .setSchemaRuleState(let id, let state, let failure):
            tag(.setSchemaRuleState)
            writer.write(id.rawValue)
            writer.write(state.rawValue)
            writer.write(string: failure)
        case .createManualIndex(let index):
            tag(.createManualIndex)
            index.encode(into: &writer)
        case .dropManualIndex(let id):
            tag(.dropManualIndex)
            writer.write(id.rawValue)
        case .addToManualIndex(let id, let entity, let key, let value):
            tag(.addToManualIndex)
            Self.encode(id, entity, key, value, into: &writer)
        case .removeFromManualIndex(let id, let entity, let key, let value):
            tag(.removeFromManualIndex)
            Self.encode(id, entity, key, value, into: &writer)
        case .setAutoIndexing(let entity, let settings):
            tag(.setAutoIndexing)
            writer.write(entity.rawValue)
            settings.encode(into: &writer)
        case .noteRequest(let id):
            tag(.noteRequest)
            writer.write(string: id.text)
        case .compareGraphs: tag(.compareGraphs)
        }
    }

    private static func encode(
        _ id: SchemaRuleID, _ entity: UInt64, _ key: String, _ value: Value, into writer: inout ByteWriter
    ) {
        writer.write(id.rawValue)
        writer.write(entity)
        writer.write(string: key)
        ValueCodec.encode(value, into: &writer)
    }

    private static func decodeIndexedValue(_ reader: inout ByteReader) throws(MalformedBytes) -> Value {
        let start = reader.offset
        let value = try ValueCodec.decode(&reader)
        guard IndexedValue(stored: value) != nil else {
            throw MalformedBytes(offset: start, detail: "a \(value.kindName) as a value of a named index")
        }
        return value
    }

    package static func decode(_ reader: inout ByteReader) throws(MalformedBytes) -> Command {
        let raw: UInt8 = try reader.read()
        guard let tag = Tag(rawValue: raw) else {
            throw MalformedBytes(offset: reader.offset - 1, detail: "\(raw) is no tag of a command")
        }
        switch tag {
        case .createToken:
            let kindNumber: UInt8 = try reader.read()
            guard let kind = TokenKind(rawValue: kindNumber) else {
                throw MalformedBytes(offset: reader.offset - 1, detail: "\(kindNumber) is no kind of token")
            }
            return .createToken(kind, try reader.read(), name: try reader.readString())
        case .createNode:
            let id: UInt64 = try reader.read()
            let count = try reader.readCount(minimumByteCountOfElement: 4)
            var labels: [TokenID] = []
            labels.reserveCapacity(count)
            for _ in 0..<count { labels.append(try reader.read()) }
            return .createNode(id, labels: labels, properties: try decodeProperties(&reader))
        case .deleteNode: return .deleteNode(try reader.read())
        case .createRelationship:
            return .createRelationship(
                try reader.read(), type: try reader.read(), start: try reader.read(), end: try reader.read(),
                properties: try decodeProperties(&reader))
        case .deleteRelationship: return .deleteRelationship(try reader.read())
        case .setNodeProperty:
            return .setNodeProperty(try reader.read(), key: try reader.read(), value: try ValueCodec.decode(&reader))
        case .removeNodeProperty:
            return .setNodeProperty(try reader.read(), key: try reader.read(), value: nil)
        case .setRelationshipProperty:
            return .setRelationshipProperty(
                try reader.read(), key: try reader.read(), value: try ValueCodec.decode(&reader))
        case .removeRelationshipProperty:
            return .setRelationshipProperty(try reader.read(), key: try reader.read(), value: nil)
        case .addLabel: return .addLabel(try reader.read(), try reader.read())
        case .removeLabel: return .removeLabel(try reader.read(), try reader.read())
        case .createSchemaRule: return .createSchemaRule(try SchemaRule(&reader))
        case .dropSchemaRule: return .dropSchemaRule(SchemaRuleID(try reader.read()))
        case .setSchemaRuleState:
            let id = SchemaRuleID(try reader.read())
            let number: UInt8 = try reader.read()
            guard let state = SchemaRule.State(rawValue: number) else {
                throw MalformedBytes(offset: reader.offset - 1, detail: "\(number) is no state of a schema rule")
            }
            return .setSchemaRuleState(id, state, try reader.readString())
        case .createManualIndex: return .createManualIndex(try ManualIndex(&reader))
        case .dropManualIndex: return .dropManualIndex(SchemaRuleID(try reader.read()))
        case .addToManualIndex:
            return .addToManualIndex(
                SchemaRuleID(try reader.read()), entity: try reader.read(), key: try reader.readString(),
                value: try decodeIndexedValue(&reader))
        case .removeFromManualIndex:
            return .removeFromManualIndex(
                SchemaRuleID(try reader.read()), entity: try reader.read(), key: try reader.readString(),
                value: try decodeIndexedValue(&reader))
        case .setAutoIndexing:
            let number: UInt8 = try reader.read()
            guard let entity = SchemaRule.EntityKind(rawValue: number) else {
                throw MalformedBytes(offset: reader.offset - 1, detail: "\(number) is no kind of entity")
            }
            return .setAutoIndexing(entity, try AutoIndexing(&reader))
        case .noteRequest: return .noteRequest(try RequestID(&reader))
        case .compareGraphs: return .compareGraphs
        }
    }

    private static func encode(_ properties: [Property], into writer: inout ByteWriter) {
        writer.write(UInt32(properties.count))
        for property in properties {
            writer.write(property.key)
            ValueCodec.encode(property.value, into: &writer)
        }
    }

    private static func decodeProperties(_ reader: inout ByteReader) throws(MalformedBytes) -> [Property] {
        let count = try reader.readCount(minimumByteCountOfElement: 5)
        var properties: [Property] = []
        properties.reserveCapacity(count)
        for _ in 0..<count {
            let key: TokenID = try reader.read()
            properties.append(Property(key: key, value: try ValueCodec.decode(&reader)))
        }
        return properties
    }

    /// The same command with every token replaced; for turning provisional tokens into the store's.
    package func mapTokens(_ map: (TokenKind, TokenID) -> TokenID) -> Command {
        func keys(_ properties: [Property]) -> [Property] {
            properties.map { Property(key: map(.propertyKey, $0.key), value: $0.value) }
        }
        switch self {
        case .createToken, .deleteNode, .deleteRelationship, .dropSchemaRule, .setSchemaRuleState, .createManualIndex,
            .dropManualIndex, .addToManualIndex, .removeFromManualIndex, .setAutoIndexing, .noteRequest, .compareGraphs:
            return self
        case .createNode(let id, let labels, let properties):
            return .createNode(id, labels: labels.map { map(.label, $0) }, properties: keys(properties))
        case .createRelationship(let id, let type, let start, let end, let properties):
            return .createRelationship(
                id, type: map(.relationshipType, type), start: start, end: end, properties: keys(properties))
        case .setNodeProperty(let id, let key, let value):
            return .setNodeProperty(id, key: map(.propertyKey, key), value: value)
        case .setRelationshipProperty(let id, let key, let value):
            return .setRelationshipProperty(id, key: map(.propertyKey, key), value: value)
        case .addLabel(let id, let label): return .addLabel(id, map(.label, label))
        case .removeLabel(let id, let label): return .removeLabel(id, map(.label, label))
        case .createSchemaRule(let rule):
            return .createSchemaRule(
                rule.with(
                    id: rule.id, token: map(rule.tokenKind, rule.token), keys: rule.keys.map { map(.propertyKey, $0) }))
        }
    }
}

extension RequestID {
    init(_ reader: inout ByteReader) throws(MalformedBytes) {
        let start = reader.offset
        guard let id = RequestID(stored: try reader.readString()) else {
            throw MalformedBytes(offset: start, detail: "a request id is 1 to \(Self.storedCountMaximum) visible ASCII characters")
        }
        self = id
    }
}
