internal import GraphModel

/// A duration while it is put together: numbers with fractions, of any unit. What is below a month becomes days, what is
/// below a day becomes time, by the average lengths of the calendar.
struct DurationParts {
    enum Unit: Sendable {
        case years, months, weeks, days, hours, minutes, seconds, milliseconds, microseconds, nanoseconds
    }

    var months: Int128 = 0
    var days: Int128 = 0
    var nanoseconds: Int128 = 0
    /// Nanoseconds that count with the days: fractions of months and days.
    private var nanosecondsOfDays: Int128 = 0

    /// 30.436875 days.
    static let nanosecondsPerMonth: Int128 = 2_629_746_000_000_000
    static let nanosecondsPerDay: Int128 = 86_400_000_000_000

    private static func nanoseconds(_ unit: Unit) -> Int128 {
        switch unit {
        case .years, .months: nanosecondsPerMonth
        case .weeks, .days: nanosecondsPerDay
        case .hours: 3_600_000_000_000
        case .minutes: 60_000_000_000
        case .seconds: 1_000_000_000
        case .milliseconds: 1_000_000
        case .microseconds: 1000
        case .nanoseconds: 1
        }
    }

    /// - Parameter billionths: of the unit, of the same sign.
    mutating func add(_ whole: Int128, billionths: Int64 = 0, _ unit: Unit) {
        // Of a year and a week, whole months and days come first.
        if unit == .years || unit == .weeks {
            let factor: Int128 = unit == .years ? 12 : 7
            let fraction = Int128(billionths) * factor
            add(
                whole * factor + fraction / 1_000_000_000, billionths: Int64(fraction % 1_000_000_000),
                unit == .years ? .months : .days)
            return
        }
        add(whole, nanoseconds: Int128(billionths) * Self.nanoseconds(unit) / 1_000_000_000, unit)
    }

    /// False when the number is not finite or beyond 64 bits; nothing is added then.
    mutating func add(_ number: Double, _ unit: Unit) -> Bool {
        switch unit {
        case .years: return add(number * 12, .months)
        case .weeks: return add(number * 7, .days)
        default: break
        }
        let whole = number.rounded(.towardZero)
        guard whole.magnitude < 0x1p63 else { return false }
        let rest = (number - whole) * Double(Self.nanoseconds(unit))
        add(Int128(whole), nanoseconds: Int128(rest.rounded()), unit)
        return true
    }

    private mutating func add(_ whole: Int128, nanoseconds rest: Int128, _ unit: Unit) {
        switch unit {
        case .years, .months:
            months += whole
            nanosecondsOfDays += rest
        case .weeks, .days:
            days += whole
            nanosecondsOfDays += rest
        default: nanoseconds += whole * Self.nanoseconds(unit) + rest
        }
    }

    /// nil when it is too long.
    func duration(_ sign: Int128 = 1) -> Temporal? {
        let ofDays = days * Self.nanosecondsPerDay + nanosecondsOfDays
        let wholeDays = ofDays / Self.nanosecondsPerDay
        let rest = (nanoseconds + ofDays % Self.nanosecondsPerDay) * sign
        var (seconds, below) = rest.quotientAndRemainder(dividingBy: 1_000_000_000)
        if below < 0 { (seconds, below) = (seconds - 1, below + 1_000_000_000) }
        guard let months = Int64(exactly: months * sign), let days = Int64(exactly: wholeDays * sign),
            let seconds = Int64(exactly: seconds)
        else { return nil }
        let result = Temporal.duration(months: months, days: days, seconds: seconds, nanoseconds: Int32(below))
        return result.isValid ? result : nil
    }

    static func tooLong(_ what: String) -> GraphError {
        GraphError(.argumentError, "\(what) is longer than a duration can be: its seconds do not fit a 64-bit integer")
    }
}

extension DurationParts {
    private static let units: [String: Unit] = [
        "years": .years, "months": .months, "weeks": .weeks, "days": .days, "hours": .hours, "minutes": .minutes,
        "seconds": .seconds, "milliseconds": .milliseconds, "microseconds": .microseconds,
        "nanoseconds": .nanoseconds,
    ]

    /// From a map like `{years: 1, days: 1.5}`.
    static func duration(_ map: MapValue) throws(GraphError) -> Value {
        var parts = DurationParts()
        guard !map.entries.isEmpty else {
            throw GraphError(.argumentError, "duration() takes a map with at least one unit, like {days: 1}")
        }
        for (key, value) in map.entries {
            let name = key.lowercased()
            var found = units[name]
            if name == "quarters" { found = .months }
            guard let unit = found else {
                throw GraphError(.argumentError, "a duration has no unit '\(key)'; it has years, months, weeks, days …")
            }
            let factor: Int64 = name == "quarters" ? 3 : 1
            switch value {
            case .null: return .null
            case .integer(let number): parts.add(Int128(number) * Int128(factor), unit)
            case .float(let number):
                guard parts.add(number * Double(factor), unit) else { throw tooLong("\(key): \(number)") }
            default:
                throw GraphError(
                    .typeError, "'\(key)' of a duration is a number, not a value of type \(value.kindName)")
            }
        }
        guard let result = parts.duration() else { throw tooLong("the duration") }
        return try result.value()
    }

    /// `duration * factor`, `duration / divisor` as `duration * (1 / divisor)` would lose digits: both are given.
    static func scaled(
        _ months: Int64, _ days: Int64, _ seconds: Int64, _ nanoseconds: Int32, _ scale: (Double) -> Double
    ) throws(GraphError) -> Value {
        var parts = DurationParts()
        let wholeSeconds = scale(Double(seconds))
        let whole = wholeSeconds.rounded(.towardZero)
        let below = ((wholeSeconds - whole) * 1e9 + scale(Double(nanoseconds))).rounded(.towardZero)
        guard parts.add(scale(Double(months)), .months), parts.add(scale(Double(days)), .days),
            parts.add(whole, .seconds), parts.add(below, .nanoseconds), let result = parts.duration()
        else {
            throw GraphError(.arithmeticError, "the product is longer than a duration can be, or not a number")
        }
        return try result.value()
    }
}
