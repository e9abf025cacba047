internal import GraphModel

extension Parser {
    /// One clause; the WHERE behind it is a clause of its own.
    mutating func clause(isFirst: Bool) throws(GraphError) -> [Clause] {
        let offset = current.start
        let keyword = current.keyword
        func clause(_ kind: Clause.Kind) -> Clause { Clause(kind: kind, offset: offset) }
        if isFirst && dialect == .cypher18 && keyword != .start && keyword != .create {
            throw expected("START or CREATE")
        }
        switch keyword {
        case .start:
            position += 1
            let items = try list { parser throws(GraphError) in try parser.startItem() }
            return try [clause(.start(items))] + filter()
        case .optional, .match:
            let optional = accept(.optional)
            if optional, isNext(.call) { throw fail("OPTIONAL CALL is not supported: let the subquery match optionally") }
            try expect(.match)
            return try [clause(.match(try patterns(), optional: optional))] + filter()
        case .unwind:
            position += 1
            let list = try expression()
            try expect(.as)
            return [clause(.unwind(list, variable: try name("a name for each element")))]
        case .with:
            position += 1
            return try [clause(.with(try projection(needsAliases: true)))] + filter()
        case .return:
            position += 1
            return [clause(.return(try projection(needsAliases: false)))]
        case .call: return try callClause(offset)
        case .load: throw fail("LOAD CSV is not offered: import files with `martlet import`, or send rows as a parameter to UNWIND")
        case .finish, .use: throw fail("\(keyword.text) is not supported")
        default: break
        }
        if dialect == .cypher18, isNext(.equal), isNext(.equal, 1), isNext(.equal, 2) { return try oldWith(offset) }
        if let updating = try updatingClause(offset) { return [updating] }
        throw expected(
            dialect == .cypher18
                ? "START, MATCH, WHERE, WITH, CREATE, SET, DELETE, FOREACH or RETURN"
                : "MATCH, WITH, UNWIND, CREATE, MERGE, SET, REMOVE, DELETE, FOREACH, CALL or RETURN")
    }

    /// A clause that changes the graph; nil when none begins here.
    private mutating func updatingClause(_ offset: Int) throws(GraphError) -> Clause? {
        func clause(_ kind: Clause.Kind) -> Clause { Clause(kind: kind, offset: offset) }
        switch current.keyword {
        case .create:
            position += 1
            if accept(.unique) { return clause(.createUnique(try patterns())) }
            return clause(.create(try patterns()))
        case .merge:
            position += 1
            return try merge(offset)
        case .set:
            position += 1
            return clause(.set(try list { parser throws(GraphError) in try parser.setItem() }))
        case .remove:
            position += 1
            return clause(.remove(try list { parser throws(GraphError) in try parser.removeItem() }))
        case .detach, .delete:
            let detach = accept(.detach)
            try expect(.delete)
            return clause(.delete(try list { parser throws(GraphError) in try parser.expression() }, detach: detach))
        case .foreach:
            position += 1
            return try nested { parser throws(GraphError) in try parser.forEach(offset) }
        default: return nil
        }
    }

    private mutating func filter() throws(GraphError) -> [Clause] {
        let offset = current.start
        guard accept(.where) else { return [] }
        return [Clause(kind: .filter(try expression()), offset: offset)]
    }

    private mutating func merge(_ offset: Int) throws(GraphError) -> Clause {
        let part = try patternPart()
        var onCreate: [SetItem] = []
        var onMatch: [SetItem] = []
        while accept(.on) {
            let creates = isNext(.create)
            guard accept(.create) || accept(.match) else { throw expected("CREATE or MATCH") }
            try expect(.set)
            let items = try list { parser throws(GraphError) in try parser.setItem() }
            if creates { onCreate += items } else { onMatch += items }
        }
        return Clause(kind: .merge(part, onCreate: onCreate, onMatch: onMatch), offset: offset)
    }

