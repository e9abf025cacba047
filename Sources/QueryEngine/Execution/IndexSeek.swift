internal import GraphModel
internal import Storage

/// The nodes of a label or the relationships of a type that an index finds, for each row.
struct IndexSeekPlan: OperatorPlan {
    let seek: Step.IndexSeek
    /// Numbers in the plan of the label or type, and of the keys.
    let name: Int
    let keys: [Int]
    let carried: [Slot]
    var isReusable: Bool { true }

    func make(_ frame: Frame, next: Operator) -> Operator { IndexSeekOperator(frame, next: next, self) }
}

private final class IndexSeekOperator: BatchingOperator {
    private let plan: IndexSeekPlan
    private let column: Int
    private let leadingValues: [Evaluator]
    private let isEqual: Bool
    private var index: SchemaRuleID?
    /// What the row's values ask for.
    private var leading: [Value] = []
    private var found: ContiguousArray<UInt64> = []
    /// Entities that a list has found before.
    private var seen = IDSet()

    init(_ frame: Frame, next: Operator, _ plan: IndexSeekPlan) {
        self.plan = plan
        column = plan.seek.slot.index
        leadingValues = plan.seek.leading.map(\.evaluate)
        if case .equal = plan.seek.probe { isEqual = true } else { isEqual = false }
        super.init(frame, next: next, carried: plan.carried, produced: [plan.seek.slot])
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        let token = frame.token(plan.name)
        if token == noToken { return true }
        index = findIndex(token)
        if index == nil { try frame.control.checkFound(nil) }
        prepareTest(batch)
        for row in 0..<batch.rowCount {
            frame.batch = batch
            // The index that was there when the query was planned may be gone.
            let goesOn = index == nil ? try scan(token, batch, row) : try seek(batch, row)
            if !goesOn { return false }
        }
        return true
    }

    private func findIndex(_ token: TokenID) -> SchemaRuleID? {
        var tokens: [TokenID] = []
        tokens.reserveCapacity(plan.keys.count)
        for key in plan.keys {
            let token = frame.token(key)
            if token == noToken { return nil }
            tokens.append(token)
        }
        return plan.seek.slot.holding == .node
            ? frame.transaction.index(label: token, keys: tokens)
            : frame.transaction.index(relationshipType: token, keys: tokens)
    }

    // MARK: Seeking

    private func seek(_ batch: Batch, _ row: Int) throws(GraphError) -> Bool {
        guard let index else { return true }
        leading.removeAll(keepingCapacity: true)
        var isExact = true
        for evaluate in leadingValues {
            let value = try evaluate(frame, row)
            isExact = isExact && value.isFoundExactly
            leading.append(value)
        }
        if isEqual {
            found.removeAll(keepingCapacity: true)
            if leading.count == 1 {
                try frame.transaction.seek(index, equals: leading[0], into: &found)
            } else {
                try frame.transaction.seek(index, equals: leading, into: &found)
            }
            try frame.control.checkFound(found.count)
            return try emit(isExact, batch, row)
        }
        switch plan.seek.probe {
        case .equal: return true
        case .list(let list):
            guard case .list(let values) = try list.evaluate(frame, row) else { return true }
            seen.removeAll()
            found.removeAll(keepingCapacity: true)
            for value in values.elements {
                let start = found.count
                try frame.transaction.seek(index, equals: leading + [value], into: &found)
                isExact = isExact && value.isFoundExactly
                var kept = start
                for place in start..<found.count where seen.insert(found[place]) {
                    found[kept] = found[place]
                    kept += 1
                }
                found.removeLast(found.count - kept)
            }
            return try emit(isExact, batch, row)
        case .range(let lower, let upper):
            let from = try bound(lower, row, &isExact)
            let to = try bound(upper, row, &isExact)
            return try walk(.between(from, to, after: leading), isExact, batch, row)
        case .prefix(let text):
            guard case .string(let prefix) = try text.evaluate(frame, row) else { return true }
            return try walk(.prefix(prefix.text, after: leading), isExact, batch, row)
        }
    }

    private func bound(
        _ bound: Step.IndexSeek.Bound?, _ row: Int, _ isExact: inout Bool
    ) throws(GraphError) -> IndexRange.Bound? {
        guard let bound else { return nil }
        let value = try bound.value.evaluate(frame, row)
        isExact = isExact && value.isFoundExactly
        return IndexRange.Bound(value, isIncluded: bound.isIncluded)
    }

    private func walk(_ range: IndexRange, _ isExact: Bool, _ batch: Batch, _ row: Int) throws(GraphError) -> Bool {
        guard let index else { return true }
        var cursor = IndexCursor()
        var hasMore = true
        while hasMore {
            found.removeAll(keepingCapacity: true)
            hasMore = try frame.transaction.scan(
                index, range, cursor: &cursor, limit: max(frame.batchRowCount, 64), into: &found)
            if try !emit(isExact, batch, row) { return false }
        }
        return true
    }

    private func emit(_ isExact: Bool, _ batch: Batch, _ row: Int) throws(GraphError) -> Bool {
        for id in found {
            if !isExact, try !passes(id, batch, row) { continue }
            output.columns[column].ids.append(id)
            output.append(row, of: batch, carried)
            output.rowCount += 1
            if try !flushIfFull() { return false }
        }
        return true
    }

    // MARK: Testing

    /// Gives the rows a place for a candidate, which the condition then looks at.
    private func prepareTest(_ batch: Batch) {
        batch.columns[column].ids.removeAll(keepingCapacity: true)
        batch.columns[column].ids.append(contentsOf: repeatElement(noID, count: batch.rowCount))
    }

    private func passes(_ id: UInt64, _ batch: Batch, _ row: Int) throws(GraphError) -> Bool {
        guard let test = plan.seek.test else { return true }
        frame.batch = batch
        batch.columns[column].ids[row] = id
        return try test.test(frame, row) == .true
    }

    private func scan(_ token: TokenID, _ batch: Batch, _ row: Int) throws(GraphError) -> Bool {
        var cursor: UInt64 = 0
        var hasMore = true
        while hasMore {
            found.removeAll(keepingCapacity: true)
            if plan.seek.slot.holding == .node {
                hasMore = frame.transaction.scanNodes(label: token, cursor: &cursor, limit: 1024, into: &found)
            } else {
                hasMore = frame.transaction.scanRelationships(type: token, cursor: &cursor, limit: 1024, into: &found)
            }
            try frame.checkControl()
            if try !emit(false, batch, row) { return false }
        }
        return true
    }
}

extension Value {
    /// Whether an index, which knows the order of values, finds for this value just what the comparisons of queries mean.
    fileprivate var isFoundExactly: Bool {
        switch self {
        case .null, .boolean, .string: true
        case .integer(let number): number.magnitude <= 1 << 53
        case .float(let number): number.magnitude <= 0x1p53
        case .bytes, .temporal, .point, .list, .map, .node, .relationship, .path: false
        }
    }
}
