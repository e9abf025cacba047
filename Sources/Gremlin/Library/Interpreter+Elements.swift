internal import GraphModel
internal import Storage

/// Vertices and edges, under the names of Blueprints and under those of Neo4j's own API.
extension Interpreter {
    func requireExists(_ item: Item) throws(GraphError) {
        switch item {
        case .vertex(let id) where !transaction.nodeExists(id): throw fail("\(id) is not there any more")
        case .edge(let id) where transaction.relationship(id) == nil: throw fail("\(id) is not there any more")
        default: return
        }
    }

    func id(of item: Item) throws(GraphError) -> Item {
        switch item {
        case .vertex(let id): return .integer(Int64(bitPattern: id.rawValue))
        case .edge(let id): return .integer(Int64(bitPattern: id.rawValue))
        case .map(let map): return try map.value(.string("id")) ?? .null
        default: throw fail("\(item.kindName) has no id")
        }
    }

    func record(_ item: Item) throws(GraphError) -> RelationshipRecord {
        guard case .edge(let id) = item else { throw fail("an edge is wanted, not \(item.kindName)") }
        guard let record = transaction.relationship(id) else { throw fail("\(id) is not there any more") }
        return record
    }

    func label(of item: Item) throws(GraphError) -> Item {
        switch item {
        case .edge: return .string(transaction.name(.relationshipType, try record(item).type))
        // No step here: a vertex may have a property of this name.
        default: return try plainProperty("label", of: item)
        }
    }

    /// Keys and values of an element's properties.
    private func stored(_ item: Item) throws(GraphError) -> [(key: TokenID, value: Value)] {
        switch item {
        case .vertex(let id): return transaction.properties(ofNode: id)
        case .edge(let id): return transaction.properties(ofRelationship: id)
        default: throw fail("\(item.kindName) has no properties")
        }
    }

    func properties(of item: Item, _ names: [String]) throws(GraphError) -> Item {
        if case .map = item, names.isEmpty { return item }
        let map = MapItem(memory)
        for (key, value) in try stored(item) {
            let name = transaction.name(.propertyKey, key)
            if names.isEmpty || names.contains(name) { try map.set(.string(name), try Item(value, memory)) }
        }
        return .map(map)
    }

    /// What a step leads to from an element.
    func neighbours(_ neighbours: Step.Neighbours, _ labels: [String], of item: Item) throws(GraphError) -> [Item] {
        switch neighbours {
        case .ends(let direction):
            let record = try record(item)
            switch direction {
            case .outgoing: return [.vertex(record.start)]
            case .incoming: return [.vertex(record.end)]
            case .both: return [.vertex(record.start), .vertex(record.end)]
            }
        case .vertices(let direction), .edges(let direction):
            guard case .vertex(let id) = item else {
                throw fail("the step goes from vertices, and \(item.kindName) came")
            }
            try requireExists(item)
            let types = labels.compactMap { transaction.token(.relationshipType, $0) }
            if types.isEmpty && !labels.isEmpty { return [] }
            // One label after the other, as the original goes.
            var (nodes, relationships): (ContiguousArray<UInt64>, ContiguousArray<UInt64>) = ([], [])
            // Blueprints counts a loop twice where both directions are wanted.
            for direction in direction == .both ? [Direction.outgoing, .incoming] : [direction] {
                transaction.expand(id, direction, types: types, neighbours: &nodes, relationships: &relationships)
            }
            try step(nodes.count / 16)
            if case .vertices = neighbours { return nodes.map { .vertex(NodeID($0)) } }
            return relationships.map { .edge(RelationshipID($0)) }
        }
    }

    /// Properties that Groovy makes of getters; nil when there is none of the name.
    func elementGetter(_ name: String, _ item: Item) throws(GraphError) -> Item? {
        switch (name, item) {
        case ("rawVertex", .vertex), ("rawEdge", .edge), ("rawElement", _): return item
        case ("propertyKeys", _): return try callElement("getPropertyKeys", item, [])
        case ("inVertex", .edge), ("endNode", .edge): return .vertex(try record(item).end)
        case ("outVertex", .edge), ("startNode", .edge): return .vertex(try record(item).start)
        default: return nil
        }
    }

    // MARK: Methods

