public import GraphModel

/// Random values of the kinds that have many forms.
public enum SampleValues {
    /// Any valid temporal value; near others, so that some are equal.
    public static func temporal(using generator: inout SeededGenerator) -> Temporal {
        func pick(_ range: ClosedRange<Int64>, _ wide: ClosedRange<Int64>) -> Int64 {
            Int64.random(in: Bool.random(using: &generator) ? range : wide, using: &generator)
        }
        let day: Int64 = 86_400_000_000_000
        let offset = Int32([0, 3600, -3600, 5400, 64800, -64800, 61][Int.random(in: 0..<7, using: &generator)])
        let fraction = Int32([0, 0, 1, 500_000_000, 999_999_999][Int.random(in: 0..<5, using: &generator)])
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: return .date(days: pick(-2...2, -300_000_000_000...300_000_000_000))
        case 1: return .localTime(nanoseconds: pick(0...2, 0...day - 1))
        case 2: return .time(nanoseconds: pick(0...2, 0...day - 1), offsetSeconds: offset)
        case 3: return .localDateTime(seconds: pick(-2...2, -1_000_000_000_000...1_000_000_000_000), nanoseconds: fraction)
        case 4:
            let zone = [nil, "Europe/Berlin", "Etc/GMT+1"][Int.random(in: 0..<3, using: &generator)]
            return .dateTime(
                seconds: pick(-2...2, -1_000_000_000_000...1_000_000_000_000), nanoseconds: fraction, offsetSeconds: offset,
                zone: zone)
        default:
            return .duration(
                months: pick(-1...1, -1_000_000...1_000_000), days: pick(-31...31, -1_000_000...1_000_000),
                seconds: pick(-2...2, -1_000_000_000_000...1_000_000_000_000), nanoseconds: fraction)
        }
    }

    /// A point of any system, with coordinates that tend to be equal, and in flat systems not to be numbers.
    public static func point(using generator: inout SeededGenerator) -> PointValue {
        let system = PointValue.System.allCases[Int.random(in: 0..<4, using: &generator)]
        let numbers: [Double] = system.isGeographic ? [0, -0.0, 1.5, -90, 45] : [0, -0.0, 1.5, .nan, -.infinity, 1e300]
        let coordinates = (0..<system.dimensionCount).map { _ in numbers[Int.random(in: 0..<numbers.count, using: &generator)] }
        guard let point = PointValue(system, coordinates) else { preconditionFailure("\(system) cannot have \(coordinates)") }
        return point
    }

    /// A temporal value or a point.
    public static func value(using generator: inout SeededGenerator) -> Value {
        if Int.random(in: 0..<3, using: &generator) == 0 { return .point(point(using: &generator)) }
        let content = temporal(using: &generator)
        guard let value = TemporalValue(content) else { preconditionFailure("\(content) is out of range") }
        return .temporal(value)
    }
}
