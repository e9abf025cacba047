internal import GraphModel
internal import LuceneQuery
internal import Storage

/// What an index adds to the representation of an entity that it found.
struct IndexMark: Sendable {
    /// Where the entry is; shown for additions and exact matches.
    var location: String?
    /// Shown when an order was asked for.
    var score: Double?
}

/// The part of this API that is one for nodes and relationships.
enum IndexURI {
    static func segment(_ kind: SchemaRule.EntityKind) -> String { kind == .node ? "node" : "relationship" }

    static func index(_ base: BaseURI, _ kind: SchemaRule.EntityKind, _ name: String) -> String {
        "\(base.text)/db/data/index/\(segment(kind))/\(percentEncoded(name))"
    }

    /// The URI of an entry without the id of its entity, and the slash before it.
    static func pair(_ base: BaseURI, _ kind: SchemaRule.EntityKind, _ name: String, _ key: String, _ value: String) -> String {
        "\(index(base, kind, name))/\(percentEncoded(key))/\(percentEncoded(value))/"
    }

    /// The entity that a URI in a body names. The last two segments are what counts, whatever host or proxy it came
    /// through.
    static func entity(
        _ kind: SchemaRule.EntityKind, _ value: Value?, _ field: String
    ) throws(GraphError) -> EntityID {
        guard case .string(let uri)? = value else {
            throw GraphError(.invalidRequest, "\"\(field)\" must be the URI of a \(segment(kind))")
        }
        let segments = uri.text.split(separator: "/", omittingEmptySubsequences: false)
        guard segments.count >= 2, segments[segments.count - 2] == segment(kind), let id = segments.last.flatMap({ UInt64($0) })
        else {
            throw GraphError(.invalidRequest, "\"\(field)\" is \"\(uri.text)\", which is not the URI of a \(segment(kind))")
        }
        return kind.entity(id)
    }

    /// The entity whose id is a segment of the path.
    static func entity(_ kind: SchemaRule.EntityKind, id text: String) throws(GraphError) -> EntityID {
        guard let id = UInt64(text) else {
            throw kind == .node ? GraphError.nodeNotFound(text) : GraphError.relationshipNotFound
        }
        return kind.entity(id)
    }
}

extension RepresentationWriter {
    /// An entity that an index found, or that was added to one.
    mutating func entity(_ entity: EntityID, _ placement: Placement, _ mark: IndexMark) throws(GraphError) {
        switch entity {
        case .node(let id): node(id, placement, mark)
        case .relationship(let id): relationship(try transaction.requireRelationship(id), placement, mark)
        }
    }

    mutating func write(_ mark: IndexMark) {
        if let location = mark.location {
            json.key("indexed")
            json.string(location)
        }
        if let score = mark.score {
            json.key("score")
            json.value(score)
        }
    }
}

extension EntityID {
    var rawID: UInt64 {
        switch self {
        case .node(let id): id.rawValue
        case .relationship(let id): id.rawValue
        }
    }
}
