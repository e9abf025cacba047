internal import GraphModel
internal import Storage

// What SHOW INDEXES and SHOW CONSTRAINTS give.
extension Procedure {
    static let schemaProcedures: [Procedure] = [
        Procedure(
            "db.indexes",
            gives: [
                "id", "name", "state", "populationPercent", "type", "entityType", "labelsOrTypes", "properties",
                "owningConstraint",
            ], "All indexes, those of uniqueness constraints included."
        ) { frame, _ in
            frame.transaction.schemaRules.filter { $0.kind != .existence }.map { rule in
                let isOnline = isReadable(rule, frame)
                return [
                    .integer(Int64(rule.id.rawValue)), .string(rule.name), .string(state(rule, isOnline)),
                    .float(isOnline ? 100 : 0), .string("RANGE"), .string(entity(rule)),
                    .list([.string(token(rule, frame))]), .list(keys(rule, frame)),
                    rule.kind == .uniqueness ? .string(rule.name) : .null,
                ]
            }
        },
        Procedure(
            "db.constraints",
            gives: ["id", "name", "type", "entityType", "labelsOrTypes", "properties", "state", "failureMessage"],
            "All constraints and how far they have come."
        ) { frame, _ in
            frame.transaction.schemaRules.filter { $0.kind != .index }.map { rule in
                let kind = rule.kind == .uniqueness ? "UNIQUENESS" : "PROPERTY_EXISTENCE"
                return [
                    .integer(Int64(rule.id.rawValue)), .string(rule.name), .string("\(entity(rule))_\(kind)"),
                    .string(entity(rule)), .list([.string(token(rule, frame))]), .list(keys(rule, frame)),
                    .string(state(rule, true)), rule.failure.isEmpty ? .null : .string(rule.failure),
                ]
            }
        },
    ]

    private static func isReadable(_ rule: SchemaRule, _ frame: Frame) -> Bool {
        rule.entity == .node
            ? frame.transaction.index(label: rule.token, keys: rule.keys) != nil
            : frame.transaction.index(relationshipType: rule.token, keys: rule.keys) != nil
    }

    private static func state(_ rule: SchemaRule, _ isReadable: Bool) -> String {
        switch rule.state {
        case .failed: "FAILED"
        case .online: isReadable ? "ONLINE" : "POPULATING"
        case .populating, .validating: "POPULATING"
        }
    }

    private static func entity(_ rule: SchemaRule) -> String { rule.entity == .node ? "NODE" : "RELATIONSHIP" }

    private static func token(_ rule: SchemaRule, _ frame: Frame) -> String {
        frame.transaction.name(rule.entity == .node ? .label : .relationshipType, rule.token)
    }

    private static func keys(_ rule: SchemaRule, _ frame: Frame) -> [Value] {
        rule.keys.map { .string(frame.transaction.name(.propertyKey, $0)) }
    }
}
