extension Temporal {
    /// Reads what ``description`` writes, and from it leaves out: seconds, the colon of an offset or its minutes. A
    /// duration may have weeks and signs; only its seconds may have a fraction. nil for all else, a day that is not in the
    /// calendar, more than nine digits of a fraction, or a zone without an offset (nothing is looked up).
    public init?(_ text: String, _ sort: Sort) { self.init(utf8: Array(text.utf8)[...], sort) }

    /// The same from UTF-8.
    public init?(utf8: ArraySlice<UInt8>, _ sort: Sort) {
        var parser = TemporalParser(rest: utf8)
        let result: Temporal? =
            switch sort {
            case .date: parser.date().map { .date(days: $0) }
            case .localTime: parser.time().map { .localTime(nanoseconds: $0) }
            case .time: parser.timeWithOffset()
            case .localDateTime: parser.localDateTime().map { .localDateTime(seconds: $0, nanoseconds: $1) }
            case .dateTime: parser.dateTime()
            case .duration: parser.duration()
            }
        guard let result, parser.rest.isEmpty, result.isValid else { return nil }
        self = result
    }
}

private struct TemporalParser {
    var rest: ArraySlice<UInt8>

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: byte) else { return false }
        rest.removeFirst()
        return true
    }

    /// As many digits as there are, at most `most` of them; nil when they are fewer than `least`.
    private mutating func digits(_ least: Int, _ most: Int) -> Int64? {
        var value: Int64 = 0
        var count = 0
        while count < most, let byte = rest.first, byte >= 48, byte <= 57 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = product.addingReportingOverflow(Int64(byte - 48))
            if overflow || overflow2 { return nil }
            value = sum
            count += 1
            rest.removeFirst()
        }
        return count >= least ? value : nil
    }

    mutating func date() -> Int64? {
        let isNegative = rest.first == UInt8(ascii: "-")
        let isSigned = take("-") || take("+")
        guard let year = digits(4, isSigned ? 9 : 4), take("-"), let month = digits(2, 2), take("-"),
            let day = digits(2, 2), (1...12).contains(month)
        else { return nil }
        let signed = isNegative ? -year : year
        guard day >= 1, day <= CalendarDate.length(signed, month) else { return nil }
        return CalendarDate.days(signed, month, day)
    }

    /// Up to nine digits as nanoseconds, behind a point or a comma; 0 when there is none.
    private mutating func fraction() -> Int64? {
        guard take(".") || take(",") else { return 0 }
        let count = rest.prefix { $0 >= 48 && $0 <= 57 }.count
        guard (1...9).contains(count), var value = digits(1, 9) else { return nil }
        for _ in count..<9 { value *= 10 }
        return value
    }

    mutating func time() -> Int64? {
        guard let hours = digits(2, 2), hours < 24, take(":"), let minutes = digits(2, 2), minutes < 60 else { return nil }
        var nanoseconds = (hours * 3600 + minutes * 60) * 1_000_000_000
        if take(":") {
            guard let seconds = digits(2, 2), seconds < 60, let fraction = fraction() else { return nil }
            nanoseconds += seconds * 1_000_000_000 + fraction
        }
        return nanoseconds
    }

    private mutating func offset() -> Int32? {
        if take("Z") { return 0 }
        let isNegative = rest.first == UInt8(ascii: "-")
        guard take("-") || take("+"), let hours = digits(2, 2), hours <= 18 else { return nil }
        var seconds = hours * 3600
        if take(":") || rest.first.map({ $0 >= 48 && $0 <= 57 }) == true {
            guard let minutes = digits(2, 2), minutes < 60 else { return nil }
            seconds += minutes * 60
            if take(":") {
                guard let more = digits(2, 2), more < 60 else { return nil }
                seconds += more
            }
        }
        return Int32(isNegative ? -seconds : seconds)
    }

    mutating func timeWithOffset() -> Temporal? {
        guard let nanoseconds = time(), let offset = offset() else { return nil }
        return .time(nanoseconds: nanoseconds, offsetSeconds: offset)
    }

    mutating func localDateTime() -> (Int64, Int32)? {
        guard let days = date(), take("T") || take("t"), let nanoseconds = time() else { return nil }
        return (days * 86400 + nanoseconds / 1_000_000_000, Int32(nanoseconds % 1_000_000_000))
    }

    mutating func dateTime() -> Temporal? {
        guard let (seconds, nanoseconds) = localDateTime(), let offset = offset() else { return nil }
        var zone: String?
        if take("[") {
            guard rest.last == UInt8(ascii: "]") else { return nil }
            zone = String(decoding: rest.dropLast(), as: UTF8.self)
            rest = rest.suffix(0)
        }
        return .dateTime(
            seconds: seconds - Int64(offset), nanoseconds: nanoseconds, offsetSeconds: offset, zone: zone)
    }

    mutating func duration() -> Temporal? {
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        guard take("P") else { return nil }
        var months = Int128(0)
        var days = Int128(0)
        var nanoseconds = Int128(0)
        var isTime = false
        var last = 0
        var isEmpty = true
        while let first = rest.first {
            if first == UInt8(ascii: "T") {
                guard !isTime else { return nil }
                rest.removeFirst()
                isTime = true
                last = 0
                if rest.isEmpty { return nil }
                continue
            }
            let isMinus = first == UInt8(ascii: "-")
            if isMinus || first == UInt8(ascii: "+") { rest.removeFirst() }
            guard let whole = digits(1, 19) else { return nil }
            let hasFraction = rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: ",")
            guard let fraction = fraction(), let unit = rest.popFirst(), !hasFraction || unit == UInt8(ascii: "S") else {
                return nil
            }
            let number = isMinus ? -Int128(whole) : Int128(whole)
            let place: Int
            switch (isTime, unit) {
            case (false, UInt8(ascii: "Y")): (place, months) = (1, months + number * 12)
            case (false, UInt8(ascii: "M")): (place, months) = (2, months + number)
            case (false, UInt8(ascii: "W")): (place, days) = (3, days + number * 7)
            case (false, UInt8(ascii: "D")): (place, days) = (4, days + number)
            case (true, UInt8(ascii: "H")): (place, nanoseconds) = (1, nanoseconds + number * 3_600_000_000_000)
            case (true, UInt8(ascii: "M")): (place, nanoseconds) = (2, nanoseconds + number * 60_000_000_000)
            case (true, UInt8(ascii: "S")):
                place = 3
                nanoseconds += number * 1_000_000_000 + Int128(isMinus ? -fraction : fraction)
            default: return nil
            }
            guard place > last else { return nil }
            last = place
            isEmpty = false
        }
        if isEmpty { return nil }
        if isNegative { (months, days, nanoseconds) = (-months, -days, -nanoseconds) }
        var (seconds, part) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        if part < 0 { (seconds, part) = (seconds - 1, part + 1_000_000_000) }
        guard let months = Int64(exactly: months), let days = Int64(exactly: days), let seconds = Int64(exactly: seconds)
        else { return nil }
        return .duration(months: months, days: days, seconds: seconds, nanoseconds: Int32(part))
    }
}
