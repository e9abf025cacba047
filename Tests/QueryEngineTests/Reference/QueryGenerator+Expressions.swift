// Expressions of a wanted kind, which may also turn out null.
extension QueryGenerator {
    mutating func integer(_ depth: Int) -> String {
        var choices = [{ (g: inout Self) in "\(g.number(-1...4))" }, { g in "$one" }]
        for name in names(.integer) { choices += [{ _ in name }, { _ in name }] }
        for name in names(.node, .relationship) { choices += [{ _ in "\(name).x" }, { _ in "\(name).x" }] }
        if chance(4) { return "null" }
        guard depth > 0 else { return pick(choices)(&self) }
        choices += [
            { g in "\(g.integer(depth - 1)) + \(g.integer(depth - 1))" },
            { g in "(\(g.integer(depth - 1)) \(g.pick(["-", "*", "+"])) \(g.integer(depth - 1)))" },
            { g in "(\(g.integer(depth - 1)) \(g.pick(["/", "%"])) \(g.number(1...3)))" },
            { g in "-\(g.integer(0))".replacing("--", with: "- -") },
            { g in "size(\(g.list(depth - 1)))" }, { g in "size(\(g.string(depth - 1)))" },
            { g in "abs(\(g.integer(depth - 1)))" }, { g in "sign(\(g.integer(depth - 1)))" },
            { g in "coalesce(\(g.integer(depth - 1)), \(g.integer(depth - 1)))" },
            { g in "CASE WHEN \(g.boolean(depth - 1)) THEN \(g.integer(depth - 1)) ELSE \(g.integer(depth - 1)) END" },
            { g in "CASE \(g.integer(depth - 1)) WHEN \(g.integer(0)) THEN \(g.integer(0)) END" },
            { g in "head(\(g.list(depth - 1)))" }, { g in "last(\(g.list(depth - 1)))" },
            { g in "\(g.listAtom())[\(g.integer(0))]" },
            { g in "toInteger(\(g.string(0)))" }, { g in "toInteger(\(g.float(depth - 1)))" },
            { g in
                let (total, element) = (g.freshName("t"), g.freshName("e"))
                return "reduce(\(total) = \(g.integer(0)), \(element) IN \(g.list(depth - 1)) | \(total) + \(element))"
            },
            { g in "nullIf(\(g.integer(0)), \(g.integer(0)))" },
        ]
        for name in names(.node) {
            if mayUseIDs { choices.append { _ in "id(\(name))" } }
            choices += [{ _ in "size(labels(\(name)))" }, { _ in "size(keys(\(name)))" },
                { _ in "\(name)['x']" }, { _ in "properties(\(name)).x" }]
            choices.append { g in "COUNT { \(g.subpattern(from: name)) }" }
            choices.append { g in "size([\(g.subpattern(from: name)) | 1])" }
            choices.append { g in
                let end = g.freshName("e")
                g.scope.append((end, .node))
                defer { g.scope.removeLast() }
                return "COUNT { MATCH (\(name))\(g.pick(["-->", "--", "<-[:T]-"]))(\(end)) WHERE \(g.boolean(depth - 1)) RETURN DISTINCT \(end).x }"
            }
        }
        for name in names(.relationship) {
            if mayUseIDs { choices.append { _ in "id(\(name))" } }
            choices.append { _ in "startNode(\(name)).x" }
        }
        for name in names(.path) { choices += [{ _ in "length(\(name))" }, { _ in "size(nodes(\(name)))" }, { _ in "head(nodes(\(name))).x" }] }
        for name in names(.relationships) { choices += [{ _ in "size(\(name))" }, { _ in "head(\(name)).x" }] }
        return pick(choices)(&self)
    }

    mutating func float(_ depth: Int) -> String {
        var choices = [{ (g: inout Self) in "\(g.number(-2...3)).5" }]
        for name in names(.float) { choices.append { _ in name } }
        for name in names(.node, .relationship) { choices.append { _ in "\(name).y" } }
        if depth > 0 {
            choices += [
                { g in "(\(g.float(depth - 1)) \(g.pick(["+", "-"])) \(g.float(depth - 1)))" },
                { g in "\(g.integer(depth - 1)) * 0.5" }, { g in "toFloat(\(g.integer(depth - 1)))" },
                { g in "floor(\(g.float(depth - 1)))" }, { g in "ceil(\(g.float(depth - 1)))" },
                { g in "round(\(g.float(depth - 1)))" }, { g in "(\(g.number(0...3)) ^ 2)" },
            ]
        }
        return pick(choices)(&self)
    }

