public import GraphModel
internal import FileSystem

/// Identifies an index or a constraint. Never used twice in one store.
public struct SchemaRuleID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    public var description: String { "rule \(rawValue)" }
}

/// An index or a constraint: what is true or quickly found for all nodes with a label, or all relationships of a type.
public struct SchemaRule: Sendable, Equatable {
    public enum Kind: UInt8, Sendable, CaseIterable {
        /// Finds entities by the values of their properties.
        case index = 1
        /// No two entities have the same values; has an index, too.
        case uniqueness
        /// Every entity has the property.
        case existence
    }
    public enum EntityKind: UInt8, Sendable {
        case node = 0
        case relationship = 1
    }
    /// How far a rule has come, the same on every member.
    public enum State: UInt8, Sendable {
        /// A uniqueness constraint whose index is being built. Nothing is refused yet.
        case populating = 1
        /// New violations are refused; what was there before is being looked at.
        case validating
        /// In force.
        case online
        /// What was there before broke it: it is not in force and waits to be dropped or made anew.
        case failed
    }

    public internal(set) var id: SchemaRuleID
    /// Unique among the rules of a store.
    public let name: String
    public let kind: Kind
    public let entity: EntityKind
    /// The label or the relationship type.
    public let token: TokenID
    /// Property keys, in the order of the index; at least one, all different.
    public let keys: [TokenID]
    public internal(set) var state: State
    /// Why it failed, with the entities that break it; empty else.
    public internal(set) var failure = ""

    /// Property keys of one rule at most.
    public static let keyCountMaximum = 16

    var hasIndex: Bool { kind != .existence && state != .failed }
    /// Whether a transaction that breaks the rule is refused.
    var isEnforced: Bool { kind != .index && (state == .validating || state == .online) }
    var tokenKind: TokenKind { entity == .node ? .label : .relationshipType }

    init(
        id: SchemaRuleID, name: String, kind: Kind, entity: EntityKind, token: TokenID, keys: [TokenID], state: State,
        failure: String = ""
    ) {
        self.id = id
        self.name = name
        self.kind = kind
        self.entity = entity
        self.token = token
        self.keys = keys
        self.state = state
        self.failure = failure
    }

    static func initialState(_ kind: Kind) -> State {
        switch kind {
        case .index: .online
        case .uniqueness: .populating
        case .existence: .validating
        }
    }

    /// Whether both speak of the same property keys of the same entities, so that one index would serve both.
    func covers(_ other: SchemaRule) -> Bool {
        entity == other.entity && token == other.token && keys == other.keys
            && (kind == .existence) == (other.kind == .existence)
    }

    func with(id: SchemaRuleID, token: TokenID, keys: [TokenID]) -> SchemaRule {
        SchemaRule(
            id: id, name: name, kind: kind, entity: entity, token: token, keys: keys, state: state, failure: failure)
    }

    // MARK: Bytes

    func encode(into writer: inout ByteWriter) {
        writer.write(id.rawValue)
        writer.write(string: name)
        writer.write(kind.rawValue)
        writer.write(entity.rawValue)
        writer.write(token)
        writer.write(UInt32(keys.count))
        keys.forEach { writer.write($0) }
        writer.write(state.rawValue)
        writer.write(string: failure)
    }

    init(_ reader: inout ByteReader) throws(MalformedBytes) {
        func raw<T: RawRepresentable>(_ type: T.Type, _ what: String, _ reader: inout ByteReader) throws(MalformedBytes) -> T
        where T.RawValue == UInt8 {
            let number: UInt8 = try reader.read()
            guard let value = T(rawValue: number) else {
                throw MalformedBytes(offset: reader.offset - 1, detail: "\(number) is no \(what) of a schema rule")
            }
            return value
        }
        id = SchemaRuleID(try reader.read())
        name = try reader.readString()
        kind = try raw(Kind.self, "kind", &reader)
        entity = try raw(EntityKind.self, "kind of entity", &reader)
        token = try reader.read()
        let count = try reader.readCount(minimumByteCountOfElement: 4)
        guard (1...Self.keyCountMaximum).contains(count) else {
            throw MalformedBytes(offset: reader.offset, detail: "a schema rule of \(count) property keys")
        }
        var keys: [TokenID] = []
        for _ in 0..<count { keys.append(try reader.read()) }
        self.keys = keys
        state = try raw(State.self, "state", &reader)
        failure = try reader.readString()
    }
}
