internal import GraphModel

/// The components that a map names for a date or a time: `{year: 2015, week: 30}`, `{date: other, day: 5}`.
struct TemporalFields: Sendable {
    enum Field: String, Sendable, CaseIterable {
        case year, quarter, month, week, day
        case dayOfWeek = "dayofweek"
        case dayOfQuarter = "dayofquarter"
        case ordinalDay = "ordinalday"
        case hour, minute, second, millisecond, microsecond, nanosecond
        case epochSeconds = "epochseconds"
        case epochMillis = "epochmillis"
    }
    private var numbers: [Field: Int64] = [:]
    /// Where date and time are taken from; what is named besides replaces a part of them.
    var date: Temporal?
    var time: Temporal?
    var zone: Zone?
    /// Whether some entry is null, which makes the result null.
    private(set) var hasNull = false
    let sort: Temporal.Sort

    static let dateFields: [Field] = [.year, .quarter, .month, .week, .day, .dayOfWeek, .dayOfQuarter, .ordinalDay]
    static let timeFields: [Field] = [.hour, .minute, .second, .millisecond, .microsecond, .nanosecond]
    private static let epochFields: [Field] = [.epochSeconds, .epochMillis]

    /// - Throws: `.argumentError` for a key that the sort does not have, `.typeError` for a value of a wrong kind.
    init(_ map: MapValue, _ sort: Temporal.Sort) throws(GraphError) {
        self.sort = sort
        let hasDate = sort == .date || sort == .localDateTime || sort == .dateTime
        let hasTime = sort != .date
        for (key, value) in map.entries {
            if value.isNull {
                hasNull = true
                continue
            }
            let name = key.lowercased()
            switch name {
            case "date" where hasDate: date = try source(key, value, needsDate: true)
            case "time" where hasTime: time = try source(key, value, needsDate: false)
            case "datetime" where hasDate && hasTime:
                date = try source(key, value, needsDate: true)
                time = try source(key, value, needsDate: false)
            case "timezone" where sort == .time || sort == .dateTime:
                guard case .string(let text) = value else {
                    throw GraphError(.typeError, "'\(key)' is a string, not a value of type \(value.kindName)")
                }
                zone = try Zone(text.text)
            default:
                guard let field = Field(rawValue: name),
                    hasDate && Self.dateFields.contains(field) || hasTime && Self.timeFields.contains(field)
                        || sort == .dateTime && Self.epochFields.contains(field)
                else { throw GraphError(.argumentError, "a \(sort.name) has no component '\(key)'") }
                guard case .integer(let number) = value else {
                    throw GraphError(.typeError, "'\(key)' is an integer, not a value of type \(value.kindName)")
                }
                numbers[field] = number
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

    subscript(field: Field) -> Int64? { numbers[field] }
    func has(_ fields: [Field]) -> Bool { fields.contains { numbers[$0] != nil } }

    private func number(_ field: Field, _ range: ClosedRange<Int64>, _ otherwise: Int64) throws(GraphError) -> Int64 {
        guard let number = numbers[field] else { return otherwise }
        guard range.contains(number) else { throw outOfRange(field, number, range) }
        return number
    }

    private func outOfRange(_ field: Field, _ number: Int64, _ range: ClosedRange<Int64>) -> GraphError {
        GraphError(
            .argumentError, "\(field) is between \(range.lowerBound) and \(range.upperBound), not \(number)")
    }

    // MARK: Dates

    /// Days since 1970: the base with what is named replaced; without a base what is named from the year on.
    func days(_ base: Int64?) throws(GraphError) -> Int64 {
        let groups: [(own: [Field], name: Field)] = [
            ([.month, .day], .month), ([.week, .dayOfWeek], .week), ([.quarter, .dayOfQuarter], .quarter),
            ([.ordinalDay], .ordinalDay),
        ]
        let named = groups.filter { has($0.own) }
        guard named.count < 2 else {
            throw GraphError(.argumentError, "\(named[0].name) and \(named[1].name) cannot both say which day it is")
        }
        guard base != nil || numbers[.year] != nil else {
            throw GraphError(.argumentError, "the year of the \(sort.name) is missing")
        }
        for (field, above) in [(Field.day, Field.month), (.dayOfWeek, .week), (.dayOfQuarter, .quarter)]
        where base == nil && numbers[field] != nil && numbers[above] == nil {
            throw GraphError(.argumentError, "'\(field)' needs '\(above)' beside it")
        }
        let years = -CalendarDate.yearMaximum...CalendarDate.yearMaximum
        let year = try number(.year, years, base.map { Calendar.year($0) } ?? 1970)
        let result: Int64?
        switch named.first?.name {
        case .week:
            let weekYear = numbers[.year] ?? base.map { Calendar.weekYear($0) } ?? year
            let week = try number(.week, 1...53, base.map { Calendar.week($0) } ?? 1)
            let day = try number(.dayOfWeek, 1...7, base.map { Calendar.dayOfWeek($0) } ?? 1)
            result = Calendar.week(weekYear, week, day)
        case .quarter:
            let quarter = try number(.quarter, 1...4, base.map { Calendar.quarter($0) } ?? 1)
            if let base, numbers[.dayOfQuarter] == nil {
                let (_, month, day) = CalendarDate.date(base)
                let newMonth = quarter * 3 - 2 + (month - 1) % 3
                result = Calendar.date(year, newMonth, min(day, CalendarDate.length(year, newMonth)))
            } else {
                result = Calendar.quarter(year, quarter, try number(.dayOfQuarter, 1...92, 1))
            }
        case .ordinalDay: result = Calendar.ordinal(year, try number(.ordinalDay, 1...366, 1))
        default:
            let old = base.map { CalendarDate.date($0) }
            let month = try number(.month, 1...12, old?.month ?? 1)
            var day = try number(.day, 1...31, old?.day ?? 1)
            // A day that nobody asked for gives way to a shorter month.
            if numbers[.day] == nil { day = min(day, CalendarDate.length(year, month)) }
            result = Calendar.date(year, month, day)
        }
        guard let result else {
            throw GraphError(.argumentError, "there is no such day in the calendar: \(text(Self.dateFields))")
        }
        return result
    }

    private func text(_ fields: [Field]) -> String {
        fields.compactMap { field in numbers[field].map { "\(field): \($0)" } }.joined(separator: ", ")
    }

    // MARK: Times

    /// Nanoseconds since midnight: the base with what is named replaced; without a base what is named from the hour on.
    func nanoseconds(_ base: Int64?) throws(GraphError) -> Int64 {
        if base == nil {
            for (field, above) in [(Field.minute, Field.hour), (.second, .minute)]
            where numbers[field] != nil && numbers[above] == nil {
                throw GraphError(.argumentError, "'\(field)' needs '\(above)' beside it")
            }
            if numbers[.second] == nil, has([.millisecond, .microsecond, .nanosecond]) {
                throw GraphError(.argumentError, "fractions of a second need 'second' beside them")
            }
        }
        let old = base ?? 0
        let hour = try number(.hour, 0...23, old / 3_600_000_000_000)
        let minute = try number(.minute, 0...59, old / 60_000_000_000 % 60)
        let second = try number(.second, 0...59, old / 1_000_000_000 % 60)
        let below = has([.millisecond, .microsecond, .nanosecond]) ? try fraction() : old % 1_000_000_000
        return (hour * 3600 + minute * 60 + second) * 1_000_000_000 + below
    }

    /// Nanoseconds below a second: what is named, one below the other.
    func fraction() throws(GraphError) -> Int64 {
        let (hasMilliseconds, hasMicroseconds) = (numbers[.millisecond] != nil, numbers[.microsecond] != nil)
        let milliseconds = try number(.millisecond, 0...999, 0)
        let microseconds = try number(.microsecond, 0...(hasMilliseconds ? 999 : 999_999), 0)
        let most: Int64 = hasMicroseconds ? 999 : (hasMilliseconds ? 999_999 : 999_999_999)
        return milliseconds * 1_000_000 + microseconds * 1000 + (try number(.nanosecond, 0...most, 0))
    }
}
