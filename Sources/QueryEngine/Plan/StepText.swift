internal import Cypher
internal import GraphModel

extension Expression {
    /// The expression in a normal notation, for plans.
    var text: String {
        func joined(_ list: [Expression]) -> String { list.map(\.text).joined(separator: ", ") }
        switch kind {
        case .literal(let value): return value.notation
        case .parameter(let name): return "$\(name)"
        case .variable(let name): return name.hasPrefix("  ") ? "()" : name
        case .property(let entity, let key, _): return "\(entity.text).\(key)"
        case .list(let elements): return elements.count > 8 ? "[\(elements.count) elements]" : "[\(joined(elements))]"
        case .map(let entries): return "{\(entries.map { "\($0.key): \($0.value.text)" }.joined(separator: ", "))}"
        case .not(let operand): return "NOT \(operand.text)"
        case .negate(let operand): return "-\(operand.text)"
        case .and(let a, let b): return "(\(a.text) AND \(b.text))"
        case .or(let a, let b): return "(\(a.text) OR \(b.text))"
        case .xor(let a, let b): return "(\(a.text) XOR \(b.text))"
        case .compare(let comparison, let a, let b):
            let symbol =
                switch comparison {
                case .equal: "="
                case .notEqual: "<>"
                case .less: "<"
                case .lessOrEqual: "<="
                case .greater: ">"
                case .greaterOrEqual: ">="
                }
            return "\(a.text) \(symbol) \(b.text)"
        case .arithmetic(let operation, let a, let b): return "(\(a.text) \(Calculating.symbol(operation)) \(b.text))"
        case .in(let a, let b): return "\(a.text) IN \(b.text)"
        case .stringMatch(let match, let a, let b):
            let keyword =
                switch match {
                case .startsWith: "STARTS WITH"
                case .endsWith: "ENDS WITH"
                case .contains: "CONTAINS"
                case .regularExpression: "=~"
                }
            return "\(a.text) \(keyword) \(b.text)"
        case .isNull(let operand): return "\(operand.text) IS NULL"
        case .hasLabels(let entity, let labels): return entity.text + labels.map { ":\($0)" }.joined()
        case .subscripted(let list, let index): return "\(list.text)[\(index.text)]"
        case .slice(let list, let from, let to): return "\(list.text)[\(from?.text ?? "")..\(to?.text ?? "")]"
        case .function(let name, let distinct, let arguments):
            return "\(name)(\(distinct ? "DISTINCT " : "")\(joined(arguments)))"
        case .countAll: return "count(*)"
        case .mapProjection(let subject, _): return "\(subject.text) {…}"
        case .conditional: return "CASE … END"
        case .listComprehension(let variable, let list, _, _): return "[\(variable) IN \(list.text) …]"
        case .quantifier(let quantifier, let variable, let list, let predicate):
            return "\(quantifier.rawValue)(\(variable) IN \(list.text) WHERE \(predicate.text))"
        case .reduce(_, _, let variable, let list, _): return "reduce(\(variable) IN \(list.text) …)"
        case .pattern(let part): return part.text
        case .patternComprehension(let part, _, let result): return "[\(part.text) | \(result.text)]"
        case .subquery(let kind, _): return "\(kind.rawValue.uppercased()) {…}"
        }
    }
}

extension Value {
    /// A value as a literal, shortened where it is long.
    var notation: String {
        switch self {
        case .null: "null"
        case .boolean, .integer, .float: Converting.text(self)
        case .string(let text): "'\(text.text.count > 40 ? text.text.prefix(40) + "…" : text.text)'"
        case .list(let list):
            list.elements.count > 8
                ? "[\(list.elements.count) elements]" : "[\(list.elements.map(\.notation).joined(separator: ", "))]"
        case .temporal(let temporal): temporal.description
        case .point(let point): point.description
        case .bytes, .map, .node, .relationship, .path: kindName
        }
    }
}

extension Step {
    /// Whether each row that it gives was read from the store.
    var readsRows: Bool {
        switch self {
        case .allNodes, .nodesByLabel, .nodesByID, .allRelationships, .relationshipsByID, .indexSeek, .expand, .distinctWalk,
            .endpoints, .shortestPath, .startIndex, .count:
            true
        default: false
        }
    }

