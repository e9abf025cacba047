internal import FileSystem
internal import GraphModel
internal import LuceneQuery

/// An index that users fill: it finds entities by the (key, value) pairs that were added for them, whatever their
/// properties are.
public struct ManualIndex: Sendable, Equatable {
    /// From the same numbers as those of ``SchemaRule``.
    public let id: SchemaRuleID
    /// Unique among the named indexes of its kind of entity.
    public let name: String
    public let entity: SchemaRule.EntityKind
    /// `provider` and `type`, and what else was given; see chapter 14.10 of the manual.
    public let configuration: [String: String]
    let analyzer: Analyzer

    static let defaultConfiguration = ["provider": "lucene", "type": "exact"]
    /// Of the settings of one configuration.
    static let settingCountMaximum = 64

    /// Throws `.argumentError` for a configuration that cannot be.
    init(
        id: SchemaRuleID, name: String, entity: SchemaRule.EntityKind, configuration: [String: String]
    ) throws(GraphError) {
        if name.isEmpty { throw GraphError(.argumentError, "the name of an index cannot be empty") }
        let complete = configuration.merging(Self.defaultConfiguration) { given, _ in given }
        guard complete.count <= Self.settingCountMaximum else {
            throw GraphError(.argumentError, "index `\(name)`: more than \(Self.settingCountMaximum) settings")
        }
        if let provider = complete["provider"], provider.lowercased() != "lucene" {
            throw GraphError(.argumentError, "index `\(name)`: provider is \"\(provider)\": there is only lucene")
        }
        let (analyzer, wrong) = Analyzer.configured(complete)
        guard let analyzer else { throw GraphError(.argumentError, "index `\(name)`: \(wrong)") }
        self.id = id
        self.name = name
        self.entity = entity
        self.configuration = complete
        self.analyzer = analyzer
    }

    /// Whether a configuration that somebody gives asks for what this index is.
    func fits(_ given: [String: String]) -> Bool {
        given.allSatisfy { key, value in configuration[key].map { codeUnitsEqual($0, value) } ?? false }
    }

    /// What the machinery of property indexes wants to know of it: a rule about no label and no property.
    var rule: SchemaRule {
        SchemaRule(id: id, name: name, kind: .index, entity: entity, token: .max, keys: [], state: .online)
    }

    // MARK: Bytes

    func encode(into writer: inout ByteWriter) {
        writer.write(id.rawValue)
        writer.write(string: name)
        writer.write(entity.rawValue)
        writer.write(UInt32(configuration.count))
        for (key, value) in configuration.sorted(by: { codeUnitOrder($0.key, $1.key) < 0 }) {
            writer.write(string: key)
            writer.write(string: value)
        }
    }

    init(_ reader: inout ByteReader) throws(MalformedBytes) {
        let start = reader.offset
        let id = SchemaRuleID(try reader.read())
        let name = try reader.readString()
        let number: UInt8 = try reader.read()
        guard let entity = SchemaRule.EntityKind(rawValue: number) else {
            throw MalformedBytes(offset: reader.offset - 1, detail: "\(number) is no kind of entity of an index")
        }
        var configuration: [String: String] = [:]
        for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 8)) {
            configuration[try reader.readString()] = try reader.readString()
        }
        do throws(GraphError) {
            try self.init(id: id, name: name, entity: entity, configuration: configuration)
        } catch {
            throw MalformedBytes(offset: start, detail: error.message)
        }
    }
}

/// Which properties an automatic index follows.
public struct AutoIndexing: Sendable, Equatable {
    public internal(set) var isEnabled = false
    /// Names of properties, in the order in which they were added.
    public internal(set) var keys: [String] = []

    /// Most bytes that the names may have together: every change of the settings writes all of them.
    static let keysByteCountMaximum = 65_536

    func follows(_ key: String) -> Bool { keys.contains { codeUnitsEqual($0, key) } }

    func encode(into writer: inout ByteWriter) {
        writer.write(isEnabled)
        writer.write(UInt32(keys.count))
        for key in keys { writer.write(string: key) }
    }

    init() {}

    init(_ reader: inout ByteReader) throws(MalformedBytes) {
        isEnabled = try reader.readBool()
        for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 4)) { keys.append(try reader.readString()) }
    }
}

extension SchemaRule.EntityKind {
    /// The name of the index that the database itself keeps.
    public var autoIndexName: String { self == .node ? "node_auto_index" : "relationship_auto_index" }
    /// For messages.
    var word: String { self == .node ? "node" : "relationship" }
}
