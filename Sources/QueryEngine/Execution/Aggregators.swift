internal import GraphModel
internal import Storage

/// The state of one aggregate for all groups.
class Aggregator {
    /// Makes room for groups up to this count.
    func grow(to count: Int) {}
    /// Takes the rows of the frame's batch; `groups` has the group of each row, nil puts all into group 0.
    func accumulate(
        _ frame: Frame, _ groups: ContiguousArray<Int>?, _ columns: inout IntegerColumns
    ) throws(GraphError) {}
    func result(_ group: Int) throws(GraphError) -> Value { .null }
    /// Forgets all groups.
    func reset() {}

    static func make(_ aggregate: Step.Aggregate) -> Aggregator {
        guard let argument = aggregate.argument else { return RowCounter() }
        if aggregate.function == .count, let slot = aggregate.argumentSlot, slot.isID {
            return aggregate.isDistinct ? DistinctIDCounter(slot) : IDCounter(slot)
        }
        if let identification = aggregate.identification { return IdentityCounter(argument, identification) }
        switch aggregate.function {
        case .count: return ValueCounter(argument, isDistinct: aggregate.isDistinct)
        case .sum: return Summer(argument, isDistinct: aggregate.isDistinct)
        case .avg: return Averager(argument, isDistinct: aggregate.isDistinct)
        case .min: return Extreme(argument, wantsLarger: false)
        case .max: return Extreme(argument, wantsLarger: true)
        case .collect: return Collector(argument, isDistinct: aggregate.isDistinct)
        case .stdev, .stdevp:
            return Deviation(argument, isDistinct: aggregate.isDistinct, isSample: aggregate.function == .stdev)
        case .percentileDisc, .percentileCont:
            return Percentile(
                argument, aggregate.parameter, isDistinct: aggregate.isDistinct,
                interpolates: aggregate.function == .percentileCont)
        }
    }
}

/// Groups whose memory is kept from one execution to the next.
private let keptCount = 1 << 12

private func extend<T>(_ states: inout ContiguousArray<T>, to count: Int, with state: @autoclosure () -> T) {
    while states.count < count { states.append(state()) }
}

private func tally(_ groups: ContiguousArray<Int>, _ counts: inout ContiguousArray<Int>) {
    for group in groups { counts[group] &+= 1 }
}

private final class RowCounter: Aggregator {
    private var counts: ContiguousArray<Int> = []
    override func grow(to count: Int) { extend(&counts, to: count, with: 0) }
    override func reset() { counts.removeAll(keepingCapacity: counts.count < keptCount) }
    override func accumulate(_ frame: Frame, _ groups: ContiguousArray<Int>?, _ columns: inout IntegerColumns) {
        if let groups { tally(groups, &counts) } else { counts[0] += frame.batch.rowCount }
    }
    override func result(_ group: Int) -> Value { .integer(Int64(counts[group])) }
}

private final class IDCounter: Aggregator {
    private let slot: Slot
    private var counts: ContiguousArray<Int> = []
    init(_ slot: Slot) { self.slot = slot }
    override func grow(to count: Int) { extend(&counts, to: count, with: 0) }
    override func reset() { counts.removeAll(keepingCapacity: counts.count < keptCount) }
    override func accumulate(_ frame: Frame, _ groups: ContiguousArray<Int>?, _ columns: inout IntegerColumns) {
        let ids = frame.batch.columns[slot.index].ids
        let isWhole = !ids.contains(noID)
        if let groups {
            if isWhole { return tally(groups, &counts) }
            for row in 0..<frame.batch.rowCount where ids[row] != noID { counts[groups[row]] += 1 }
        } else {
            counts[0] += isWhole ? frame.batch.rowCount : ids.count { $0 != noID }
        }
    }
    override func result(_ group: Int) -> Value { .integer(Int64(counts[group])) }
}

private final class DistinctIDCounter: Aggregator {
    private let slot: Slot
    private var sets: ContiguousArray<IDSet> = []
    private var isEmpty = true
    init(_ slot: Slot) { self.slot = slot }
    // A group's ids lie scattered: pages for them would be nearly empty.
    override func grow(to count: Int) { extend(&sets, to: count, with: IDSet(usesPages: false)) }
    override func reset() {
        if sets.count == 1 { sets[0].removeAll() } else { sets = [] }
    }
    override func accumulate(
        _ frame: Frame, _ groups: ContiguousArray<Int>?, _ columns: inout IntegerColumns
    ) throws(GraphError) {
        let ids = frame.batch.columns[slot.index].ids
        guard let groups else {
            if isEmpty {
                // Kept from one execution to the next.
                let transaction = frame.transaction
                sets[0] = IDSet(
                    expectedMaximum: slot.holding == .node ? transaction.nodeCount() : transaction.relationshipCount())
                isEmpty = false
            }
            sets[0].insert(contentsOf: ids, count: frame.batch.rowCount)
            return
        }
        for row in 0..<frame.batch.rowCount where ids[row] != noID {
            let group = groups[row]
            let before = sets[group].byteCount
            sets[group].insert(ids[row])
            let grown = sets[group].byteCount - before
            if grown > 0 { try frame.hold(grown) }
        }
    }
    override func result(_ group: Int) -> Value { .integer(Int64(sets[group].count)) }
}

