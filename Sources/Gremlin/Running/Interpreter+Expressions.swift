internal import GraphModel

extension Interpreter {
    func evaluate(_ part: ScriptTree.Index, _ scope: Environment) throws(GraphError) -> Item {
        try step()
        return try deeper { () throws(GraphError) in try evaluateHere(part, scope) }
    }

    private func evaluateHere(_ part: ScriptTree.Index, _ scope: Environment) throws(GraphError) -> Item {
        switch tree.parts[part] {
        case .literal(let literal): return Self.item(literal)
        case .template(let pieces): return try template(pieces, scope)
        case .list(let elements): return try list(try evaluate(elements, scope))
        case .map(let entries): return try map(entries, scope)
        case .range(let first, let last, let isHalfOpen):
            return try range(try evaluate(first, scope), try evaluate(last, scope), isHalfOpen, tree.places[part])
        case .name(let name): return try variable(name, scope, tree.places[part])
        case .property(let of, let name, let access):
            return try property(try evaluate(of, scope), name, access, scope, tree.places[part])
        case .call(let of, let name, let arguments, let access):
            return try call(of, name, arguments, access, scope, tree.places[part])
        case .callValue(let of, let arguments):
            let callee = try evaluate(of, scope)
            let arguments = try evaluate(arguments, scope)
            place = tree.places[part]
            guard case .closure(let closure) = callee else { throw fail("\(callee.kindName) cannot be called") }
            return try call(closure, arguments)
        case .element(let of, let indexes):
            let (of, indexes) = (try evaluate(of, scope), try evaluate(indexes, scope))
            place = tree.places[part]
            return try element(of: of, indexes)
        case .new(let type, let arguments):
            let arguments = try evaluate(arguments, scope)
            place = tree.places[part]
            return try make(type, arguments)
        case .closure(let closure): return .closure(ClosureItem(closure, scope))
        case .unary(let unary, let operand):
            let operand = try evaluate(operand, scope)
            place = tree.places[part]
            return try apply(unary, operand)
        case .binary(let binary, let left, let right):
            let (left, right) = (try evaluate(left, scope), try evaluate(right, scope))
            place = tree.places[part]
            return try apply(binary, left, right)
        case .and(let left, let right):
            guard try evaluate(left, scope).isTrue() else { return .boolean(false) }
            return .boolean(try evaluate(right, scope).isTrue())
        case .or(let left, let right):
            if try evaluate(left, scope).isTrue() { return .boolean(true) }
            return .boolean(try evaluate(right, scope).isTrue())
        case .conditional(let condition, let then, let otherwise):
            return try evaluate(try evaluate(condition, scope).isTrue() ? then : otherwise, scope)
        case .elvis(let value, let otherwise):
            let value = try evaluate(value, scope)
            return value.isTrue() ? value : try evaluate(otherwise, scope)
        case .assign(let target, let value):
            let value = try evaluate(value, scope)
            try assign(value, to: target, scope)
            return value
        case .update(let target, let binary, let value):
            let (old, value) = (try evaluate(target, scope), try evaluate(value, scope))
            place = tree.places[part]
            let new = try apply(binary, old, value)
            try assign(new, to: target, scope)
            return new
        case .increment(let target, let change, let isPrefix):
            let old = try evaluate(target, scope)
            place = tree.places[part]
            let new = try apply(change, old, .integer(1))
            try assign(new, to: target, scope)
            return isPrefix ? new : old
        case .cast(let value, let type):
            let value = try evaluate(value, scope)
            place = tree.places[part]
            return try cast(value, to: type)
        case .isInstance(let value, let type): return .boolean(try evaluate(value, scope).isInstance(of: type))
        default: return try run(part, scope)
        }
    }

    private static func item(_ literal: ScriptTree.Literal) -> Item {
        switch literal {
        case .null: .null
        case .boolean(let flag): .boolean(flag)
        case .integer(let number): .integer(number)
        case .float(let number): .float(number)
        case .string(let text): .string(text)
        }
    }

    func evaluate(_ parts: [ScriptTree.Index], _ scope: Environment) throws(GraphError) -> [Item] {
        var items: [Item] = []
        items.reserveCapacity(parts.count)
        for part in parts { items.append(try evaluate(part, scope)) }
        return items
    }

    private func template(_ pieces: [ScriptTree.Index], _ scope: Environment) throws(GraphError) -> Item {
        var text = ""
        for piece in pieces {
            text += try self.text(try evaluate(piece, scope))
            _ = try limited(text)
        }
        return .string(text)
    }

    private func map(
        _ entries: [(key: ScriptTree.Index, value: ScriptTree.Index)], _ scope: Environment
    ) throws(GraphError) -> Item {
        let map = MapItem(memory)
        for (key, value) in entries { try map.set(try evaluate(key, scope), try evaluate(value, scope)) }
        return .map(map)
    }

