internal import GraphModel

/// Steps by their names.
extension Interpreter {
    /// Steps that need no brackets: `g.v(1).out.name`.
    static let plainSteps: Set<String> = [
        "out", "in", "both", "outE", "inE", "bothE", "outV", "inV", "bothV", "id", "label", "map", "paths", "path", "dedup", "cap",
        "fairMerge", "exhaustMerge", "gather", "scatter", "order", "simplePath", "cyclicPath", "memoize", "reverse", "_",
    ]

    /// A pipe with one more step; nil when there is none of the name.
    func adding(_ name: String, _ arguments: [Item], to pipe: Pipe) throws(GraphError) -> Pipe? {
        if let neighbours = Self.neighbours(name) {
            var labels: [String] = []
            for label in try flattened(arguments) where !label.isNull { labels.append(try text(label)) }
            // That there is no label is not the same as that none is asked for.
            if labels.isEmpty && arguments.contains(where: \.isNull) { throw fail("the label of \(name) is null") }
            return try pipe.adding(.neighbours(neighbours, labels: labels))
        }
        let closures = self.closures(arguments)
        switch name {
        case "_", "memoize", "start", "identity": return try pipe.adding(.identity)
        case "as":
            guard case .string(let name)? = arguments.first else { throw fail("as needs the name of a step") }
            return try naming(name, pipe)
        case "id": return try pipe.adding(.id)
        case "label": return try pipe.adding(.label)
        case "map": return try pipe.adding(.properties(try arguments.map { argument throws(GraphError) in try text(argument) }))
        case "property": return try pipe.adding(.property(try text(try first(arguments, name))))
        case "transform", "step": return try pipe.adding(.transform(try closure(arguments, name)))
        case "filter": return try pipe.adding(.filter(try closure(arguments, name)))
        case "sideEffect": return try pipe.adding(.sideEffect(try closure(arguments, name)))
        case "has", "hasNot": return try pipe.adding(try has(arguments, isNegated: name == "hasNot"))
        case "dedup": return try pipe.adding(.dedup(closures.first))
        case "range":
            guard case .integer(let low)? = arguments.first, case .integer(let high)? = arguments.last else {
                throw fail("range needs two whole numbers")
            }
            return try pipe.adding(.range(low, high))
        case "except", "retain":
            let isKept = name == "retain"
            if case .string(let name)? = arguments.first { return try pipe.adding(.same(name: name, isKept: isKept)) }
            return try pipe.adding(.membership(try listItem(try first(arguments, name)), isKept: isKept))
        case "aggregate", "store":
            var list = ListItem(memory)
            if case .list(let given)? = arguments.first { list = given }
            return try pipe.adding(.collect(into: list, closures.first, isGreedy: name == "aggregate"))
        case "groupCount", "groupBy":
            var map = MapItem(memory)
            if case .map(let given)? = arguments.first { map = given }
            let (key, value) = (closures.first, closures.count > 1 ? closures[1] : nil)
            return try pipe.adding(name == "groupBy" ? .groupBy(map, key: key, value: value) : .groupCount(map, key: key, value: value))
        case "table":
            var (table, names) = (TableItem(memory), [String]())
            for argument in arguments {
                if case .table(let given) = argument { table = given }
                if case .list(let list) = argument {
                    names = try list.elements.map { name throws(GraphError) in try text(name) }
                }
            }
            return try pipe.adding(.table(table, names: names, closures))
        case "path", "paths": return try pipe.adding(.path(closures))
        case "simplePath", "cyclicPath": return try pipe.adding(.simplePath(isKept: name == "simplePath"))
        case "back", "optional":
            let (before, inner) = try split(pipe, at: try first(arguments, name), name)
            return try pipe.with(before + [NamedStep(step: name == "back" ? .back(inner) : .optional(inner))])
        case "loop":
            let (before, inner) = try split(pipe, at: try first(arguments, name), name)
            guard let condition = closures.first else { throw fail("loop needs a closure that says whether to go on") }
            let emit = closures.count > 1 ? closures[1] : nil
            return try pipe.with(before + [NamedStep(step: .loop(inner, while: condition, emit: emit))])
        case "copySplit": return try pipe.adding(.branches(try pipes(arguments, name), isFair: false))
        case "fairMerge", "exhaustMerge":
            guard let last = pipe.steps.last, case .branches(let pipes, _) = last.step else {
                throw fail("\(name) must stand behind copySplit")
            }
            return try pipe.with(
                pipe.steps.dropLast() + [NamedStep(step: .branches(pipes, isFair: name == "fairMerge"), names: last.names)])
        case "and", "or": return try pipe.adding(.tests(try pipes(arguments, name), all: name == "and"))
        case "ifThenElse":
            guard closures.count == 3 else { throw fail("ifThenElse needs three closures") }
            return try pipe.adding(.ifThenElse(closures[0], closures[1], closures[2]))
        case "gather": return try pipe.adding(.gather(closures.first))
        case "scatter": return try pipe.adding(.scatter)
        case "order": return try pipe.adding(.order(closures.first))
        case "reverse": return try pipe.adding(.reverse)
        case "cap":
            guard let item = pipe.steps.last(where: { $0.step.sideEffect != nil })?.step.sideEffect else {
                throw fail("cap must stand behind a step that gathers something: table, groupCount, aggregate, …")
            }
            return try pipe.adding(.cap(item))
        default: return nil
        }
    }

