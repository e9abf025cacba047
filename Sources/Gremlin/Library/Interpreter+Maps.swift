internal import GraphModel

extension Interpreter {
    /// nil when there is none of the name.
    func callMap(_ name: String, _ map: MapItem, _ arguments: [Item]) throws(GraphError) -> Item? {
        switch name {
        case "size": return .integer(Int64(map.count))
        case "count" where arguments.isEmpty: return .integer(Int64(map.count))
        case "isEmpty": return .boolean(map.count == 0)
        case "get", "getAt":
            if let value = try map.value(try first(arguments, name)) { return value }
            return arguments.count > 1 ? arguments[1] : .null
        case "put", "putAt":
            guard arguments.count == 2 else { throw fail("put needs a key and a value") }
            let old = try map.value(arguments[0])
            try map.set(arguments[0], arguments[1])
            return old ?? .null
        case "putAll":
            guard case .map(let other)? = arguments.first else { throw fail("putAll needs a map") }
            for (key, value) in other.all { try map.set(key, value) }
            return .null
        case "remove": return try map.remove(try first(arguments, name)) ?? .null
        case "clear":
            map.removeAll()
            return .null
        case "containsKey": return .boolean(try map.value(try first(arguments, name)) != nil)
        case "containsValue":
            return .boolean(try contains(try list(map.all.map(\.value)), try first(arguments, name)))
        case "keySet": return try list(map.all.map(\.key))
        case "values": return try list(map.all.map(\.value))
        case "entrySet": return try list(entries(map))
        case "_": return .pipe(try Pipe(memory, .items(entries(map))))
        case "plus": return try apply(.add, .map(map), try first(arguments, name))
        case "sort": return try sort(map, closures(arguments).last)
        case "each", "collect", "find", "findAll", "any", "every", "count", "collectEntries", "eachWithIndex", "groupBy", "min",
            "max", "sum", "inject":
            return try callByEntries(name, map, arguments)
        default:
            // A closure in a map is called like a method.
            guard case .closure(let closure)? = try map.value(.string(name)) else { return nil }
            return try call(closure, arguments)
        }
    }

    private func entries(_ map: MapItem) -> [Item] { map.all.map { .object(.entry(EntryItem(memory, $0.key, $0.value))) } }

    /// By key, or by a closure that gets one entry or two.
    private func sort(_ map: MapItem, _ closure: ClosureItem?) throws(GraphError) -> Item {
        let order = try sorted(entries(map)) { a, b throws(GraphError) in
            guard closure == nil else { return try compare(a, b, by: closure) }
            return try property("key", of: a).order(try property("key", of: b))
        }
        return try self.map(order)
    }

    private func map(_ entries: [Item]) throws(GraphError) -> Item {
        let result = MapItem(memory)
        for case .object(.entry(let entry)) in entries { try result.set(entry.key, entry.value) }
        return .map(result)
    }

    /// Closures of two parameters get key and value.
    private func callByEntries(_ name: String, _ map: MapItem, _ arguments: [Item]) throws(GraphError) -> Item? {
        guard let closure = closures(arguments).last, closure.parameters?.count == 2, name != "inject", name != "min", name != "max"
        else {
            let result = try callList(name, try list(entries(map)), arguments)
            if name == "each" { return .map(map) }
            if name == "findAll", case .list(let list)? = result { return try self.map(list.elements) }
            return result
        }
        let values = ListItem(memory)
        var found: [Item] = []
        for (key, value) in map.all {
            let result = try call(closure, [key, value])
            try values.append(result)
            if result.isTrue() { found.append(.object(.entry(EntryItem(memory, key, value)))) }
        }
        switch name {
        case "each": return .map(map)
        case "collect": return .list(values)
        case "find": return found.first ?? .null
        case "findAll": return try self.map(found)
        case "any": return .boolean(!found.isEmpty)
        case "every": return .boolean(found.count == map.count)
        case "count": return .integer(Int64(found.count))
        case "collectEntries": return try callList(name, .list(values), [])
        default: return nil
        }
    }
}
