internal import GraphModel
internal import LuceneQuery
internal import Storage

/// Named indexes, under the names of Blueprints and under those of Neo4j's own API.
extension Interpreter {
    /// What a key or a value begins with that is a query.
    static let queryHeader = "%query%"

    private func kind(_ index: IndexItem) -> SchemaRule.EntityKind { index.isOfNodes ? .node : .relationship }

    private func exists(_ name: String, _ kind: SchemaRule.EntityKind) -> Bool {
        transaction.manualIndex(kind, named: name) != nil
            || transaction.autoIndexing(kind).isEnabled && codeUnitsEqual(name, kind.autoIndexName)
    }

    /// The index of a name; null when there is none.
    func findIndex(_ name: String) throws(GraphError) -> Item {
        for kind in [SchemaRule.EntityKind.node, .relationship] where exists(name, kind) {
            return .object(.index(IndexItem(name: name, isOfNodes: kind == .node)))
        }
        return .null
    }

    /// `g.createIndex('people', Vertex.class, parameters…)` and the like.
    func manageIndexes(_ name: String, _ arguments: [Item]) throws(GraphError) -> Item {
        if name == "getIndices" {
            let result = ListItem(memory)
            for kind in [SchemaRule.EntityKind.node, .relationship] {
                for index in transaction.manualIndexes(kind) {
                    try result.append(.object(.index(IndexItem(name: index.name, isOfNodes: kind == .node))))
                }
            }
            return .list(result)
        }
        let index = try text(try first(arguments, name))
        if name == "dropIndex" {
            for kind in [SchemaRule.EntityKind.node, .relationship] where transaction.manualIndex(kind, named: index) != nil {
                try transaction.dropManualIndex(kind, named: index)
            }
            return .null
        }
        guard arguments.count > 1, case .type(let type) = arguments[1] else {
            throw fail("\(name) needs a name and a class: Vertex or Edge")
        }
        return try getOrCreate(index, isOfNodes: type == "Vertex" || type == "Node", Array(arguments.dropFirst(2)))
    }

    private func getOrCreate(_ name: String, isOfNodes: Bool, _ settings: [Item]) throws(GraphError) -> Item {
        let index = IndexItem(name: name, isOfNodes: isOfNodes)
        var configuration: [String: String] = [:]
        for item in settings {
            guard case .map(let map) = item else { continue }
            for (key, value) in map.all { configuration[try text(key)] = try text(value) }
        }
        if configuration.isEmpty && exists(name, kind(index)) { return .object(.index(index)) }
        _ = try transaction.createManualIndex(kind(index), named: name, configuration: configuration)
        return .object(.index(index))
    }

    func callIndexManager(_ name: String, _ arguments: [Item]) throws(GraphError) -> Item? {
        switch name {
        case "forNodes", "forRelationships":
            return try getOrCreate(
                try text(try first(arguments, name)), isOfNodes: name == "forNodes", Array(arguments.dropFirst()))
        case "existsForNodes": return .boolean(exists(try text(try first(arguments, name)), .node))
        case "existsForRelationships": return .boolean(exists(try text(try first(arguments, name)), .relationship))
        case "nodeIndexNames", "relationshipIndexNames":
            let names = transaction.manualIndexes(name == "nodeIndexNames" ? .node : .relationship).map(\.name)
            return try list(names.map { .string($0) })
        default: return nil
        }
    }

    // MARK: Asking

    func lookUp(_ pairs: MapItem, in index: IndexItem) throws(GraphError) -> Item {
        guard let (key, value) = pairs.all.first, pairs.count == 1 else {
            throw fail("an index is asked for one key and its value: [[name: 'I']]")
        }
        return try get(index, try text(key), value)
    }

    private func pipe(_ ids: [UInt64], _ index: IndexItem) throws(GraphError) -> Item {
        try memory.take(ids.count * 24)
        defer { memory.give(ids.count * 24) }
        return .pipe(try Pipe(memory, .items(ids.map { index.isOfNodes ? .vertex(NodeID($0)) : .edge(RelationshipID($0)) })))
    }

    private func get(_ index: IndexItem, _ key: String, _ value: Item) throws(GraphError) -> Item {
        if case .string(let text) = value, text.utf8.starts(with: Self.queryHeader.utf8) {
            return try query(index, String(text.dropFirst(Self.queryHeader.count)), key: key, [])
        }
        var ids: ContiguousArray<UInt64> = []
        try transaction.lookUp(kind(index), inIndex: index.name, key: key, value: .text(try text(value)), into: &ids)
        return try pipe(Array(ids), index)
    }