    /// nil when there is none of the name.
    func callElement(_ name: String, _ item: Item, _ arguments: [Item]) throws(GraphError) -> Item? {
        switch name {
        case "getProperty", "getAt":
            let value = try plainProperty(try text(try first(arguments, name)), of: item)
            return value.isNull && arguments.count > 1 ? arguments[1] : value
        case "hasProperty": return .boolean(try !plainProperty(try text(try first(arguments, name)), of: item).isNull)
        case "setProperty", "putAt":
            guard arguments.count == 2 else { throw fail("\(name) needs a key and a value") }
            try setProperty(try text(arguments[0]), of: item, to: arguments[1])
            return .null
        case "removeProperty":
            let key = try text(try first(arguments, name))
            let value = try plainProperty(key, of: item)
            try setProperty(key, of: item, to: .null)
            return value
        case "getPropertyKeys", "keys":
            let names = try stored(item).map { transaction.name(.propertyKey, $0.key) }
            return try list(names.map { .string($0) })
        case "values": return try list(try stored(item).map { property throws(GraphError) in try Item(property.value, memory) })
        case "getId", "getLabel": return name == "getId" ? try id(of: item) : try label(of: item)
        case "getRawVertex", "getRawEdge", "getRawElement": return item
        case "delete", "remove":
            try delete(item)
            return .null
        default: break
        }
        if let result = try item.isEdge ? callEdge(name, item) : callVertex(name, item, arguments) { return result }
        return try callPipe(name, try Pipe(memory, .items([item])), arguments)
    }

    private func callEdge(_ name: String, _ item: Item) throws(GraphError) -> Item? {
        switch name {
        case "getInVertex", "getEndNode": return .vertex(try record(item).end)
        case "getOutVertex", "getStartNode": return .vertex(try record(item).start)
        case "getType": return .object(.relationshipType(transaction.name(.relationshipType, try record(item).type)))
        default: return nil
        }
    }

    private func callVertex(_ name: String, _ item: Item, _ arguments: [Item]) throws(GraphError) -> Item? {
        guard case .vertex(let id) = item else { return nil }
        switch name {
        case "getOutEdges", "getInEdges", "getEdges", "getVertices", "getRelationships":
            var direction = Direction.both
            var labels: [Item] = []
            for argument in arguments {
                if case .object(.direction(let given)) = argument { direction = given } else { labels.append(argument) }
            }
            if name == "getOutEdges" { direction = .outgoing }
            if name == "getInEdges" { direction = .incoming }
            let texts = try labels.map { label throws(GraphError) in try text(label) }
            let step: Step.Neighbours = name == "getVertices" ? .vertices(direction) : .edges(direction)
            return .pipe(try Pipe(memory, .items([item])).adding(.neighbours(step, labels: texts)))
        case "hasRelationship": return .boolean(transaction.degree(id, .both, types: []) > 0)
        case "createRelationshipTo", "addEdge":
            guard arguments.count >= 2 else { throw fail("\(name) needs another vertex and a type") }
            let isOwn = name == "createRelationshipTo"
            guard case .vertex(let other) = arguments[isOwn ? 0 : 1] else { throw fail("\(name) needs another vertex") }
            let type = try relationshipType(arguments[isOwn ? 1 : 0])
            return .edge(try transaction.createRelationship(type: type, from: id, to: other))
        default: return nil
        }
    }

    func relationshipType(_ item: Item) throws(GraphError) -> String {
        switch item {
        case .string(let name), .object(.relationshipType(let name)): return name
        default: throw fail("the label of an edge must be a text, not \(item.kindName)")
        }
    }

    /// Deletes an element; a vertex with its edges.
    func delete(_ item: Item) throws(GraphError) {
        switch item {
        case .edge(let id): try transaction.deleteRelationship(id)
        case .vertex(let id):
            var (nodes, relationships): (ContiguousArray<UInt64>, ContiguousArray<UInt64>) = ([], [])
            transaction.expand(id, .both, types: [], neighbours: &nodes, relationships: &relationships)
            for relationship in relationships {
                try step()
                try transaction.deleteRelationship(RelationshipID(relationship))
            }
            try transaction.deleteNode(id)
        default: throw fail("\(item.kindName) cannot be removed from the graph")
        }
    }

    // MARK: Values of properties

    /// What a property may hold. Throws as the manual shows it for anything else.
    func storable(_ item: Item) throws(GraphError) -> Value {
        switch item {
        case .null: return .null
        case .boolean(let flag): return .boolean(flag)
        case .integer(let number): return .integer(number)
        case .float(let number): return .float(number)
        case .string(let text): return .string(text)
        case .stored(let value): return value
        case .list, .range:
            let values = try elements(item).map { element throws(GraphError) -> Value in
                guard element.elementCount == nil, !element.isNull else { throw unknownType(item) }
                return try storable(element)
            }
            let value = Value.list(values)
            guard value.isStorable else { throw unknownType(item) }
            return value
        default: throw unknownType(item)
        }
    }

    private func unknownType(_ item: Item) -> GraphError {
        fail(
            "Unknown property type on: \(item.kindName); a property holds a boolean, a number, a text, or a list of one kind of these")
    }

    func properties(_ map: MapItem) throws(GraphError) -> [(key: String, value: Value)] {
        var properties: [(key: String, value: Value)] = []
        for (key, value) in map.all where !value.isNull { properties.append((try text(key), try storable(value))) }
        return properties
    }
}

extension Item {
    var isEdge: Bool { if case .edge = self { true } else { false } }
}
