internal import GraphModel
internal import Storage

/// Properties, elements and methods: which kind of item has them.
extension Interpreter {
    func property(_ name: String, of item: Item) throws(GraphError) -> Item {
        switch item {
        case .vertex, .edge:
            if name == "id" { return try id(of: item) }
            if name == "label" { return try label(of: item) }
            if Self.plainSteps.contains(name), let pipe = try adding(name, [], to: try Pipe(memory, .items([item]))) { return .pipe(pipe) }
            if let getter = try elementGetter(name, item) { return getter }
            return try plainProperty(name, of: item)
        case .pipe(let pipe):
            if Self.plainSteps.contains(name), let longer = try adding(name, [], to: pipe) { return .pipe(longer) }
            if name == "single" { return try invoke("getSingle", on: item, []) }
            return .pipe(try pipe.adding(.property(name)))
        case .type(let type): return try constant(name, of: type)
        case .object(let object): return try property(name, of: object)
        case .table(let table) where name == "columns":
            return try list(table.columns.map { .string($0) })
        case .null: throw fail("null has no property \"\(name)\"; write ?.\(name) for null of null")
        default: return try plainProperty(name, of: item)
        }
    }

    /// A property that no step hides.
    func plainProperty(_ name: String, of item: Item) throws(GraphError) -> Item {
        switch item {
        case .vertex(let id):
            guard let key = transaction.token(.propertyKey, name), let value = transaction.property(key, ofNode: id) else {
                return try missingProperty(of: item)
            }
            return try Item(value, memory)
        case .edge(let id):
            guard let key = transaction.token(.propertyKey, name), let value = transaction.property(key, ofRelationship: id) else {
                return try missingProperty(of: item)
            }
            return try Item(value, memory)
        case .map(let map):
            return try map.value(.string(name)) ?? .null
        case .list, .range, .table: return try spread(item) { item throws(GraphError) in try property(name, of: item) }
        case .pipe, .object, .type: return try property(name, of: item)
        default: throw fail("\(item.kindName) has no property \"\(name)\"")
        }
    }

    private func missingProperty(of item: Item) throws(GraphError) -> Item {
        try requireExists(item)
        return .null
    }

    func setProperty(_ name: String, of item: Item, to value: Item) throws(GraphError) {
        switch item {
        case .vertex(let id): try transaction.setProperty(name, to: try storable(value), ofNode: id)
        case .edge(let id): try transaction.setProperty(name, to: try storable(value), ofRelationship: id)
        case .map(let map): try map.set(.string(name), value)
        case .list, .pipe: for element in try elements(item) { try setProperty(name, of: element, to: value) }
        default: throw fail("\(item.kindName) has no property \"\(name)\" that could be set")
        }
    }

    private func property(_ name: String, of object: ObjectItem) throws(GraphError) -> Item {
        switch (object, name) {
        case (.entry(let entry), "key"), (.entry(let entry), "a"): return entry.key
        case (.entry(let entry), "value"), (.entry(let entry), "b"): return entry.value
        case (.bundle(let bundle), "object"): return bundle.item
        case (.bundle(let bundle), "loops"): return .integer(bundle.loops)
        case (.bundle(let bundle), "path"): return try list(bundle.path?.items ?? [])
        case (.error(let error), "message"), (.error(let error), "localizedMessage"): return .string(error.message)
        case (.relationshipType(let type), "name"): return .string(type)
        case (.graph, "V"), (.graph, "E"), (.graph, "vertices"), (.graph, "edges"), (.graph, "rawGraph"), (.graph, "indices"):
            return try invoke(Self.getter(name), on: .object(object), [])
        case (.index(let index), "indexName"), (.index(let index), "name"): return .string(index.name)
        default: throw fail("\(object.kindName) has no property \"\(name)\"")
        }
    }

    private static func getter(_ name: String) -> String {
        name == "V" || name == "E" ? name : "get" + name.prefix(1).uppercased() + name.dropFirst()
    }

    // MARK: Elements in square brackets

