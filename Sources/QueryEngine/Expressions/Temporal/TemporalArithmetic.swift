internal import GraphModel

/// `+ - * /` where a duration takes part.
enum TemporalArithmetic {
    /// `temporal + duration`, or `temporal - duration` with a `sign` of -1.
    static func add(_ temporal: Temporal, _ duration: Temporal, _ sign: Int64) throws(GraphError) -> Value {
        guard case .duration(let months, let days, let seconds, let nanoseconds) = duration else {
            throw GraphError(
                .typeError, "to a \(temporal.sort.name) only a duration can be added, not a \(duration.sort.name)")
        }
        if case .duration(let otherMonths, let otherDays, let otherSeconds, let otherNanoseconds) = temporal {
            var parts = DurationParts()
            let sign = Int128(sign)
            parts.months = Int128(otherMonths) + sign * Int128(months)
            parts.days = Int128(otherDays) + sign * Int128(days)
            parts.nanoseconds =
                Int128(otherSeconds) * 1_000_000_000 + Int128(otherNanoseconds)
                + sign * (Int128(seconds) * 1_000_000_000 + Int128(nanoseconds))
            guard let sum = parts.duration() else { throw DurationParts.tooLong("the sum") }
            return try sum.value()
        }
        // A valid duration is far from the ends of 64 bits in months and days, but not in seconds.
        let time = Int128(sign) * (Int128(seconds) * 1_000_000_000 + Int128(nanoseconds))
        let (addedDays, overflow) = days.multipliedReportingOverflow(by: sign)
        let (addedMonths, overflow2) = months.multipliedReportingOverflow(by: sign)
        guard !overflow, !overflow2 else { throw Calendar.outOfRange }
        switch temporal {
        case .date(let date):
            let whole = Int64(time / DurationParts.nanosecondsPerDay)
            let moved = try Calendar.adding(days: addedDays, to: try Calendar.adding(months: addedMonths, to: date))
            return try Temporal.date(days: try Calendar.adding(days: whole, to: moved)).value()
        case .localTime(let nanoseconds): return try Temporal.localTime(nanoseconds: wrapped(nanoseconds, time)).value()
        case .time(let nanoseconds, let offset):
            return try Temporal.time(nanoseconds: wrapped(nanoseconds, time), offsetSeconds: offset).value()
        case .localDateTime(let seconds, let nanoseconds):
            let local = try moved(LocalDateTime(seconds: seconds, nanoseconds: nanoseconds), addedMonths, addedDays)
            let (sum, below) = try instant(local.seconds, local.nanosecondsOfSecond, time)
            return try Temporal.localDateTime(seconds: sum, nanoseconds: below).value()
        case .dateTime(var seconds, let nanoseconds, let offset, let name):
            let zone = Zone(offset: offset, name: name)
            if addedMonths != 0 || addedDays != 0 {
                let local = LocalDateTime(seconds: seconds + Int64(offset), nanoseconds: nanoseconds)
                seconds =
                    zone.instant(ofLocal: try moved(local, addedMonths, addedDays).seconds, preferring: offset).seconds
            }
            let (sum, below) = try instant(seconds, nanoseconds, time)
            // A zone that the system does not know stays in the name.
            return try Temporal.dateTime(
                seconds: sum, nanoseconds: below, offsetSeconds: zone.offset(at: sum), zone: name
            ).value()
        case .duration: return .null
        }
    }

    private static func wrapped(_ nanoseconds: Int64, _ added: Int128) -> Int64 {
        let day = DurationParts.nanosecondsPerDay
        return Int64(((Int128(nanoseconds) + added) % day + day) % day)
    }

    private static func moved(_ local: LocalDateTime, _ months: Int64, _ days: Int64) throws(GraphError)
        -> LocalDateTime
    {
        LocalDateTime(
            days: try Calendar.adding(days: days, to: try Calendar.adding(months: months, to: local.days)),
            nanoseconds: local.nanoseconds)
    }

    private static func instant(
        _ seconds: Int64, _ nanoseconds: Int32, _ added: Int128
    ) throws(GraphError) -> (Int64, Int32) {
        let total = Int128(seconds) * 1_000_000_000 + Int128(nanoseconds) + added
        var (sum, below) = total.quotientAndRemainder(dividingBy: 1_000_000_000)
        if below < 0 { (sum, below) = (sum - 1, below + 1_000_000_000) }
        guard let sum = Int64(exactly: sum), sum.magnitude < 1 << 56 else { throw Calendar.outOfRange }
        return (sum, Int32(below))
    }

    /// `duration * factor`.
    static func multiply(_ duration: Temporal, _ factor: Value) throws(GraphError) -> Value {
        guard case .duration(let months, let days, let seconds, let nanoseconds) = duration else {
            throw GraphError(.typeError, "a \(duration.sort.name) cannot be multiplied")
        }
        switch factor {
        case .integer(let number):
            var parts = DurationParts()
            let factor = Int128(number)
            // 64-bit numbers: no product of two passes 128 bits, but the one in nanoseconds might.
            let (product, overflow) = (Int128(seconds) * 1_000_000_000 + Int128(nanoseconds))
                .multipliedReportingOverflow(by: factor)
            parts.months = Int128(months) * factor
            parts.days = Int128(days) * factor
            guard !overflow, parts.days.magnitude < 1 << 64 else { throw DurationParts.tooLong("the product") }
            parts.nanoseconds = product
            guard product.magnitude < 1 << 100, let result = parts.duration() else {
                throw DurationParts.tooLong("the product")
            }
            return try result.value()
        case .float(let number):
            return try DurationParts.scaled(months, days, seconds, nanoseconds) { $0 * number }
        default: throw GraphError(.typeError, "a duration is multiplied by a number, not by a \(factor.kindName)")
        }
    }

    /// `duration / divisor`.
    static func divide(_ duration: Temporal, _ divisor: Value) throws(GraphError) -> Value {
        guard case .duration(let months, let days, let seconds, let nanoseconds) = duration else {
            throw GraphError(.typeError, "a \(duration.sort.name) cannot be divided")
        }
        let number: Double
        switch divisor {
        case .integer(let value): number = Double(value)
        case .float(let value): number = value
        default: throw GraphError(.typeError, "a duration is divided by a number, not by a \(divisor.kindName)")
        }
        guard number != 0 else { throw GraphError(.arithmeticError, "/ by zero") }
        return try DurationParts.scaled(months, days, seconds, nanoseconds) { $0 / number }
    }
}
