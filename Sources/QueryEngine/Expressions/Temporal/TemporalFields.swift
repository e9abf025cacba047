internal import GraphModel

/// The components that a map names for a date or a time: `{year: 2015, week: 30}`, `{date: other, day: 5}`.
struct TemporalFields: Sendable {
    enum Field: Int, Sendable, CaseIterable {
        case year, quarter, month, week, day, dayOfWeek, dayOfQuarter, ordinalDay
        case hour, minute, second, millisecond, microsecond, nanosecond
        case epochSeconds, epochMillis
    }
    /// Several fields.
    struct Fields: OptionSet, Sendable {
        let rawValue: UInt16
        init(rawValue: UInt16) { self.rawValue = rawValue }
        init(_ field: Field) { rawValue = 1 << field.rawValue }

        static let date = Fields(rawValue: 0x00FF)
        static let time = Fields(rawValue: 0x3F00)
        static let epoch = Fields(rawValue: 0xC000)
        static let month: Fields = [Fields(.month), Fields(.day)]
        static let week: Fields = [Fields(.week), Fields(.dayOfWeek)]
        static let quarter: Fields = [Fields(.quarter), Fields(.dayOfQuarter)]
        static let fraction: Fields = [Fields(.millisecond), Fields(.microsecond), Fields(.nanosecond)]
        static let clock: Fields = [Fields(.hour), Fields(.minute), Fields(.second)]
    }
    private enum Key: Sendable {
        case field(Field)
        case date, time, dateTime, timezone
    }

    /// Keys as documentation writes them and in lower case; any other case is taken too.
    private static let keys: [String: Key] = {
        var keys: [String: Key] = ["date": .date, "time": .time, "datetime": .dateTime, "timezone": .timezone]
        for field in Field.allCases {
            keys["\(field)"] = .field(field)
            keys["\(field)".lowercased()] = .field(field)
        }
        return keys
    }()

    private var named: Fields = []
    private var numbers = InlineArray<16, Int64>(repeating: 0)
    /// Where date and time are taken from; what is named besides replaces a part of them.
    var date: Temporal?
    var time: Temporal?
    var zone: Zone?
    /// Whether some entry is null, which makes the result null.
    private(set) var hasNull = false
    let sort: Temporal.Sort

    /// - Throws: `.argumentError` for a key that the sort does not have, `.typeError` for a value of a wrong kind.
    init(_ map: MapValue, _ sort: Temporal.Sort) throws(GraphError) {
        self.sort = sort
        let hasDate = sort == .date || sort == .localDateTime || sort == .dateTime
        let hasTime = sort != .date
        var allowed: Fields = []
        if hasDate { allowed.formUnion(.date) }
        if hasTime { allowed.formUnion(.time) }
        if sort == .dateTime { allowed.formUnion(.epoch) }
        for (key, value) in map.entries {
            if value.isNull {
                hasNull = true
                continue
            }
            switch Self.keys[key] ?? Self.keys[key.lowercased()] {
            case .date? where hasDate: date = try source(key, value, needsDate: true)
            case .time? where hasTime: time = try source(key, value, needsDate: false)
            case .dateTime? where hasDate && hasTime:
                date = try source(key, value, needsDate: true)
                time = try source(key, value, needsDate: false)
            case .timezone? where sort == .time || sort == .dateTime:
                guard case .string(let text) = value else {
                    throw GraphError(.typeError, "'\(key)' is a string, not a value of type \(value.kindName)")
                }
                zone = try Zone(text.text)
            case .field(let field)? where allowed.contains(Fields(field)):
                guard case .integer(let number) = value else {
                    throw GraphError(.typeError, "'\(key)' is an integer, not a value of type \(value.kindName)")
                }
                numbers[field.rawValue] = number
                named.insert(Fields(field))
            default: throw GraphError(.argumentError, "a \(sort.name) has no component '\(key)'")
            }
        }
    }

    private func source(_ key: String, _ value: Value, needsDate: Bool) throws(GraphError) -> Temporal {
        guard case .temporal(let temporal) = value,
            (needsDate ? temporal.content.parts.days : temporal.content.parts.nanoseconds) != nil
        else {
            throw GraphError(
                .typeError, "'\(key)' takes a value that has a \(needsDate ? "date" : "time"), not a \(value.kindName)")
        }
        return temporal.content
    }

    subscript(field: Field) -> Int64? { named.contains(Fields(field)) ? numbers[field.rawValue] : nil }
    /// Whether at least one of them is named.
    func has(_ fields: Fields) -> Bool { !named.isDisjoint(with: fields) }

    private func number(_ field: Field, _ range: ClosedRange<Int64>, _ otherwise: Int64) throws(GraphError) -> Int64 {
        guard let number = self[field] else { return otherwise }
        guard range.contains(number) else { throw outOfRange(field, number, range) }
        return number
    }

