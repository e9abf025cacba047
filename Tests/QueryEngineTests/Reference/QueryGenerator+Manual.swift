// The manual's language.
extension QueryGenerator {
    mutating func manualQuery(writes: Bool) -> [String] {
        scope = []
        mayUseIDs = !writes
        var clauses = [start()]
        if chance(80) { clauses.append(manualMatch() + manualWhere()) } else { clauses[0] += manualWhere() }
        if chance(20) { clauses += [manualWith()] + (chance(60) && !names(.node).isEmpty ? [manualMatch()] : []) }
        if writes {
            for _ in 0..<pick([1, 1, 2]) {
                let update = manualUpdate()
                clauses.append(update)
                if update.hasPrefix("DELETE"), !update.contains(".") { return clauses }
            }
            if chance(50) { return clauses }
        }
        return clauses + [manualReturn()]
    }

    private mutating func start() -> String {
        var items = ["\(declare("n", .node))=node(\(pick(["*", "*", "*", "0", "0, 1", "1, 0, 1", "2"])))"]
        if chance(25) { items.append("\(declare("n", .node))=node(\(pick(["*", "1", "0"])))") }
        if chance(15) { items.append("\(declare("r", .relationship))=rel(\(pick(["*", "0"])))") }
        return "START " + items.joined(separator: ", ")
    }

    private mutating func manualMatch() -> String {
        var parts: [String] = []
        // A pattern with several optional relationships between known nodes is not offered by the language.
        var mayJoin = true
        for _ in 0..<pick([1, 1, 1, 2]) {
            var text = pick(names(.node))
            let path = chance(10) ? declare("p", .path) : nil
            for _ in 0..<pick([1, 1, 2, 2, 3]) {
                let isOptional = chance(25)
                let types = chance(55) ? ":\(pick(["T", "T", "U", "V"]))" : ""
                let name = chance(50) || path != nil ? declare("r", .relationship) : ""
                let length = name.isEmpty && !isOptional && chance(8) ? pick(["*1..2", "*0..1", "*2"]) : ""
                let inner = name + (isOptional ? "?" : "") + types + length
                let arrows = pick([("-", "->"), ("<-", "-"), ("-", "-")])
                let known = names(.node)
                let isKnown = mayJoin && !isOptional && chance(15)
                let end = isKnown ? pick(known) : declare("n", .node)
                if isOptional { mayJoin = false }
                text += inner.isEmpty ? "\(arrows.0)\(arrows.1)\(end)" : "\(arrows.0)[\(inner)]\(arrows.1)\(end)"
            }
            parts.append(path.map { "\($0) = \(text)" } ?? text)
        }
        return "MATCH " + parts.joined(separator: ", ")
    }

    private mutating func manualWhere() -> String { chance(45) ? " WHERE \(manualCondition(pick([0, 1, 1])))" : "" }

    private mutating func manualCondition(_ depth: Int) -> String {
        if depth > 0, chance(50) {
            return pick([
                "\(manualCondition(depth - 1)) AND \(manualCondition(depth - 1))",
                "(\(manualCondition(depth - 1)) OR \(manualCondition(depth - 1)))", "NOT(\(manualCondition(depth - 1)))",
            ])
        }
        let node = pick(names(.node))
        let comparison = pick(["=", "<>", "<", "<=", ">", ">="])
        let entity = pick(names(.node, .relationship))
        switch number(0...9) {
        case 0, 1: return "\(entity).x\(pick(["!", "?"])) \(comparison) \(number(0...3))"
        case 2: return "has(\(entity).\(pick(["x", "s", "b"]))) AND \(entity).x \(comparison) \(number(0...3))"
        case 3: return "has(\(entity).\(pick(["x", "s", "y"])))"
        case 4: return "\(entity).s\(pick(["!", "?"])) \(pick(["=", "<>", "=~"])) '\(pick(["a", "a.*", "b"]))'"
        case 5: return "\(entity) is \(pick(["", "not "]))null"
        case 6: return "\(node)\(pick(["-->", "-[:T]->", "<-[:T|U]-", "--"]))()"
        case 7: return "\(node) \(pick(["=", "<>"])) \(pick(names(.node)))"
        case 8: return "\(entity).x\(pick(["", "", "!"])) \(comparison) \(number(0...3))"
        default: return "\(entity).x! IN [\(number(0...3)), \(number(0...3))]"
        }
    }

