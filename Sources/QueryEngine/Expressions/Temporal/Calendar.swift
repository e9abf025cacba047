internal import GraphModel

/// Dates by month, week, quarter or day of the year, as days since 1970-01-01; and back.
enum Calendar {
    static func isYear(_ year: Int64) -> Bool { year.magnitude <= CalendarDate.yearMaximum.magnitude }

    /// nil for a day that is not in the calendar; so in all of these.
    static func date(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64? {
        guard isYear(year), (1...12).contains(month), day >= 1, day <= CalendarDate.length(year, month) else {
            return nil
        }
        return CalendarDate.days(year, month, day)
    }

    static func ordinal(_ year: Int64, _ day: Int64) -> Int64? {
        guard isYear(year), day >= 1, day <= 337 + CalendarDate.length(year, 2) else { return nil }
        return CalendarDate.days(year, 1, 1) + day - 1
    }

    static func quarter(_ year: Int64, _ quarter: Int64, _ day: Int64) -> Int64? {
        guard isYear(year), (1...4).contains(quarter), day >= 1 else { return nil }
        let first = CalendarDate.days(year, quarter * 3 - 2, 1)
        let next = quarter == 4 ? CalendarDate.days(year + 1, 1, 1) : CalendarDate.days(year, quarter * 3 + 1, 1)
        return day <= next - first ? first + day - 1 : nil
    }

    /// Weeks begin on Monday, which is 1; the first of a year is the one with its first Thursday.
    static func week(_ year: Int64, _ week: Int64, _ day: Int64) -> Int64? {
        guard isYear(year), (1...53).contains(week), (1...7).contains(day) else { return nil }
        let first = firstMonday(year)
        if week == 53, firstMonday(year + 1) - first < 53 * 7 { return nil }
        return first + (week - 1) * 7 + day - 1
    }

    private static func firstMonday(_ year: Int64) -> Int64 {
        let fourth = CalendarDate.days(year, 1, 4)
        return fourth - dayOfWeek(fourth) + 1
    }

    static func dayOfWeek(_ days: Int64) -> Int64 { ((days + 3) % 7 + 7) % 7 + 1 }

    static func year(_ days: Int64) -> Int64 { CalendarDate.date(days).year }
    static func weekYear(_ days: Int64) -> Int64 { year(days - dayOfWeek(days) + 4) }
    static func week(_ days: Int64) -> Int64 { (days - firstMonday(weekYear(days))) / 7 + 1 }
    static func quarter(_ days: Int64) -> Int64 { (CalendarDate.date(days).month + 2) / 3 }
    static func ordinalDay(_ days: Int64) -> Int64 { days - CalendarDate.days(year(days), 1, 1) + 1 }
    static func dayOfQuarter(_ days: Int64) -> Int64 {
        let (year, month, _) = CalendarDate.date(days)
        return days - CalendarDate.days(year, (month + 2) / 3 * 3 - 2, 1) + 1
    }

    /// The same day of a month that is so many months later, or the last one of it.
    /// - Throws: `.argumentError` beyond the calendar.
    static func adding(months: Int64, to days: Int64) throws(GraphError) -> Int64 {
        if months == 0 { return days }
        let (year, month, day) = CalendarDate.date(days)
        let (total, overflow) = (year * 12 + month - 1).addingReportingOverflow(months)
        let newYear = total.flooredQuotient(12)
        guard !overflow, isYear(newYear) else { throw outOfRange }
        let newMonth = total - newYear * 12 + 1
        return CalendarDate.days(newYear, newMonth, min(day, CalendarDate.length(newYear, newMonth)))
    }

    static func adding(days added: Int64, to days: Int64) throws(GraphError) -> Int64 {
        let (sum, overflow) = days.addingReportingOverflow(added)
        guard !overflow, sum.magnitude < 1 << 40 else { throw outOfRange }
        return sum
    }

    static var outOfRange: GraphError {
        GraphError(.argumentError, "the result is not between the years -999999999 and 999999999")
    }
}