/// An aggregate over the values of an expression that are not null, each once per group when distinct.
class ValueAggregator: Aggregator {
    private let argument: Compiled
    private let isDistinct: Bool
    private var seen: ContiguousArray<Set<Value>> = []
    private var seenIntegers: ContiguousArray<IntegerSet> = []
    private var newIntegers: ContiguousArray<Int64> = []

    init(_ argument: Compiled, isDistinct: Bool) {
        self.argument = argument
        self.isDistinct = isDistinct
    }

    override func grow(to count: Int) {
        if !isDistinct { return }
        extend(&seen, to: count, with: [])
        extend(&seenIntegers, to: count, with: IntegerSet())
    }

    override func reset() {
        seen = []
        if seenIntegers.count == 1 { seenIntegers[0].removeAll() } else { seenIntegers = [] }
    }

    override func accumulate(
        _ frame: Frame, _ groups: ContiguousArray<Int>?, _ columns: inout IntegerColumns
    ) throws(GraphError) {
        if let column = columns.column(argument.shape, frame) {
            if isDistinct {
                guard let groups else { return try addDistinct(column, frame) }
                for row in 0..<column.count {
                    let group = groups[row]
                    if !seenIntegers[group].insert(column[row]) { continue }
                    try frame.hold(16)
                    if keepsValues { try frame.hold(16) }
                    try add(.integer(column[row]), group)
                }
                return
            }
            if try add(column, groups) { return }
        }
        for row in 0..<frame.batch.rowCount {
            let value = try argument.evaluate(frame, row)
            if value.isNull { continue }
            let group = groups?[row] ?? 0
            if isDistinct {
                if !isNew(value, group) { continue }
                try frame.hold(addSaturating(value.byteCount, value.byteCount))
            }
            if keepsValues { try frame.hold(value.byteCount) }
            try add(value, group)
        }
    }

    /// Takes those integers that the only group has not seen.
    private func addDistinct(_ integers: ContiguousArray<Int64>, _ frame: Frame) throws(GraphError) {
        newIntegers.removeAll(keepingCapacity: true)
        seenIntegers[0].insert(contentsOf: integers, new: &newIntegers)
        try frame.hold(newIntegers.count * (keepsValues ? 32 : 16))
        if try add(newIntegers, nil) { return }
        for integer in newIntegers { try add(.integer(integer), 0) }
    }

    /// Whether every value is kept until the end.
    var keepsValues: Bool { false }

    private func isNew(_ value: Value, _ group: Int) -> Bool {
        switch value {
        case .integer(let integer): return seenIntegers[group].insert(integer)
        case .float(let float):
            // A float that is whole equals the integer.
            if let integer = Int64(exactly: float) { return seenIntegers[group].insert(integer) }
        default: break
        }
        return seen[group].insert(value).inserted
    }

    func add(_ value: Value, _ group: Int) throws(GraphError) {}

    /// Takes many integers at once; false when it cannot and wants them one by one.
    func add(_ integers: ContiguousArray<Int64>, _ groups: ContiguousArray<Int>?) throws(GraphError) -> Bool { false }
}

private class ValueCounter: ValueAggregator {
    final var counts: ContiguousArray<Int> = []
    override func grow(to count: Int) {
        super.grow(to: count)
        extend(&counts, to: count, with: 0)
    }
    override func reset() {
        super.reset()
        counts.removeAll(keepingCapacity: counts.count < keptCount)
    }
    override func add(_ value: Value, _ group: Int) { counts[group] += 1 }
    override func add(_ integers: ContiguousArray<Int64>, _ groups: ContiguousArray<Int>?) -> Bool {
        if let groups { tally(groups, &counts) } else { counts[0] += integers.count }
        return true
    }
    override func result(_ group: Int) -> Value { .integer(Int64(counts[group])) }
}

/// How many different values a property has over different nodes, a single group: as many as nodes, where it identifies
/// them.
private final class IdentityCounter: ValueCounter {
    private let identification: Step.Identification
    private var identifies: Bool?

