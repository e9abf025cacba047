extension QueryGenerator {
    /// Clauses that change the graph. Nothing that was deleted stays in scope.
    mutating func writing(_ count: Int) -> [String] {
        var clauses: [String] = []
        for index in 0..<count {
            let isLast = index == count - 1
            switch number(0...11) {
            case 0, 1, 2: clauses.append(create())
            case 3, 4: clauses.append(merge())
            case 5...7 where !names(.node, .relationship).isEmpty: clauses.append(set())
            case 8 where !names(.node, .relationship).isEmpty: clauses.append(remove())
            case 9 where isLast && !names(.node, .relationship, .path).isEmpty: clauses.append(delete())
            case 10: clauses.append(chance(70) ? forEach() : writingSubquery())
            default: clauses.append(create())
            }
        }
        return clauses
    }

    private mutating func create() -> String {
        "CREATE " + pattern(PatternOptions(names: 60, properties: 35, hopMaximum: 2, undirected: 0, creates: true))
    }

    private mutating func literalMap() -> String {
        pick(["", " {x: \(number(0...3))}", " {s: '\(pick(["a", "b"]))'}", " {x: \(number(0...2)), b: true}"])
    }

    private mutating func merge() -> String {
        let before = scope
        let type = pick(Self.types)
        let bound = names(.node)
        var name: String?
        var text = "MERGE "
        if bound.isEmpty || chance(40) {
            name = freshName("n")
            scope.append((name ?? "", .node))
            text += "(\(name ?? ""):\(pick(Self.labels))\(literalMap()))"
        } else {
            name = freshName("r")
            let end = chance(60) ? pick(bound) : ":\(pick(Self.labels))\(literalMap())"
            let arrows = pick([("-", "->"), ("<-", "-"), ("-", "-")])
            text += "(\(pick(bound)))\(arrows.0)[\(name ?? ""):\(type)\(literalMap())]\(arrows.1)(\(end))"
            scope.append((name ?? "", .relationship))
            if chance(20) { text += "\(pick(["-[:U]->", "<-[:V]-"]))(:\(pick(Self.labels))\(literalMap()))" }
        }
        guard let name else { return text }
        let after = scope
        scope = before
        if chance(30) { text += " ON CREATE SET \(name).x = \(integer(1))" }
        if chance(30) { text += " ON MATCH SET \(name).s = \(string(1))" }
        scope = after
        return text
    }

    /// A subquery that only writes: every row stays as it is.
    private mutating func writingSubquery() -> String {
        let imports = scope.map(\.name)
        let outer = scope
        defer { scope = outer }
        let nodes = names(.node)
        let body =
            nodes.isEmpty || chance(30)
            ? "CREATE (:C {x: \(integer(1))})" : pick(["SET \(pick(nodes)).x = \(integer(1))", "MERGE (\(pick(nodes)))-[:V]->(:C {x: 1})"])
        return imports.isEmpty ? "CALL { \(body) }" : "CALL (\(imports.joined(separator: ", "))) { \(body) }"
    }

    private mutating func set() -> String {
        "SET " + (0..<pick([1, 1, 2])).map { _ in setItem() }.joined(separator: ", ")
    }

    private mutating func setItem() -> String {
        let nodes = names(.node)
        let target = pick(names(.node, .relationship))
        switch number(0...8) {
        case 0, 1, 2: return "\(target).x = \(integer(2))"
        case 3: return "\(target).s = \(string(1))"
        case 4: return "\(target).b = \(boolean(1))"
        case 5: return "\(target) += {x: \(integer(1)), y: \(float(0))}"
        case 6: return "\(target) = {x: \(integer(1)), s: \(string(0))}"
        case 7 where !nodes.isEmpty: return "\(pick(nodes)):\(pick(Self.labels))\(chance(30) ? ":D" : "")"
        default: return "\(target) += properties(\(pick(names(.node, .relationship))))"
        }
    }

    private mutating func remove() -> String {
        let nodes = names(.node)
        if !nodes.isEmpty, chance(40) { return "REMOVE \(pick(nodes)):\(pick(Self.labels))" }
        return "REMOVE \(pick(names(.node, .relationship))).\(pick(["x", "s", "b", "zz"]))"
    }

    private mutating func delete() -> String {
        let target = pick(names(.node, .relationship, .path, .relationships))
        scope = []
        return "\(chance(60) ? "DETACH " : "")DELETE \(target)"
    }

    private mutating func forEach() -> String {
        let element = freshName("e")
        let list = list(1)
        let before = scope
        scope.append((element, .integer))
        defer { scope = before }
        let nodes = names(.node)
        var body: [String] = []
        for _ in 0..<pick([1, 1, 2]) {
            switch number(0...3) {
            case 0 where !nodes.isEmpty: body.append("SET \(pick(nodes)).x = \(element)")
            case 1 where !nodes.isEmpty: body.append("CREATE (\(pick(nodes)))-[:V {x: \(element)}]->(:C {x: \(element)})")
            case 2: body.append("MERGE (:C {x: coalesce(\(element), 0)})")
            default: body.append("CREATE (:\(pick(Self.labels)) {x: \(integer(1))})")
            }
        }
        return "FOREACH (\(element) IN \(list) | \(body.joined(separator: " ")))"
    }
}