    static func neighbours(_ name: String) -> Step.Neighbours? {
        switch name {
        case "out": .vertices(.outgoing)
        case "in": .vertices(.incoming)
        case "both": .vertices(.both)
        case "outE": .edges(.outgoing)
        case "inE": .edges(.incoming)
        case "bothE": .edges(.both)
        case "outV": .ends(.outgoing)
        case "inV": .ends(.incoming)
        case "bothV": .ends(.both)
        default: nil
        }
    }

    // MARK: Arguments

    func first(_ arguments: [Item], _ name: String) throws(GraphError) -> Item {
        guard let first = arguments.first else { throw fail("\(name) needs an argument") }
        return first
    }

    func closures(_ arguments: [Item]) -> [ClosureItem] {
        arguments.compactMap { if case .closure(let closure) = $0 { closure } else { nil } }
    }

    func closure(_ arguments: [Item], _ name: String) throws(GraphError) -> ClosureItem {
        guard case .closure(let closure)? = arguments.last else { throw fail("\(name) needs a closure: \(name){…}") }
        return closure
    }

    func listItem(_ item: Item) throws(GraphError) -> ListItem {
        if case .list(let list) = item { return list }
        return try ListItem(memory, try elements(item))
    }

    private func pipes(_ arguments: [Item], _ name: String) throws(GraphError) -> [Pipe] {
        var pipes: [Pipe] = []
        for argument in arguments {
            guard case .pipe(let pipe) = argument else {
                throw fail("\(name) needs pipes, as _().out('knows'), not \(argument.kindName)")
            }
            pipes.append(pipe)
        }
        if pipes.isEmpty { throw fail("\(name) needs pipes, as _().out('knows')") }
        return pipes
    }

    private func has(_ arguments: [Item], isNegated: Bool) throws(GraphError) -> Step {
        guard let key = arguments.first else { throw fail("has needs the name of a property") }
        for argument in arguments {
            if case .object(.comparison) = argument { continue }
            // Only what can be compared.
            _ = try ItemKey(argument)
        }
        switch arguments.count {
        case 1: return .has(key: key, .neq, .null, isNegated: isNegated)
        case 2: return .has(key: key, .eq, arguments[1], isNegated: isNegated)
        default:
            if case .object(.comparison(let comparison)) = arguments[1] {
                return .has(key: key, comparison, arguments[2], isNegated: isNegated)
            }
            if case .object(.comparison(let comparison)) = arguments[2] {
                return .has(key: key, comparison, arguments[1], isNegated: isNegated)
            }
            throw fail("has compares by one of T.eq, T.neq, T.gt, T.gte, T.lt, T.lte, T.in, T.notin")
        }
    }

    // MARK: Steps before

    private func naming(_ name: String, _ pipe: Pipe) throws(GraphError) -> Pipe {
        guard var last = pipe.steps.last else { return try pipe.with([NamedStep(step: .identity, names: [name])]) }
        last.names.append(name)
        return try pipe.with(pipe.steps.dropLast() + [last])
    }

    /// The steps of a pipe up to one that is named, or a number of steps before the end, and those behind it.
    private func split(
        _ pipe: Pipe, at mark: Item, _ name: String
    ) throws(GraphError) -> (before: [NamedStep], inner: [NamedStep]) {
        switch mark {
        case .integer(let count):
            guard count > 0, count <= pipe.steps.count else { throw fail("\(name)(\(count)): the pipe has \(pipe.steps.count) steps") }
            return (Array(pipe.steps.dropLast(Int(count))), Array(pipe.steps.suffix(Int(count))))
        case .string(let text):
            guard let index = pipe.steps.lastIndex(where: { $0.names.contains(text) }) else {
                throw fail("\(name)('\(text)'): no step has this name; give it one by as('\(text)')")
            }
            return (Array(pipe.steps[...index]), Array(pipe.steps[(index + 1)...]))
        default: throw fail("\(name) needs the name of a step, or a number of steps")
        }
    }
}
