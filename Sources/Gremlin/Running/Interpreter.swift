internal import GraphModel
internal import Storage

/// Runs a script within one transaction, on one thread.
final class Interpreter {
    let tree: ScriptTree
    let transaction: Transaction
    let memory: Memory
    /// Variables that no `def` declared, and parameters of the request.
    let globals: Environment
    private let functions: [String: ScriptTree.Function]
    private let check: (() throws(GraphError) -> Void)?
    /// What the script may load, by the address that it names.
    let documents: [String: [UInt8]]
    private var stepCount = 0
    private var stepsToCheck = Interpreter.checkInterval
    private var depth = 0
    /// Of the call under way, for messages.
    var place = Place()

    static let checkInterval = 4096
    /// Most steps of a script: of its parts that are evaluated, and of items that go through pipes.
    static let stepCountMaximum = 1 << 30
    /// Most parts of scripts, calls and steps of pipes that wait for each other.
    static let depthMaximum = 600
    /// Longest text, in bytes.
    static let textByteCountMaximum = 16 << 20

    init(
        _ tree: ScriptTree, in transaction: Transaction, _ memory: Memory, documents: [String: [UInt8]],
        check: (() throws(GraphError) -> Void)?
    ) throws(GraphError) {
        (self.tree, self.transaction, self.memory, self.check) = (tree, transaction, memory, check)
        self.documents = documents
        globals = try Environment(memory, in: nil)
        functions = Dictionary(tree.functions.map { ($0.name, $0) }) { _, last in last }
    }

    // MARK: Limits

    func fail(_ message: String) -> GraphError { .script(message, at: place) }

    /// Counts work; throws when there is too much of it, or when the request is over.
    func step(_ count: Int = 1) throws(GraphError) {
        stepsToCheck -= count
        if stepsToCheck > 0 { return }
        stepCount += Self.checkInterval - stepsToCheck
        stepsToCheck = Self.checkInterval
        try check?()
        if stepCount > Self.stepCountMaximum {
            throw GraphError(.executionLimit, "the script was ended after \(Self.stepCountMaximum) steps: it may never end by itself")
        }
    }

    /// Runs something that may call what calls it.
    func deeper<R>(by count: Int = 1, _ body: () throws(GraphError) -> R) throws(GraphError) -> R {
        depth += count
        defer { depth -= count }
        if depth > Self.depthMaximum {
            throw fail("more than \(Self.depthMaximum) parts of it wait for each other: does a function call itself too often?")
        }
        return try body()
    }

    /// Text that is not too long.
    func limited(_ text: String) throws(GraphError) -> Item {
        if text.utf8.count > Self.textByteCountMaximum {
            throw GraphError(.queryMemory, "the script makes a text of more than \(Self.textByteCountMaximum) bytes")
        }
        try step(text.utf8.count / 64)
        return .string(text)
    }

    // MARK: Statements

    /// How a statement ends.
    enum Flow {
        case value(Item)
        case returned(Item)
        case broken
        case continued
    }

    func execute(_ part: ScriptTree.Index, _ scope: Environment) throws(GraphError) -> Flow {
        try step()
        return try deeper { () throws(GraphError) in
            switch tree.parts[part] {
            case .block(let statements): return try executeBlock(statements, scope)
            case .ifElse(let condition, let then, let otherwise):
                if try evaluate(condition, scope).isTrue() { return try execute(then, scope) }
                if let otherwise { return try execute(otherwise, scope) }
                return .value(.null)
            case .whileLoop(let condition, let body): return try executeLoop(nil, condition, nil, body, scope)
            case .forLoop(let first, let condition, let step, let body):
                return try executeLoop(first, condition, step, body, scope)
            case .forIn(let name, let elements, let body): return try executeForIn(name, elements, body, scope)
            case .tryCatch(let body, let handler, let finally): return try executeTry(body, handler, finally, scope)
            case .returning(let value):
                if let value { return .returned(try evaluate(value, scope)) }
                return .returned(.null)
            case .throwing(let value):
                place = tree.places[part]
                throw try error(from: try evaluate(value, scope))
            case .breaking: return .broken
            case .continuing: return .continued
            case .declare(let names, let value):
                try declare(names, try value.map { value throws(GraphError) in try evaluate(value, scope) } ?? .null, scope)
                return .value(.null)
            case .nothing: return .value(.null)
            default: return .value(try evaluate(part, scope))
            }
        }
    }