    var text: String {
        func types(_ names: [String]) -> String { names.isEmpty ? "" : ":" + names.joined(separator: "|") }
        switch self {
        case .allNodes(let slot): return "AllNodesScan #\(slot.index)"
        case .nodesByLabel(let slot, let label): return "NodeByLabelScan #\(slot.index) :\(label)"
        case .nodesByID(let slot, let ids, _): return "NodeByIdSeek #\(slot.index) \(ids.text)"
        case .allRelationships(let slot): return "AllRelationshipsScan #\(slot.index)"
        case .relationshipsByID(let slot, let ids): return "RelationshipByIdSeek #\(slot.index) \(ids.text)"
        case .indexSeek(let seek):
            let kind = seek.slot.holding == .node ? "NodeIndexSeek" : "RelationshipIndexSeek"
            return "\(kind) #\(seek.slot.index) :\(seek.name)(\(seek.keys.joined(separator: ", "))) \(seek.test?.text ?? "")"
        case .expand(let step):
            let kind = (step.length == nil ? "Expand" : "VarLengthExpand") + (step.isInto ? "(Into)" : "(All)")
            var range = ""
            if let length = step.length { range = "*\(length.minimum ?? 1)..\(length.maximum.map(String.init) ?? "")" }
            let pattern = "[#\(step.relationship.index)\(types(step.types))\(range)]"
            let arrow =
                switch step.direction {
                case .outgoing: "-\(pattern)->"
                case .incoming: "<-\(pattern)-"
                case .both: "-\(pattern)-"
                }
            return "\(kind) #\(step.from.index)\(arrow)#\(step.to.index)"
        case .distinctWalk(let walk):
            let hops = walk.hops.map { hop in
                let pattern = "-[\(types(hop.types))]-"
                let arrow = hop.direction == .both ? pattern : hop.direction == .outgoing ? pattern + ">" : "<" + pattern
                return arrow + hop.filters.map { "{\($0.text)}" }.joined()
            }
            let reach = walk.reach.map { $0 == .max ? " any distance" : " up to distance \($0)" } ?? ""
            return "DistinctWalk #\(walk.from.index)\(hops.joined(separator: "()"))#\(walk.to.index)\(reach)"
        case .endpoints(let ends):
            return "ProjectEndpoints #\(ends.relationship.index) to #\(ends.from.index), #\(ends.to.index)"
        case .entity(let from, let to): return "Convert #\(from.index) to #\(to.index)"
        case .filter(let predicate, let isLenient): return "Filter \(predicate.text)\(isLenient ? " (early)" : "")"
        case .path(let slot, _): return "ProjectPath #\(slot.index)"
        case .optional: return "Optional"
        case .apply: return "Apply"
        case .union(let branches, _): return branches.count == 1 ? "Subquery" : "Union"
        case .merge: return "Merge"
        case .createUnique: return "CreateUnique"
        case .forEach(let list, let element, _): return "Foreach #\(element.index) in \(list.text)"
        case .call(let call): return "ProcedureCall \(call.procedure.name)"
        case .shortestPath(let step): return "ShortestPath #\(step.from.index) to #\(step.to.index)"
        case .schema: return "SchemaChange"
        case .startIndex(let slot, let name, _, _): return "IndexStart #\(slot.index) \(name)"
        case .unwind(let list, let slot): return "Unwind \(list.text) as #\(slot.index)"
        case .unwindRange(let bounds, let slot):
            return "UnwindRange \(bounds.map(\.text).joined(separator: ", ")) as #\(slot.index)"
        case .project(let items):
            return "Projection " + items.map { "\($0.expression.text) as #\($0.slot.index)" }.joined(separator: ", ")
        case .aggregate(let keys, let aggregates):
            let by = keys.isEmpty ? "" : " by " + keys.map(\.expression.text).joined(separator: ", ")
            return "Aggregation " + aggregates.map(\.text).joined(separator: ", ") + by
        case .distinct: return "Distinct"
        case .sort(let keys, _, let limit):
            let by = keys.map { $0.text + ($0.isDescending ? " DESC" : "") }.joined(separator: ", ")
            return limit.map { "Top \($0.text) by \(by)" } ?? "Sort by \(by)"
        case .skip(let count): return "Skip \(count.text)"
        case .limit(let count): return "Limit \(count.text)"
        case .eager: return "Eager"
        case .create(let creations):
            return "Create "
                + creations.map { creation in
                    switch creation {
                    case .node(let slot, let labels, _): "(#\(slot.index)\(labels.map { ":\($0)" }.joined()))"
                    case .relationship(let slot, let type, let from, let to, _):
                        "#\(from.index)-[#\(slot.index):\(type)]->#\(to.index)"
                    }
                }.joined(separator: ", ")
        case .update: return "Set"
        case .delete(let targets, let detach):
            return (detach ? "DetachDelete " : "Delete ") + targets.map(\.text).joined(separator: ", ")
        case .count(.nodes(let label), _): return "NodeCountFromStore" + (label.map { " :\($0)" } ?? "")
        case .count(.relationships(let type), _): return "RelationshipCountFromStore" + (type.map { " :\($0)" } ?? "")
        }
    }
}