    private mutating func manualValue() -> String {
        let entity = pick(names(.node, .relationship))
        return pick([
            "\(entity).x?", "\(entity).s?", "\(entity)", mayUseIDs ? "id(\(entity))" : "\(entity).x?", "coalesce(\(entity).x?, \(number(0...3)))",
            "\(entity).x", "length(\(pick(names(.node)))-->())", "[\(entity).x?, \(number(0...3))]",
        ])
    }

    private mutating func manualAggregate() -> String {
        let entity = pick(names(.node, .relationship))
        return pick([
            "count(*)", "count(\(entity))", "count(distinct \(entity).x?)", "sum(\(entity).x?)", "min(\(entity).x?)",
            "max(\(entity).x?)", "avg(\(entity).x?)", "length(collect(\(entity)))",
        ])
    }

    private mutating func manualWith() -> String {
        let kept = scope.filter { $0.kind == .node }.prefix(number(1...2)).map { $0 }
        var text = "WITH \(chance(25) ? "DISTINCT " : "")" + kept.map(\.name).joined(separator: ", ")
        let name = freshName("v")
        let isGrouped = chance(50)
        text += ", \(isGrouped ? manualAggregate() : "id(\(kept[0].name))") AS \(name)"
        scope = kept
        if chance(40) { text += " WHERE \(isGrouped ? "\(name) >= 0 AND " : "")\(manualCondition(0))" }
        return text
    }

    private mutating func manualReturn() -> String {
        if names(.node).isEmpty { return "RETURN count(*)" }
        let isGrouped = chance(30)
        var items = (0..<number(1...2)).map { _ in manualValue() }
        if isGrouped { items.append(manualAggregate()) }
        let aliased = items.enumerated().map { "\($0.element) AS c\($0.offset)" }
        var text = "RETURN \(chance(15) ? "DISTINCT " : "")\(aliased.joined(separator: ", "))"
        let sortable = items.indices.filter { items[$0].contains("x?") || items[$0].contains("id(") || items[$0] == "count(*)" }
        if chance(25), !sortable.isEmpty { text += " ORDER BY c\(pick(Array(sortable)))\(pick(["", " DESC"]))" }
        if chance(15) { text += " SKIP \(number(0...2))" }
        if chance(15) { text += " LIMIT \(number(0...3))" }
        return text
    }

    private mutating func manualUpdate() -> String {
        let node = pick(names(.node))
        let entity = pick(names(.node, .relationship))
        let map = pick(["", " {x: \(number(0...2))}", " {s: 'a'}"])
        switch number(0...8) {
        case 0: return "SET \(entity).x = \(number(0...3))"
        case 1: return "SET \(entity).s = 'new', \(entity).x = coalesce(\(entity).x?, 0) + 1"
        case 2: return "CREATE (\(declare("n", .node)) {x: \(number(0...3))})"
        case 3: return "CREATE \(node)-[:\(pick(Self.types))\(map)]->(\(declare("n", .node))\(map))"
        case 4: return "CREATE UNIQUE \(node)\(pick(["-[:T\(map)]->", "<-[:U]-", "-[:V]-"]))\(pick(names(.node)))"
        case 5:
            let relationship = pick(["-[:T]->", "<-[:U\(map)]-", "-[:V]->"])
            return "CREATE UNIQUE \(node)\(relationship)(\(declare("n", .node))\(map))"
        case 6: return "DELETE \(entity).\(pick(["x", "s"]))"
        case 7:
            let element = freshName("e")
            return "FOREACH(\(element) in [\(number(0...3)), \(number(0...3))] : SET \(node).x = \(element) CREATE \(node)-[:T {x: \(element)}]->())"
        default:
            let targets = names(.relationship)
            return "DELETE \(targets.isEmpty ? node : pick(targets))"
        }
    }
}
