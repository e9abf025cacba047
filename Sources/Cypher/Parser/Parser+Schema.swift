internal import GraphModel

// Indexes and constraints, and what SHOW and TERMINATE mean: calls of built-in procedures.
extension Parser {
    /// CREATE or DROP of an index or constraint; nil when something else begins here.
    mutating func schemaCommand() throws(GraphError) -> SchemaCommand? {
        guard dialect == .cypher9 || isNext(.create) || isNext(.drop) else { return nil }
        let offset = current.start
        switch (current.keyword, ahead(1).keyword) {
        case (.create, .index), (.create, .constraint): break
        case (.create, .range), (.create, .text), (.create, .point), (.create, .lookup), (.create, .fulltext),
            (.create, .vector):
            guard isNext(.index, 2) else { return nil }
            guard isNext(.range, 1) else {
                throw fail("\(ahead(1).keyword.text) indexes are not offered: a plain INDEX serves equality, ranges and prefixes", at: ahead(1).start)
            }
            position += 1
        case (.drop, .index), (.drop, .constraint): return try drop(offset)
        case (.drop, _): throw fail("expected INDEX or CONSTRAINT after DROP", at: ahead(1).start)
        default: return nil
        }
        position += 1
        let isIndex = isNext(.index)
        position += 1
        if isIndex, accept(.on) {
            let (label, keys) = try oldTarget()
            return SchemaCommand(
                action: .create(name: nil, .index, on: .label(label), keys: keys, ifNotExists: false), offset: offset)
        }
        let name = isNext(.for) || isNext(.on) || isNext(.if) && isNext(.not, 1) ? nil : try symbolicName("a name")
        var ifNotExists = false
        if accept(.if) {
            try expect(.not)
            try expect(.exists)
            ifNotExists = true
        }
        let action =
            isIndex
            ? SchemaCommand.Action.create(
                name: name, .index, on: try target(.for).target, keys: try indexKeys(), ifNotExists: ifNotExists)
            : try constraint(name, ifNotExists)
        if isNext(.word), text(current).lowercased() == "options" {
            throw fail("OPTIONS are not supported")
        }
        return SchemaCommand(action: action, offset: offset)
    }

    /// `FOR (n:Label)` or `FOR ()-[r:TYPE]-()`.
    private mutating func target(_ keyword: Keyword) throws(GraphError) -> (target: SchemaCommand.Target, variable: String) {
        try expect(keyword)
        let offset = current.start
        let part = try chain(nil, offset)
        if part.relationships.isEmpty, let variable = part.nodes[0].variable, part.nodes[0].labels.count == 1 {
            return (.label(part.nodes[0].labels[0]), variable)
        }
        if part.relationships.count == 1, let variable = part.relationships[0].variable,
            part.relationships[0].types.count == 1
        {
            return (.relationshipType(part.relationships[0].types[0]), variable)
        }
        throw fail("expected (n:Label) or ()-[r:TYPE]-()", at: offset)
    }

    private mutating func indexKeys() throws(GraphError) -> [String] {
        try expect(.on)
        return try keys()
    }

    /// `(n.a, n.b)`, or `n.a`, or `EACH [n.a]`.
    private mutating func keys() throws(GraphError) -> [String] {
        guard accept(.openParenthesis) else { return [try key()] }
        let keys = try list { parser throws(GraphError) in try parser.key() }
        try expect(.closeParenthesis)
        return keys
    }

    private mutating func key() throws(GraphError) -> String {
        let offset = current.start
        guard case .property(_, let key, _) = try postfix().kind else { throw fail("expected a property, like n.name", at: offset) }
        return key
    }

    /// `:Label(a, b)` of the older form.
    private mutating func oldTarget() throws(GraphError) -> (String, [String]) {
        try expect(.colon)
        let label = try symbolicName("a label")
        try expect(.openParenthesis)
        let keys = try list { parser throws(GraphError) in try parser.symbolicName("a property key") }
        try expect(.closeParenthesis)
        return (label, keys)
    }

    private mutating func constraint(_ name: String?, _ ifNotExists: Bool) throws(GraphError) -> SchemaCommand.Action {
        let (target, _) = try target(isNext(.on) ? .on : .for)
        let (rule, keys) = try requirement()
        return .create(name: name, rule, on: target, keys: keys, ifNotExists: ifNotExists)
    }

