internal import GraphModel

/// Reads dates, times and offsets in every form of ISO 8601 that openCypher takes: extended or basic, calendar, week,
/// quarter or ordinal dates, reduced from the right.
struct ISOText {
    var rest: ArraySlice<UInt8>

    init(_ text: String) { rest = Array(text.utf8)[...] }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    /// How many digits come next.
    private var digitCount: Int { rest.prefix { $0 >= 48 && $0 <= 57 }.count }

    /// Exactly so many digits.
    private mutating func digits(_ count: Int) -> Int64? {
        guard count <= 18, digitCount >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count).reduce(0) { $0 * 10 + Int64($1 - 48) }
    }

    /// Days since 1970; nil when no date comes next or it is not in the calendar.
    mutating func date() -> Int64? {
        let isNegative = rest.first == UInt8(ascii: "-")
        let isSigned = take("-") || take("+")
        let count = isSigned ? digitCount : 4
        guard count <= 9, var year = digits(count), !isSigned || rest.isEmpty || rest.first == UInt8(ascii: "-") else {
            return nil
        }
        if isNegative { year = -year }
        let isExtended = take("-")
        if take("W") {
            guard let week = digits(2) else { return nil }
            var day: Int64 = 1
            if isExtended ? take("-") : digitCount > 0 {
                guard let number = digits(1) else { return nil }
                day = number
            }
            return Calendar.week(year, week, day)
        }
        if take("Q") {
            guard let quarter = digits(1) else { return nil }
            var day: Int64 = 1
            if isExtended ? take("-") : digitCount > 0 {
                guard let number = digits(2) else { return nil }
                day = number
            }
            return Calendar.quarter(year, quarter, day)
        }
        switch digitCount {
        case 0: return isExtended ? nil : Calendar.date(year, 1, 1)
        case 2:
            guard let month = digits(2) else { return nil }
            if isExtended, take("-") {
                guard let day = digits(2) else { return nil }
                return Calendar.date(year, month, day)
            }
            return Calendar.date(year, month, 1)
        case 3: return digits(3).flatMap { Calendar.ordinal(year, $0) }
        case 4:
            guard !isExtended, let month = digits(2), let day = digits(2) else { return nil }
            return Calendar.date(year, month, day)
        default: return nil
        }
    }

    /// Nanoseconds since midnight; nil when no time comes next.
    mutating func time() -> Int64? {
        guard let hours = digits(2), hours < 24 else { return nil }
        let isExtended = rest.first == UInt8(ascii: ":")
        guard isExtended ? take(":") : digitCount > 0 else { return hours * 3_600_000_000_000 }
        guard let minutes = digits(2), minutes < 60 else { return nil }
        var nanoseconds = (hours * 3600 + minutes * 60) * 1_000_000_000
        guard isExtended ? take(":") : digitCount > 0 else { return nanoseconds }
        guard let seconds = digits(2), seconds < 60 else { return nil }
        nanoseconds += seconds * 1_000_000_000
        if take(".") || take(",") {
            let count = digitCount
            guard (1...9).contains(count), var fraction = digits(count) else { return nil }
            for _ in count..<9 { fraction *= 10 }
            nanoseconds += fraction
        }
        return nanoseconds
    }

    /// Seconds ahead of UTC; nil when no offset comes next, or one of more than 18 hours.
    mutating func offset() -> Int32? {
        if take("Z") || take("z") { return 0 }
        let isNegative = rest.first == UInt8(ascii: "-")
        guard take("-") || take("+"), let hours = digits(2) else { return nil }
        var seconds = hours * 3600
        if take(":") || digitCount > 0 {
            guard let minutes = digits(2), minutes < 60 else { return nil }
            seconds += minutes * 60
            if take(":") || digitCount > 0 {
                guard let more = digits(2), more < 60 else { return nil }
                seconds += more
            }
        }
        guard seconds <= 18 * 3600 else { return nil }
        return Int32(isNegative ? -seconds : seconds)
    }

    /// A zone's name in brackets, to the end.
    private mutating func bracketedName() -> String? {
        guard take("["), rest.last == UInt8(ascii: "]") else { return nil }
        defer { rest = rest.suffix(0) }
        return String(decoding: rest.dropLast(), as: UTF8.self)
    }

    private mutating func localDateTime() -> LocalDateTime? {
        guard let days = date() else { return nil }
        guard take("T") || take("t") else { return LocalDateTime(days: days, nanoseconds: 0) }
        return time().map { LocalDateTime(days: days, nanoseconds: $0) }
    }

    /// The whole text as a date or time of one sort. Where an offset is left out, `zone` is meant.
    static func parse(_ text: String, _ sort: Temporal.Sort, _ zone: Zone = .utc) throws(GraphError) -> Temporal {
        var parser = ISOText(text)
        var result: Temporal?
        switch sort {
        case .date: result = parser.date().map { .date(days: $0) }
        case .localTime: result = parser.time().map { .localTime(nanoseconds: $0) }
        case .time:
            if let time = parser.time() {
                let offset = parser.rest.isEmpty ? zone.offset(at: 0) : parser.offset()
                result = offset.map { .time(nanoseconds: time, offsetSeconds: $0) }
            }
        case .localDateTime: result = parser.localDateTime()?.temporal
        case .dateTime: result = try parser.dateTime(text, zone)
        case .duration: result = parser.duration()
        }
        guard let result, parser.rest.isEmpty else {
            throw GraphError(.argumentError, "'\(text)' is no \(sort.name) of ISO 8601, like \(sort.example)")
        }
        return result
    }

    private mutating func dateTime(_ text: String, _ zone: Zone) throws(GraphError) -> Temporal? {
        guard let local = localDateTime() else { return nil }
        if rest.isEmpty { return zone.dateTime(local) }
        let isBracket = rest.first == UInt8(ascii: "[")
        let offset = isBracket ? nil : offset()
        if !isBracket, offset == nil { return nil }
        guard let name = bracketedName() else { return offset.map { Zone.offset($0).dateTime(local) } }
        let zone = try Zone(name)
        let result = zone.dateTime(local, preferring: offset)
        if let offset, case .dateTime(_, _, let found, _) = result, found != offset {
            throw GraphError(
                .argumentError,
                "'\(text)': clocks in \(name) are not at \(Zone.text(offset: offset)) then, but at "
                    + Zone.text(offset: found))
        }
        return result
    }

    // MARK: Durations

    /// `P1Y2M3W4DT5H6M7.8S`, every number with a sign and a fraction if need be, or `P2012-02-02T14:37:21.545`.
    mutating func duration() -> Temporal? {
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        guard take("P") else { return nil }
        var parts = DurationParts()
        guard dateLikeDuration(&parts) || unitDuration(&parts) else { return nil }
        return parts.duration(isNegative ? -1 : 1)
    }

    private mutating func dateLikeDuration(_ parts: inout DurationParts) -> Bool {
        let start = rest
        if let years = digits(4), take("-"), let months = digits(2), months <= 12, take("-"), let days = digits(2),
            days <= 31, take("T"), let time = time()
        {
            parts.months = Int128(years) * 12 + Int128(months)
            parts.days = Int128(days)
            parts.nanoseconds = Int128(time)
            return true
        }
        rest = start
        return false
    }

    private mutating func unitDuration(_ parts: inout DurationParts) -> Bool {
        var isTime = false
        var last = 0
        var isEmpty = true
        while let first = rest.first {
            if take("T") {
                if isTime || rest.isEmpty { return false }
                (isTime, last) = (true, 0)
                continue
            }
            let isMinus = first == UInt8(ascii: "-")
            if isMinus || first == UInt8(ascii: "+") { rest.removeFirst() }
            let count = digitCount
            guard count > 0, let whole = digits(count) else { return false }
            var fraction: Int64 = 0
            if take(".") || take(",") {
                // A billionth of a month is more than a nanosecond, but nobody writes one.
                let count = digitCount
                guard count > 0 else { return false }
                fraction = digits(min(count, 9)) ?? 0
                for _ in min(count, 9)..<9 { fraction *= 10 }
                rest = rest.dropFirst(count - min(count, 9))
            }
            guard let letter = rest.popFirst(), let (unit, place) = Self.unit(letter, isTime), place > last else {
                return false
            }
            last = place
            isEmpty = false
            parts.add(Int128(isMinus ? -whole : whole), billionths: isMinus ? -fraction : fraction, unit)
        }
        return !isEmpty
    }

    private static func unit(_ letter: UInt8, _ isTime: Bool) -> (DurationParts.Unit, place: Int)? {
        switch (isTime, Unicode.Scalar(letter)) {
        case (false, "Y"): (.years, 1)
        case (false, "M"): (.months, 2)
        case (false, "W"): (.weeks, 3)
        case (false, "D"): (.days, 4)
        case (true, "H"): (.hours, 1)
        case (true, "M"): (.minutes, 2)
        case (true, "S"): (.seconds, 3)
        default: nil
        }
    }
}

extension Temporal.Sort {
    var name: String {
        switch self {
        case .date: "date"
        case .localTime: "local time"
        case .time: "time"
        case .localDateTime: "local date and time"
        case .dateTime: "date and time"
        case .duration: "duration"
        }
    }

    var example: String {
        switch self {
        case .date: "2015-07-21"
        case .localTime: "21:40:32.142"
        case .time: "21:40:32.142+01:00"
        case .localDateTime: "2015-07-21T21:40:32.142"
        case .dateTime: "2015-07-21T21:40:32.142+02:00[Europe/Stockholm]"
        case .duration: "P14DT16H12M"
        }
    }
}
