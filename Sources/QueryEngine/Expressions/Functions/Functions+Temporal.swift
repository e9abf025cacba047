internal import GraphModel

/// Dates, times and durations.
extension Function {
    private static let sorts: [(name: String, sort: Temporal.Sort)] = [
        ("date", .date), ("localtime", .localTime), ("time", .time), ("localdatetime", .localDateTime),
        ("datetime", .dateTime),
    ]

    static let temporalFunctions: [Function] = sorts.flatMap { name, sort in functions(name, sort) } + epochs

    private static func functions(_ name: String, _ sort: Temporal.Sort) -> [Function] {
        let clocks: [(String, String, @Sendable (Frame) -> StatementInstant)] = [
            ("transaction", "when the transaction began", { $0.statementInstant }),
            ("statement", "when the statement began", { $0.statementInstant }),
            ("realtime", "now", { $0.control.statementInstant ?? .current }),
        ]
        return [
            Function(
                name, .temporal, ["value?": [.string, .map, .temporal]], .temporal,
                "The \(sort.name) of a string, of a map of components or of another value; the current one of nothing.",
                .either(
                    one: { frame, value throws(GraphError) in
                        try TemporalConstructor.make(value, sort, now: frame.statementInstant)
                    },
                    more: { frame, _ throws(GraphError) in
                        try TemporalConstructor.now(frame.statementInstant, .utc, sort)
                    })),
            Function(
                name + ".truncate", .temporal, ["unit": .string, "value?": .temporal, "components?": .map], .temporal,
                "The beginning of the unit that a value lies in, as a \(sort.name).",
                .values { frame, values throws(GraphError) in
                    if values[0].isNull { return .null }
                    let unit = try text(name + ".truncate", values[0])
                    let source =
                        values.count > 1
                        ? values[1] : try TemporalConstructor.now(frame.statementInstant, .utc, .dateTime)
                    if source.isNull { return .null }
                    guard case .temporal(let temporal) = source else {
                        throw wrong(name + ".truncate", "a date or a time", source)
                    }
                    switch values.count > 2 ? values[2] : .null {
                    case .null: return try TemporalTruncation.truncate(unit, temporal.content, nil, sort)
                    case .map(let map): return try TemporalTruncation.truncate(unit, temporal.content, map, sort)
                    case let other: throw wrong(name + ".truncate", "a map of components", other)
                    }
                }),
        ]
            + clocks.map { clock, when, instant in
                Function(
                    "\(name).\(clock)", .temporal, ["timezone?": .string], .temporal,
                    "The \(sort.name) \(when), in UTC or in a time zone.",
                    .strict { frame, values throws(GraphError) in
                        let zone: Zone
                        if let value = values.first {
                            zone = try Zone(try text("\(name).\(clock)", value))
                        } else {
                            zone = .utc
                        }
                        return try TemporalConstructor.now(instant(frame), zone, sort)
                    })
            }
    }

    private static let epochs: [Function] = [
        Function(
            "datetime.fromEpoch", .temporal, ["seconds": .number, "nanoseconds": .number], .temporal,
            "The date and time in UTC, so many seconds and nanoseconds after 1970-01-01T00:00Z.",
            .binary { seconds, nanoseconds throws(GraphError) in
                let name = "datetime.fromEpoch"
                return try TemporalConstructor.dateTime(
                    try integer(name, seconds, acceptsFloats: true),
                    try integer(name, nanoseconds, acceptsFloats: true),
                    .utc
                ).value()
            }),
        Function(
            "datetime.fromEpochMillis", .temporal, ["milliseconds": .number], .temporal,
            "The date and time in UTC, so many milliseconds after 1970-01-01T00:00Z.",
            .unary { value throws(GraphError) in
                let milliseconds = try integer("datetime.fromEpochMillis", value, acceptsFloats: true)
                return try TemporalConstructor.dateTime(
                    milliseconds.flooredQuotient(1000), milliseconds.flooredRemainder(1000) * 1_000_000, .utc
                ).value()
            }),
    ]

    static let durationFunctions: [Function] = [
        Function(
            "duration", .temporal, ["value": [.string, .map, .temporal]], .temporal,
            "The duration of a string like P14DT16H12M or of a map of units.",
            .unary { value throws(GraphError) in
                switch value {
                case .string(let text): return try ISOText.parse(text.text, .duration).value()
                case .map(let map): return try DurationParts.duration(map)
                case .temporal(let temporal) where temporal.content.sort == .duration: return value
                default: throw wrong("duration", "a string or a map", value)
                }
            }),
        between("between", "in months, days and seconds") { between throws(GraphError) in try between.all() },
        between("inMonths", "in whole months") { between throws(GraphError) in try between.months() },
        between("inDays", "in whole days") { between throws(GraphError) in try between.days() },
        between("inSeconds", "in seconds") { between throws(GraphError) in try between.seconds() },
    ]

    private static func between(
        _ name: String, _ unit: String, _ body: @escaping @Sendable (DurationBetween) throws(GraphError) -> Value
    ) -> Function {
        let name = "duration." + name
        return Function(
            name, .temporal, ["from": .temporal, "to": .temporal], .temporal,
            "How long it is from one date or time to another, \(unit).",
            .binary { from, to throws(GraphError) in
                guard case .temporal(let a) = from else { throw wrong(name, "dates or times", from) }
                guard case .temporal(let b) = to else { throw wrong(name, "dates or times", to) }
                return try body(try DurationBetween(a.content, b.content))
            })
    }
}