    func element(of item: Item, _ indexes: [Item]) throws(GraphError) -> Item {
        guard let index = indexes.first else { throw fail("[] needs a place or a key") }
        if indexes.count > 1 {
            return try list(try indexes.map { index throws(GraphError) in try element(of: item, [index]) })
        }
        switch (item, index) {
        case (.pipe(let pipe), .integer(let number)): return .pipe(try pipe.adding(.range(number, number)))
        case (.pipe(let pipe), .range(let low, let high)): return .pipe(try pipe.adding(.range(low, high)))
        case (.pipe, .map(let map)), (.vertex, .map(let map)), (.edge, .map(let map)):
            var pipe = try self.pipe(item)
            // [[label: 'knows']]: what has all of these.
            for (key, value) in map.all { pipe = try pipe.adding(.has(key: key, .eq, value, isNegated: false)) }
            return .pipe(pipe)
        case (.object(.index(let index)), .map(let map)): return try lookUp(map, in: index)
        case (.list, .integer(let number)), (.range, .integer(let number)):
            let count = item.elementCount ?? 0
            return try item.element(number < 0 ? count + Int(clamping: number) : Int(clamping: number))
        case (.list, .range(let low, let high)), (.range, .range(let low, let high)):
            let elements = try elements(item)
            func place(_ number: Int64) throws(GraphError) -> Int {
                let place = number < 0 ? Int64(elements.count) + number : number
                guard place >= 0, place < Int64(elements.count) else {
                    throw fail("a list of \(elements.count) elements has no place \(number)")
                }
                return Int(place)
            }
            let (first, last) = (try place(low), try place(high))
            return try list(first <= last ? Array(elements[first...last]) : elements[last...first].reversed())
        case (.map(let map), _): return try map.value(index) ?? .null
        case (.string(let text), .integer(let number)):
            let characters = Array(text)
            let place = number < 0 ? characters.count + Int(clamping: number) : Int(clamping: number)
            guard characters.indices.contains(place) else { throw fail("the text has no place \(number)") }
            return .string(String(characters[place]))
        case (.string(let text), .range(let low, let high)):
            return try invoke("join", on: try element(of: try list(text.map { .string(String($0)) }), [.range(low, high)]), [.string("")])
        case (.vertex, .string(let name)), (.edge, .string(let name)): return try plainProperty(name, of: item)
        case (.table(let table), .integer(let number)):
            guard table.rows.indices.contains(Int(clamping: number)) else { return .null }
            return try list(table.rows[Int(number)])
        case (.null, _): throw fail("null has no elements")
        default: throw fail("\(item.kindName) has no elements by \(index.kindName)")
        }
    }

    // MARK: Methods

    func invoke(_ name: String, on item: Item, _ arguments: [Item]) throws(GraphError) -> Item {
        switch name {
        case "equals":
            return .boolean(try item.equals(try first(arguments, name)))
        case "is": return .boolean(try item.equals(try first(arguments, name)))
        case "toString": return try limited(try text(item))
        case "with", "tap":
            let result = try call(try closure(arguments, name), [item])
            return name == "tap" ? item : result
        case "compareTo": return .integer(Int64(try item.order(try first(arguments, name))))
        case "asBoolean": return .boolean(item.isTrue())
        default: break
        }
        let result: Item? =
            switch item {
            case .vertex, .edge: try callElement(name, item, arguments)
            case .pipe(let pipe): try callPipe(name, pipe, arguments)
            case .list, .range: try callList(name, item, arguments)
            case .map(let map): try callMap(name, map, arguments)
            case .string(let string): try callString(name, string, arguments)
            case .integer, .float: try callNumber(name, item, arguments)
            case .closure(let closure): try callClosure(name, closure, arguments)
            case .object(let object): try callObject(name, object, arguments)
            case .type(let type): try callType(name, type, arguments)
            case .table: try callList(name, try list(try elements(item)), arguments)
            case .null: throw fail("null has no method \(name); write ?.\(name)(…) for null of null")
            case .boolean, .stored: nil
            }
        if let result { return result }
        throw GraphError.beyondSubset("the method \(name) of \(item.kindName)", at: place)
    }

    private func callClosure(_ name: String, _ closure: ClosureItem, _ arguments: [Item]) throws(GraphError) -> Item? {
        guard name == "call" || name == "doCall" else { return nil }
        return try call(closure, arguments)
    }

    private func callObject(_ name: String, _ object: ObjectItem, _ arguments: [Item]) throws(GraphError) -> Item? {
        switch object {
        case .graph: return try callGraph(name, arguments)
        case .rawGraph: return try callRawGraph(name, arguments)
        case .indexManager: return try callIndexManager(name, arguments)
        case .index(let index): return try callIndex(name, index, arguments)
        case .transaction:
            switch name {
            case "success", "finish", "close": return .null
            case "failure":
                try endTransaction(succeeds: false)
                return .null
            default: return nil
            }
        case .entry, .bundle, .error, .relationshipType:
            // Getters of Java.
            let property = name.hasPrefix("get") ? name.prefix(4).dropFirst(3).lowercased() + name.dropFirst(4) : name
            guard arguments.isEmpty, name.hasPrefix("get") || name == "name" else { return nil }
            return try self.property(property, of: object)
        case .queryContext(let text, let orders): return try callQueryContext(name, text, orders, arguments)
        case .graphMLWriter: return try callGraphMLWriter(name, arguments)
        case .succeeds, .direction, .comparison, .sort, .text: return nil
        }
    }

    /// The pipe that begins with an item.
    func pipe(_ item: Item) throws(GraphError) -> Pipe {
        switch item {
        case .pipe(let pipe): return pipe
        case .list(let list): return try Pipe(memory, .list(list))
        default: return try Pipe(memory, .items([item]))
        }
    }

    // MARK: The transaction

    /// A script has the transaction of its request: success changes nothing, failure makes it impossible to commit.
    func endTransaction(succeeds: Bool) throws(GraphError) {
        if succeeds { return }
        if transaction.isReadOnly { throw GraphError(.readOnly, "the transaction only reads") }
        transaction.markForRollback(
            GraphError(.scriptFailure, "the script ended its transaction with a failure: nothing of it is kept (\(place))"))
    }
}
