internal import GraphModel

/// The parts of dates, times, durations and points that a query reads like properties: `d.year`, `p.x`.
enum TemporalComponents {
    /// - Throws: `.argumentError` when the value has no such component, `.typeError` for other kinds of values.
    static func value(of value: Value, key: String) throws(GraphError) -> Value {
        try Component(key).value(of: value)
    }

    /// A key that is looked up once and then read from many values.
    struct Component: Sendable {
        private let key: String
        private let temporal: TemporalComponent?
        private let duration: DurationComponent?

        init(_ key: String) {
            self.key = key
            temporal = TemporalComponent(rawValue: key)
            duration = DurationComponent(rawValue: key)
        }

        func value(of value: Value) throws(GraphError) -> Value {
            switch value {
            case .temporal(let value):
                if case .duration(let months, let days, let seconds, let nanoseconds) = value.content {
                    if let duration { return try duration.value(months, days, seconds, nanoseconds) }
                } else if let result = try temporal?.value(of: value.content) {
                    return result
                }
                throw GraphError(.argumentError, "a \(value.content.sort.name) has no component '\(key)'")
            case .point(let point): return try Self.component(point, key)
            default: throw GraphError(.typeError, "a value of type \(value.kindName) has no property '\(key)'")
            }
        }

        private static func component(_ point: PointValue, _ key: String) throws(GraphError) -> Value {
            switch key {
            case "x": return .float(point.x)
            case "y": return .float(point.y)
            case "longitude" where point.system.isGeographic: return .float(point.x)
            case "latitude" where point.system.isGeographic: return .float(point.y)
            case "height" where point.system == .wgs84With3D, "z" where point.system.dimensionCount == 3:
                return .float(point.z)
            case "height" where point.system.isGeographic, "z": return .null
            case "crs": return .string(point.system.name)
            case "srid": return .integer(Int64(point.system.rawValue))
            default:
                throw GraphError(.argumentError, "a point in \(point.system.name) has no component '\(key)'")
            }
        }
    }
}

private enum TemporalComponent: String, Sendable {
    case year, quarter, month, week, weekYear, day, ordinalDay, weekDay, dayOfWeek, dayOfQuarter
    case hour, minute, second, millisecond, microsecond, nanosecond
    case timezone, offset, offsetMinutes, offsetSeconds, epochSeconds, epochMillis

    /// nil when the value has no such component.
    /// - Throws: `.arithmeticError` for milliseconds beyond 64 bits: 292 million years away.
    func value(of temporal: Temporal) throws(GraphError) -> Value? {
        switch self {
        case .year, .quarter, .month, .week, .weekYear, .day, .ordinalDay, .weekDay, .dayOfWeek, .dayOfQuarter:
            return temporal.parts.days.map { .integer(number(days: $0)) }
        case .hour, .minute, .second, .millisecond, .microsecond, .nanosecond:
            return temporal.parts.nanoseconds.map { .integer(number(nanoseconds: $0)) }
        case .timezone:
            if case .dateTime(_, _, _, let name?) = temporal { return .string(name) }
            return TemporalConstructor.offset(temporal).map { .string(Zone.text(offset: $0)) }
        case .offset: return TemporalConstructor.offset(temporal).map { .string(Zone.text(offset: $0)) }
        case .offsetMinutes: return TemporalConstructor.offset(temporal).map { .integer(Int64($0 / 60)) }
        case .offsetSeconds: return TemporalConstructor.offset(temporal).map { .integer(Int64($0)) }
        case .epochSeconds, .epochMillis:
            guard case .dateTime(let seconds, let nanoseconds, _, _) = temporal else { return nil }
            if self == .epochSeconds { return .integer(seconds) }
            let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
            let (sum, overflow2) = product.addingReportingOverflow(Int64(nanoseconds / 1_000_000))
            guard !overflow, !overflow2 else {
                throw GraphError(.arithmeticError, "\(temporal) in milliseconds does not fit a 64-bit integer")
            }
            return .integer(sum)
        }
    }

    private func number(days: Int64) -> Int64 {
        switch self {
        case .year: CalendarDate.date(days).year
        case .quarter: Calendar.quarter(days)
        case .month: CalendarDate.date(days).month
        case .week: Calendar.week(days)
        case .weekYear: Calendar.weekYear(days)
        case .ordinalDay: Calendar.ordinalDay(days)
        case .weekDay, .dayOfWeek: Calendar.dayOfWeek(days)
        case .dayOfQuarter: Calendar.dayOfQuarter(days)
        default: CalendarDate.date(days).day
        }
    }

    private func number(nanoseconds: Int64) -> Int64 {
        switch self {
        case .hour: nanoseconds / 3_600_000_000_000
        case .minute: nanoseconds / 60_000_000_000 % 60
        case .second: nanoseconds / 1_000_000_000 % 60
        case .millisecond: nanoseconds / 1_000_000 % 1000
        case .microsecond: nanoseconds / 1000 % 1_000_000
        default: nanoseconds % 1_000_000_000
        }
    }
}

private enum DurationComponent: String, Sendable {
    case years, quarters, months, weeks, days, hours, minutes, seconds, milliseconds, microseconds, nanoseconds
    case quartersOfYear, monthsOfYear, monthsOfQuarter, daysOfWeek, minutesOfHour, secondsOfMinute
    case millisecondsOfSecond, microsecondsOfSecond, nanosecondsOfSecond

    /// - Throws: `.arithmeticError` when the number is beyond 64 bits.
    func value(_ months: Int64, _ days: Int64, _ seconds: Int64, _ nanoseconds: Int32) throws(GraphError) -> Value {
        let below = Int64(nanoseconds)
        switch self {
        case .years: return .integer(months / 12)
        case .quarters: return .integer(months / 3)
        case .months: return .integer(months)
        case .weeks: return .integer(days / 7)
        case .days: return .integer(days)
        case .hours: return .integer(seconds / 3600)
        case .minutes: return .integer(seconds / 60)
        case .seconds: return .integer(seconds)
        case .milliseconds: return try total(seconds, 1000, below / 1_000_000)
        case .microseconds: return try total(seconds, 1_000_000, below / 1000)
        case .nanoseconds: return try total(seconds, 1_000_000_000, below)
        case .quartersOfYear: return .integer(months / 3 % 4)
        case .monthsOfYear: return .integer(months % 12)
        case .monthsOfQuarter: return .integer(months % 3)
        case .daysOfWeek: return .integer(days % 7)
        case .minutesOfHour: return .integer(seconds / 60 % 60)
        case .secondsOfMinute: return .integer(seconds % 60)
        case .millisecondsOfSecond: return .integer(below / 1_000_000)
        case .microsecondsOfSecond: return .integer(below / 1000)
        case .nanosecondsOfSecond: return .integer(below)
        }
    }

    private func total(_ seconds: Int64, _ perSecond: Int64, _ below: Int64) throws(GraphError) -> Value {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: perSecond)
        let (sum, overflow2) = product.addingReportingOverflow(below)
        guard !overflow, !overflow2 else {
            throw GraphError(.arithmeticError, "the duration's \(rawValue) do not fit a 64-bit integer")
        }
        return .integer(sum)
    }
}
