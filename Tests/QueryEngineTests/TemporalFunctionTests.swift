import Cypher
import FileSystem
import GraphModel
import QueryEngine
import TestSupport
import Testing

@Suite struct TemporalFunctionTests {
    private static let now = ExecutionControl(
        deadlineNanoseconds: nil, statementInstant: StatementInstant(seconds: 1_437_507_632, nanoseconds: 142_000_007))

    private func text(_ expression: String) throws -> String {
        let rows = try Graph().run("RETURN \(expression)", control: Self.now).rows
        return try #require(rows.first?.first).text
    }

    /// Expressions and their values. What the conformance suite has is not repeated.
    @Test(
        arguments: [
            // Texts
            ("date('2015-Q2-60')", "2015-05-30"), ("date('2015Q1')", "2015-01-01"),
            ("date('-0044-03-15')", "-0044-03-15"),
            ("date('+12015-07-21')", "+12015-07-21"), ("date('2016-366')", "2016-12-31"),
            ("localdatetime('2015-07-21')", "2015-07-21T00:00"),
            ("datetime('2015-07-21T21:40:32')", "2015-07-21T21:40:32Z"),
            ("time('12:30:00,5-03')", "12:30:00.5-03:00"),
            ("datetime('2015-07-21T10:00[UTC]')", "2015-07-21T10:00Z[UTC]"),
            ("duration('P1Y-2M3DT-0.5S')", "P10M3DT-0.5S"), ("duration('-P1DT1H')", "P-1DT-1H"),
            ("duration('PT0.1H')", "PT6M"), ("duration('P0.1D')", "PT2H24M"),
            // Maps
            ("date({year: 2015, ordinalDay: 60})", "2015-03-01"), ("date({year: 2015, Month: 2})", "2015-02-01"),
            ("date({date: date('2020-01-31'), month: 2})", "2020-02-29"), ("date({year: null})", "null"),
            ("time({hour: 1, minute: 2, timezone: '-02:05:07'})", "01:02-02:05:07"),
            (
                "datetime({epochSeconds: 1, nanosecond: 5, timezone: 'Europe/Berlin'})",
                "1970-01-01T01:00:01.000000005+01:00[Europe/Berlin]"
            ),
            ("datetime({epochMillis: -1})", "1969-12-31T23:59:59.999Z"),
            ("datetime.fromEpoch(416779, 999999999)", "1970-01-05T19:46:19.999999999Z"),
            ("datetime.fromepochmillis(237821673987)", "1977-07-15T13:34:33.987Z"),
            ("duration({quarters: 1, weeks: 1})", "P3M7D"), ("duration({hours: -1, minutes: 30})", "PT-30M"),
            // Now: one instant for a statement
            ("datetime()", "2015-07-21T19:40:32.142000007Z"), ("date()", "2015-07-21"),
            ("localtime.statement('Europe/Berlin')", "21:40:32.142000007"),
            ("time({timezone: '+02:00'})", "21:40:32.142000007+02:00"), ("datetime() = datetime.transaction()", "true"),
            ("timestamp()", "1437507632142"), ("date.realtime()", "2015-07-21"),
            // Zones: what clocks leave out and show twice
            ("datetime('2017-03-26T02:30[Europe/Berlin]')", "2017-03-26T03:30+02:00[Europe/Berlin]"),
            ("datetime('2017-10-29T02:30[Europe/Berlin]')", "2017-10-29T02:30+02:00[Europe/Berlin]"),
            ("datetime('2017-10-29T02:30+01:00[Europe/Berlin]')", "2017-10-29T02:30+01:00[Europe/Berlin]"),
            ("datetime('2017-10-29T02:30[Europe/Berlin]') + duration('PT1H')", "2017-10-29T02:30+01:00[Europe/Berlin]"),
            ("datetime('2017-10-28T12:00[Europe/Berlin]') + duration('P1D')", "2017-10-29T12:00+01:00[Europe/Berlin]"),
            (
                "datetime('2017-10-28T12:00[Europe/Berlin]') + duration('PT24H')",
                "2017-10-29T11:00+01:00[Europe/Berlin]"
            ),
            ("datetime('2090-07-01T12:00[Europe/Berlin]')", "2090-07-01T12:00+02:00[Europe/Berlin]"),
            ("datetime('2090-07-01T12:00[Australia/Sydney]')", "2090-07-01T12:00+10:00[Australia/Sydney]"),
            ("datetime('2090-01-01T12:00[Australia/Sydney]')", "2090-01-01T12:00+11:00[Australia/Sydney]"),
            // Arithmetic
            ("duration('P1M') + date('2015-01-31')", "2015-02-28"),
            ("date('2016-02-29') - duration('P1Y')", "2015-02-28"),
            ("localtime('23:00') + duration('PT2H')", "01:00"), ("duration('P1M') * 1.5", "P1M15DT5H14M33S"),
            ("3 * duration('PT0.5S')", "PT1.5S"), ("duration('PT1S') / 4", "PT0.25S"),
            ("duration('P1M') / 3", "P10DT3H29M42S"),
            ("date('2015-01-01') + null", "null"), ("'on ' + date('2015-01-01')", "on 2015-01-01"),
            // Components
            ("duration('P1Y4M10DT1H1M1.111111111S').monthsOfQuarter", "1"),
            ("duration('P1Y4M10DT1H1M1.111111111S').nanoseconds", "3661111111111"),
            ("datetime('2015-07-21T10:00Z').timezone", "Z"), ("date('2018-12-31').weekYear", "2019"),
            ("datetime('2015-07-21T10:00:00.5+02:00').epochMillis", "1437465600500"),
            ("[date('2015-07-21')][0].dayOfWeek", "2"),
            // Truncation
            ("date.truncate('week')", "2015-07-20"),
            ("time.truncate('minute', time('12:31:14-01:00'), {timezone: '+01:00'})", "12:31+01:00"),
            ("localdatetime.truncate('month', date('2015-07-21'))", "2015-07-01T00:00"),
            // Between
            ("duration.between(date('2015-01-31'), date('2015-03-01'))", "P1M1D"),
            ("duration.inDays(date('2015-03-01'), datetime('2015-02-28T12:00Z'))", "PT0S"),
            ("duration.between(localdatetime('2018-01-02T10:00'), localdatetime('2018-01-01T12:00'))", "PT-22H"),
            (
                "duration.between(localdatetime('2018-01-01T10:00:00.2'), localdatetime('2018-01-02T10:00:00.1'))",
                "PT23H59M59.9S"
            ),
            (
                "duration.between(datetime('2017-10-28T23:00[Europe/Berlin]'), datetime('2017-10-29T04:00[Europe/Berlin]'))",
                "PT6H"
            ),
            (
                "duration.between(datetime('2017-10-29T04:00[Europe/Berlin]'), datetime('2017-10-28T23:00[Europe/Berlin]'))",
                "PT-6H"
            ),
            ("duration.inSeconds(localtime(), localtime())", "PT0S"),
            // Comparison
            ("date('2015-01-01') < localdatetime('2015-01-02')", "null"),
            ("time('12:00+01:00') < time('12:00Z')", "true"), ("duration('P1D') < duration('P2D')", "null"),
            ("date('2015-01-01') IN [date('2015-01-01')]", "true"),
        ] as [(String, String)])
    func values(expression: String, wanted: String) throws {
        #expect(try text(expression) == wanted, "\(expression)")
    }