    init(_ argument: Compiled, _ identification: Step.Identification) {
        self.identification = identification
        super.init(argument, isDistinct: true)
    }

    override func reset() {
        identifies = nil
        super.reset()
    }

    override func accumulate(
        _ frame: Frame, _ groups: ContiguousArray<Int>?, _ columns: inout IntegerColumns
    ) throws(GraphError) {
        let identifies = identifies ?? frame.isIdentified(by: identification)
        self.identifies = identifies
        if identifies { counts[0] += frame.batch.rowCount } else { try super.accumulate(frame, groups, &columns) }
    }
}

extension Frame {
    fileprivate func isIdentified(by identification: Step.Identification) -> Bool {
        let key = token(identification.key)
        return key != noToken && transaction.identifies(key, nodesWithLabels: identification.labels.map { token($0) })
    }
}

private final class Summer: ValueAggregator {
    private struct Sum {
        var whole: Int64 = 0
        var float = 0.0
        var hasFloat = false
    }
    private var sums: ContiguousArray<Sum> = []
    override func grow(to count: Int) {
        super.grow(to: count)
        extend(&sums, to: count, with: Sum())
    }
    override func reset() {
        super.reset()
        sums.removeAll(keepingCapacity: sums.count < keptCount)
    }
    override func add(_ integers: ContiguousArray<Int64>, _ groups: ContiguousArray<Int>?) throws(GraphError) -> Bool {
        for row in 0..<integers.count { try add(integers[row], groups?[row] ?? 0) }
        return true
    }
    @inline(__always)
    private func add(_ number: Int64, _ group: Int) throws(GraphError) {
        let (sum, overflow) = sums[group].whole.addingReportingOverflow(number)
        guard !overflow else { throw GraphError(.arithmeticError, "sum() does not fit a 64-bit integer") }
        sums[group].whole = sum
    }
    override func add(_ value: Value, _ group: Int) throws(GraphError) {
        switch value {
        case .integer(let number): try add(number, group)
        case .float(let number):
            sums[group].float += number
            sums[group].hasFloat = true
        default: throw Function.wrong("sum", "numbers", value)
        }
    }
    override func result(_ group: Int) -> Value {
        let sum = sums[group]
        return sum.hasFloat ? .float(sum.float + Double(sum.whole)) : .integer(sum.whole)
    }
}

private final class Averager: ValueAggregator {
    private var sums: ContiguousArray<(sum: Double, count: Int)> = []
    override func grow(to count: Int) {
        super.grow(to: count)
        extend(&sums, to: count, with: (0, 0))
    }
    override func reset() {
        super.reset()
        sums.removeAll(keepingCapacity: sums.count < keptCount)
    }
    override func add(_ integers: ContiguousArray<Int64>, _ groups: ContiguousArray<Int>?) -> Bool {
        for row in 0..<integers.count {
            let group = groups?[row] ?? 0
            sums[group].sum += Double(integers[row])
            sums[group].count += 1
        }
        return true
    }
    override func add(_ value: Value, _ group: Int) throws(GraphError) {
        switch value {
        case .integer(let number): sums[group].sum += Double(number)
        case .float(let number): sums[group].sum += number
        default: throw Function.wrong("avg", "numbers", value)
        }
        sums[group].count += 1
    }
    override func result(_ group: Int) -> Value {
        let (sum, count) = sums[group]
        return count == 0 ? .null : .float(sum / Double(count))
    }
}

private final class Extreme: ValueAggregator {
    private let wantsLarger: Bool
    private var values: ContiguousArray<Value> = []
    init(_ argument: Compiled, wantsLarger: Bool) {
        self.wantsLarger = wantsLarger
        super.init(argument, isDistinct: false)
    }
    override func grow(to count: Int) { extend(&values, to: count, with: .null) }
    override func reset() {
        super.reset()
        values.removeAll(keepingCapacity: values.count < keptCount)
    }
    override func add(_ value: Value, _ group: Int) {
        let order = values[group].isNull ? 0 : value.order(values[group])
        if values[group].isNull || (wantsLarger ? order > 0 : order < 0) { values[group] = value }
    }
    override func result(_ group: Int) -> Value { values[group] }
}

private final class Collector: ValueAggregator {
    private var lists: ContiguousArray<[Value]> = []
    override func grow(to count: Int) {
        super.grow(to: count)
        extend(&lists, to: count, with: [])
    }
    override func reset() {
        super.reset()
        lists = []
    }
    override var keepsValues: Bool { true }
    override func add(_ value: Value, _ group: Int) { lists[group].append(value) }
    override func result(_ group: Int) throws(GraphError) -> Value { try Frame.limitedInDepth(.list(lists[group])) }
}
