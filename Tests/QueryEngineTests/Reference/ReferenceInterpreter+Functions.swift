import Cypher
import GraphModel

extension ReferenceInterpreter {
    /// A function of values: the common ones. Almost all give null for null.
    func function(_ name: String, _ arguments: [Value]) throws -> Value {
        switch name {
        case "coalesce": return arguments.first { !$0.isNull } ?? .null
        case "nullif": return ReferenceValues.equal(arguments[0], arguments[1]) == true ? .null : arguments[0]
        default: break
        }
        if arguments.contains(where: { $0.isNull }) { return .null }
        func wrong() -> ReferenceFailure { ReferenceFailure("\(name)(\(arguments.map(\.kindName)))") }
        let first = arguments.first ?? .null
        switch (name, first) {
        case ("size", .list(let list)), ("length", .list(let list)): return .integer(Int64(list.elements.count))
        case ("size", .string(let text)), ("length", .string(let text)): return .integer(Int64(text.text.utf16.count))
        case ("length", .path(let path)): return .integer(Int64(path.relationships.count))
        case ("isempty", .list(let list)): return .boolean(list.elements.isEmpty)
        case ("isempty", .string(let text)): return .boolean(text.text.isEmpty)
        case ("head", .list(let list)): return list.elements.first ?? .null
        case ("last", .list(let list)): return list.elements.last ?? .null
        case ("tail", .list(let list)): return .list(Array(list.elements.dropFirst()))
        case ("reverse", .list(let list)): return .list(list.elements.reversed())
        case ("reverse", .string(let text)): return .string(String(text.text.reversed()))
        case ("range", _): return .list(try range(arguments))
        case ("id", .node(let id)): return .integer(Int64(id.rawValue))
        case ("id", .relationship(let id)): return .integer(Int64(id.rawValue))
        case ("labels", .node(let id)):
            guard let node = graph.nodes[id.rawValue] else { throw wrong() }
            return .list(node.labels.sorted().map { .string($0) })
        case ("type", .relationship(let id)): return .string(try relationship(id).type)
        case ("startnode", .relationship(let id)): return .node(NodeID(try relationship(id).start))
        case ("endnode", .relationship(let id)): return .node(NodeID(try relationship(id).end))
        case ("keys", .map(let map)): return .list(map.entries.map { .string($0.key) })
        case ("keys", _): return .list(try properties(of: first).keys.sorted().map { .string($0) })
        case ("properties", _): return .map(MapValue(try properties(of: first).map { ($0.key, $0.value) }))
        case ("nodes", .path(let path)): return .list(path.nodes.map { .node($0) })
        case ("relationships", .path(let path)), ("rels", .path(let path)):
            return .list(path.relationships.map { .relationship($0) })
        default: break
        }
        if let result = try numeric(name, first) ?? text(name, arguments) ?? conversion(name, first) { return result }
        throw wrong()
    }

    private func relationship(_ id: RelationshipID) throws -> ReferenceGraph.Relationship {
        guard let relationship = graph.relationships[id.rawValue] else { throw ReferenceFailure("deleted") }
        return relationship
    }

    private func range(_ arguments: [Value]) throws -> [Value] {
        let numbers = try arguments.map { value -> Int64 in
            guard case .integer(let number) = value else { throw ReferenceFailure("range of \(value.kindName)") }
            return number
        }
        let step = numbers.count > 2 ? numbers[2] : 1
        if step == 0 { throw ReferenceFailure("range with step 0") }
        var result: [Value] = []
        var next = numbers[0]
        while step > 0 ? next <= numbers[1] : next >= numbers[1] {
            result.append(.integer(next))
            next += step
        }
        return result
    }

    private func numeric(_ name: String, _ value: Value) throws -> Value? {
        let number: Double
        switch value {
        case .integer(let whole): number = Double(whole)
        case .float(let float): number = float
        default: return nil
        }
        let isWhole = if case .integer = value { true } else { false }
        let isManual = dialect == .cypher18
        switch name {
        case "abs": return isWhole && !isManual ? .integer(Int64(number.magnitude)) : .float(number.magnitude)
        case "sign":
            let sign = number > 0 ? 1 : (number < 0 ? -1 : 0)
            return isManual ? .float(Double(sign)) : .integer(Int64(sign))
        case "round":
            let rounded = (number + 0.5).rounded(.down)
            return isManual ? .integer(Int64(rounded)) : .float(rounded)
        case "ceil": return .float(number.rounded(.up))
        case "floor": return .float(number.rounded(.down))
        case "sqrt": return .float(number.squareRoot())
        default: return nil
        }
    }

    private func text(_ name: String, _ arguments: [Value]) throws -> Value? {
        guard case .string(let source) = arguments[0] else { return nil }
        let characters = Array(source.text)
        func count(_ index: Int) throws -> Int {
            guard case .integer(let number) = arguments[index], number >= 0 else {
                throw ReferenceFailure("\(name) with \(arguments[index].kindName)")
            }
            return Int(number)
        }
        func other(_ index: Int) throws -> String {
            guard case .string(let text) = arguments[index] else { throw ReferenceFailure("\(name) needs strings") }
            return text.text
        }
        switch name {
        case "toupper", "upper": return .string(source.text.uppercased())
        case "tolower", "lower": return .string(source.text.lowercased())
        case "trim":
            return .string(
                String(characters.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()))
        case "left": return .string(String(characters.prefix(try count(1))))
        case "right": return .string(String(characters.suffix(try count(1))))
        case "substring":
            let rest = characters.dropFirst(try count(1))
            return .string(String(arguments.count > 2 ? rest.prefix(try count(2)) : rest))
        case "replace":
            let (old, new) = (try other(1), try other(2))
            return old.isEmpty ? .string(source) : .string(source.text.replacing(old, with: new))
        case "split":
            let separator = try other(1)
            if separator.isEmpty { return .list(characters.map { .string(String($0)) }) }
            return .list(source.text.split(separator: separator, omittingEmptySubsequences: false).map { .string(String($0)) })
        default: return nil
        }
    }

    private func conversion(_ name: String, _ value: Value) throws -> Value? {
        switch (name, value) {
        case ("tostring", .string), ("tostring", .integer), ("tostring", .float), ("tostring", .boolean):
            return .string(ReferenceValues.plainText(value))
        case ("tointeger", .integer), ("tofloat", .float), ("toboolean", .boolean): return value
        case ("tointeger", .float(let number)): return .integer(Int64(number))
        case ("tointeger", .boolean(let flag)): return .integer(flag ? 1 : 0)
        case ("tointeger", .string(let text)):
            return Int64(text.text).map { .integer($0) } ?? Double(text.text).map { .integer(Int64($0)) } ?? .null
        case ("tofloat", .integer(let number)): return .float(Double(number))
        case ("tofloat", .string(let text)): return Double(text.text).map { .float($0) } ?? .null
        case ("toboolean", .string(let text)):
            return text.text.lowercased() == "true" ? .boolean(true) : (text.text.lowercased() == "false" ? .boolean(false) : .null)
        case ("toboolean", .integer(let number)): return .boolean(number != 0)
        default: return nil
        }
    }
}