    @Test(
        arguments: [
            ("date('2015-02-29')", ErrorCode.argumentError), ("date('2015-W54')", .argumentError),
            ("date('15-1-1')", .argumentError),
            ("date('')", .argumentError), ("time('25:00')", .argumentError),
            ("datetime('2015-07-21T10:00[Mars/Olympus]')", .argumentError),
            ("datetime('2015-07-21T10:00+05:00[Europe/Berlin]')", .argumentError),
            ("time('10:00+19:00')", .argumentError),
            ("datetime({year: 2015, timezone: '../passwd'})", .argumentError),
            ("date({year: 2015, day: 3})", .argumentError),
            ("date({month: 3})", .argumentError), ("date({year: 2015, month: 13})", .argumentError),
            ("date({year: 2015, month: 3, week: 4})", .argumentError), ("date({year: 2015, hour: 3})", .argumentError),
            ("date({year: '2015'})", .typeError), ("localtime({minute: 3})", .argumentError), ("date(1)", .syntaxError), ("date([1][0])", .typeError),
            ("date(localtime('12:00'))", .typeError), ("date({date: 1})", .typeError), ("duration({})", .argumentError),
            ("duration({eons: 1})", .argumentError), ("duration('P')", .argumentError),
            ("duration('PT')", .argumentError),
            ("duration('P1')", .argumentError), ("duration({days: 'x'})", .typeError),
            ("duration({seconds: 1e300})", .argumentError),
            ("duration({months: 9223372036854775807})", .argumentError), ("date('2015-01-01').hour", .argumentError),
            ("date('+999999999-12-31') + duration('P1D')", .argumentError), ("date('2015-01-01') + 1", .typeError),
            ("date('2015-01-01') - date('2014-01-01')", .typeError), ("duration('P1D') / 0", .arithmeticError),
            ("date('2015-01-01') * 2", .typeError), ("date.truncate('hour', date())", .argumentError),
            ("date.truncate('fortnight', date())", .argumentError),
            ("datetime.fromEpoch(9223372036854775807, 1000000000)", .argumentError),
            ("duration({seconds: 9223372036854775807}) * 9223372036854775807", .argumentError),
            ("datetime({epochSeconds: 30000000000000000}).epochMillis", .arithmeticError),
            ("duration.between(duration('P1D'), date())", .typeError), ("date('2015-01-01').foo", .argumentError),
        ] as [(String, ErrorCode)])
    func errors(expression: String, code: ErrorCode) throws {
        let error = try Graph().error("UNWIND [1] AS x RETURN \(expression)")
        #expect(error?.code == code, "\(expression): \(error?.message ?? "no error")")
    }

