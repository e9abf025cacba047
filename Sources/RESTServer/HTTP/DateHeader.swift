internal import FileSystem
internal import Synchronization

/// The value of the `Date` header, made once a second.
final class DateHeader: Sendable {
    private struct Cached {
        var second: Int64 = -1
        var text = ""
    }
    private let cached = Mutex(Cached())

    var text: String {
        let second = wallClockMilliseconds() / 1000
        return cached.withLock { cached in
            if cached.second != second { cached = Cached(second: second, text: Self.format(second)) }
            return cached.text
        }
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, from seconds since 1970.
    static func format(_ seconds: Int64) -> String {
        let days = seconds / 86_400
        let (year, month, day) = civilDate(days)
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(days % 7)]
        let name = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][month - 1]
        let time = Int(seconds % 86_400)
        let clock = "\(two(time / 3600)):\(two(time / 60 % 60)):\(two(time % 60))"
        return "\(weekday), \(two(day)) \(name) \(year) \(clock) GMT"
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

/// Year, month and day of a number of days since 1970, in the Gregorian calendar (Hinnant's algorithm).
package func civilDate(_ days: Int64) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)), Int(month), Int(day))
}

/// `2026-01-31T12:00:00.123Z`, from milliseconds since 1970.
package func timestampText(_ milliseconds: Int64) -> String {
    func padded(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    let seconds = milliseconds / 1000
    let (year, month, day) = civilDate(seconds / 86_400)
    let time = seconds % 86_400
    let date = "\(padded(Int64(year), 4))-\(padded(Int64(month), 2))-\(padded(Int64(day), 2))"
    let clock = "\(padded(time / 3600, 2)):\(padded(time / 60 % 60, 2)):\(padded(time % 60, 2))"
    return "\(date)T\(clock).\(padded(milliseconds % 1000, 3))Z"
}
