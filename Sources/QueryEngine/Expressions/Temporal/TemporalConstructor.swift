internal import GraphModel

/// `date()`, `localtime()`, `time()`, `localdatetime()` and `datetime()`: values from texts, maps and one another.
enum TemporalConstructor {
    /// The value that clocks in a zone show at an instant.
    static func now(_ instant: StatementInstant, _ zone: Zone, _ sort: Temporal.Sort) throws(GraphError) -> Value {
        try converted(zone.dateTime(seconds: instant.seconds, nanoseconds: instant.nanoseconds), sort).value()
    }

    /// - Parameter now: what offset a named zone has in a time without a date.
    static func make(_ argument: Value, _ sort: Temporal.Sort, now: StatementInstant) throws(GraphError) -> Value {
        switch argument {
        case .null: return .null
        case .string(let text): return try ISOText.parse(text.text, sort).value()
        case .temporal(let other): return try converted(other.content, sort).value()
        case .map(let map):
            if map.entries.count == 1, map.entries[0].key.lowercased() == "timezone",
                case .string(let name) = map.entries[0].value
            {
                return try self.now(now, try Zone(name.text), sort)
            }
            let fields = try TemporalFields(map, sort)
            return fields.hasNull ? .null : try make(fields, now: now).value()
        default:
            throw GraphError(
                .typeError,
                "a \(sort.name) is made of a string, a map or another date or time, not of a value of type \(argument.kindName)"
            )
        }
    }

    /// What of another value is of this sort.
    private static func converted(_ other: Temporal, _ sort: Temporal.Sort) throws(GraphError) -> Temporal {
        let (days, nanoseconds) = other.parts
        switch (sort, days, nanoseconds) {
        case (.date, let days?, _): return .date(days: days)
        case (.localTime, _, let nanoseconds?): return .localTime(nanoseconds: nanoseconds)
        case (.time, _, let nanoseconds?):
            return .time(nanoseconds: nanoseconds, offsetSeconds: offset(other) ?? 0)
        case (.localDateTime, let days?, _): return LocalDateTime(days: days, nanoseconds: nanoseconds ?? 0).temporal
        case (.dateTime, let days?, _):
            if case .dateTime = other { return other }
            return Zone.utc.dateTime(LocalDateTime(days: days, nanoseconds: nanoseconds ?? 0))
        default: throw GraphError(.typeError, "a \(other.sort.name) cannot be made a \(sort.name)")
        }
    }

    /// The offset that a time or a date and time shows.
    static func offset(_ temporal: Temporal) -> Int32? {
        switch temporal {
        case .time(_, let offset), .dateTime(_, _, let offset, _): offset
        default: nil
        }
    }

    private static func make(_ fields: TemporalFields, now: StatementInstant) throws(GraphError) -> Temporal {
        switch fields.sort {
        case .date: return .date(days: try fields.days(fields.date?.parts.days))
        case .localTime: return .localTime(nanoseconds: try time(fields))
        case .time: return try timeWithOffset(fields, now)
        case .localDateTime: return try local(fields).temporal
        case .dateTime, .duration: return try dateTime(fields)
        }
    }

    private static func time(_ fields: TemporalFields) throws(GraphError) -> Int64 {
        let base = fields.time?.parts.nanoseconds
        guard base != nil || fields[.hour] != nil else {
            throw GraphError(.argumentError, "the hour of the \(fields.sort.name) is missing")
        }
        return try fields.nanoseconds(base)
    }

    private static func timeWithOffset(_ fields: TemporalFields, _ now: StatementInstant) throws(GraphError) -> Temporal
    {
        let nanoseconds = try time(fields)
        let wanted = fields.zone?.offset(at: now.seconds)
        guard let old = fields.time.flatMap({ offset($0) }) else {
            return .time(nanoseconds: nanoseconds, offsetSeconds: wanted ?? 0)
        }
        guard let wanted else { return .time(nanoseconds: nanoseconds, offsetSeconds: old) }
        // The same moment on other clocks.
        let shifted = nanoseconds + Int64(wanted - old) * 1_000_000_000
        let day = LocalDateTime.nanosecondsPerDay
        return .time(nanoseconds: ((shifted % day) + day) % day, offsetSeconds: wanted)
    }

    private static func local(_ fields: TemporalFields) throws(GraphError) -> LocalDateTime {
        LocalDateTime(
            days: try fields.days(fields.date?.parts.days),
            nanoseconds: try fields.nanoseconds(fields.time?.parts.nanoseconds))
    }

    private static func dateTime(_ fields: TemporalFields) throws(GraphError) -> Temporal {
        if fields[.epochSeconds] != nil || fields[.epochMillis] != nil { return try epoch(fields) }
        let local = try local(fields)
        guard let old = fields.time?.zone else { return (fields.zone ?? .utc).dateTime(local) }
        let preferred = fields.time.flatMap { offset($0) }
        let result = old.dateTime(local, preferring: preferred)
        guard let zone = fields.zone, case .dateTime(let seconds, let nanoseconds, _, _) = result else { return result }
        // The same moment on other clocks.
        return zone.dateTime(seconds: seconds, nanoseconds: nanoseconds)
    }

    private static func epoch(_ fields: TemporalFields) throws(GraphError) -> Temporal {
        guard !fields.has(.date), !fields.has(.clock), fields.date == nil,
            fields.time == nil, fields[.epochSeconds] == nil || fields[.epochMillis] == nil
        else {
            throw GraphError(
                .argumentError, "epochSeconds or epochMillis says all of a date and time but its fraction and zone")
        }
        let fraction = try fields.fraction()
        let instant: (seconds: Int64, nanoseconds: Int64)
        if let seconds = fields[.epochSeconds] {
            instant = (seconds, fraction)
        } else {
            guard fraction < 1_000_000 else {
                throw GraphError(.argumentError, "only what is below a millisecond can stand beside epochMillis")
            }
            let milliseconds = fields[.epochMillis] ?? 0
            instant = (
                milliseconds.flooredQuotient(1000), milliseconds.flooredRemainder(1000) * 1_000_000 + fraction
            )
        }
        return try dateTime(instant.seconds, instant.nanoseconds, fields.zone ?? .utc)
    }

    /// An instant as a date and time.
    /// - Parameter nanoseconds: of any size.
    static func dateTime(_ seconds: Int64, _ nanoseconds: Int64, _ zone: Zone) throws(GraphError) -> Temporal {
        let carry = nanoseconds.flooredQuotient(1_000_000_000)
        let (sum, overflow) = seconds.addingReportingOverflow(carry)
        guard !overflow, sum.magnitude < 1 << 56 else { throw Calendar.outOfRange }
        return zone.dateTime(seconds: sum, nanoseconds: Int32(nanoseconds.flooredRemainder(1_000_000_000)))
    }
}