    /// What is between two values brings the one to the other.
    @Test(arguments: [1, 2] as [UInt64])
    func durationBetweenLeadsFromOneToTheOther(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = try Graph()
        for _ in 0..<60 {
            func random() -> String {
                let seconds = Int64.random(in: -4_000_000_000...4_000_000_000, using: &generator)
                let nanoseconds = Int64.random(in: 0..<1_000_000_000, using: &generator)
                return "datetime.fromEpoch(\(seconds), \(nanoseconds))"
            }
            let (a, b) = (random(), random())
            for zone in ["localdatetime(x)", "datetime({datetime: x, timezone: 'America/New_York'})"] {
                let lines = try graph.lines(
                    "UNWIND [[\(a), \(b)]] AS pair WITH pair[0] AS x, pair[1] AS y WITH \(zone) AS x, \(zone.replacingX) AS y "
                        + "RETURN x + duration.between(x, y) = y, x + duration.inSeconds(x, y) = y")
                #expect(lines == ["true | true"], "seed \(seed): \(a) to \(b), \(zone)")
            }
        }
    }

    @Test func temporalValuesAreStored() throws {
        let graph = try Graph(
            "CREATE ({d: date('2015-07-21'), l: [time('12:00Z'), time('13:00Z')], u: duration('P1D')})")
        #expect(
            try graph.lines("MATCH (n) RETURN n.d, n.l, n.u, n.d.week") == ["2015-07-21 | [12:00Z, 13:00Z] | P1D | 30"])
    }
}

@Suite struct TimeZoneTests {
    @Test(arguments: [1, 2] as [UInt64])
    func damagedFilesAreNoZones(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let whole = try POSIXFileSystem().readAll("/usr/share/zoneinfo/Europe/Berlin")
        #expect(TimeZoneRules("Berlin", whole)?.offset(at: 0) == 3600)
        for count in 0..<whole.count { _ = TimeZoneRules("cut", Array(whole[..<count]))?.offset(at: 1 << 40) }
        for _ in 0..<3000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let rules = TimeZoneRules("damaged", bytes)
            for seconds in [Int64(-1 << 45), 0, 1 << 33, 1 << 45] { _ = rules?.offset(at: seconds) }
        }
        #expect(TimeZoneRules.find("") == nil)
        #expect(TimeZoneRules.find("../../../etc/passwd") == nil)
        #expect(TimeZoneRules.find("Europe") == nil)
        #expect(TimeZoneRules.find("right/Europe/Berlin") == nil)
    }
}

extension String {
    fileprivate var replacingX: String {
        self == "localdatetime(x)" ? "localdatetime(y)" : "datetime({datetime: y, timezone: 'America/New_York'})"
    }
}
