import GraphModel
import TestSupport

/// Random query texts over a small schema: labels A, B, C; types T, U, V; properties x (integers), y (floats with one
/// half), s (strings), b (booleans), l (lists of integers), m (anything). Valid, typed so that errors are rare, and
/// weighted so that most give rows.
struct QueryGenerator {
    enum Kind: CaseIterable {
        case node, relationship, path, relationships, integer, float, string, boolean, list, any
    }

    var random: SeededGenerator
    /// The variables in scope.
    var scope: [(name: String, kind: Kind)] = []
    private var nameCount = 0
    /// Relationships of before that may stand in the pattern: each once, a name twice is an error.
    private var reusable: [String] = []
    /// Whether the ids of nodes may be asked for: those of new ones differ from graph to graph.
    var mayUseIDs = true

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    // MARK: Chance

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    mutating func pick<T>(_ choices: [T]) -> T { choices[Int.random(in: 0..<choices.count, using: &random)] }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    mutating func freshName(_ prefix: String) -> String {
        nameCount += 1
        return "\(prefix)\(nameCount)"
    }

    mutating func declare(_ prefix: String, _ kind: Kind) -> String {
        let name = freshName(prefix)
        scope.append((name, kind))
        return name
    }

    func names(_ kinds: Kind...) -> [String] { scope.filter { kinds.contains($0.kind) }.map(\.name) }

    // MARK: Graphs

    static let labels = ["A", "B", "C"]
    static let types = ["T", "U", "V"]

    /// Self loops, parallel relationships, several components, no nodes at all: everything comes up.
    mutating func graph() -> ReferenceGraph {
        var graph = ReferenceGraph()
        let nodeCount = chance(15) ? number(0...2) : number(3...8)
        for id in 0..<nodeCount {
            var node = ReferenceGraph.Node(properties: properties())
            for label in Self.labels where chance(label == "A" ? 70 : 45) { node.labels.insert(label) }
            graph.nodes[UInt64(id)] = node
        }
        if nodeCount == 0 { return graph }
        let fewest = chance(20) ? 0 : nodeCount
        for id in 0..<number(fewest...min(13, nodeCount * 2)) {
            graph.relationships[UInt64(id)] = ReferenceGraph.Relationship(
                type: pick(["T", "T", "T", "U", "U", "V"]), start: UInt64(number(0...nodeCount - 1)),
                end: UInt64(number(0...nodeCount - 1)), properties: properties())
        }
        return graph
    }

    private mutating func properties() -> [String: Value] {
        var result: [String: Value] = [:]
        if chance(75) { result["x"] = .integer(Int64(number(0...3))) }
        if chance(40) { result["y"] = .float(Double(number(-2...3)) + 0.5) }
        if chance(50) { result["s"] = .string(pick(["", "a", "ab", "abc", "b", "B", "é"])) }
        if chance(40) { result["b"] = .boolean(chance(50)) }
        if chance(30) { result["l"] = .list((0..<number(0...3)).map { _ in .integer(Int64(number(0...3))) }) }
        if chance(40) {
            result["m"] = pick([
                .integer(1), .float(1.5), .string("a"), .boolean(true), .float(.nan), .integer(0), .list([.integer(1)]),
            ])
        }
        return result
    }

    // MARK: Patterns

    /// What a pattern may hold.
    struct PatternOptions {
        var names = 70
        var labels = 20
        var properties = 7
        var lengths = 12
        var hopMaximum = 3
        /// Percentage of relationships without a direction.
        var undirected = 25
        /// Relationships of exactly one type and nodes as they are, for CREATE and MERGE.
        var creates = false
    }

    mutating func pattern(_ options: PatternOptions = PatternOptions()) -> String {
        reusable = options.creates ? [] : names(.relationship)
        var parts = [chain(options)]
        if !options.creates, chance(15) { parts.append(chain(options)) }
        return parts.joined(separator: ", ")
    }

    mutating func chain(_ options: PatternOptions) -> String {
        var options = options
        let isNamed = chance(12)
        // In the same pattern, a map reads only what was bound before it.
        let before = scope
        var added: [(name: String, kind: Kind)] = []
        func keep(_ generator: inout QueryGenerator) {
            added += generator.scope.suffix(from: before.count)
            generator.scope = before
        }
        var text = ""
        let hopCount = pick([0, 1, 1, 1, 1, 2, 2, 3].filter { $0 <= options.hopMaximum })
        var inside: [String] = []
        text += node(options, inside, isAlone: hopCount == 0)
        keep(&self)
        inside += added.filter { $0.kind == .node }.map(\.name)
        for _ in 0..<hopCount {
            text += relationship(options)
            keep(&self)
            text += node(options, inside, isAlone: false)
            keep(&self)
            options.lengths /= 2
        }
        scope += added
        if isNamed, hopCount > 0 || !options.creates { text = "\(declare("p", .path)) = \(text)" }
        return text
    }

    private mutating func node(_ options: PatternOptions, _ inside: [String], isAlone: Bool) -> String {
        let mustBeNew = isAlone && options.creates
        if !inside.isEmpty, chance(7) { return "(\(pick(inside)))" }
        let bound = names(.node)
        if !bound.isEmpty, !mustBeNew, chance(options.creates ? 60 : 35) {
            let name = pick(bound)
            return options.creates || !chance(options.labels / 2) ? "(\(name))" : "(\(name):\(pick(Self.labels)))"
        }
        let map = chance(options.creates ? 50 : options.properties) ? " " + propertyMap() : ""
        var labels = chance(options.creates ? 60 : options.labels) ? ":\(pick(["A", "A", "B", "C"]))" : ""
        if !labels.isEmpty, chance(12) { labels += ":\(pick(Self.labels))" }
        let name = chance(options.names) ? declare("n", .node) : ""
        return "(\(name)\(labels)\(map))"
    }

    private mutating func relationship(_ options: PatternOptions) -> String {
        var inner = ""
        let length =
            chance(options.lengths) && !options.creates
            ? pick(["*", "*1..2", "*2", "*0..1", "*..2", "*2..3", "*0..", "*0..2"]) : ""
        var types = chance(40) || options.creates ? ":\(pick(["T", "T", "T", "U", "V"]))" : ""
        if !options.creates, !types.isEmpty, chance(20) { types += "|\(pick(Self.types))" }
        let map = chance(options.properties) ? " " + propertyMap() : ""
        if length.isEmpty, !reusable.isEmpty, chance(6) {
            let name = reusable.removeLast()
            return pick(["-[\(name)]->", "-[\(name)]-", "<-[\(name)]-"])
        }
        let name = chance(40) ? declare("r", length.isEmpty ? .relationship : .relationships) : ""
        inner = name + types + length + map
        let middle = inner.isEmpty && chance(50) ? "-" : "-[\(inner)]-"
        if chance(options.undirected) { return middle == "-" ? "--" : middle }
        let isOut = chance(60)
        if middle == "-" { return isOut ? "-->" : "<--" }
        return isOut ? middle + ">" : "<" + middle
    }

    mutating func propertyMap() -> String {
        var entries: [String] = []
        for key in ["x", "s", "b", "y"].shuffled(using: &random).prefix(chance(20) ? 2 : 1) {
            let value: String
            switch key {
            case "x": value = integer(0)
            case "s": value = string(0)
            case "b": value = boolean(0)
            default: value = float(0)
            }
            entries.append("\(key): \(value)")
        }
        return "{\(entries.joined(separator: ", "))}"
    }
}