    private func query(
        _ index: IndexItem, _ text: String, key: String?, _ orders: [IndexOrder]
    ) throws(GraphError) -> Item {
        let query = try IndexQuery.parse(text, key: key)
        var hits = try transaction.query(kind(index), index: index.name, query) { [self] () throws(GraphError) in
            try step(Self.checkInterval)
        }
        if !orders.isEmpty {
            hits = try transaction.sorted(hits, kind(index), inIndex: index.name, by: orders.map { order in
                switch order.kind {
                case .text: .text(key: order.key, isReversed: order.isReversed)
                case .number: .number(key: order.key, isReversed: order.isReversed)
                case .score: .score
                }
            })
        }
        return try pipe(hits.map(\.id), index)
    }

    // MARK: Methods

    func callIndex(_ name: String, _ index: IndexItem, _ arguments: [Item]) throws(GraphError) -> Item? {
        switch name {
        case "get":
            guard arguments.count >= 2 else { throw fail("get needs a key and a value") }
            return try get(index, try text(arguments[0]), arguments[1])
        case "query":
            switch arguments.last {
            case .object(.queryContext(let text, let orders)): return try query(index, text, key: nil, orders)
            case let last?:
                let key = arguments.count > 1 ? try text(arguments[0]) : nil
                return try query(index, try text(last), key: key, [])
            case nil: throw fail("query needs a query: 'name:*'")
            }
        case "count":
            guard arguments.count >= 2 else { throw fail("count needs a key and a value") }
            return .integer(Int64(try elements(try get(index, try text(arguments[0]), arguments[1])).count))
        case "add", "put", "remove", "putIfAbsent": return try change(name, index, arguments)
        case "getIndexName", "getName": return .string(index.name)
        case "getIndexClass": return .type(index.isOfNodes ? "Vertex" : "Edge")
        default: return nil
        }
    }

    /// Blueprints names key, value and element, Neo4j the element first.
    private func change(_ name: String, _ index: IndexItem, _ arguments: [Item]) throws(GraphError) -> Item {
        var arguments = arguments
        if arguments.count == 3, Self.entity(arguments[2]) != nil { arguments = [arguments[2], arguments[0], arguments[1]] }
        guard let entity = arguments.first.flatMap(Self.entity), (entity.kind == .node) == index.isOfNodes else {
            throw fail("\(name) needs \(index.isOfNodes ? "a vertex" : "an edge"), a key and a value")
        }
        let key = arguments.count > 1 ? try text(arguments[1]) : nil
        let value = arguments.count > 2 ? arguments[2] : nil
        if name == "remove" {
            let values = try value.map { value throws(GraphError) in try texts(value) } ?? [nil]
            for value in values {
                try transaction.remove(entity, fromIndex: index.name, key: key, value: value.map { .text($0) })
            }
            return .null
        }
        guard let key, let value, !value.isNull else { throw fail("\(name) needs a key and a value") }
        if name == "putIfAbsent" {
            let found = try transaction.putIfAbsent(entity, toIndex: index.name, key: key, value: .text(try text(value)))
            switch found {
            case .node(let id)?: return .vertex(id)
            case .relationship(let id)?: return .edge(id)
            case nil: return .null
            }
        }
        for text in try texts(value) {
            guard let text else { continue }
            try transaction.add(entity, toIndex: index.name, key: key, value: .text(text))
        }
        return .null
    }

    /// A list stands in an index with each of its elements.
    private func texts(_ value: Item) throws(GraphError) -> [String?] {
        if value.elementCount == nil { return [try text(value)] }
        return try elements(value).map { element throws(GraphError) in try text(element) }
    }

    private static func entity(_ item: Item) -> EntityID? {
        switch item {
        case .vertex(let id): .node(id)
        case .edge(let id): .relationship(id)
        default: nil
        }
    }

    func callQueryContext(
        _ name: String, _ text: String, _ orders: [IndexOrder], _ arguments: [Item]
    ) throws(GraphError) -> Item? {
        switch name {
        case "sort":
            if case .object(.sort(let orders))? = arguments.first { return .object(.queryContext(text: text, orders)) }
            let keys = try arguments.map { argument throws(GraphError) in try self.text(argument) }
            return .object(.queryContext(text: text, keys.map { IndexOrder(key: $0, kind: .text, isReversed: false) }))
        case "sortByScore":
            return .object(.queryContext(text: text, [IndexOrder(key: "", kind: .score, isReversed: false)]))
        default: return nil
        }
    }
}

extension EntityID {
    fileprivate var kind: SchemaRule.EntityKind { if case .node = self { .node } else { .relationship } }
}
