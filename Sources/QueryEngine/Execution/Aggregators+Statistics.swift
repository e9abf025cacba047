internal import GraphModel

/// `stDev` and `stDevP`, by Welford's method: one pass, no cancellation.
final class Deviation: ValueAggregator {
    private struct State {
        var count = 0.0
        var mean = 0.0
        var squares = 0.0
    }
    private let isSample: Bool
    private var states: ContiguousArray<State> = []

    init(_ argument: Compiled, isDistinct: Bool, isSample: Bool) {
        self.isSample = isSample
        super.init(argument, isDistinct: isDistinct)
    }

    override func grow(to count: Int) {
        super.grow(to: count)
        while states.count < count { states.append(State()) }
    }

    override func reset() {
        super.reset()
        states = []
    }

    override func add(_ value: Value, _ group: Int) throws(GraphError) {
        let number = try Percentile.number(isSample ? "stDev" : "stDevP", value)
        states[group].count += 1
        let distance = number - states[group].mean
        states[group].mean += distance / states[group].count
        states[group].squares += distance * (number - states[group].mean)
    }

    override func result(_ group: Int) -> Value {
        let state = states[group]
        let divisor = isSample ? state.count - 1 : state.count
        return .float(divisor > 0 ? (state.squares / divisor).squareRoot() : 0)
    }
}

/// `percentileDisc` (the nearest value) and `percentileCont` (between the two nearest).
final class Percentile: ValueAggregator {
    private let share: Compiled?
    private let interpolates: Bool
    private var shareValue: Double?
    private var values: ContiguousArray<[Value]> = []

    init(_ argument: Compiled, _ share: Compiled?, isDistinct: Bool, interpolates: Bool) {
        self.share = share
        self.interpolates = interpolates
        super.init(argument, isDistinct: isDistinct)
    }

    private var name: String { interpolates ? "percentileCont" : "percentileDisc" }

    static func number(_ name: String, _ value: Value) throws(GraphError) -> Double {
        switch value {
        case .integer(let number): return Double(number)
        case .float(let number): return number
        default: throw Function.wrong(name, "numbers", value)
        }
    }

    override func grow(to count: Int) {
        super.grow(to: count)
        while values.count < count { values.append([]) }
    }

    override func accumulate(
        _ frame: Frame, _ groups: ContiguousArray<Int>?, _ columns: inout IntegerColumns
    ) throws(GraphError) {
        if shareValue == nil, frame.batch.rowCount > 0 {
            let number = try Self.number(name, try share?.evaluate(frame, 0) ?? .null)
            guard (0...1).contains(number) else {
                throw GraphError(.argumentError, "the percentile of \(name)() lies between 0 and 1, \(number) does not")
            }
            shareValue = number
        }
        try super.accumulate(frame, groups, &columns)
    }

    override func reset() {
        super.reset()
        values = []
        shareValue = nil
    }

    override var keepsValues: Bool { true }

    override func add(_ value: Value, _ group: Int) throws(GraphError) {
        _ = try Self.number(name, value)
        values[group].append(value)
    }

    override func result(_ group: Int) throws(GraphError) -> Value {
        guard let shareValue, !values[group].isEmpty else { return .null }
        let sorted = values[group].sorted { $0.order($1) < 0 }
        if !interpolates {
            let index = Int((shareValue * Double(sorted.count)).rounded(.up)) - 1
            return sorted[min(max(index, 0), sorted.count - 1)]
        }
        let position = shareValue * Double(sorted.count - 1)
        let (low, high) = (Int(position.rounded(.down)), Int(position.rounded(.up)))
        let below = try Self.number(name, sorted[low])
        let above = try Self.number(name, sorted[high])
        return .float(below + (above - below) * (position - Double(low)))
    }
}