    private func executeBlock(_ statements: [ScriptTree.Index], _ scope: Environment) throws(GraphError) -> Flow {
        var last = Item.null
        for statement in statements {
            switch try execute(statement, scope) {
            case .value(let value):
                // Imports and functions have no value.
                if case .nothing = tree.parts[statement] { continue }
                last = value
            case let other: return other
            }
        }
        return .value(last)
    }

    private func executeLoop(
        _ first: ScriptTree.Index?, _ condition: ScriptTree.Index?, _ step: ScriptTree.Index?, _ body: ScriptTree.Index,
        _ scope: Environment
    ) throws(GraphError) -> Flow {
        if let first { _ = try execute(first, scope) }
        while try condition.map({ condition throws(GraphError) in try evaluate(condition, scope).isTrue() }) ?? true {
            switch try execute(body, scope) {
            case .value, .continued: break
            case .broken: return .value(.null)
            case .returned(let value): return .returned(value)
            }
            if let step { _ = try evaluate(step, scope) }
            try self.step()
        }
        return .value(.null)
    }

    private func executeForIn(
        _ name: String, _ elements: ScriptTree.Index, _ body: ScriptTree.Index, _ scope: Environment
    ) throws(GraphError) -> Flow {
        let elements = try evaluate(elements, scope)
        var result: Flow?
        try forEach(elements) { item throws(GraphError) in
            // Closures in the body keep the variable as it is.
            let inner = try Environment(memory, in: scope)
            try inner.declare(name, item)
            switch try execute(body, inner) {
            case .value, .continued: return true
            case .broken:
                result = .value(.null)
                return false
            case .returned(let value):
                result = .returned(value)
                return false
            }
        }
        return result ?? .value(.null)
    }

    private func executeTry(
        _ body: ScriptTree.Index, _ handler: ScriptTree.Catch?, _ finally: ScriptTree.Index?, _ scope: Environment
    ) throws(GraphError) -> Flow {
        var flow: Flow
        var uncaught: GraphError?
        do throws(GraphError) { flow = try execute(body, scope) } catch {
            (flow, uncaught) = (.value(.null), error)
            if let handler, isCatchable(error) {
                uncaught = nil
                let inner = try Environment(memory, in: scope)
                try inner.declare(handler.name, .object(.error(error)))
                do throws(GraphError) { flow = try execute(handler.body, inner) } catch { uncaught = error }
            }
        }
        if let finally {
            switch try execute(finally, scope) {
            case .value: break
            case let other: return other
            }
        }
        if let uncaught { throw uncaught }
        return flow
    }

    /// Whether a script may go on after an error: not after one that ends its time, its memory, or its transaction.
    private func isCatchable(_ error: GraphError) -> Bool {
        let never: [ErrorCode] = [
            .executionLimit, .queryMemory, .transactionTooLarge, .readOnly, .transactionClosed, .transactionFailed,
            .transactionConfined,
        ]
        return (400..<500).contains(error.code.httpStatus) && !error.isRetryable && !never.contains(error.code)
            && transaction.failure == nil
    }

    func error(from item: Item) throws(GraphError) -> GraphError {
        switch item {
        case .object(.error(let error)): return error
        case .string(let text): return fail(text)
        default: throw fail("\(item.kindName) cannot be thrown")
        }
    }

    private func declare(_ names: [String], _ value: Item, _ scope: Environment) throws(GraphError) {
        if names.count == 1 { return try scope.declare(names[0], value) }
        for (index, name) in names.enumerated() { try scope.declare(name, try value.element(index)) }
    }

