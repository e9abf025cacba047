internal import GraphModel

/// `duration.between` and its kin: how long it is from one value to another.
struct DurationBetween {
    private var from: LocalDateTime
    private var to: LocalDateTime
    private let hasDates: Bool
    /// Of both; nil when neither has one.
    private let zone: Zone?
    private let fromSeconds: Int64
    private let toSeconds: Int64

    /// What one has and the other lacks, a date or a zone, the other takes over; a time that is missing is midnight.
    /// - Throws: `.typeError` for durations.
    init(_ a: Temporal, _ b: Temporal) throws(GraphError) {
        guard a.sort != .duration, b.sort != .duration else {
            throw GraphError(.typeError, "a duration is between two dates or times, not between durations")
        }
        let (x, y) = (a.parts, b.parts)
        hasDates = x.days != nil || y.days != nil
        from = LocalDateTime(days: x.days ?? y.days ?? 0, nanoseconds: x.nanoseconds ?? 0)
        to = LocalDateTime(days: y.days ?? x.days ?? 0, nanoseconds: y.nanoseconds ?? 0)
        zone = a.zone ?? b.zone
        func instant(_ temporal: Temporal, _ local: LocalDateTime, _ zone: Zone) -> Int64 {
            if case .dateTime(let seconds, _, _, _) = temporal { return seconds }
            return zone.instant(ofLocal: local.seconds).seconds
        }
        guard let zone else {
            (fromSeconds, toSeconds) = (from.seconds, to.seconds)
            return
        }
        fromSeconds = instant(a, from, zone)
        toSeconds = instant(b, to, b.zone ?? zone)
        // The end on the clocks of the beginning, so that calendar days are the same for both.
        to = LocalDateTime(
            seconds: toSeconds + Int64(zone.offset(at: toSeconds)), nanoseconds: to.nanosecondsOfSecond)
    }

    /// Whole months, then whole days, then the rest.
    func all() throws(GraphError) -> Value {
        guard hasDates else { return try seconds() }
        let months = wholeMonths(from, to)
        let moved = LocalDateTime(
            days: try Calendar.adding(months: months, to: from.days), nanoseconds: from.nanoseconds)
        let days = wholeDays(moved, to)
        let start = LocalDateTime(days: moved.days + days, nanoseconds: moved.nanoseconds)
        let seconds = months == 0 && days == 0 ? fromSeconds : (zone ?? .utc).instant(ofLocal: start.seconds).seconds
        var parts = DurationParts()
        parts.months = Int128(months)
        parts.days = Int128(days)
        parts.nanoseconds = Self.nanoseconds(toSeconds, to) - Self.nanoseconds(seconds, from)
        return try Self.value(parts)
    }

    func months() throws(GraphError) -> Value {
        var parts = DurationParts()
        parts.months = hasDates ? Int128(wholeMonths(from, to)) : 0
        return try Self.value(parts)
    }

    func days() throws(GraphError) -> Value {
        var parts = DurationParts()
        parts.days = hasDates ? Int128(wholeDays(from, to)) : 0
        return try Self.value(parts)
    }

    func seconds() throws(GraphError) -> Value {
        var parts = DurationParts()
        parts.nanoseconds = Self.nanoseconds(toSeconds, to) - Self.nanoseconds(fromSeconds, from)
        return try Self.value(parts)
    }

    private static func nanoseconds(_ seconds: Int64, _ local: LocalDateTime) -> Int128 {
        Int128(seconds) * 1_000_000_000 + Int128(local.nanosecondsOfSecond)
    }

    private static func value(_ parts: DurationParts) throws(GraphError) -> Value {
        guard let duration = parts.duration() else { throw DurationParts.tooLong("the time between") }
        return try duration.value()
    }

    private func wholeMonths(_ from: LocalDateTime, _ to: LocalDateTime) -> Int64 {
        let (year, month, day) = CalendarDate.date(from.days)
        let (endYear, endMonth, endDay) = CalendarDate.date(from.days + wholeDays(from, to))
        let months = (endYear - year) * 12 + endMonth - month
        if months > 0, endDay < day { return months - 1 }
        if months < 0, endDay > day { return months + 1 }
        return months
    }

    private func wholeDays(_ from: LocalDateTime, _ to: LocalDateTime) -> Int64 {
        let days = to.days - from.days
        if days > 0, to.nanoseconds < from.nanoseconds { return days - 1 }
        if days < 0, to.nanoseconds > from.nanoseconds { return days + 1 }
        return days
    }
}
