internal import GraphModel

/// Methods of lists, which are those of pipes, too, once they are read.
extension Interpreter {
    func callPipe(_ name: String, _ pipe: Pipe, _ arguments: [Item]) throws(GraphError) -> Item? {
        switch name {
        case "next":
            guard case .integer(let count)? = arguments.first else {
                guard let traveller = try next(pipe) else { throw fail("the pipe has nothing more") }
                return traveller.item
            }
            let result = ListItem(memory)
            while result.elements.count < count, let traveller = try next(pipe) { try result.append(traveller.item) }
            return .list(result)
        case "getSingle":
            guard let traveller = try next(pipe) else { return .null }
            if try next(pipe) != nil { throw fail("more than one was found") }
            return traveller.item
        case "iterate", "each", "eachWithIndex", "close":
            let closure = arguments.isEmpty ? nil : try closure(arguments, name)
            var index: Int64 = 0
            if name == "close" { return .null }
            while let traveller = try next(pipe) {
                if let closure { _ = try call(closure, name == "eachWithIndex" ? [traveller.item, .integer(index)] : [traveller.item]) }
                index += 1
            }
            // It has nothing more to give.
            return name == "iterate" ? .null : .pipe(pipe)
        case "toList": return try list(try elements(.pipe(pipe)))
        case "fill":
            guard case .list(let list)? = arguments.first else { throw fail("fill needs a list") }
            try forEach(.pipe(pipe)) { item throws(GraphError) in
                try list.append(item)
                return true
            }
            return .list(list)
        case "hasNext":
            throw fail("hasNext is not there: read the pipe by toList(), or by for (x in …)")
        case "count" where closures(arguments).isEmpty, "size" where arguments.isEmpty:
            var count: Int64 = 0
            while try next(pipe) != nil { count += 1 }
            return .integer(count)
        default: break
        }
        if let longer = try adding(name, arguments, to: pipe) { return .pipe(longer) }
        return try callList(name, try list(try elements(.pipe(pipe))), arguments)
    }

    /// nil when there is none of the name.
    func callList(_ name: String, _ item: Item, _ arguments: [Item]) throws(GraphError) -> Item? {
        if let result = try callListByClosure(name, item, arguments) { return result }
        switch name {
        case "_": return .pipe(try pipe(try list(try elements(item))))
        case "size", "length": return .integer(Int64(item.elementCount ?? 0))
        case "count": return .integer(Int64(item.elementCount ?? 0))
        case "isEmpty": return .boolean(item.elementCount == 0)
        case "toList", "asList", "clone", "iterator": return try list(try elements(item))
        case "toSet", "asSet": return try set(item)
        case "get", "getAt": return try element(of: item, [try first(arguments, name)])
        case "first", "head": return try item.element(0)
        case "last": return try item.element((item.elementCount ?? 0) - 1)
        case "contains": return .boolean(try contains(item, try first(arguments, name)))
        case "containsAll":
            for element in try elements(try first(arguments, name)) where try !contains(item, element) { return .boolean(false) }
            return .boolean(true)
        case "indexOf":
            let wanted = try first(arguments, name)
            for (index, element) in try elements(item).enumerated() where try element.equals(wanted) { return .integer(Int64(index)) }
            return .integer(-1)
        case "reverse": return try list(try elements(item).reversed())
        case "sum":
            var sum: Item?
            for element in try values(item, arguments) { sum = try sum.map { sum throws(GraphError) in try apply(.add, sum, element) } ?? element }
            return sum ?? .null
        case "unique":
            return try list(try elements(try set(item)))
        case "flatten":
            let result = ListItem(memory)
            try flatten(item, into: result, depth: 0)
            return .list(result)
        case "join":
            let separator = try arguments.first.map { item throws(GraphError) in try text(item) } ?? ""
            let texts = try elements(item).map { element throws(GraphError) in try text(element) }
            return try limited(texts.joined(separator: separator))
        case "take", "drop":
            guard case .integer(let count)? = arguments.first, count >= 0 else { throw fail("\(name) needs a number") }
            let all = try elements(item)
            return try list(Array(name == "take" ? all.prefix(Int(clamping: count)) : all.dropFirst(Int(clamping: count))))
        case "plus", "minus": return try apply(name == "plus" ? .add : .subtract, item, try first(arguments, name))
        case "intersect":
            let other = try listItem(try first(arguments, name))
            let result = ListItem(memory, isSet: true)
            for element in try elements(item) where try other.contains(element) { try result.append(element) }
            return .list(result)
        default: break
        }
        guard case .list(let list) = item else { return nil }
        return try changeList(name, list, arguments)
    }

