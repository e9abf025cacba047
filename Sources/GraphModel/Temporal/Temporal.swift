/// A date, a time, both, or a length of time; proleptic Gregorian calendar, nanoseconds, no leap seconds.
///
/// Any content can be made; only what ``isValid`` allows becomes a ``TemporalValue`` and so a property.
public enum Temporal: Sendable {
    /// What kinds there are; comparisons and lists keep to one.
    public enum Sort: UInt8, Sendable, CaseIterable {
        case date, localTime, time, localDateTime, dateTime, duration
    }

    /// Days since 1970-01-01.
    case date(days: Int64)
    /// Nanoseconds since midnight, below a day.
    case localTime(nanoseconds: Int64)
    /// The same as a clock shows it at an offset from UTC, at most 18 hours either way.
    case time(nanoseconds: Int64, offsetSeconds: Int32)
    /// Seconds since 1970-01-01T00:00 as a clock shows them, and nanoseconds below a second.
    case localDateTime(seconds: Int64, nanoseconds: Int32)
    /// An instant: seconds since 1970-01-01T00:00Z and nanoseconds below a second; how far local clocks were ahead of
    /// UTC then, and optionally the name of the zone that says so. The name is kept, not looked up.
    case dateTime(seconds: Int64, nanoseconds: Int32, offsetSeconds: Int32, zone: String?)
    /// Months, days and seconds are kept apart, for neither months nor days have one length. Nanoseconds are 0 to below
    /// a second, so a length of -0.5 s is -1 s and 500 000 000 ns.
    case duration(months: Int64, days: Int64, seconds: Int64, nanoseconds: Int32)

    public var sort: Sort {
        switch self {
        case .date: .date
        case .localTime: .localTime
        case .time: .time
        case .localDateTime: .localDateTime
        case .dateTime: .dateTime
        case .duration: .duration
        }
    }

    static let nanosecondsPerDay: Int64 = 86_400_000_000_000
    static let offsetSecondsMaximum: Int32 = 18 * 3600
    /// Days and seconds of the years -999 999 999 to 999 999 999.
    private static let days = CalendarDate.days(-CalendarDate.yearMaximum, 1, 1)...CalendarDate.days(CalendarDate.yearMaximum, 12, 31)
    private static let seconds = days.lowerBound * 86400...days.upperBound * 86400 + 86399

    /// Whether every part is within its range.
    public var isValid: Bool {
        func isOffset(_ offset: Int32) -> Bool { (-Self.offsetSecondsMaximum...Self.offsetSecondsMaximum).contains(offset) }
        func isFraction(_ nanoseconds: Int32) -> Bool { nanoseconds >= 0 && nanoseconds < 1_000_000_000 }
        switch self {
        case .date(let days): return Self.days.contains(days)
        case .localTime(let nanoseconds): return nanoseconds >= 0 && nanoseconds < Self.nanosecondsPerDay
        case .time(let nanoseconds, let offset):
            return nanoseconds >= 0 && nanoseconds < Self.nanosecondsPerDay && isOffset(offset)
        case .localDateTime(let seconds, let nanoseconds):
            return Self.seconds.contains(seconds) && isFraction(nanoseconds)
        case .dateTime(let seconds, let nanoseconds, let offset, let zone):
            guard Self.seconds.contains(seconds), isFraction(nanoseconds), isOffset(offset) else { return false }
            return Self.seconds.contains(seconds + Int64(offset)) && (zone.map(Self.isZoneName) ?? true)
        case .duration(_, _, _, let nanoseconds): return isFraction(nanoseconds) && averageSeconds != nil
        }
    }

