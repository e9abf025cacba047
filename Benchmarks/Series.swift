internal import FileSystem

/// The values of one quantity, one per round. Rounds of different series are interleaved, so that whatever else the
/// machine does meanwhile meets all of them.
struct Series {
    let name: String
    let unit: String
    private(set) var values: [Double] = []

    init(_ name: String, _ unit: String) {
        self.name = name
        self.unit = unit
    }

    mutating func add(_ value: Double) { values.append(value) }

    /// One line of JSON. Names and units are plain ASCII.
    func print() {
        let list = values.map { "\($0)" }.joined(separator: ", ")
        StandardStream.output.writeLine("{\"name\": \"\(name)\", \"unit\": \"\(unit)\", \"values\": [\(list)]}")
    }
}

/// Seconds that `body` takes.
func seconds<R>(_ body: () throws -> R) rethrows -> (result: R, seconds: Double) {
    let start = monotonicNanoseconds()
    let result = try body()
    return (result, Double(monotonicNanoseconds() - start) / 1e9)
}

/// The value below which a part of the sorted values lies.
func percentile(_ sorted: [UInt64], _ part: Double) -> Double {
    guard !sorted.isEmpty else { return 0 }
    return Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))])
}

/// The same numbers in every run (Marsaglia's xorshift).
struct FixedRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed | 1 }

    mutating func next(below bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(bound))
    }
}