    // MARK: Calls

    /// Runs a closure. A list is taken apart for several parameters.
    func call(_ closure: ClosureItem, _ arguments: [Item]) throws(GraphError) -> Item {
        let scope = try Environment(memory, in: closure.environment)
        if let parameters = closure.parameters {
            var arguments = arguments
            if parameters.count > 1, arguments.count == 1, case .list(let list) = arguments[0] { arguments = list.elements }
            for (index, name) in parameters.enumerated() {
                try scope.declare(name, index < arguments.count ? arguments[index] : .null)
            }
        } else {
            try scope.declare("it", arguments.first ?? .null)
        }
        return try run(closure.body, scope)
    }

    func run(_ body: ScriptTree.Index, _ scope: Environment) throws(GraphError) -> Item {
        switch try execute(body, scope) {
        case .value(let value), .returned(let value): return value
        case .broken, .continued: return .null
        }
    }

    /// A function of the script; nil when there is none of the name.
    func callFunction(_ name: String, _ arguments: [Item]) throws(GraphError) -> Item? {
        guard let function = functions[name] else { return nil }
        guard arguments.count <= function.parameters.count else {
            throw fail("\(name) takes \(function.parameters.count) arguments, not \(arguments.count)")
        }
        let scope = try Environment(memory, in: globals)
        for (index, parameter) in function.parameters.enumerated() {
            if index < arguments.count {
                try scope.declare(parameter.name, arguments[index])
            } else if let value = parameter.defaultValue {
                try scope.declare(parameter.name, try evaluate(value, scope))
            } else {
                throw fail("\(name) needs its argument \"\(parameter.name)\"")
            }
        }
        return try run(function.body, scope)
    }

    // MARK: Elements

    /// What a loop goes over; `body` returns whether it wants more. A map gives its entries, a text its characters, anything
    /// else itself.
    func forEach(_ item: Item, _ body: (Item) throws(GraphError) -> Bool) throws(GraphError) {
        switch item {
        case .null: return
        case .list(let list):
            var index = 0
            // It may grow meanwhile.
            while index < list.elements.count, try body(list.elements[index]) {
                index += 1
                try step()
            }
        case .range:
            let count = item.elementCount ?? 0
            var index = 0
            while index < count, try body(try item.element(index)) {
                index += 1
                try step()
            }
        case .map(let map):
            for (key, value) in map.all {
                try step()
                guard try body(.object(.entry(EntryItem(memory, key, value)))) else { return }
            }
        case .pipe(let pipe):
            while let traveller = try next(pipe) { guard try body(traveller.item) else { return } }
        case .table(let table):
            for row in table.rows { guard try body(.list(try ListItem(memory, row))) else { return } }
        case .string(let text):
            for character in text { guard try body(.string(String(character))) else { return } }
        default: _ = try body(item)
        }
    }

    func next(_ pipe: Pipe) throws(GraphError) -> Traveller? {
        try deeper(by: pipe.depth + 1) { () throws(GraphError) in
            try step()
            return try pipe.next(self)
        }
    }

    /// All elements, for what needs them at once.
    func elements(_ item: Item) throws(GraphError) -> [Item] {
        if case .list(let list) = item { return list.elements }
        var items: [Item] = []
        var count = 0
        try forEach(item) { element throws(GraphError) in
            items.append(element)
            count += 40 + element.byteCount
            try memory.take(40 + element.byteCount)
            return true
        }
        memory.give(count)
        return items
    }

    /// Arguments, those in lists too.
    func flattened(_ arguments: [Item]) throws(GraphError) -> [Item] {
        var items: [Item] = []
        for argument in arguments {
            if argument.elementCount == nil { items.append(argument) } else { items += try elements(argument) }
        }
        return items
    }

    func list(_ items: [Item]) throws(GraphError) -> Item { .list(try ListItem(memory, items)) }
}