    mutating func string(_ depth: Int) -> String {
        var choices = [{ (g: inout Self) in "'\(g.pick(["", "a", "ab", "b", "abc", "B"]))'" }, { g in "$text" }]
        for name in names(.string) { choices += [{ _ in name }, { _ in name }] }
        for name in names(.node, .relationship) { choices += [{ _ in "\(name).s" }, { _ in "\(name).s" }] }
        for name in names(.relationship) { choices.append { _ in "type(\(name))" } }
        if depth > 0 {
            choices += [
                { g in "\(g.string(depth - 1)) + \(g.string(depth - 1))" },
                { g in "toUpper(\(g.string(depth - 1)))" }, { g in "toLower(\(g.string(depth - 1)))" },
                { g in "substring(\(g.string(depth - 1)), \(g.number(0...2)))" },
                { g in "left(\(g.string(depth - 1)), \(g.number(0...2)))" },
                { g in "right(\(g.string(depth - 1)), \(g.number(0...2)))" },
                { g in "reverse(\(g.string(depth - 1)))" }, { g in "trim(' ' + \(g.string(depth - 1)))" },
                { g in "replace(\(g.string(depth - 1)), 'a', \(g.string(0)))" },
                { g in "toString(\(g.integer(depth - 1)))" }, { g in "toString(\(g.boolean(0)))" },
                { g in "\(g.string(0)) + \(g.number(0...9))" },
                { g in "head(split(\(g.string(depth - 1)), 'b'))" },
                { g in "CASE WHEN \(g.boolean(depth - 1)) THEN \(g.string(0)) END" },
            ]
        }
        return pick(choices)(&self)
    }

    mutating func listAtom() -> String {
        var choices = [
            { (g: inout Self) in "[\((0..<g.number(0...3)).map { _ in g.integer(0) }.joined(separator: ", "))]" },
            { g in "$numbers" },
        ]
        for name in names(.list) { choices += [{ _ in name }, { _ in name }] }
        for name in names(.node, .relationship) { choices.append { _ in "\(name).l" } }
        return pick(choices)(&self)
    }

    mutating func list(_ depth: Int) -> String {
        guard depth > 0, !chance(35) else { return listAtom() }
        var choices = [
            { (g: inout Self) in "range(\(g.number(-1...2)), \(g.integer(0)))" },
            { g in "range(\(g.number(0...4)), \(g.number(-1...2)), -1)" },
            { g in "tail(\(g.list(depth - 1)))" }, { g in "reverse(\(g.list(depth - 1)))" },
            { g in "\(g.listAtom()) + \(g.listAtom())" }, { g in "\(g.listAtom())[\(g.number(-2...1))..\(g.number(0...3))]" },
            { g in "\(g.listAtom())[..\(g.number(-2...2))]" },
            { g in
                let element = g.freshName("e")
                let list = g.list(depth - 1)
                g.scope.append((element, .integer))
                defer { g.scope.removeLast() }
                let predicate = g.chance(60) ? " WHERE \(g.boolean(depth - 1))" : ""
                return "[\(element) IN \(list)\(predicate)\(g.chance(60) ? " | \(g.integer(depth - 1))" : "")]"
            },
        ]
        for name in names(.node) {
            choices.append { g in "[\(g.subpattern(from: name)) | \(name).x]" }
            choices.append { g in
                let end = g.freshName("e")
                let pattern = "(\(name))\(g.pick(["-->", "-[:T]->", "<-[:T]-", "--"]))(\(end))"
                g.scope.append((end, .node))
                defer { g.scope.removeLast() }
                let predicate = g.chance(40) ? " WHERE \(g.boolean(depth - 1))" : ""
                return "[\(pattern)\(predicate) | \(g.integer(depth - 1))]"
            }
            choices.append { g in
                let end = g.freshName("e")
                let limit = g.chance(30) ? " LIMIT \(g.number(0...2))" : ""
                return "COLLECT { MATCH (\(name))-->(\(end)) RETURN \(end).x ORDER BY \(end).x\(limit) }"
            }
        }
        return pick(choices)(&self)
    }

    /// A pattern that hangs on a node and binds nothing new.
    mutating func subpattern(from name: String) -> String {
        var text = "(\(name))"
        for _ in 0..<pick([1, 1, 2]) {
            text += pick(["-->", "<--", "--", "-[:T]->", "<-[:T|U]-", "-[:U]-", "-[:T*1..2]->"])
            let bound = names(.node)
            text += !bound.isEmpty && chance(25) ? "(\(pick(bound)))" : pick(["()", "()", "(:A)", "(:B)", "({x: 1})"])
        }
        return text
    }

