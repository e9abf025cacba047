internal import FileSystem
internal import GraphModel
internal import Synchronization

/// How far ahead of UTC the clocks of a named zone are, at any time: what the system's tz database says.
///
/// - Source: RFC 8536 (TZif). Its second part, with 64-bit times, and its footer are read.
package final class TimeZoneRules: Sendable {
    package let name: String
    /// Seconds since 1970 in UTC, ascending; the offset of the same index holds from then on.
    private let transitions: [Int64]
    private let offsets: [Int32]
    private let firstOffset: Int32
    /// What holds after the last transition.
    private let recurring: RecurringTimeZoneRule?

    /// Zones that the tz database gives one history since its release 2022b. Some systems still carry the older, separate
    /// ones, which differ before 1970; results must not depend on the system.
    private static let merged = [
        "Arctic/Longyearbyen": "Europe/Berlin", "Atlantic/Jan_Mayen": "Europe/Berlin",
        "Europe/Copenhagen": "Europe/Berlin", "Europe/Oslo": "Europe/Berlin", "Europe/Stockholm": "Europe/Berlin",
        "Europe/Amsterdam": "Europe/Brussels", "Europe/Luxembourg": "Europe/Brussels",
        "Europe/Monaco": "Europe/Paris", "Atlantic/Reykjavik": "Africa/Abidjan",
    ]

    /// Grows to the number of zones there are, about 600.
    private static let known = Mutex<[String: TimeZoneRules]>([:])

    /// The zone of a name like `Europe/Berlin`; nil when the system does not know it.
    package static func find(_ name: String) -> TimeZoneRules? {
        if let rules = known.withLock({ $0[name] }) { return rules }
        guard isName(name) else { return nil }
        let bytes: [UInt8]
        // No such file is no such zone.
        do throws(FileError) {
            bytes = try POSIXFileSystem().readAll("/usr/share/zoneinfo/" + (merged[name] ?? name))
        } catch { return nil }
        guard let rules = TimeZoneRules(name, bytes) else { return nil }
        known.withLock { $0[name] = rules }
        return rules
    }

    /// Nothing that leads out of the database's directory, and not its copies that count leap seconds.
    private static func isName(_ name: String) -> Bool {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "_"), UInt8(ascii: "+"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isPlain && !name.isEmpty && name.utf8.count <= 64 && name.utf8.first != UInt8(ascii: "/")
            && !name.hasPrefix("right/") && !name.hasPrefix("posix/")
    }

    /// nil when the bytes are no TZif file of version 2 or later, or their counts do not fit their length.
    package init?(_ name: String, _ bytes: [UInt8]) {
        guard let first = Header(bytes, at: 0), first.version >= 2, let second = Header(bytes, at: first.end(4)),
            second.end(8) <= bytes.count, second.typeCount > 0
        else { return nil }
        let times = second.start
        let indexes = times + second.transitionCount * 8
        let types = indexes + second.transitionCount
        func number(_ position: Int, _ count: Int) -> UInt64 {
            bytes[position..<position + count].reduce(0) { $0 << 8 | UInt64($1) }
        }
        func offset(_ type: Int) -> Int32 { Int32(truncatingIfNeeded: number(types + type * 6, 4)) }
        var transitions: [Int64] = []
        var offsets: [Int32] = []
        for index in 0..<second.transitionCount {
            let type = Int(bytes[indexes + index])
            let time = Int64(bitPattern: number(times + index * 8, 8))
            guard type < second.typeCount, transitions.last.map({ $0 < time }) ?? true else { return nil }
            transitions.append(time)
            offsets.append(offset(type))
        }
        self.name = name
        self.transitions = transitions
        self.offsets = offsets
        firstOffset = offset(0)
        guard offsets.allSatisfy({ $0.magnitude <= 86400 }), firstOffset.magnitude <= 86400 else { return nil }
        let footer = bytes[second.end(8)...].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        recurring = footer.count > 1 ? RecurringTimeZoneRule(footer[1]) : nil
    }

    private struct Header {
        let version: Int
        let start: Int
        let transitionCount: Int
        let typeCount: Int
        private let leapCount: Int
        private let nameByteCount: Int
        private let standardCount: Int
        private let utcCount: Int

        init?(_ bytes: [UInt8], at position: Int) {
            guard position + 44 <= bytes.count, bytes[position..<position + 4].elementsEqual("TZif".utf8) else {
                return nil
            }
            func count(_ index: Int) -> Int {
                let place = position + 20 + index * 4
                return bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
            }
            version = Int(bytes[position + 4]) - 48
            start = position + 44
            (utcCount, standardCount, leapCount) = (count(0), count(1), count(2))
            (transitionCount, typeCount, nameByteCount) = (count(3), count(4), count(5))
        }

        /// Where the data end, with times of so many bytes.
        func end(_ timeByteCount: Int) -> Int {
            start + transitionCount * (timeByteCount + 1) + typeCount * 6 + nameByteCount
                + leapCount * (timeByteCount + 4) + standardCount + utcCount
        }
    }

    /// Seconds that clocks are ahead of UTC at an instant.
    package func offset(at seconds: Int64) -> Int32 {
        guard let last = transitions.last, seconds < last else {
            return recurring?.offset(at: seconds) ?? offsets.last ?? firstOffset
        }
        var (low, high) = (0, transitions.count)
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? firstOffset : offsets[low - 1]
    }
}

