internal import GraphModel

/// Classes: what is made of them, their constants and their own methods.
extension Interpreter {
    func make(_ type: String, _ arguments: [Item]) throws(GraphError) -> Item {
        switch type {
        case "Table": return .table(TableItem(memory))
        case "ArrayList", "LinkedList", "List":
            guard let first = arguments.first, first.number == nil else { return try list([]) }
            return try list(try elements(first))
        case "HashSet", "LinkedHashSet", "Set": return try set(arguments.first ?? .null)
        case "HashMap", "LinkedHashMap", "TreeMap", "Map":
            let map = MapItem(memory)
            if case .map(let other)? = arguments.first { for (key, value) in other.all { try map.set(key, value) } }
            return .map(map)
        case "String": return .string(try arguments.first.map { item throws(GraphError) in try text(item) } ?? "")
        case "Integer", "Long", "Double", "Float", "BigDecimal": return try cast(try first(arguments, type), to: type)
        case "QueryContext": return .object(.queryContext(text: try text(try first(arguments, type)), []))
        case "SortField": return try sortField(arguments)
        case "Sort":
            var orders: [IndexOrder] = []
            for argument in arguments {
                guard case .object(.sort(let given)) = argument else { throw fail("Sort needs fields: new SortField('name', SortField.STRING)") }
                orders += given
            }
            return .object(.sort(orders))
        case "GraphMLWriter": return .object(.graphMLWriter)
        case "ByteArrayOutputStream": return .object(.text(TextItem()))
        case "GremlinPipeline", "Pipeline":
            guard let first = arguments.first else { return .pipe(try Pipe(memory, .anonymous)) }
            return .pipe(try pipe(first))
        default:
            if KnownType.exceptions.contains(type) {
                let message = try arguments.first.map { item throws(GraphError) in try text(item) } ?? type
                return .object(.error(fail(message)))
            }
            throw GraphError.beyondSubset("new \(type)", at: place)
        }
    }

    /// The types of Lucene's fields, by their numbers.
    private static let fieldTypes = ["SCORE": 0, "DOC": 1, "STRING": 3, "INT": 4, "FLOAT": 5, "LONG": 6, "DOUBLE": 7]

    private func sortField(_ arguments: [Item]) throws(GraphError) -> Item {
        guard case .string(let key)? = arguments.first else { throw fail("SortField needs the key that is sorted by") }
        var kind = IndexOrder.Kind.text
        var isReversed = false
        for argument in arguments.dropFirst() {
            if case .integer(let type) = argument { kind = type == 3 ? .text : type == 0 ? .score : .number }
            if case .boolean(let flag) = argument { isReversed = flag }
        }
        return .object(.sort([IndexOrder(key: key, kind: kind, isReversed: isReversed)]))
    }

    func constant(_ name: String, of type: String) throws(GraphError) -> Item {
        switch (type, name) {
        case (_, "class"): return .type(type)
        case ("TransactionalGraph", "Conclusion"): return .type("Conclusion")
        case ("Conclusion", "SUCCESS"), ("Conclusion", "FAILURE"): return .object(.succeeds(name == "SUCCESS"))
        case ("Neo4jTokens", "QUERY_HEADER"), ("Tokens", "QUERY_HEADER"): return .string(Self.queryHeader)
        case ("T", _), ("Tokens", _):
            if name == "T" { return .type("T") }
            if let comparison = Comparison(rawValue: name) { return .object(.comparison(comparison)) }
        case ("Direction", "OUTGOING"), ("Direction", "OUT"): return .object(.direction(.outgoing))
        case ("Direction", "INCOMING"), ("Direction", "IN"): return .object(.direction(.incoming))
        case ("Direction", "BOTH"): return .object(.direction(.both))
        case ("SortField", _): if let type = Self.fieldTypes[name] { return .integer(Int64(type)) }
        case ("Integer", "MAX_VALUE"): return .integer(Int64(Int32.max))
        case ("Integer", "MIN_VALUE"): return .integer(Int64(Int32.min))
        case ("Long", "MAX_VALUE"): return .integer(.max)
        case ("Long", "MIN_VALUE"): return .integer(.min)
        case ("Double", "MAX_VALUE"): return .float(.greatestFiniteMagnitude)
        case ("Math", "PI"): return .float(.pi)
        case ("Map", "Entry"): return .type("Entry")
        default: break
        }
        throw GraphError.beyondSubset("\(type).\(name)", at: place)
    }

    /// nil when there is none of the name.
    func callType(_ name: String, _ type: String, _ arguments: [Item]) throws(GraphError) -> Item? {
        switch (type, name) {
        case ("DynamicRelationshipType", "withName"):
            return .object(.relationshipType(try text(try first(arguments, name))))
        case ("String", "valueOf"): return .string(try text(try first(arguments, name)))
        case ("Integer", "valueOf"), ("Integer", "parseInt"), ("Long", "valueOf"), ("Long", "parseLong"), ("Double", "valueOf"),
            ("Double", "parseDouble"), ("Float", "valueOf"), ("Float", "parseFloat"), ("Boolean", "valueOf"),
            ("Boolean", "parseBoolean"):
            if type == "Boolean" { return .boolean(try text(try first(arguments, name)).lowercased() == "true") }
            return try cast(try first(arguments, name), to: type)
        case ("Math", _): return try callMath(name, arguments)
        case ("MapUtil", "map"), ("MapUtil", "stringMap"):
            let map = MapItem(memory)
            for index in stride(from: 0, to: arguments.count - 1, by: 2) { try map.set(arguments[index], arguments[index + 1]) }
            return .map(map)
        default: return nil
        }
    }

    private func callMath(_ name: String, _ arguments: [Item]) throws(GraphError) -> Item? {
        let item = try first(arguments, name)
        switch name {
        case "abs": return try magnitude(item)
        case "min", "max":
            guard arguments.count == 2 else { throw fail("\(name) needs two numbers") }
            let order = try item.order(arguments[1])
            return (name == "min") == (order <= 0) ? item : arguments[1]
        case "round": return try whole(item, .toNearestOrAwayFromZero)
        case "floor", "ceil", "sqrt":
            guard let number = item.number else { throw fail("\(name) needs a number, not \(item.kindName)") }
            switch name {
            case "floor": return .float(number.rounded(.down))
            case "ceil": return .float(number.rounded(.up))
            default: return .float(number.squareRoot())
            }
        default: return nil
        }
    }
}
