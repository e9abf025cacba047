internal import GraphModel

/// What clocks are set by: a fixed offset from UTC, or the rules of a named zone.
enum Zone: Sendable {
    /// Seconds ahead of UTC, at most 18 hours either way.
    case offset(Int32)
    case named(TimeZoneRules)

    static let utc = Zone.offset(0)

    /// Reads `Z`, `+01:00`, `-0230`, `+05`, `+02:05:59` or a zone's name.
    init(_ text: String) throws(GraphError) {
        var parser = ISOText(text)
        if let offset = parser.offset(), parser.rest.isEmpty {
            self = .offset(offset)
            return
        }
        guard let rules = TimeZoneRules.find(text) else {
            throw GraphError(
                .argumentError,
                "the time zone '\(text)' is neither an offset like +01:00, at most 18 hours, nor a name like Europe/Berlin"
            )
        }
        self = .named(rules)
    }

    /// The zone of a stored value; its offset alone where the system does not know the name.
    init(offset: Int32, name: String?) {
        self = name.flatMap { TimeZoneRules.find($0) }.map { .named($0) } ?? .offset(offset)
    }

    var name: String? {
        switch self {
        case .offset: nil
        case .named(let rules): rules.name
        }
    }

    func offset(at seconds: Int64) -> Int32 {
        switch self {
        case .offset(let offset): offset
        case .named(let rules): rules.offset(at: seconds)
        }
    }

    /// The instant at which clocks show this many seconds since 1970. A time that they leave out is moved on by what they
    /// leave out; of two instants with the same time it is the one with the preferred offset, else the first.
    func instant(ofLocal local: Int64, preferring preferred: Int32? = nil) -> (seconds: Int64, offset: Int32) {
        guard case .named(let rules) = self else {
            let offset = offset(at: 0)
            return (local - Int64(offset), offset)
        }
        let before = rules.offset(at: local - 86400)
        let after = rules.offset(at: local + 86400)
        let first = local - Int64(before)
        if before == after { return (first, before) }
        let second = local - Int64(after)
        let isFirst = rules.offset(at: first) == before
        let isSecond = rules.offset(at: second) == after
        if isSecond, !isFirst || preferred == after { return (second, after) }
        return (first, isFirst ? before : rules.offset(at: first))
    }

    /// A date and time in this zone.
    func dateTime(_ local: LocalDateTime, preferring preferred: Int32? = nil) -> Temporal {
        let (seconds, offset) = instant(ofLocal: local.seconds, preferring: preferred)
        return .dateTime(
            seconds: seconds, nanoseconds: local.nanosecondsOfSecond, offsetSeconds: offset, zone: name)
    }

    /// The same of an instant.
    func dateTime(seconds: Int64, nanoseconds: Int32) -> Temporal {
        .dateTime(seconds: seconds, nanoseconds: nanoseconds, offsetSeconds: offset(at: seconds), zone: name)
    }

    /// As the component `timezone` shows it.
    static func text(offset: Int32) -> String {
        if offset == 0 { return "Z" }
        func two(_ number: UInt32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let size = offset.magnitude
        return (offset < 0 ? "-" : "+") + two(size / 3600) + ":" + two(size / 60 % 60)
            + (size % 60 == 0 ? "" : ":" + two(size % 60))
    }
}

/// What a calendar and a clock on a wall show.
struct LocalDateTime: Sendable {
    /// Since 1970-01-01.
    var days: Int64
    /// Since midnight.
    var nanoseconds: Int64

    static let nanosecondsPerDay: Int64 = 86_400_000_000_000

    init(days: Int64, nanoseconds: Int64) {
        self.days = days
        self.nanoseconds = nanoseconds
    }

    /// - Parameter seconds: within the range of a valid ``Temporal``.
    init(seconds: Int64, nanoseconds: Int32) {
        days = seconds.flooredQuotient(86400)
        self.nanoseconds = (seconds - days * 86400) * 1_000_000_000 + Int64(nanoseconds)
    }

    /// Since 1970-01-01T00:00 on the same wall.
    var seconds: Int64 { days * 86400 + nanoseconds / 1_000_000_000 }
    var nanosecondsOfSecond: Int32 { Int32(nanoseconds % 1_000_000_000) }

    var temporal: Temporal { .localDateTime(seconds: seconds, nanoseconds: nanosecondsOfSecond) }
}

extension Temporal {
    /// The date and the time of day that it shows; the one or the other alone where it has one only.
    var parts: (days: Int64?, nanoseconds: Int64?) {
        switch self {
        case .date(let days): return (days, nil)
        case .localTime(let nanoseconds), .time(let nanoseconds, _): return (nil, nanoseconds)
        case .localDateTime(let seconds, let nanoseconds):
            let local = LocalDateTime(seconds: seconds, nanoseconds: nanoseconds)
            return (local.days, local.nanoseconds)
        case .dateTime(let seconds, let nanoseconds, let offset, _):
            let local = LocalDateTime(seconds: seconds + Int64(offset), nanoseconds: nanoseconds)
            return (local.days, local.nanoseconds)
        case .duration: return (nil, nil)
        }
    }

    /// The zone of a time or a date and time that has one.
    var zone: Zone? {
        switch self {
        case .time(_, let offset): .offset(offset)
        case .dateTime(_, _, let offset, let name): Zone(offset: offset, name: name)
        default: nil
        }
    }

    /// As a value.
    /// - Throws: `.argumentError` when it is beyond what can be stored.
    func value() throws(GraphError) -> Value {
        guard let value = TemporalValue(self) else {
            throw GraphError(
                .argumentError, "the result is not between the years -999999999 and 999999999, or a duration too long")
        }
        return .temporal(value)
    }
}
