public import GraphModel

extension Transaction {
    /// All indexes and constraints that this transaction sees, its own changes among them, ascending by id.
    public var schemaRules: [SchemaRule] { (writes?.schema ?? view.schema.schema).rules }

    /// The rule of a name.
    public func schemaRule(named name: String) -> SchemaRule? { (writes?.schema ?? view.schema.schema).rule(named: name) }

    /// Creates an index over properties of all nodes with a label. It is populated in the background once the transaction
    /// is committed; see ``Store/schemaStatus()``.
    ///
    /// - Parameter name: nil makes one from label and keys.
    /// - Throws: `.schemaRuleExists` when an index or constraint covers the same or has the name, `.argumentError` for
    ///   keys that are none, given twice, or more than ``SchemaRule/keyCountMaximum``.
    public func createIndex(label: String, keys: [String], name: String? = nil) throws(GraphError) {
        try create(.index, .node, label, keys, name)
    }

    /// Creates an index over properties of all relationships of a type. Like ``createIndex(label:keys:name:)``.
    public func createIndex(relationshipType: String, keys: [String], name: String? = nil) throws(GraphError) {
        try create(.index, .relationship, relationshipType, keys, name)
    }

    /// Demands that no two nodes with a label have the same values of these properties; nodes that lack one are free.
    ///
    /// Its index is populated in the background, then new violations are refused, then what is there is looked at. If that
    /// breaks it the constraint ends as ``SchemaRule/State/failed`` with a message that names the nodes.
    public func createUniquenessConstraint(label: String, keys: [String], name: String? = nil) throws(GraphError) {
        try create(.uniqueness, .node, label, keys, name)
    }

    /// The same for the relationships of a type.
    public func createUniquenessConstraint(
        relationshipType: String, keys: [String], name: String? = nil
    ) throws(GraphError) {
        try create(.uniqueness, .relationship, relationshipType, keys, name)
    }

    /// Demands that every node with a label has these properties. Nodes that are there already are looked at in the
    /// background; if one lacks a property the constraint ends as ``SchemaRule/State/failed``.
    public func createExistenceConstraint(label: String, keys: [String], name: String? = nil) throws(GraphError) {
        try create(.existence, .node, label, keys, name)
    }

    /// The same for the relationships of a type.
    public func createExistenceConstraint(
        relationshipType: String, keys: [String], name: String? = nil
    ) throws(GraphError) {
        try create(.existence, .relationship, relationshipType, keys, name)
    }

    /// Drops an index or a constraint. Throws `.schemaRuleNotFound`.
    public func dropSchemaRule(_ id: SchemaRuleID) throws(GraphError) {
        try requireWritable()
        var schema = writes?.schema ?? view.schema.schema
        guard let rule = schema.rule(id) else {
            throw GraphError(.schemaRuleNotFound, "there is no index or constraint with the number \(id.rawValue)")
        }
        guard view.schema.schema.rule(id) != nil else {
            throw GraphError(
                .argumentError, "\"\(rule.name)\" was created in this transaction, which cannot drop it again: roll it back")
        }
        let command = Command.dropSchemaRule(id)
        try schema.apply(command)
        writes?.schema = schema
        try record(command)
    }

    private func create(
        _ kind: SchemaRule.Kind, _ entity: SchemaRule.EntityKind, _ tokenName: String, _ keyNames: [String],
        _ givenName: String?
    ) throws(GraphError) {
        try requireWritable()
        guard (1...SchemaRule.keyCountMaximum).contains(keyNames.count) else {
            throw GraphError(
                .argumentError,
                "an index or constraint has 1 to \(SchemaRule.keyCountMaximum) property keys, not \(keyNames.count)")
        }
        let token = try number(entity == .node ? .label : .relationshipType, tokenName)
        var keys: [TokenID] = []
        for name in keyNames {
            let key = try number(.propertyKey, name)
            if keys.contains(key) { throw GraphError(.argumentError, "property key \"\(name)\" is given twice") }
            keys.append(key)
        }
        let name = givenName ?? ([kind.word, tokenName] + keyNames).joined(separator: "_")
        if name.isEmpty { throw GraphError(.argumentError, "the name of an index or constraint cannot be empty") }
        var schema = writes?.schema ?? view.schema.schema
        let rule = SchemaRule(
            id: SchemaRuleID(schema.nextID), name: name, kind: kind, entity: entity, token: token, keys: keys,
            state: SchemaRule.initialState(kind))
        // One that failed makes room for the next try.
        for failed in schema.rules where failed.state == .failed && (failed.covers(rule) || codeUnitsEqual(failed.name, name)) {
            try schema.apply(.dropSchemaRule(failed.id))
            try record(.dropSchemaRule(failed.id))
        }
        if let other = schema.rule(covering: rule) ?? schema.rule(named: name) {
            throw GraphError(
                .schemaRuleExists,
                "\(kind.title) \"\(name)\" cannot be created: \(other.kind.title) \"\(other.name)\" \(codeUnitsEqual(other.name, name) ? "has this name" : "covers the same properties") already")
        }
        let command = Command.createSchemaRule(rule)
        try schema.apply(command)
        writes?.schema = schema
        try record(command)
    }
}

extension SchemaRule.Kind {
    var word: String {
        switch self {
        case .index: "index"
        case .uniqueness: "unique"
        case .existence: "exists"
        }
    }
    /// For messages.
    var title: String {
        switch self {
        case .index: "index"
        case .uniqueness: "uniqueness constraint"
        case .existence: "existence constraint"
        }
    }
}
