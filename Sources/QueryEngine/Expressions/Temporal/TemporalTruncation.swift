internal import GraphModel

/// `date.truncate` and its kin: the beginning of the unit that a value lies in, with parts of it replaced.
enum TemporalTruncation {
    enum Unit: String, CaseIterable {
        case millennium, century, decade, year
        case weekYear = "weekyear"
        case quarter, month, week, day, hour, minute, second, millisecond, microsecond

        var isDate: Bool {
            switch self {
            case .millennium, .century, .decade, .year, .weekYear, .quarter, .month, .week, .day: true
            case .hour, .minute, .second, .millisecond, .microsecond: false
            }
        }
    }

    static func truncate(
        _ unitName: String, _ source: Temporal, _ map: MapValue?, _ sort: Temporal.Sort
    ) throws(GraphError) -> Value {
        guard let unit = Unit(rawValue: unitName.lowercased()) else {
            throw GraphError(
                .argumentError,
                "'\(unitName)' is no unit; units are \(Unit.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard sort != .date || unit.isDate, sort != .localTime && sort != .time || !unit.isDate || unit == .day else {
            throw GraphError(.argumentError, "a \(sort.name) cannot be truncated to a \(unitName)")
        }
        let (sourceDays, sourceNanoseconds) = source.parts
        let isTime = sort == .localTime || sort == .time
        guard isTime ? sourceNanoseconds != nil : sourceDays != nil, unit.isDate || sourceNanoseconds != nil else {
            throw GraphError(
                .typeError, "a \(source.sort.name) cannot be truncated to the \(unitName) of a \(sort.name)")
        }
        let fields = try TemporalFields(map ?? MapValue([]), sort)
        if fields.hasNull { return .null }
        guard fields.date == nil, fields.time == nil else {
            throw GraphError(.argumentError, "truncation takes components like {day: 2}, no other dates or times")
        }
        let days = isTime ? 0 : try fields.days(sourceDays.map { Self.days($0, unit) })
        var nanoseconds: Int64 = 0
        if sort != .date {
            let start = unit.isDate ? 0 : Self.nanoseconds(sourceNanoseconds ?? 0, unit)
            if unit == .millisecond || unit == .microsecond, fields.has(.fraction) {
                // What is named below the unit comes on top of it.
                let below = try fields.fraction()
                guard fields[.millisecond] == nil, below < (unit == .millisecond ? 1_000_000 : 1000) else {
                    throw GraphError(.argumentError, "only what is below a \(unitName) can stand beside it")
                }
                nanoseconds = start + below
            } else {
                nanoseconds = try fields.nanoseconds(start)
            }
        }
        let zone = fields.zone ?? source.zone ?? .utc
        switch sort {
        case .date: return try Temporal.date(days: days).value()
        case .localTime: return try Temporal.localTime(nanoseconds: nanoseconds).value()
        case .time:
            let own = fields.zone == nil ? TemporalConstructor.offset(source) : nil
            return try Temporal.time(nanoseconds: nanoseconds, offsetSeconds: own ?? zone.offset(at: 0)).value()
        case .localDateTime, .duration:
            return try LocalDateTime(days: days, nanoseconds: nanoseconds).temporal.value()
        case .dateTime:
            let preferred = TemporalConstructor.offset(source)
            return try zone.dateTime(
                LocalDateTime(days: days, nanoseconds: nanoseconds), preferring: preferred
            ).value()
        }
    }

    private static func days(_ days: Int64, _ unit: Unit) -> Int64 {
        let (year, month, _) = CalendarDate.date(days)
        switch unit {
        case .millennium: return CalendarDate.days(year / 1000 * 1000, 1, 1)
        case .century: return CalendarDate.days(year / 100 * 100, 1, 1)
        case .decade: return CalendarDate.days(year / 10 * 10, 1, 1)
        case .year: return CalendarDate.days(year, 1, 1)
        case .weekYear: return Calendar.week(Calendar.weekYear(days), 1, 1) ?? days
        case .quarter: return CalendarDate.days(year, (month + 2) / 3 * 3 - 2, 1)
        case .month: return CalendarDate.days(year, month, 1)
        case .week: return days - Calendar.dayOfWeek(days) + 1
        case .day, .hour, .minute, .second, .millisecond, .microsecond: return days
        }
    }

    private static func nanoseconds(_ nanoseconds: Int64, _ unit: Unit) -> Int64 {
        let length: Int64
        switch unit {
        case .hour: length = 3_600_000_000_000
        case .minute: length = 60_000_000_000
        case .second: length = 1_000_000_000
        case .millisecond: length = 1_000_000
        case .microsecond: length = 1000
        default: return 0
        }
        return nanoseconds / length * length
    }
}