    /// - Throws: `.argumentError` when a field is named without the one that it is a part of.
    private func require(_ above: Field, beside field: Field) throws(GraphError) {
        if self[field] != nil, self[above] == nil {
            throw GraphError(.argumentError, "'\(field)' needs '\(above)' beside it")
        }
    }

    private func outOfRange(_ field: Field, _ number: Int64, _ range: ClosedRange<Int64>) -> GraphError {
        GraphError(
            .argumentError, "\(field) is between \(range.lowerBound) and \(range.upperBound), not \(number)")
    }

    // MARK: Dates

    /// Days since 1970: the base with what is named replaced; without a base what is named from the year on.
    func days(_ base: Int64?) throws(GraphError) -> Int64 {
        let groups = [has(.month), has(.week), has(.quarter), has(Fields(.ordinalDay))]
        guard groups.count(where: { $0 }) < 2 else {
            throw GraphError(
                .argumentError,
                "a day is named by its month, week, quarter or year, not by several: \(text(.date))")
        }
        if base == nil {
            guard self[.year] != nil else {
                throw GraphError(.argumentError, "the year of the \(sort.name) is missing")
            }
            try require(.month, beside: .day)
            try require(.week, beside: .dayOfWeek)
            try require(.quarter, beside: .dayOfQuarter)
        }
        let years = -CalendarDate.yearMaximum...CalendarDate.yearMaximum
        let year = try number(.year, years, base.map { Calendar.year($0) } ?? 1970)
        let result: Int64?
        if has(.week) {
            let weekYear = self[.year] ?? base.map { Calendar.weekYear($0) } ?? year
            let week = try number(.week, 1...53, base.map { Calendar.week($0) } ?? 1)
            let day = try number(.dayOfWeek, 1...7, base.map { Calendar.dayOfWeek($0) } ?? 1)
            result = Calendar.week(weekYear, week, day)
        } else if has(.quarter) {
            let quarter = try number(.quarter, 1...4, base.map { Calendar.quarter($0) } ?? 1)
            if let base, self[.dayOfQuarter] == nil {
                let (_, month, day) = CalendarDate.date(base)
                let newMonth = quarter * 3 - 2 + (month - 1) % 3
                result = Calendar.date(year, newMonth, min(day, CalendarDate.length(year, newMonth)))
            } else {
                result = Calendar.quarter(year, quarter, try number(.dayOfQuarter, 1...92, 1))
            }
        } else if has(Fields(.ordinalDay)) {
            result = Calendar.ordinal(year, try number(.ordinalDay, 1...366, 1))
        } else {
            let old = base.map { CalendarDate.date($0) }
            let month = try number(.month, 1...12, old?.month ?? 1)
            var day = try number(.day, 1...31, old?.day ?? 1)
            // A day that nobody asked for gives way to a shorter month.
            if self[.day] == nil { day = min(day, CalendarDate.length(year, month)) }
            result = Calendar.date(year, month, day)
        }
        guard let result else {
            throw GraphError(.argumentError, "there is no such day in the calendar: \(text(.date))")
        }
        return result
    }

    private func text(_ fields: Fields) -> String {
        Field.allCases.filter { fields.contains(Fields($0)) }
            .compactMap { field in self[field].map { "\(field): \($0)" } }.joined(separator: ", ")
    }

    // MARK: Times

    /// Nanoseconds since midnight: the base with what is named replaced; without a base what is named from the hour on.
    func nanoseconds(_ base: Int64?) throws(GraphError) -> Int64 {
        if base == nil {
            try require(.hour, beside: .minute)
            try require(.minute, beside: .second)
            if self[.second] == nil, has(.fraction) {
                throw GraphError(.argumentError, "fractions of a second need 'second' beside them")
            }
        }
        let old = base ?? 0
        let hour = try number(.hour, 0...23, old / 3_600_000_000_000)
        let minute = try number(.minute, 0...59, old / 60_000_000_000 % 60)
        let second = try number(.second, 0...59, old / 1_000_000_000 % 60)
        let below = has(.fraction) ? try fraction() : old % 1_000_000_000
        return (hour * 3600 + minute * 60 + second) * 1_000_000_000 + below
    }

    /// Nanoseconds below a second: what is named, one below the other.
    func fraction() throws(GraphError) -> Int64 {
        let (hasMilliseconds, hasMicroseconds) = (self[.millisecond] != nil, self[.microsecond] != nil)
        let milliseconds = try number(.millisecond, 0...999, 0)
        let microseconds = try number(.microsecond, 0...(hasMilliseconds ? 999 : 999_999), 0)
        let most: Int64 = hasMicroseconds ? 999 : (hasMilliseconds ? 999_999 : 999_999_999)
        return milliseconds * 1_000_000 + microseconds * 1000 + (try number(.nanosecond, 0...most, 0))
    }
}
