extension Temporal: CustomStringConvertible {
    /// ISO 8601, extended form: `2024-02-29`, `12:30:00.5`, `12:30+01:00`, `2024-02-29T12:30`,
    /// `2024-02-29T12:30+01:00[Europe/Berlin]`, `P1Y2M3DT4H5M6.5S`. Seconds are left out when they are 0. Years have four
    /// digits, or a sign and as many as they need. Reads back as the same value.
    public var description: String {
        switch self {
        case .date(let days): return Self.text(days: days)
        case .localTime(let nanoseconds): return Self.text(nanosecondsOfDay: nanoseconds)
        case .time(let nanoseconds, let offset):
            return Self.text(nanosecondsOfDay: nanoseconds) + Self.text(offset: offset)
        case .localDateTime(let seconds, let nanoseconds): return Self.text(seconds: seconds, nanoseconds)
        case .dateTime(let seconds, let nanoseconds, let offset, let zone):
            return Self.text(seconds: seconds + Int64(offset), nanoseconds) + Self.text(offset: offset)
                + (zone.map { "[\($0)]" } ?? "")
        case .duration(let months, let days, let seconds, let nanoseconds):
            return Self.text(months, days, seconds, nanoseconds)
        }
    }

    private static func padded(_ number: some BinaryInteger, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    private static func text(days: Int64) -> String {
        let (year, month, day) = CalendarDate.date(days)
        let sign = year < 0 ? "-" : year > 9999 ? "+" : ""
        return "\(sign)\(padded(year.magnitude, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    private static func text(nanosecondsOfDay nanoseconds: Int64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        let minutes = "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2))"
        if nanoseconds % 60_000_000_000 == 0 { return minutes }
        return "\(minutes):\(padded(seconds % 60, 2))" + fraction(nanoseconds % 1_000_000_000)
    }

    private static func fraction(_ nanoseconds: Int64) -> String {
        if nanoseconds == 0 { return "" }
        var digits = padded(nanoseconds, 9)
        while digits.utf8.last == UInt8(ascii: "0") { digits.removeLast() }
        return "." + digits
    }

    private static func text(seconds: Int64, _ nanoseconds: Int32) -> String {
        let days = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400
        return text(days: days) + "T"
            + text(nanosecondsOfDay: (seconds - days * 86400) * 1_000_000_000 + Int64(nanoseconds))
    }

    private static func text(offset: Int32) -> String {
        if offset == 0 { return "Z" }
        let size = Int64(offset.magnitude)
        let seconds = size % 60 == 0 ? "" : ":" + padded(size % 60, 2)
        return "\(offset < 0 ? "-" : "+")\(padded(size / 3600, 2)):\(padded(size / 60 % 60, 2))\(seconds)"
    }

    private static func text(_ months: Int64, _ days: Int64, _ seconds: Int64, _ nanoseconds: Int32) -> String {
        var text = "P"
        if months / 12 != 0 { text += "\(months / 12)Y" }
        if months % 12 != 0 { text += "\(months % 12)M" }
        if days != 0 { text += "\(days)D" }
        if seconds != 0 || nanoseconds != 0 {
            text += "T"
            // Signed as one number, so that -1 s and 500 000 000 ns are -0.5 s.
            let isNegative = seconds < 0
            let borrows = isNegative && nanoseconds != 0
            let whole = borrows ? seconds + 1 : seconds
            let rest = Int64(borrows ? 1_000_000_000 - nanoseconds : nanoseconds)
            if whole / 3600 != 0 { text += "\(whole / 3600)H" }
            if whole / 60 % 60 != 0 { text += "\(whole / 60 % 60)M" }
            if whole % 60 != 0 || rest != 0 {
                text += "\(isNegative ? "-" : "")\((whole % 60).magnitude)\(fraction(rest))S"
            }
        }
        return text == "P" ? "PT0S" : text
    }
}

extension TemporalValue: CustomStringConvertible {
    public var description: String { content.description }
}
