extension QueryGenerator {
    /// The clauses of a query of openCypher.
    mutating func query(writes: Bool) -> [String] {
        scope = []
        mayUseIDs = !writes
        if !writes, chance(8) {
            return [body(returning: "c"), "UNION \(chance(50) ? "ALL " : "")\(body(returning: "c"))"]
        }
        var clauses = reading(number((writes ? 0 : 1)...2))
        if writes {
            clauses += writing(number(1...2))
            if chance(40) { return clauses }
            if chance(40) {
                clauses.append(with(isPlain: true))
                clauses += reading(1)
            }
        }
        return clauses + [returning()]
    }

    /// A whole query with one column.
    private mutating func body(returning name: String) -> String {
        scope = []
        let clauses = reading(1)
        return clauses.joined(separator: " ") + " RETURN \(chance(30) ? "DISTINCT " : "")\(any(1)) AS \(name)"
    }

    // MARK: Reading

    mutating func reading(_ count: Int) -> [String] {
        var clauses: [String] = []
        for index in 0..<count {
            switch number(0...11) {
            case 0...1 where index > 0: clauses.append(optionalMatch())
            case 2: clauses.append(unwind())
            case 3...4 where index > 0: clauses.append(with(isPlain: false))
            case 5 where index > 0: clauses.append(subquery())
            case 6: clauses += chance(50) ? shortest() : collected()
            default: clauses.append(match())
            }
        }
        return clauses
    }

    private mutating func condition() -> String {
        guard chance(42) else { return "" }
        let text = boolean(pick([1, 1, 2]))
        guard chance(20), let name = names(.node).last else { return " WHERE \(text)" }
        let pattern = subpattern(from: name)
        return " WHERE \(text) \(pick(["AND", "AND NOT", "OR"])) \(pattern)"
    }

    mutating func match() -> String {
        let text = "MATCH " + pattern()
        return text + condition()
    }

    private mutating func optionalMatch() -> String {
        let text = "OPTIONAL MATCH " + pattern()
        return text + condition()
    }

    private mutating func unwind() -> String {
        let isMixed = chance(20)
        let list = isMixed ? "[\(any(0)), \(any(0)), \(any(1))]" : list(1)
        return "UNWIND \(list) AS \(declare("u", isMixed ? .any : .integer))"
    }

    /// Nodes or relationships that go through a list, and are values of no known kind for a while.
    private mutating func collected() -> [String] {
        let entities = names(.node, .relationship)
        guard let name = entities.last, let kind = scope.last(where: { $0.name == name })?.kind else { return [match()] }
        let (list, element) = (freshName("v"), freshName(kind == .node ? "n" : "r"))
        let key = scope.first { $0.kind == .node && $0.name != name }
        scope = (key.map { [$0] } ?? [])
        let kept = key.map { "\($0.name), " } ?? ""
        scope.append((element, kind))
        return ["WITH \(kept)collect(\(chance(40) ? "DISTINCT " : "")\(name)) AS \(list)", "UNWIND \(list) AS \(element)"]
            + (chance(60) ? [match()] : [])
    }

    private mutating func shortest() -> [String] {
        let (a, b, p) = (freshName("n"), freshName("n"), freshName("p"))
        let function = pick(["shortestPath", "allShortestPaths"])
        let relationship = pick(["-[*]->", "-[:T*]->", "-[*..2]-", "-[:T|U*..3]-", "<-[*..3]-"])
        let optional = chance(30) ? "OPTIONAL " : ""
        let clauses = [
            "MATCH (\(a)\(pick(["", ":A"]))), (\(b)\(pick(["", ":B"]))) WHERE \(a) <> \(b)",
            "\(optional)MATCH \(p) = \(function)((\(a))\(relationship)(\(b)))",
        ]
        scope += [(a, .node), (b, .node)]
        // Which one of several shortest paths is open; how long it is is not.
        if function == "shortestPath" {
            let length = freshName("u")
            let kept = scope.map(\.name).joined(separator: ", ")
            scope.append((length, .integer))
            return clauses + ["WITH \(kept), length(\(p)) AS \(length)"]
        }
        scope.append((p, .path))
        return clauses
    }