    /// `FOREACH (x IN list | updates)`; the manual writes a colon.
    private mutating func forEach(_ offset: Int) throws(GraphError) -> Clause {
        try expect(.openParenthesis)
        let variable = try name("a name for each element")
        try expect(.in)
        let list = try expression()
        guard accept(.bar) || accept(.colon) else { throw expected(dialect == .cypher18 ? "\":\"" : "\"|\"") }
        var clauses: [Clause] = []
        while !isNext(.closeParenthesis) {
            guard let update = try updatingClause(current.start) else {
                throw expected("CREATE, MERGE, SET, DELETE, REMOVE or FOREACH")
            }
            clauses.append(update)
        }
        try expect(.closeParenthesis)
        guard !clauses.isEmpty else { throw fail("FOREACH needs something to do for each element", at: offset) }
        return Clause(kind: .forEach(variable: variable, list: list, clauses), offset: offset)
    }

    /// `=== a, b ===`, the older way to write WITH.
    private mutating func oldWith(_ offset: Int) throws(GraphError) -> [Clause] {
        while accept(.equal) {}
        let projection = try projection(needsAliases: true)
        guard isNext(.equal), isNext(.equal, 1), isNext(.equal, 2) else { throw expected("===") }
        while accept(.equal) {}
        return try [Clause(kind: .with(projection), offset: offset)] + filter()
    }

    // MARK: START

    private mutating func startItem() throws(GraphError) -> StartItem {
        let offset = current.start
        let variable = try name("a variable")
        try expect(.equal)
        let isNode: Bool
        switch current.keyword {
        case .node: isNode = true
        case .relationship, .rel: isNode = false
        default: throw expected("node or relationship")
        }
        position += 1
        func item(_ source: StartItem.Source) -> StartItem {
            StartItem(variable: variable, isNode: isNode, source: source, offset: offset)
        }
        if accept(.colon) {
            let index = try symbolicName("the name of an index")
            try expect(.openParenthesis)
            let first = try startKey()
            let source: StartItem.Source
            if accept(.equal) {
                source = .index(name: index, key: first, value: try expression())
            } else {
                source = .indexQuery(name: index, query: first)
            }
            if isNext(.comma) { throw fail("an index is asked for one key only: write a query string") }
            try expect(.closeParenthesis)
            return item(source)
        }
        try expect(.openParenthesis)
        if accept(.star) {
            try expect(.closeParenthesis)
            return item(.all)
        }
        let idOffset = current.start
        let ids = try list { parser throws(GraphError) in try parser.expression() }
        try expect(.closeParenthesis)
        return item(.ids(ids.count == 1 ? ids[0] : Expression(.list(ids), at: idOffset)))
    }

    /// The key of an index look-up: a bare word is its own text.
    private mutating func startKey() throws(GraphError) -> Expression {
        if current.kind == .word || current.kind == .quotedName, isNext(.equal, 1) {
            defer { position += 1 }
            return Expression(.literal(.string(Literals.name(current, source))), at: current.start)
        }
        return try additive()
    }

    // MARK: SET, REMOVE

    private mutating func setItem() throws(GraphError) -> SetItem {
        let offset = current.start
        if isName(), isNext(.colon, 1) {
            let variable = try name("a variable")
            return SetItem(kind: .labels(variable: variable, try labels()), offset: offset)
        }
        if isName(), isNext(.equal, 1) || isNext(.plusEqual, 1) {
            let variable = try name("a variable")
            let adds = isNext(.plusEqual)
            position += 1
            return SetItem(kind: .all(variable: variable, map: try expression(), adds: adds), offset: offset)
        }
        let (entity, key) = try propertyTarget("a property, a variable or a label to set")
        try expect(.equal)
        return SetItem(kind: .property(entity, key: key, value: try expression()), offset: offset)
    }

    private mutating func removeItem() throws(GraphError) -> SetItem {
        let offset = current.start
        if isName(), isNext(.colon, 1) {
            let variable = try name("a variable")
            return SetItem(kind: .labels(variable: variable, try labels()), offset: offset)
        }
        let (entity, key) = try propertyTarget("a property or a label to remove")
        return SetItem(
            kind: .property(entity, key: key, value: Expression(.literal(.null), at: offset)), offset: offset)
    }

    private mutating func propertyTarget(_ wanted: String) throws(GraphError) -> (Expression, String) {
        let offset = current.start
        let target = try postfix()
        guard case .property(let entity, let key, _) = target.kind else {
            throw fail("expected \(wanted)", at: offset)
        }
        return (entity, key)
    }

    // MARK: WITH, RETURN