    /// Letters, digits, and `/ _ + - .`, at most 64 of them.
    static func isZoneName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 64
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"): true
                case UInt8(ascii: "/"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
                default: false
                }
            }
    }

    /// A duration's whole seconds with months of 30.436875 days, the average of the calendar; nil when they pass 64 bits,
    /// and for what is no duration. (openCypher: durations are ordered by their average length.)
    package var averageSeconds: Int64? {
        guard case .duration(let months, let days, let seconds, _) = self else { return nil }
        let (inMonths, overflow1) = months.multipliedReportingOverflow(by: 2_629_746)
        let (inDays, overflow2) = days.multipliedReportingOverflow(by: 86400)
        let (sum, overflow3) = inMonths.addingReportingOverflow(inDays)
        let (total, overflow4) = sum.addingReportingOverflow(seconds)
        return overflow1 || overflow2 || overflow3 || overflow4 ? nil : total
    }

    /// Nanoseconds since midnight UTC of a time with offset: what it is ordered by.
    package static func instant(_ nanoseconds: Int64, _ offsetSeconds: Int32) -> Int64 {
        nanoseconds - Int64(offsetSeconds) * 1_000_000_000
    }
}

extension Temporal: Hashable {
    /// Position among the sorts in the order that ORDER BY uses (openCypher, orderability).
    private var rank: Int {
        switch self {
        case .dateTime: 0
        case .localDateTime: 1
        case .date: 2
        case .time: 3
        case .localTime: 4
        case .duration: 5
        }
    }

    /// -1, 0 or 1. Values with an offset are ordered by the instant, then by the offset, then by the zone's name, none
    /// first. Durations by their average length, then by months and days: equal are only those with equal parts.
    public func order(_ other: Temporal) -> Int {
        func three<T: Comparable>(_ pairs: (T, T)...) -> Int {
            for (a, b) in pairs where a != b { return a < b ? -1 : 1 }
            return 0
        }
        switch (self, other) {
        case (.date(let a), .date(let b)): return three((a, b))
        case (.localTime(let a), .localTime(let b)): return three((a, b))
        case (.time(let a, let x), .time(let b, let y)):
            return three((Self.instant(a, x), Self.instant(b, y)), (Int64(x), Int64(y)))
        case (.localDateTime(let a, let m), .localDateTime(let b, let n)): return three((a, b), (Int64(m), Int64(n)))
        case (.dateTime(let a, let m, let x, let p), .dateTime(let b, let n, let y, let q)):
            let result = three((a, b), (Int64(m), Int64(n)), (Int64(x), Int64(y)))
            return result != 0 ? result : codeUnitOrder(p ?? "", q ?? "")
        case (.duration(let a, let c, _, let m), .duration(let b, let d, _, let n)):
            return three(
                (averageSeconds ?? .max, other.averageSeconds ?? .max), (Int64(m), Int64(n)), (a, b), (c, d))
        default: return three((rank, other.rank))
        }
    }

    public static func == (a: Temporal, b: Temporal) -> Bool { a.order(b) == 0 }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(sort)
        switch self {
        case .date(let days): hasher.combine(days)
        case .localTime(let nanoseconds): hasher.combine(nanoseconds)
        case .time(let nanoseconds, let offset):
            hasher.combine(nanoseconds)
            hasher.combine(offset)
        case .localDateTime(let seconds, let nanoseconds):
            hasher.combine(seconds)
            hasher.combine(nanoseconds)
        case .dateTime(let seconds, let nanoseconds, let offset, let zone):
            hasher.combine(seconds)
            hasher.combine(nanoseconds)
            hasher.combine(offset)
            (zone ?? "").utf8.forEach { hasher.combine($0) }
        case .duration(let months, let days, let seconds, let nanoseconds):
            hasher.combine(months)
            hasher.combine(days)
            hasher.combine(seconds)
            hasher.combine(nanoseconds)
        }
    }
}

/// An immutable, valid ``Temporal``.
public final class TemporalValue: Sendable {
    public let content: Temporal

    /// nil when a part is out of its range.
    public init?(_ content: Temporal) {
        guard content.isValid else { return nil }
        self.content = content
    }
}

/// Dates of the proleptic Gregorian calendar as days since 1970-01-01.
package enum CalendarDate {
    package static let yearMaximum: Int64 = 999_999_999

    /// - Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    package static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// - Source: the same, `civil_from_days`.
    package static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let days = days + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    /// Days of a month.
    package static func length(_ year: Int64, _ month: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
