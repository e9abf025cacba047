import Cypher
import GraphModel
import QueryEngine
import TestSupport
import Testing

/// Whatever functions and operators are given, they answer with a value or an error of the client's.
@Suite struct FunctionFuzzTests {
    private static let values: [Value] = {
        var values: [Value] = [
            .null, .boolean(true), .boolean(false), .string(""), .string("a"), .string("üß🐦"), .string("day"),
            .string("microsecond"),
            .string("millennium"), .string("UTC"), .string("Europe/Berlin"), .string("+01:00"), .string("HALF_EVEN"),
            .string("2015-07-21T21:40:32.142+02:00[Europe/Stockholm]"), .string("-999999999-01-01"),
            .string("P1Y2.5M3DT4H"),
            .string("999999999999999999"), .string("1e400"), .string("P999999999999999999Y"), .list([]),
            .list([.integer(1), .null]),
            .map(MapValue([])), .map(MapValue([("x", .integer(1)), ("y", .float(2))])), .bytes(BytesValue([1, 2])),
        ]
        for number in [0, 1, -1, 2, 7, 60, 400, 1 << 31, 1 << 53, .max, .min, .max - 1] as [Int64] {
            values.append(.integer(number))
        }
        for number in [
            0, -0.0, 0.5, -1.5, 1e300, -1e300, Double.leastNonzeroMagnitude, .infinity, -.infinity, .nan, 0x1p63,
        ] as [Double] {
            values.append(.float(number))
        }
        let far: Int64 = 365_241_780_471
        let temporals: [Temporal] = [
            .date(days: 0), .date(days: far), .date(days: -365_243_219_162), .localTime(nanoseconds: 0),
            .localTime(nanoseconds: 86_399_999_999_999), .time(nanoseconds: 1, offsetSeconds: 64800),
            .time(nanoseconds: 1, offsetSeconds: -64800),
            .localDateTime(seconds: far * 86400, nanoseconds: 999_999_999),
            .localDateTime(seconds: -365_243_219_162 * 86400, nanoseconds: 0),
            .dateTime(seconds: far * 86400, nanoseconds: 5, offsetSeconds: 3600, zone: "Europe/Berlin"),
            .dateTime(seconds: -365_243_219_161 * 86400, nanoseconds: 5, offsetSeconds: 0, zone: "America/New_York"),
            .dateTime(seconds: 0, nanoseconds: 0, offsetSeconds: 60, zone: "Mars/Olympus"),
            .duration(months: 1, days: -1, seconds: 5, nanoseconds: 999_999_999),
            .duration(months: 0, days: 0, seconds: .max, nanoseconds: 0),
            .duration(months: 0, days: 0, seconds: .min, nanoseconds: 0),
            .duration(months: .max / 2_629_746, days: 0, seconds: 0, nanoseconds: 0),
            .duration(months: 0, days: .min / 86400, seconds: 0, nanoseconds: 0),
        ]
        for temporal in temporals { if let value = TemporalValue(temporal) { values.append(.temporal(value)) } }
        for (system, coordinates) in [
            (PointValue.System.cartesian, [1.0, .nan]), (.wgs84, [180, 90]), (.wgs84With3D, [-180, -90, 1e300]),
        ] {
            if let point = PointValue(system, coordinates) { values.append(.point(point)) }
        }
        return values
    }()

    /// Maps of components with values near their limits.
    private static func components(_ generator: inout SeededGenerator) -> Value {
        let keys = [
            "year", "quarter", "month", "week", "day", "dayOfWeek", "dayOfQuarter", "ordinalDay", "hour", "minute",
            "second",
            "millisecond", "microsecond", "nanosecond", "epochSeconds", "epochMillis", "timezone", "date", "time",
            "datetime",
            "years", "months", "days", "hours", "nanoseconds", "x", "y", "z", "latitude", "longitude", "crs", "srid",
        ]
        var entries: [(key: String, value: Value)] = []
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let key = keys.randomElement(using: &generator) ?? "year"
            let value =
                Bool.random(using: &generator)
                ? .integer(Int64.random(in: -3...2000, using: &generator))
                : values.randomElement(using: &generator) ?? .null
            if !entries.contains(where: { $0.key == key }) { entries.append((key, value)) }
        }
        return .map(MapValue(entries))
    }

    private func answers(_ graph: Graph, _ query: String, _ arguments: [Value], _ comment: Comment) {
        var parameters: [String: Value] = [:]
        for (index, value) in arguments.enumerated() { parameters["p\(index)"] = value }
        if let error = graph.error(query, parameters) {
            #expect(error.code.name.hasPrefix("Neo.ClientError.Statement."), "\(query) \(error.message), \(comment)")
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func functionsNeverTrap(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = try Graph()
        for function in FunctionDescription.all {
            // Its parameters and one kind for the result.
            let most =
                function.signature.split(separator: " :: ").count - 2 + (function.signature.contains("…") ? 1 : 0)
            for _ in 0..<40 {
                var arguments: [Value] = []
                for _ in 0..<Int.random(in: 0...max(0, most), using: &generator) {
                    arguments.append(
                        Int.random(in: 0..<4, using: &generator) == 0
                            ? Self.components(&generator) : Self.values.randomElement(using: &generator) ?? .null)
                }
                let list = arguments.indices.map { "$p\($0)" }.joined(separator: ", ")
                answers(graph, "RETURN \(function.name)(\(list))", arguments, "\(arguments.map(\.text)), seed \(seed)")
            }
        }
    }

    @Test func operatorsNeverTrap() throws {
        let graph = try Graph()
        for a in Self.values {
            for b in Self.values {
                answers(graph, "RETURN $p0 + $p1", [a, b], "\(a.text), \(b.text)")
                answers(graph, "RETURN $p0 - $p1", [a, b], "\(a.text), \(b.text)")
                answers(graph, "RETURN $p0 * $p1", [a, b], "\(a.text), \(b.text)")
                answers(graph, "RETURN $p0 / $p1", [a, b], "\(a.text), \(b.text)")
                answers(graph, "RETURN $p0 < $p1, $p0 = $p1, $p0 % $p1, $p0 ^ $p1", [a, b], "\(a.text), \(b.text)")
            }
            for key in [
                "year", "week", "dayOfQuarter", "second", "epochMillis", "offset", "nanoseconds", "weeks", "x",
                "height", "none",
            ] {
                answers(graph, "RETURN $p0.\(key)", [a], "\(a.text).\(key)")
            }
        }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func textsNeverTrap(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = try Graph()
        let seeds = [
            "2015-07-21T21:40:32.142+02:00[Europe/Stockholm]", "2015W302T214032.142Z", "+999999999-12-31",
            "P1Y2.5M3W4DT5H6.7M8S",
            "P2012-02-02T14:37:21.545", "-P1DT-0.5S", "2015-Q3-92", "21:40:32,5-0100",
        ]
        for _ in 0..<400 {
            var bytes = Array((seeds.randomElement(using: &generator) ?? "").utf8)
            for _ in 0..<Int.random(in: 0...4, using: &generator) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes.remove(at: index)
                case 1: bytes[index] = Array("0123456789-+:.TWPQ[]Z".utf8).randomElement(using: &generator) ?? 48
                default:
                    bytes.insert(
                        contentsOf: repeatElement(57, count: Int.random(in: 1...20, using: &generator)), at: index)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            for function in ["date", "localtime", "time", "localdatetime", "datetime", "duration"] {
                answers(
                    graph, "RETURN toString(\(function)($p0))", [.string(text)], "\(function)('\(text)'), seed \(seed)")
            }
        }
    }
}