    mutating func projection(needsAliases: Bool) throws(GraphError) -> Projection {
        let isDistinct = accept(.distinct)
        var includesAll = false
        var items: [Projection.Item] = []
        repeat {
            if !includesAll && items.isEmpty && accept(.star) {
                includesAll = true
                continue
            }
            items.append(try projectionItem(needsAlias: needsAliases))
        } while accept(.comma)
        return try ordered(isDistinct: isDistinct, includesAll: includesAll, items: items)
    }

    /// ORDER BY, SKIP and LIMIT, behind what is projected.
    mutating func ordered(
        isDistinct: Bool, includesAll: Bool, items: [Projection.Item]
    ) throws(GraphError) -> Projection {
        var order: [Projection.Order] = []
        if accept(.order) {
            try expect(.by)
            order = try list { parser throws(GraphError) in
                let key = try parser.expression()
                let isDescending = parser.accept(.desc) || parser.accept(.descending)
                if !isDescending { _ = parser.accept(.asc) || parser.accept(.ascending) }
                return Projection.Order(expression: key, isDescending: isDescending)
            }
        }
        let skip = accept(.skip) || accept(.offset) ? try expression() : nil
        let limit = accept(.limit) ? try expression() : nil
        return Projection(
            isDistinct: isDistinct, includesAll: includesAll, items: items, order: order, skip: skip, limit: limit)
    }

    private mutating func projectionItem(needsAlias: Bool) throws(GraphError) -> Projection.Item {
        let start = current.start
        let item = try expression()
        if accept(.as) {
            return .init(expression: item, name: try symbolicName("an alias"), hasAlias: true)
        }
        if case .variable(let name) = item.kind, source[start] != UInt8(ascii: "(") {
            return .init(expression: item, name: name, hasAlias: false)
        }
        if needsAlias { throw fail("an expression in WITH needs a name: add AS name", at: start) }
        var name = text(from: start)
        if dialect == .cypher18 { name.removeAll { $0 == "`" } }
        return .init(expression: item, name: name, hasAlias: false)
    }

    // MARK: CALL

    private mutating func callClause(_ offset: Int) throws(GraphError) -> [Clause] {
        try expect(.call)
        if isNext(.openBrace) || isNext(.openParenthesis) {
            var imports: [String]?
            if accept(.openParenthesis) {
                imports = []
                if !accept(.star), !isNext(.closeParenthesis) {
                    imports = try list { parser throws(GraphError) in try parser.name("a variable to import") }
                } else if tokens[position - 1].kind == .star {
                    imports = ["*"]
                }
                try expect(.closeParenthesis)
            }
            let body = try bracedBody()
            if isNext(.in), isNext(.transactions, 1) || isNext(.concurrent, 1) {
                throw fail("CALL { } IN TRANSACTIONS is not supported: send batches as statements of their own")
            }
            return [Clause(kind: .subquery(body, imports: imports), offset: offset)]
        }
        var name = try symbolicName("the name of a procedure")
        while accept(.dot) { name += "." + (try symbolicName("the name of a procedure")) }
        var arguments: [Expression]?
        if accept(.openParenthesis) {
            arguments = []
            if !isNext(.closeParenthesis) {
                arguments = try list { parser throws(GraphError) in try parser.expression() }
            }
            try expect(.closeParenthesis)
        }
        var yields: [ProcedureCall.Yield]?
        if accept(.yield) { yields = try self.yields() }
        let call = ProcedureCall(name: name, arguments: arguments, yields: yields, offset: offset)
        return try [Clause(kind: .call(call), offset: offset)] + (yields == nil ? [] : filter())
    }

    /// What stands after YIELD; empty for `*`.
    mutating func yields() throws(GraphError) -> [ProcedureCall.Yield] {
        if accept(.star) { return [] }
        return try list { parser throws(GraphError) in
            let offset = parser.current.start
            let field = try parser.symbolicName("a field of the procedure")
            let variable = parser.accept(.as) ? try parser.name("a variable") : field
            return ProcedureCall.Yield(field: field, variable: variable, offset: offset)
        }
    }

    mutating func bracedBody() throws(GraphError) -> QueryBody {
        try expect(.openBrace)
        let body = try nested { parser throws(GraphError) in try parser.queryBody(isSubquery: true) }
        try expect(.closeBrace)
        return body
    }
}