    private mutating func subquery() -> String {
        let outer = scope
        let (imports, name) = (scope.map(\.name), freshName("u"))
        let isOld = chance(40)
        var clauses: [String] = isOld && !imports.isEmpty ? ["WITH \(imports.joined(separator: ", "))"] : []
        if imports.isEmpty || chance(70) { clauses.append(match()) }
        let imported = isOld && !imports.isEmpty ? clauses[0] + " " : ""
        clauses.append("RETURN \(pick([integer(1), "count(*)", string(0), "max(\(integer(1)))"])) AS \(name)")
        if chance(25) { clauses.append("UNION \(chance(50) ? "ALL " : "")\(imported)RETURN \(number(0...2)) AS \(name)") }
        scope = outer
        scope.append((name, .any))
        return isOld || imports.isEmpty
            ? "CALL { \(clauses.joined(separator: " ")) }"
            : "CALL (\(imports.joined(separator: ", "))) { \(clauses.joined(separator: " ")) }"
    }

    // MARK: WITH, RETURN

    /// WITH: some variables as they are, some values under new names, sometimes grouped, distinct, sorted or cut.
    mutating func with(isPlain: Bool) -> String {
        let kept = scope.filter { _ in chance(70) }
        var items = kept.map(\.name)
        var next = kept
        let isGrouped = !isPlain && chance(35)
        for _ in 0..<number((items.isEmpty ? 1 : 0)...2) {
            let (expression, kind): (String, Kind) =
                isGrouped && chance(70)
                ? aggregate() : pick([(integer(1), .integer), (string(1), .string), (boolean(1), .boolean), (list(1), .list), (any(1), .any)])
            let name = freshName("v")
            items.append("\(expression) AS \(name)")
            next.append((name, kind))
        }
        scope = next
        var text = "WITH \(chance(25) && !isPlain ? "DISTINCT " : "")\(items.joined(separator: ", "))"
        if !isPlain, chance(6) { text += " LIMIT \(number(1...3))" } else if !isPlain, chance(25) {
            // Sorted by everything: what is cut off does not depend on the order of rows.
            text += " ORDER BY \(next.map { $0.name + (chance(30) ? " DESC" : "") }.joined(separator: ", "))"
            if chance(40) { text += " SKIP \(number(0...2))" }
            if chance(70) { text += " LIMIT \(number(0...4))" }
        }
        return isPlain ? text : text + condition()
    }

    private mutating func aggregate() -> (String, Kind) {
        let distinct = chance(30) ? "DISTINCT " : ""
        switch number(0...8) {
        case 0, 1: return ("count(*)", .integer)
        case 2: return ("count(\(distinct)\(any(1)))", .integer)
        case 3: return ("sum(\(distinct)\(integer(1)))", .integer)
        case 4: return ("avg(\(distinct)\(float(1)))", .float)
        case 5: return ("\(pick(["min", "max"]))(\(integer(1)))", .integer)
        case 6: return ("\(pick(["min", "max"]))(\(any(1)))", .any)
        case 7: return ("size(collect(\(distinct)\(any(1))))", .integer)
        default: return ("count(\(distinct)\(integer(1))) + \(number(0...2))", .integer)
        }
    }

    mutating func returning() -> String {
        if chance(8), !scope.isEmpty { return "RETURN *" }
        let isGrouped = chance(30)
        var items: [(text: String, name: String)] = []
        for name in scope.map(\.name).shuffled(using: &random).prefix(number((isGrouped ? 0 : 1)...2)) { items.append((name, name)) }
        for _ in 0..<number((items.isEmpty ? 1 : 0)...2) {
            let name = freshName("c")
            let collected = isGrouped && chance(12) ? "collect(\(chance(40) ? "DISTINCT " : "")\(any(1)))" : nil
            let text = isGrouped && chance(70) ? collected ?? aggregate().0 : any(2)
            items.append(("\(text) AS \(name)", name))
        }
        let isDistinct = chance(20)
        var text = "RETURN \(isDistinct ? "DISTINCT " : "")\(items.map(\.text).joined(separator: ", "))"
        if chance(35) {
            var keys = items.map(\.name).shuffled(using: &random).prefix(number(1...2)).map { $0 }
            if !isGrouped, !isDistinct, !scope.isEmpty, chance(40) { keys.append(integer(1)) }
            text += " ORDER BY \(keys.map { $0 + pick(["", "", " DESC", " ASC"]) }.joined(separator: ", "))"
        }
        if chance(15) { text += " SKIP \(number(0...3))" }
        if chance(20) { text += " LIMIT \(pick(["0", "1", "2", "3", "5", "$one"]))" }
        return text
    }
}
