internal import GraphModel

extension Interpreter {
    func apply(_ unary: ScriptTree.Unary, _ operand: Item) throws(GraphError) -> Item {
        switch (unary, operand) {
        case (.not, _): return .boolean(!operand.isTrue())
        case (.plus, .integer), (.plus, .float): return operand
        case (.minus, .integer(let number)):
            let (result, overflows) = Int64(0).subtractingReportingOverflow(number)
            if overflows { throw overflow() }
            return .integer(result)
        case (.minus, .float(let number)): return .float(-number)
        default: throw fail("\(operand.kindName) has no sign")
        }
    }

    private func overflow() -> GraphError { fail("the result does not fit 64 bits") }

    func apply(_ binary: ScriptTree.Binary, _ left: Item, _ right: Item) throws(GraphError) -> Item {
        switch binary {
        case .equal: return .boolean(try left.equals(right))
        case .notEqual: return .boolean(try !left.equals(right))
        case .compare: return .integer(Int64(try left.order(right)))
        case .less: return .boolean(try left.order(right) < 0)
        case .lessOrEqual: return .boolean(try left.order(right) <= 0)
        case .greater: return .boolean(try left.order(right) > 0)
        case .greaterOrEqual: return .boolean(try left.order(right) >= 0)
        case .isIn: return .boolean(try contains(right, left))
        case .append: return try append(right, to: left)
        case .add: return try add(left, right)
        case .subtract: return try subtract(left, right)
        case .multiply:
            if case .string(let text) = left, case .integer(let count) = right {
                guard count >= 0, count <= Self.textByteCountMaximum / max(1, text.utf8.count) else {
                    throw fail("a text cannot be repeated \(count) times")
                }
                return try limited(String(repeating: text, count: Int(count)))
            }
            return try calculate(left, right, "multiplied by", { $0.multipliedReportingOverflow(by: $1) }) { $0 * $1 }
        case .divide:
            if case .integer(let a) = left, case .integer(let b) = right {
                if b == 0 { throw fail("a number is divided by 0") }
                if b != -1, a % b == 0 { return .integer(a / b) }
                if b == -1 { return try apply(.minus, left) }
            }
            return try calculate(left, right, "divided by", nil) { $0 / $1 }
        case .remainder:
            if case .integer(let a) = left, case .integer(let b) = right {
                if b == 0 { throw fail("a number is divided by 0") }
                return .integer(b == -1 ? 0 : a % b)
            }
            return try calculate(left, right, "divided by", nil) { $0.truncatingRemainder(dividingBy: $1) }
        case .power: return try power(left, right)
        }
    }

    private func calculate(
        _ left: Item, _ right: Item, _ word: String, _ integers: ((Int64, Int64) -> (Int64, overflow: Bool))?,
        _ floats: (Double, Double) -> Double
    ) throws(GraphError) -> Item {
        if let integers, case .integer(let a) = left, case .integer(let b) = right {
            let (result, overflows) = integers(a, b)
            if overflows { throw overflow() }
            return .integer(result)
        }
        guard let a = left.number, let b = right.number else {
            throw fail("\(left.kindName) cannot be \(word) \(right.kindName)")
        }
        return .float(floats(a, b))
    }

    private func add(_ left: Item, _ right: Item) throws(GraphError) -> Item {
        switch (left, right) {
        case (.string(let text), _): return try limited(text + (try self.text(right)))
        case (_, .string(let text)): return try limited(try self.text(left) + text)
        case (.map(let a), .map(let b)):
            let result = MapItem(memory)
            for (key, value) in a.all + b.all { try result.set(key, value) }
            return .map(result)
        case (.list, _), (.range, _):
            let result = ListItem(memory)
            for item in try elements(left) { try result.append(item) }
            switch right {
            case .list, .range: for item in try elements(right) { try result.append(item) }
            default: try result.append(right)
            }
            return .list(result)
        default: return try calculate(left, right, "added to", { $0.addingReportingOverflow($1) }) { $0 + $1 }
        }
    }

    private func subtract(_ left: Item, _ right: Item) throws(GraphError) -> Item {
        switch left {
        case .list, .range:
            let removed = ListItem(memory)
            switch right {
            case .list, .range: for item in try elements(right) { try removed.append(item) }
            default: try removed.append(right)
            }
            let result = ListItem(memory)
            for item in try elements(left) where try !removed.contains(item) { try result.append(item) }
            return .list(result)
        case .string(let text):
            return .string(Self.replacing(text, try self.text(right), by: "", isAll: false))
        default: return try calculate(left, right, "lessened by", { $0.subtractingReportingOverflow($1) }) { $0 - $1 }
        }
    }

    private func power(_ left: Item, _ right: Item) throws(GraphError) -> Item {
        if case .integer(let base) = left, case .integer(let exponent) = right, exponent >= 0 {
            var result: Int64 = 1
            if base == 0 || base == 1 { return .integer(exponent == 0 ? 1 : base) }
            if base == -1 { return .integer(exponent % 2 == 0 ? 1 : -1) }
            for _ in 0..<min(exponent, 64) {
                let (product, overflows) = result.multipliedReportingOverflow(by: base)
                if overflows { throw overflow() }
                result = product
            }
            return .integer(result)
        }
        throw fail("only whole numbers have whole powers here")
    }

