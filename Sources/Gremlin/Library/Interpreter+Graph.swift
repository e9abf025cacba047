internal import GraphModel
internal import Storage

/// `g`, and the graph behind it.
extension Interpreter {
    func callGraph(_ name: String, _ arguments: [Item]) throws(GraphError) -> Item? {
        switch name {
        case "v", "getVertex": return try found(arguments, name) { id throws(GraphError) in vertex(id) }
        case "e", "getEdge": return try found(arguments, name) { id throws(GraphError) in edge(id) }
        case "V", "getVertices", "vertices": return .pipe(try selection(.vertices, arguments))
        case "E", "getEdges", "edges": return .pipe(try selection(.edges, arguments))
        case "addVertex": return try addVertex(arguments)
        case "addEdge": return try addEdge(arguments)
        case "removeVertex", "removeEdge":
            try delete(try first(arguments, name))
            return .null
        case "clear":
            try clearGraph()
            return .null
        case "idx", "index", "getIndex": return try findIndex(try text(try first(arguments, name)))
        case "createIndex", "createManualIndex", "dropIndex", "getIndices": return try manageIndexes(name, arguments)
        case "getRawGraph": return .object(.rawGraph)
        case "setMaxBufferSize", "startTransaction", "commit", "shutdown": return .null
        case "getMaxBufferSize": return .integer(0)
        case "stopTransaction":
            guard case .object(.succeeds(let succeeds)) = try first(arguments, name) else {
                throw fail("stopTransaction needs TransactionalGraph.Conclusion.SUCCESS or FAILURE")
            }
            try endTransaction(succeeds: succeeds)
            return .null
        case "rollback":
            try endTransaction(succeeds: false)
            return .null
        case "loadGraphML":
            let source = try text(try first(arguments, name))
            guard let document = documents[source] else {
                throw GraphError(
                    .scriptFailure,
                    "loadGraphML is refused (\(place)): what it loads must stand in the script as one text without parts to fill in, in a request of its own; or send the vertices and edges as parameters")
            }
            var loader = try GraphMLLoader(document, self)
            try loader.load()
            return .null
        default: return nil
        }
    }

    // MARK: Finding

    private func vertex(_ id: UInt64) -> Item { transaction.nodeExists(NodeID(id)) ? .vertex(NodeID(id)) : .null }
    private func edge(_ id: UInt64) -> Item {
        transaction.relationship(RelationshipID(id)) == nil ? .null : .edge(RelationshipID(id))
    }

    private func found(
        _ arguments: [Item], _ name: String, _ find: (UInt64) throws(GraphError) -> Item
    ) throws(GraphError) -> Item {
        func one(_ item: Item) throws(GraphError) -> Item {
            switch item {
            case .vertex, .edge: return item
            case .integer(let number): return number < 0 ? .null : try find(UInt64(number))
            case .float(let number):
                guard let id = UInt64(exactly: number) else { throw fail("\(number) is no id") }
                return try find(id)
            case .string(let text):
                guard let id = UInt64(text.split(separator: "/").last ?? "") else { throw fail("\"\(text)\" is no id: ids are whole numbers") }
                return try find(id)
            default: throw fail("\(item.kindName) is no id: ids are whole numbers")
            }
        }
        if arguments.count == 1, arguments[0].elementCount == nil { return try one(arguments[0]) }
        var items: [Item] = []
        for argument in try flattened(arguments) {
            let item = try one(argument)
            if !item.isNull { items.append(item) }
        }
        if items.isEmpty && arguments.isEmpty { throw fail("\(name) needs an id") }
        return .pipe(try Pipe(memory, .items(items)))
    }

    private func selection(_ source: Pipe.Source, _ arguments: [Item]) throws(GraphError) -> Pipe {
        let pipe = try Pipe(memory, source)
        guard arguments.count == 2 else { return pipe }
        return try pipe.adding(.has(key: arguments[0], .eq, arguments[1], isNegated: false))
    }

    // MARK: Changing

    private func addVertex(_ arguments: [Item]) throws(GraphError) -> Item {
        var properties: [(key: String, value: Value)] = []
        // An id that is asked for is not heeded, as in the original.
        for argument in arguments { if case .map(let map) = argument { properties = try self.properties(map) } }
        return .vertex(try transaction.createNode(labels: [], properties: properties))
    }

    private func addEdge(_ arguments: [Item]) throws(GraphError) -> Item {
        var arguments = arguments
        var properties: [(key: String, value: Value)] = []
        if case .map(let map)? = arguments.last {
            properties = try self.properties(map)
            arguments.removeLast()
        } else if case .map(let map)? = arguments.first {
            properties = try self.properties(map)
            arguments.removeFirst()
        }
        if arguments.count == 4 { arguments.removeFirst() }
        guard arguments.count == 3, case .vertex(let start) = arguments[0], case .vertex(let end) = arguments[1] else {
            throw fail("addEdge needs two vertices and a label")
        }
        let type = try relationshipType(arguments[2])
        return .edge(try transaction.createRelationship(type: type, from: start, to: end, properties: properties))
    }

    private func clearGraph() throws(GraphError) {
        let vertices = ScanPuller(self, isOfVertices: true)
        while let traveller = try vertices.next() {
            try step()
            try delete(traveller.item)
        }
    }

    // MARK: Neo4j's own API

    func callRawGraph(_ name: String, _ arguments: [Item]) throws(GraphError) -> Item? {
        switch name {
        case "index": return .object(.indexManager)
        case "beginTx": return .object(.transaction)
        case "createNode": return .vertex(try transaction.createNode(labels: [], properties: []))
        case "getNodeById", "getRelationshipById":
            let isOfNodes = name == "getNodeById"
            let item = try found(arguments, name) { id throws(GraphError) in isOfNodes ? vertex(id) : edge(id) }
            if item.isNull { throw fail("there is no \(isOfNodes ? "node" : "relationship") \(try text(try first(arguments, name)))") }
            return item
        case "getReferenceNode": return vertex(0)
        case "getAllNodes": return .pipe(try Pipe(memory, .vertices))
        case "getKernelData":
            throw fail("there are no properties of the kernel here: keep such data in a node of its own")
        default: return nil
        }
    }

    // MARK: GraphML

    func callGraphMLWriter(_ name: String, _ arguments: [Item]) throws(GraphError) -> Item? {
        switch name {
        case "outputGraph":
            guard case .object(.text(let stream)) = try first(arguments, name) else {
                throw fail("outputGraph writes to a ByteArrayOutputStream and to nothing else")
            }
            var text = GraphMLText(self)
            stream.text = try text.write()
            return .null
        case "setNormalize", "setVertexKeyTypes", "setEdgeKeyTypes": return .null
        default: return nil
        }
    }
}