/// The rule in a TZif footer, like `CET-1CEST,M3.5.0,M10.5.0/3`.
///
/// - Source: POSIX, the `TZ` variable, with the extensions of RFC 8536.
struct RecurringTimeZoneRule: Sendable {
    private enum Day: Sendable {
        /// From 1, never the 29th of February.
        case julian(Int64)
        /// From 0.
        case ordinal(Int64)
        case weekday(month: Int64, week: Int64, day: Int64)
    }
    private struct Change: Sendable {
        var day: Day
        var seconds: Int64

        func localSeconds(_ year: Int64) -> Int64 {
            let days: Int64
            switch day {
            case .julian(let number):
                let isLeap = CalendarDate.length(year, 2) == 29
                days = CalendarDate.days(year, 1, 1) + number - 1 + (isLeap && number >= 60 ? 1 : 0)
            case .ordinal(let number): days = CalendarDate.days(year, 1, 1) + number
            case .weekday(let month, let week, let weekday):
                let first = CalendarDate.days(year, month, 1)
                // 1970-01-01 was a Thursday.
                let shift = ((weekday - 4 - first) % 7 + 7) % 7
                let length = CalendarDate.length(year, month)
                var day = shift + (week - 1) * 7
                while day >= length { day -= 7 }
                days = first + day
            }
            return days * 86400 + seconds
        }
    }
    private let standard: Int32
    private let summer: Int32
    private let changes: (start: Change, end: Change)?

    /// nil when the text is not understood.
    init?(_ text: ArraySlice<UInt8>) {
        var parser = Parser(rest: text)
        guard parser.name(), let west = parser.time() else { return nil }
        standard = -west
        guard !parser.rest.isEmpty else {
            summer = standard
            changes = nil
            return
        }
        guard parser.name() else { return nil }
        if parser.rest.first == UInt8(ascii: ",") {
            summer = standard + 3600
        } else {
            guard let west = parser.time() else { return nil }
            summer = -west
        }
        guard let start = parser.change(), let end = parser.change(), parser.rest.isEmpty else { return nil }
        changes = (start, end)
    }

    func offset(at seconds: Int64) -> Int32 {
        guard let changes else { return standard }
        let days = (seconds + Int64(standard)).flooredQuotient(86400)
        let year = CalendarDate.date(days).year
        let start = changes.start.localSeconds(year) - Int64(standard)
        let end = changes.end.localSeconds(year) - Int64(summer)
        let isSummer = start < end ? seconds >= start && seconds < end : !(seconds >= end && seconds < start)
        return isSummer ? summer : standard
    }

    private struct Parser {
        var rest: ArraySlice<UInt8>

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            return true
        }

        mutating func name() -> Bool {
            if take("<") {
                guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
                rest = rest[(end + 1)...]
                return true
            }
            let letters = rest.prefix { $0 >= 65 && $0 <= 90 || $0 >= 97 && $0 <= 122 }
            rest = rest[letters.endIndex...]
            return !letters.isEmpty
        }

        mutating func number() -> Int64? {
            let digits = rest.prefix { $0 >= 48 && $0 <= 57 }
            guard (1...4).contains(digits.count) else { return nil }
            rest = rest[digits.endIndex...]
            return digits.reduce(0) { $0 * 10 + Int64($1 - 48) }
        }

        /// `[+-]h[:m[:s]]` as seconds.
        mutating func time() -> Int32? {
            let isNegative = rest.first == UInt8(ascii: "-")
            if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
            guard let hours = number(), hours <= 167 else { return nil }
            var seconds = hours * 3600
            if take(":") {
                guard let minutes = number(), minutes < 60 else { return nil }
                seconds += minutes * 60
                if take(":") {
                    guard let more = number(), more < 60 else { return nil }
                    seconds += more
                }
            }
            return Int32(isNegative ? -seconds : seconds)
        }

        mutating func change() -> Change? {
            guard take(",") else { return nil }
            let day: Day
            if take("M") {
                guard let month = number(), take("."), let week = number(), take("."), let weekday = number(),
                    (1...12).contains(month), (1...5).contains(week), weekday < 7
                else { return nil }
                day = .weekday(month: month, week: week, day: weekday)
            } else if take("J") {
                guard let number = number(), (1...365).contains(number) else { return nil }
                day = .julian(number)
            } else {
                guard let number = number(), number <= 365 else { return nil }
                day = .ordinal(number)
            }
            guard take("/") else { return Change(day: day, seconds: 7200) }
            guard let seconds = time() else { return nil }
            return Change(day: day, seconds: Int64(seconds))
        }
    }
}

extension Int64 {
    /// The quotient rounded towards negative infinity; `divisor` is positive.
    func flooredQuotient(_ divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// What then remains, from 0 to below `divisor`.
    func flooredRemainder(_ divisor: Int64) -> Int64 {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}
