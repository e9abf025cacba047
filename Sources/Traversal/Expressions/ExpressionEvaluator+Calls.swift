internal import GraphModel
internal import Storage

extension ExpressionEvaluator {
    /// Calls a method. Throws `.typeError` when the value has no such method, null above all.
    mutating func call(
        _ method: ExpressionMethod, _ receiver: ExpressionValue, _ arguments: [ExpressionValue], _ part: Int
    ) throws(GraphError) -> ExpressionValue {
        switch (method, receiver) {
        case (_, .null): throw failure(part, .typeError, "\(method.rawValue)() is called on null: there is no value")
        case (.equals, _): return .boolean(receiver.equals(arguments[0]))
        case (.toString, _) where receiver.text != nil: return try made(receiver.text, part)
        case (_, .path):
            if let value = path(method) { return value }
        case (_, .node(let id)):
            if let value = try entity(method, .node(id), arguments, part) { return value }
        case (_, .relationship(let id)):
            if let value = try relationship(method, id, arguments, part) { return value }
        case (.name, .relationshipType(let name)): return .string(name)
        case (_, .string(let text)):
            if let value = try string(method, text, arguments, part) { return value }
        case (.length, .list(let elements)): return .integer(Int64(elements.count))
        case (.isEmpty, .list(let elements)): return .boolean(elements.isEmpty)
        case (.intValue, .integer), (.longValue, .integer), (.booleanValue, .boolean): return receiver
        case (.intValue, .float(let number)), (.longValue, .float(let number)):
            // As Java casts: to the nearest that there is, and NaN to 0.
            return .integer(number.isNaN ? 0 : Int64(exactly: number.rounded(.towardZero)) ?? (number < 0 ? .min : .max))
        case (.doubleValue, _), (.floatValue, _): if let number = receiver.number { return .float(number) }
        default: break
        }
        throw failure(part, .typeError, "\(receiver.kindName) has no method \(method.rawValue)()")
    }

    private func path(_ method: ExpressionMethod) -> ExpressionValue? {
        switch method {
        case .length: .integer(Int64(position.length))
        case .startNode: .node(position.startNode)
        case .endNode: .node(position.endNode)
        case .lastRelationship: position.lastRelationship.map { .relationship($0) } ?? .null
        case .toString: .string(position.path().text(in: position.transaction))
        default: nil
        }
    }

    /// What nodes and relationships have in common.
    private func entity(
        _ method: ExpressionMethod, _ id: EntityID, _ arguments: [ExpressionValue], _ part: Int
    ) throws(GraphError) -> ExpressionValue? {
        switch (method, id) {
        case (.getId, .node(let node)): return .integer(Int64(bitPattern: node.rawValue))
        case (.getId, .relationship(let relationship)): return .integer(Int64(bitPattern: relationship.rawValue))
        case (.hasRelationship, .node(let node)):
            return .boolean(position.transaction.degree(node, .both, types: []) > 0)
        case (.hasProperty, _):
            return .boolean(position.transaction.property(named: try text(arguments[0], method, part), of: id) != nil)
        case (.getProperty, _):
            let key = try text(arguments[0], method, part)
            if let value = position.transaction.property(named: key, of: id) { return ExpressionValue(value) }
            if arguments.count == 2 { return arguments[1] }
            throw failure(
                part, .propertyNotFound,
                "\(id) has no property \"\(key)\": ask hasProperty('\(key)') first, or give getProperty a default as its second argument")
        default: return nil
        }
    }