    private func changeList(_ name: String, _ list: ListItem, _ arguments: [Item]) throws(GraphError) -> Item? {
        switch name {
        case "add", "push", "leftShift":
            _ = try first(arguments, name)
            return .boolean(try list.append(arguments[arguments.count - 1]))
        case "addAll":
            for element in try elements(try first(arguments, name)) { try list.append(element) }
            return .boolean(true)
        case "pop":
            guard !list.elements.isEmpty else { throw fail("the list is empty") }
            return list.remove(at: list.elements.count - 1)
        case "remove":
            let argument = try first(arguments, name)
            if case .integer(let number) = argument {
                guard list.elements.indices.contains(Int(clamping: number)) else { throw fail("the list has no place \(number)") }
                return list.remove(at: Int(number))
            }
            for (index, element) in list.elements.enumerated() where try element.equals(argument) {
                _ = list.remove(at: index)
                return .boolean(true)
            }
            return .boolean(false)
        case "removeAll":
            try list.replace(try elements(try apply(.subtract, .list(list), try first(arguments, name))))
            return .boolean(true)
        case "clear":
            try list.replace([])
            return .null
        default: return nil
        }
    }

    private func flatten(_ item: Item, into result: ListItem, depth: Int) throws(GraphError) {
        if depth > 32 { throw fail("the list is too deep to be flattened") }
        for element in try elements(item) {
            if element.elementCount != nil { try flatten(element, into: result, depth: depth + 1) } else { try result.append(element) }
        }
    }

    /// The elements, or what a closure makes of each.
    private func values(_ item: Item, _ arguments: [Item]) throws(GraphError) -> [Item] {
        guard let closure = closures(arguments).first else { return try elements(item) }
        return try elements(item).map { element throws(GraphError) in try call(closure, [element]) }
    }

    // MARK: By closures

    private func callListByClosure(_ name: String, _ item: Item, _ arguments: [Item]) throws(GraphError) -> Item? {
        switch name {
        case "each", "eachWithIndex", "reverseEach":
            let closure = try closure(arguments, name)
            var index: Int64 = 0
            try forEach(name == "reverseEach" ? try list(try elements(item).reversed()) : item) { element throws(GraphError) in
                _ = try call(closure, name == "eachWithIndex" ? [element, .integer(index)] : [element])
                index += 1
                return true
            }
            return item
        case "collect", "collectMany":
            guard let closure = closures(arguments).last else { return try list(try elements(item)) }
            let result = ListItem(memory)
            for element in try elements(item) {
                let value = try call(closure, [element])
                if name == "collect" {
                    try result.append(value)
                } else {
                    for part in try elements(value) { try result.append(part) }
                }
            }
            return .list(result)
        case "find", "findAll", "any", "every", "grep", "count", "findIndexOf":
            guard let closure = closures(arguments).last else {
                guard name != "count" || arguments.isEmpty else { throw fail("count takes a closure") }
                if name == "any" || name == "every" { return .boolean(try elements(item).allSatisfy { $0.isTrue() }) }
                return nil
            }
            return try search(name, try elements(item), closure)
        case "sort":
            let order = try sorted(try elements(item)) { a, b throws(GraphError) in
                try compare(a, b, by: closures(arguments).last)
            }
            return try list(order)
        case "min", "max":
            let closure = closures(arguments).last
            var best: Item?
            for element in try elements(item) where !element.isNull {
                guard let current = best else {
                    best = element
                    continue
                }
                let order = try compare(element, current, by: closure)
                if name == "min" ? order < 0 : order > 0 { best = element }
            }
            return best ?? .null
        case "inject":
            let closure = try closure(arguments, name)
            var all = try elements(item)[...]
            var result = arguments.count > 1 ? arguments[0] : all.popFirst() ?? .null
            for element in all { result = try call(closure, [result, element]) }
            return result
        case "groupBy", "countBy", "collectEntries":
            return .map(try grouped(name, try elements(item), closures(arguments).last))
        default: return nil
        }
    }

    private func search(_ name: String, _ elements: [Item], _ closure: ClosureItem) throws(GraphError) -> Item {
        let found = ListItem(memory)
        for (index, element) in elements.enumerated() {
            let isWanted = try call(closure, [element]).isTrue()
            if name == "every" && !isWanted { return .boolean(false) }
            guard isWanted else { continue }
            switch name {
            case "find": return element
            case "findIndexOf": return .integer(Int64(index))
            case "any": return .boolean(true)
            default: try found.append(element)
            }
        }
        switch name {
        case "find": return .null
        case "findIndexOf": return .integer(-1)
        case "any", "every": return .boolean(name == "every")
        case "count": return .integer(Int64(found.elements.count))
        default: return .list(found)
        }
    }

    private func grouped(_ name: String, _ elements: [Item], _ closure: ClosureItem?) throws(GraphError) -> MapItem {
        let result = MapItem(memory)
        for element in elements {
            let key = try closure.map { closure throws(GraphError) in try call(closure, [element]) } ?? element
            switch name {
            case "groupBy":
                if case .list(let list)? = try result.value(key) {
                    try list.append(element)
                } else {
                    try result.set(key, try list([element]))
                }
            case "countBy": try result.set(key, try apply(.add, try result.value(key) ?? .integer(0), .integer(1)))
            default:
                if case .map(let map) = key {
                    for (key, value) in map.all { try result.set(key, value) }
                } else {
                    try result.set(try key.element(0), try key.element(1))
                }
            }
        }
        return result
    }
}