    mutating func boolean(_ depth: Int) -> String {
        var choices = [{ (g: inout Self) in g.pick(["true", "false", "true"]) }]
        for name in names(.boolean) { choices += [{ _ in name }, { _ in name }] }
        for name in names(.node, .relationship) { choices.append { _ in "\(name).b" } }
        guard depth > 0 else { return pick(choices)(&self) }
        let comparisons = ["=", "<>", "<", "<=", ">", ">="]
        choices = [
            { g in "\(g.integer(depth - 1)) \(g.pick(comparisons)) \(g.integer(depth - 1))" },
            { g in "\(g.integer(depth - 1)) \(g.pick(comparisons)) \(g.integer(0))" },
            { g in "\(g.integer(0)) \(g.pick(["<", "<="])) \(g.integer(0)) \(g.pick(["<", "<=", "="])) \(g.integer(0))" },
            { g in "\(g.float(depth - 1)) \(g.pick(comparisons)) \(g.integer(0))" },
            { g in "\(g.string(depth - 1)) \(g.pick(comparisons)) \(g.string(0))" },
            { g in "\(g.string(depth - 1)) \(g.pick(["STARTS WITH", "ENDS WITH", "CONTAINS"])) \(g.string(0))" },
            { g in "\(g.string(depth - 1)) =~ '\(g.pick(["a.*", ".*b", "a*b*", "."]))'" },
            { g in "\(g.integer(depth - 1)) IN \(g.list(depth - 1))" },
            { g in "\(g.any(depth - 1)) IN [\(g.any(0)), \(g.any(0))]" },
            { g in "\(g.any(0)) \(g.pick(comparisons)) \(g.any(0))" },
            { g in "\(g.list(depth - 1)) \(g.pick(["=", "<>", "<"])) \(g.list(0))" },
            { g in "\(g.integer(depth - 1)) IS \(g.pick(["", "NOT "]))NULL" },
            { g in "(\(g.boolean(depth - 1)) \(g.pick(["AND", "OR", "XOR"])) \(g.boolean(depth - 1)))" },
            { g in "\(g.boolean(depth - 1)) \(g.pick(["AND", "OR"])) \(g.boolean(depth - 1))" },
            { g in "NOT (\(g.boolean(depth - 1)))" }, { g in "(\(g.boolean(depth - 1))) IS NULL" },
            { g in
                let element = g.freshName("e")
                let list = g.list(depth - 1)
                g.scope.append((element, .integer))
                defer { g.scope.removeLast() }
                return "\(g.pick(["all", "any", "none", "single"]))(\(element) IN \(list) WHERE \(g.boolean(depth - 1)))"
            },
        ]
        for name in names(.node) {
            choices += [
                { g in "\(name):\(g.pick(Self.labels))" }, { g in "\(name):\(g.pick(Self.labels))" },
                { _ in "\(name).s IS NOT NULL" }, { g in "EXISTS { \(g.subpattern(from: name)) }" },
                { g in "'\(g.pick(Self.labels))' IN labels(\(name))" },
                { g in "\(name) \(g.pick(["=", "<>"])) \(g.pick(g.names(.node)))" },
                { g in "\(name) IN [\(g.pick(g.names(.node)))]" },
                { g in
                    let end = g.freshName("e")
                    g.scope.append((end, .node))
                    defer { g.scope.removeLast() }
                    return "EXISTS { MATCH (\(name))\(g.pick(["-->", "--", "<-[:T]-"]))(\(end)) WHERE \(g.boolean(depth - 1)) }"
                },
            ]
        }
        // What an index or an id can answer.
        for name in names(.node, .relationship).suffix(3) {
            choices += [
                { g in "\(name).x = \(g.number(0...3))" }, { g in "\(name).x IN [\(g.number(0...3)), \(g.integer(0))]" },
                { g in "\(name).x IN $numbers" }, { g in "\(name).x > \(g.number(0...2)) AND \(name).x <= \(g.number(1...3))" },
                { g in "\(name).s STARTS WITH \(g.pick(["'a'", "'ab'", "$text"]))" }, { g in "\(name).s = \(g.pick(["'a'", "$text"]))" },
                { g in "\(name).x = \(g.number(0...3)) AND \(name).s = 'a'" },
            ]
            if mayUseIDs {
                choices += [
                    { g in "id(\(name)) = \(g.number(0...8))" },
                    { g in "id(\(name)) IN [\(g.number(0...5)), \(g.number(0...9))]" },
                ]
            }
        }
        for name in names(.relationship) { choices.append { g in "type(\(name)) = '\(g.pick(Self.types))'" } }
        for name in names(.relationships) {
            choices.append { g in "all(e IN \(name) WHERE e.x \(g.pick(comparisons)) \(g.integer(0)))" }
        }
        for name in names(.path) { choices.append { g in "any(e IN nodes(\(name)) WHERE e.x = \(g.number(0...3)))" } }
        return pick(choices)(&self)
    }

    /// A value of any kind.
    mutating func any(_ depth: Int) -> String {
        let entities = names(.node, .relationship)
        var choices = [
            { (g: inout Self) in g.integer(depth) }, { g in g.string(depth) }, { g in "(\(g.boolean(depth)))" },
            { g in g.float(depth) }, { g in g.list(depth) },
        ]
        for name in names(.any) { choices += [{ _ in name }, { _ in name }] }
        if !entities.isEmpty {
            choices += [{ g in g.pick(entities) }, { g in "\(g.pick(entities)).m" }, { g in "\(g.pick(entities)).m" }]
            choices.append { g in "\(g.pick(entities)) {.x, .s, k: \(g.integer(0))}" }
            choices.append { g in "\(g.pick(entities)) {.*}" }
        }
        choices.append { g in "{k: \(g.integer(0)), l: \(g.string(0))}" }
        for name in names(.path, .relationships) { choices.append { _ in name } }
        return pick(choices)(&self)
    }
}