    private func range(_ first: Item, _ last: Item, _ isHalfOpen: Bool, _ place: Place) throws(GraphError) -> Item {
        self.place = place
        guard case .integer(let first) = first, case .integer(var last) = last else {
            throw fail("a range goes from one whole number to another, not from \(first.kindName) to \(last.kindName)")
        }
        let (distance, overflows) = last.subtractingReportingOverflow(first)
        guard !overflows, distance.magnitude < 1 << 32 else { throw fail("the range \(first)..\(last) is too long") }
        if isHalfOpen {
            if first == last { return try list([]) }
            last += first < last ? -1 : 1
        }
        return .range(first, last)
    }

    private func variable(_ name: String, _ scope: Environment, _ place: Place) throws(GraphError) -> Item {
        if let value = scope.value(name) { return value }
        if let value = globals.value(name) { return value }
        if KnownType.isKnown([name]) { return .type(name) }
        throw .script("there is no variable \"\(name)\"; give it as a parameter, or assign something to it first", at: place)
    }

    // MARK: Members

    private func name(_ part: ScriptTree.Index, _ scope: Environment) throws(GraphError) -> String {
        if case .literal(.string(let name)) = tree.parts[part] { return name }
        return try text(try evaluate(part, scope))
    }

    private func property(
        _ item: Item, _ name: ScriptTree.Index, _ access: ScriptTree.Access, _ scope: Environment, _ place: Place
    ) throws(GraphError) -> Item {
        let name = try self.name(name, scope)
        self.place = place
        switch access {
        case .plain: return try property(name, of: item)
        case .safe: return item.isNull ? .null : try property(name, of: item)
        case .spread: return try spread(item) { item throws(GraphError) in try property(name, of: item) }
        }
    }

    private func call(
        _ of: ScriptTree.Index?, _ name: ScriptTree.Index, _ arguments: [ScriptTree.Index], _ access: ScriptTree.Access,
        _ scope: Environment, _ place: Place
    ) throws(GraphError) -> Item {
        guard let of else {
            let name = try self.name(name, scope)
            let arguments = try evaluate(arguments, scope)
            self.place = place
            return try callByName(name, arguments, scope)
        }
        let item = try evaluate(of, scope)
        if access == .safe && item.isNull { return .null }
        let name = try self.name(name, scope)
        let arguments = try evaluate(arguments, scope)
        self.place = place
        if access == .spread { return try spread(item) { item throws(GraphError) in try invoke(name, on: item, arguments) } }
        return try invoke(name, on: item, arguments)
    }

    private func callByName(_ name: String, _ arguments: [Item], _ scope: Environment) throws(GraphError) -> Item {
        if case .closure(let closure)? = scope.value(name) ?? globals.value(name) { return try call(closure, arguments) }
        if let result = try callFunction(name, arguments) { return result }
        switch name {
        case "_":
            guard let first = arguments.first else { return .pipe(try Pipe(memory, .anonymous)) }
            return try invoke("_", on: first, [])
        case "println", "print": return .null
        default: throw GraphError.beyondSubset("the function \(name)", at: place)
        }
    }

    /// The same of every element.
    func spread(_ item: Item, _ body: (Item) throws(GraphError) -> Item) throws(GraphError) -> Item {
        if item.isNull { return .null }
        let result = ListItem(memory)
        try forEach(item) { element throws(GraphError) in
            try result.append(element.isNull ? .null : try body(element))
            return true
        }
        return .list(result)
    }

    // MARK: Assignment

    private func assign(_ value: Item, to target: ScriptTree.Index, _ scope: Environment) throws(GraphError) {
        switch tree.parts[target] {
        case .name(let name):
            if try scope.assign(name, value) { return }
            try globals.declare(name, value)
        case .property(let of, let name, _):
            let item = try evaluate(of, scope)
            let name = try self.name(name, scope)
            place = tree.places[target]
            try setProperty(name, of: item, to: value)
        case .element(let of, let indexes):
            let (item, indexes) = (try evaluate(of, scope), try evaluate(indexes, scope))
            place = tree.places[target]
            guard indexes.count == 1 else { throw fail("one place at a time can be assigned to") }
            try setElement(indexes[0], of: item, to: value)
        default: throw GraphError.script("nothing can be assigned to this", at: tree.places[target])
        }
    }

    private func setElement(_ index: Item, of item: Item, to value: Item) throws(GraphError) {
        switch (item, index) {
        case (.list(let list), .integer(let number)):
            let place = number < 0 ? list.elements.count + Int(clamping: number) : Int(clamping: number)
            guard place >= 0, place <= list.elements.count + 10_000 else { throw fail("a list has no place \(number)") }
            while list.elements.count <= place { try list.append(.null) }
            try list.set(place, value)
        case (.map(let map), _): try map.set(index, value)
        case (.vertex, .string(let name)), (.edge, .string(let name)): try setProperty(name, of: item, to: value)
        default: throw fail("\(item.kindName) has no elements that could be set by \(index.kindName)")
        }
    }
}