    /// `REQUIRE n.a IS UNIQUE`, `… IS NOT NULL`, `… IS NODE KEY`, and the older `ASSERT exists(n.a)`.
    private mutating func requirement() throws(GraphError) -> (SchemaCommand.Rule, [String]) {
        guard accept(.require) || accept(.assert) else { throw expected("REQUIRE") }
        if accept(.exists) {
            try expect(.openParenthesis)
            let key = try key()
            try expect(.closeParenthesis)
            return (.exists, [key])
        }
        let keys = try self.keys()
        try expect(.is)
        if accept(.unique) { return (.unique, keys) }
        if accept(.not) {
            try expect(.null)
            guard keys.count == 1 else { throw fail("IS NOT NULL is said of one property") }
            return (.exists, keys)
        }
        _ = accept(.node) || accept(.relationship) || accept(.rel)
        guard accept(.key) else { throw expected("UNIQUE, NOT NULL or NODE KEY") }
        return (.key, keys)
    }

    private mutating func drop(_ offset: Int) throws(GraphError) -> SchemaCommand {
        position += 1
        let isConstraint = isNext(.constraint)
        position += 1
        if isNext(.on), !isConstraint {
            position += 1
            let (label, keys) = try oldTarget()
            return SchemaCommand(action: .dropRule(.index, on: .label(label), keys: keys), offset: offset)
        }
        if isNext(.on), isConstraint {
            let (target, _) = try target(.on)
            let (rule, keys) = try requirement()
            return SchemaCommand(action: .dropRule(rule, on: target, keys: keys), offset: offset)
        }
        let name = try symbolicName("a name")
        var ifExists = false
        if accept(.if) {
            try expect(.exists)
            ifExists = true
        }
        return SchemaCommand(action: .drop(name: name, ifExists: ifExists, isConstraint: isConstraint), offset: offset)
    }

    // MARK: SHOW, TERMINATE

    /// SHOW … and TERMINATE TRANSACTIONS as the procedure call that they stand for.
    mutating func showCommand() throws(GraphError) -> QueryBody? {
        guard dialect == .cypher9, isNext(.show) || isNext(.terminate) else { return nil }
        let offset = current.start
        let terminates = isNext(.terminate)
        position += 1
        let procedure: String
        var arguments: [Expression] = []
        if terminates {
            guard accept(.transaction) || accept(.transactions) else { throw expected("TRANSACTIONS") }
            procedure = "dbms.terminateTransactions"
            arguments = [try transactionNames()]
        } else {
            procedure = try shownProcedure(&arguments)
        }
        var clauses: [Clause] = []
        let at = current.start
        var returned: Projection?
        var yields: [ProcedureCall.Yield] = []
        if accept(.yield) {
            yields = try self.yields()
            returned = try tail()
        }
        clauses.append(
            Clause(
                kind: .call(.init(name: procedure, arguments: arguments, yields: yields, offset: offset)), offset: offset))
        if accept(.where) { clauses.append(Clause(kind: .filter(try expression()), offset: at)) }
        if accept(.return) {
            if let returned { clauses.append(Clause(kind: .with(returned), offset: at)) }
            returned = try projection(needsAliases: false)
        }
        let all = Projection(isDistinct: false, includesAll: true, items: [], order: [], skip: nil, limit: nil)
        clauses.append(Clause(kind: .return(returned ?? all), offset: at))
        return QueryBody(branches: [clauses], unionIsDistinct: true, offset: offset, text: text(from: offset))
    }

    /// ORDER BY, SKIP and LIMIT behind YIELD.
    private mutating func tail() throws(GraphError) -> Projection? {
        guard isNext(.order) || isNext(.skip) || isNext(.offset) || isNext(.limit) else { return nil }
        return try ordered(isDistinct: false, includesAll: true, items: [])
    }

    private mutating func shownProcedure(_ arguments: inout [Expression]) throws(GraphError) -> String {
        _ = accept(.all) || accept(.range)
        switch current.keyword {
        case .index, .indexes:
            position += 1
            return "db.indexes"
        case .constraint, .constraints:
            position += 1
            return "db.constraints"
        case .function, .functions:
            position += 1
            return "dbms.functions"
        case .procedure, .procedures:
            position += 1
            return "dbms.procedures"
        case .transaction, .transactions:
            position += 1
            arguments = isNext(.string) || isNext(.dollar) || isNext(.openBracket) ? [try transactionNames()] : []
            return "dbms.listTransactions"
        default: throw expected("INDEXES, CONSTRAINTS, FUNCTIONS, PROCEDURES or TRANSACTIONS")
        }
    }

    /// One or more names of transactions, or a parameter or list that holds them, as one list.
    private mutating func transactionNames() throws(GraphError) -> Expression {
        let offset = current.start
        let names = try list { parser throws(GraphError) in try parser.expression() }
        return names.count == 1 ? names[0] : Expression(.list(names), at: offset)
    }
}