    private func relationship(
        _ method: ExpressionMethod, _ id: RelationshipID, _ arguments: [ExpressionValue], _ part: Int
    ) throws(GraphError) -> ExpressionValue? {
        if let value = try entity(method, .relationship(id), arguments, part) { return value }
        guard let record = position.transaction.relationship(id) else {
            throw failure(part, .entityDeleted, "\(id) has been deleted meanwhile")
        }
        let type = position.transaction.name(.relationshipType, record.type)
        switch (method, arguments.first) {
        case (.getType, _): return .relationshipType(type)
        case (.isType, .relationshipType(let other)?), (.isType, .string(let other)?):
            return .boolean(codeUnitsEqual(type, other))
        case (.getStartNode, _): return .node(record.start)
        case (.getEndNode, _): return .node(record.end)
        case (.getOtherNode, .node(let node)?) where node == record.start: return .node(record.end)
        case (.getOtherNode, .node(let node)?) where node == record.end: return .node(record.start)
        case (.getOtherNode, _): throw failure(part, .argumentError, "getOtherNode() needs a node of the relationship")
        default: return nil
        }
    }

    private mutating func string(
        _ method: ExpressionMethod, _ text: String, _ arguments: [ExpressionValue], _ part: Int
    ) throws(GraphError) -> ExpressionValue? {
        switch method {
        case .length: return .integer(Int64(text.utf16.count))
        case .isEmpty: return .boolean(text.isEmpty)
        case .toLowerCase: return try made(text.lowercased(), part)
        case .toUpperCase: return try made(text.uppercased(), part)
        case .trim: return try made(text.trimmed, part)
        case .contains: return .boolean(text.holds(try self.text(arguments[0], method, part)))
        case .startsWith: return .boolean(text.begins(with: try self.text(arguments[0], method, part)))
        case .endsWith: return .boolean(text.ends(with: try self.text(arguments[0], method, part)))
        case .equalsIgnoreCase:
            guard case .string(let other) = arguments[0] else { return .boolean(false) }
            return .boolean(codeUnitsEqual(text.lowercased(), other.lowercased()))
        case .compareTo: return .integer(Int64(text.utf16Difference(from: try self.text(arguments[0], method, part))))
        case .concat: return try made(text + (try self.text(arguments[0], method, part)), part)
        case .replace:
            let (wanted, new) = (try self.text(arguments[0], method, part), try self.text(arguments[1], method, part))
            return try made(text.replacing(wanted, by: new, byteCountMaximum: textByteCountMaximum), part)
        case .indexOf, .lastIndexOf:
            let isLast = method == .lastIndexOf
            let start = arguments.count == 2 ? try index(arguments[1], method, part) : (isLast ? .max : 0)
            let wanted = try self.text(arguments[0], method, part)
            return .integer(Int64(text.utf16Index(of: wanted, from: start, isLast: isLast)))
        case .charAt:
            let place = try index(arguments[0], method, part)
            return try substring(text, from: place, to: place == .max ? place : place + 1, method, part)
        case .substring:
            let start = try index(arguments[0], method, part)
            let end = arguments.count == 2 ? try index(arguments[1], method, part) : text.utf16.count
            return try substring(text, from: start, to: end, method, part)
        default: return nil
        }
    }

    private mutating func substring(
        _ text: String, from start: Int, to end: Int, _ method: ExpressionMethod, _ part: Int
    ) throws(GraphError) -> ExpressionValue {
        let units = Array(text.utf16)
        guard 0 <= start, start <= end, end <= units.count else {
            throw failure(
                part, .argumentError,
                "\(method.rawValue)() asks for \(start) to \(end) of a string of \(units.count) characters")
        }
        return try made(String(decoding: units[start..<end], as: UTF16.self), part)
    }

    // MARK: Arguments

    private func text(_ value: ExpressionValue, _ method: ExpressionMethod, _ part: Int) throws(GraphError) -> String {
        guard case .string(let text) = value else {
            throw failure(part, .typeError, "\(method.rawValue)() takes a string, not \(value.kindName)")
        }
        return text
    }

    private func index(_ value: ExpressionValue, _ method: ExpressionMethod, _ part: Int) throws(GraphError) -> Int {
        guard case .integer(let number) = value else {
            throw failure(part, .typeError, "\(method.rawValue)() takes a whole number, not \(value.kindName)")
        }
        return Int(number)
    }
}