    private func append(_ item: Item, to target: Item) throws(GraphError) -> Item {
        guard case .list(let list) = target else {
            if case .string = target { return try add(target, item) }
            throw fail("nothing can be appended to \(target.kindName)")
        }
        try list.append(item)
        return target
    }

    func contains(_ container: Item, _ item: Item) throws(GraphError) -> Bool {
        switch container {
        case .null: return false
        case .list(let list): return try list.contains(item)
        case .map(let map): return try map.value(item) != nil
        case .range(let first, let last):
            guard case .integer(let number) = item else { return false }
            return (min(first, last)...max(first, last)).contains(number)
        case .string(let text):
            guard case .string(let part) = item else { return false }
            return Self.index(of: part, in: text) != nil
        default:
            for element in try elements(container) where try element.equals(item) { return true }
            return false
        }
    }

    // MARK: Text

    /// An item as `toString()` has it.
    func text(_ item: Item) throws(GraphError) -> String {
        var text = ""
        try append(item, to: &text, depth: 0)
        return text
    }

    private func append(_ item: Item, to text: inout String, depth: Int) throws(GraphError) {
        try step()
        if depth > 32 || text.utf8.count > Self.textByteCountMaximum {
            throw fail("a list or a map is too deep or too long to be made a text")
        }
        switch item {
        case .null: text += "null"
        case .boolean(let flag): text += flag ? "true" : "false"
        case .integer(let number): text += String(number)
        case .float(let number): text += number.description
        case .string(let string): text += string
        case .stored(.temporal(let value)): text += value.description
        case .stored(.point(let value)): text += value.description
        case .stored(let value): text += value.kindName
        case .vertex(let id): text += "v[\(id.rawValue)]"
        case .edge(let id):
            text += "e[\(id.rawValue)]"
            if let record = transaction.relationship(id) {
                let label = transaction.name(.relationshipType, record.type)
                text += "[\(record.start.rawValue)-\(label)->\(record.end.rawValue)]"
            }
        case .map(let map):
            text += "{"
            for (index, entry) in map.all.enumerated() {
                if index > 0 { text += ", " }
                try append(entry.key, to: &text, depth: depth + 1)
                text += "="
                try append(entry.value, to: &text, depth: depth + 1)
            }
            text += "}"
        case .list, .range, .pipe, .table:
            text += "["
            var isFirst = true
            try forEach(item) { element throws(GraphError) in
                if !isFirst { text += ", " }
                isFirst = false
                try append(element, to: &text, depth: depth + 1)
                return true
            }
            text += "]"
        case .closure: text += "closure"
        case .type(let name): text += "class \(name)"
        case .object(.relationshipType(let name)): text += name
        case .object(.entry(let entry)):
            try append(entry.key, to: &text, depth: depth + 1)
            text += "="
            try append(entry.value, to: &text, depth: depth + 1)
        case .object(.error(let error)): text += error.message
        case .object(.text(let stream)): text += stream.text
        case .object(let object): text += object.kindName
        }
    }

    // MARK: Types

    func cast(_ item: Item, to type: String) throws(GraphError) -> Item {
        switch type {
        case "String", "GString", "CharSequence": return item.isNull ? .null : .string(try text(item))
        case "Integer", "Long", "int", "long", "Short", "short", "Byte", "byte", "BigInteger":
            return try invoke("toLong", on: item, [])
        case "Double", "Float", "double", "float", "BigDecimal": return try invoke("toDouble", on: item, [])
        case "Boolean", "boolean": return .boolean(item.isTrue())
        case "Set", "HashSet", "LinkedHashSet": return try set(item)
        case "List", "ArrayList", "Collection", "LinkedList": return try list(try elements(item))
        default: return item
        }
    }

    func set(_ item: Item) throws(GraphError) -> Item {
        let result = ListItem(memory, isSet: true)
        for element in try elements(item) { try result.append(element) }
        return .list(result)
    }
}

extension Item {
    func isInstance(of type: String) -> Bool {
        switch (type, self) {
        case (_, .null): false
        case ("Object", _), ("def", _): true
        case ("String", .string), ("CharSequence", .string), ("GString", .string): true
        case ("Number", .integer), ("Number", .float), ("Integer", .integer), ("Long", .integer), ("int", .integer),
            ("long", .integer), ("Double", .float), ("Float", .float), ("double", .float), ("BigDecimal", .float):
            true
        case ("Boolean", .boolean), ("boolean", .boolean): true
        case ("List", .list(let list)), ("ArrayList", .list(let list)): !list.isSet
        case ("Set", .list(let list)), ("HashSet", .list(let list)): list.isSet
        case ("Collection", .list), ("Iterable", .list), ("List", .range), ("Collection", .range), ("Iterable", .range): true
        case ("Map", .map), ("HashMap", .map), ("LinkedHashMap", .map): true
        case ("Vertex", .vertex), ("Node", .vertex), ("Element", .vertex), ("PropertyContainer", .vertex): true
        case ("Edge", .edge), ("Relationship", .edge), ("Element", .edge), ("PropertyContainer", .edge): true
        case ("Pipe", .pipe), ("Pipeline", .pipe), ("GremlinPipeline", .pipe), ("Iterator", .pipe), ("Iterable", .pipe): true
        case ("Table", .table), ("List", .table): true
        case ("Closure", .closure): true
        case (_, .object(.error)): KnownType.exceptions.contains(type)
        default: false
        }
    }
}
