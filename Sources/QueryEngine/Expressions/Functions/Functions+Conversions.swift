internal import GraphModel

/// From one kind of value to another: in each family a strict function, one that gives null for what cannot be
/// converted, and one for lists.
extension Function {
    private struct Family: Sendable {
        let kind: String
        let takes: TypeSet
        let gives: TypeSet
        let convert: @Sendable (Value) throws(GraphError) -> Value

        func orNull(_ value: Value) -> Value {
            do throws(GraphError) { return try convert(value) } catch { return .null }
        }

        var functions: [Function] {
            let name = "to" + kind
            return [
                Function(
                    name, .scalar, ["value": takes], gives,
                    "A value as \(kind.lowercased()); null for a string that does not say one.",
                    .one { _, value throws(GraphError) in try convert(value) }),
                Function(
                    name + "OrNull", .scalar, ["value": .any], gives,
                    "A value as \(kind.lowercased()), or null when it cannot be converted.",
                    .one { _, value in orNull(value) }),
                Function(
                    name + "List", .list, ["list": .list], .list,
                    "Every element of a list as \(kind.lowercased()), or null when it cannot be converted.",
                    .unary { value throws(GraphError) in
                        guard case .list(let list) = value else { throw wrong(name + "List", "a list", value) }
                        return .list(list.elements.map { orNull($0) })
                    }),
            ]
        }
    }

    static let conversionFunctions: [Function] = {
        let families = [
            Family(kind: "Integer", takes: [.integer, .float, .string, .boolean], gives: .integer) {
                value throws(GraphError) in try Converting.integer(value)
            },
            Family(kind: "Float", takes: [.integer, .float, .string], gives: .float) { value throws(GraphError) in
                try Converting.float(value)
            },
            Family(kind: "Boolean", takes: [.boolean, .string, .integer], gives: .boolean) { value throws(GraphError) in
                try Converting.boolean(value)
            },
            Family(
                kind: "String", takes: [.integer, .float, .string, .boolean, .temporal, .point], gives: .string
            ) { value throws(GraphError) in try Converting.string(value) },
        ].flatMap(\.functions)
        // Names of earlier versions.
        return families
            + families.compactMap { function in
                switch function.name {
                case "toInteger": function.named("toInt")
                case "toString": function.named("str")
                default: nil
                }
            }
    }()
}
