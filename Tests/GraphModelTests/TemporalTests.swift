import GraphModel
import TestSupport
import Testing

@Suite struct TemporalTests {
    @Test(arguments: [
        ("1970-01-01", Temporal.date(days: 0)), ("2024-02-29", .date(days: 19782)), ("-0044-03-15", .date(days: -735525)),
        ("0000-01-01", .date(days: -719_528)), ("+10000-01-01", .date(days: 2_932_897)),
        ("00:00", .localTime(nanoseconds: 0)), ("23:59:59.999999999", .localTime(nanoseconds: 86_399_999_999_999)),
        ("12:30:00.5", .localTime(nanoseconds: 45_000_500_000_000)),
        ("12:30Z", .time(nanoseconds: 45_000_000_000_000, offsetSeconds: 0)),
        ("12:30-18:00", .time(nanoseconds: 45_000_000_000_000, offsetSeconds: -64800)),
        ("12:30+01:02:03", .time(nanoseconds: 45_000_000_000_000, offsetSeconds: 3723)),
        ("1969-12-31T23:59:59.000000001", .localDateTime(seconds: -1, nanoseconds: 1)),
        ("1970-01-01T01:00+01:00", .dateTime(seconds: 0, nanoseconds: 0, offsetSeconds: 3600, zone: nil)),
        (
            "1970-01-01T01:00+01:00[Europe/Berlin]",
            .dateTime(seconds: 0, nanoseconds: 0, offsetSeconds: 3600, zone: "Europe/Berlin")
        ),
        ("PT0S", .duration(months: 0, days: 0, seconds: 0, nanoseconds: 0)),
        ("P1Y2M3DT4H5M6.5S", .duration(months: 14, days: 3, seconds: 14706, nanoseconds: 500_000_000)),
        ("PT-0.5S", .duration(months: 0, days: 0, seconds: -1, nanoseconds: 500_000_000)),
        ("P-1Y-2M1DT-1H-1.25S", .duration(months: -14, days: 1, seconds: -3602, nanoseconds: 750_000_000)),
    ])
    func textIsISO8601AndReadsBack(text: String, value: Temporal) {
        #expect(value.description == text)
        #expect(Temporal(text, value.sort) == value)
    }

    @Test(arguments: [
        ("12:30", Temporal.localTime(nanoseconds: 45_000_000_000_000)),
        ("12:30+0100", .time(nanoseconds: 45_000_000_000_000, offsetSeconds: 3600)),
        ("12:30-01", .time(nanoseconds: 45_000_000_000_000, offsetSeconds: -3600)),
        ("P2W", .duration(months: 0, days: 14, seconds: 0, nanoseconds: 0)),
        ("-P1M", .duration(months: -1, days: 0, seconds: 0, nanoseconds: 0)),
        ("PT90M", .duration(months: 0, days: 0, seconds: 5400, nanoseconds: 0)),
        ("2024-02-29t00:00", .localDateTime(seconds: 1_709_164_800, nanoseconds: 0)),
    ])
    func shorterFormsAreUnderstood(text: String, value: Temporal) {
        #expect(Temporal(text, value.sort) == value)
    }

    @Test func whatIsNotInTheCalendarIsRefused() {
        for text in ["", "2023-02-29", "2024-13-01", "2024-00-01", "2024-1-1", "20240101", "2024-01-01 ", "1000000000-01-01", "+1000000000-01-01", "２０24-01-01"] {
            #expect(Temporal(text, .date) == nil, "\(text)")
        }
        for text in ["24:00", "12:60", "12", "12:30:60", "12:30:00.", "12:30:00.0000000001", "12:30Z"] {
            #expect(Temporal(text, .localTime) == nil, "\(text)")
        }
        for text in ["12:30", "12:30+19:00", "12:30+18:00:01", "12:30+1"] { #expect(Temporal(text, .time) == nil, "\(text)") }
        for text in ["2024-01-01T00:00", "2024-01-01T00:00Z[", "2024-01-01T00:00Z[]", "2024-01-01T00:00[Europe/Berlin]", "2024-01-01T00:00Z[a b]"] {
            #expect(Temporal(text, .dateTime) == nil, "\(text)")
        }
        for text in ["P", "PT", "P1", "1D", "P1D1Y", "P1.5D", "PT1S1M", "P1DT", "P9223372036854775807D", "P99999999999999999999D", "PT1.5M"] {
            #expect(Temporal(text, .duration) == nil, "\(text)")
        }
        #expect(TemporalValue(.localTime(nanoseconds: 86_400_000_000_000)) == nil)
        #expect(TemporalValue(.date(days: .max)) == nil)
        #expect(TemporalValue(.dateTime(seconds: 0, nanoseconds: 0, offsetSeconds: 64801, zone: nil)) == nil)
        #expect(TemporalValue(.duration(months: .max, days: 0, seconds: 0, nanoseconds: 0)) == nil)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func everyDayReadsBackAndTheOrderIsTotal(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var values: [Temporal] = []
        for _ in 0..<2000 { values.append(SampleValues.temporal(using: &generator)) }
        for value in values {
            #expect(value.isValid, "seed \(seed): \(value)")
            #expect(Temporal(value.description, value.sort) == value, "seed \(seed): \(value)")
        }
        values.sort { $0.order($1) < 0 }
        for (a, b) in zip(values, values.dropFirst()) {
            #expect(a.order(b) <= 0 && b.order(a) == -a.order(b), "seed \(seed): \(a) and \(b)")
            #expect((a == b) == (a.description == b.description), "seed \(seed): \(a) and \(b)")
            if a == b { #expect(a.hashValue == b.hashValue) }
        }
    }

    @Test func valuesWithOffsetsAreOrderedByTheInstant() {
        let order = ["2024-01-01T00:00+02:00", "2023-12-31T23:00Z", "2024-01-01T00:00+01:00", "2024-01-01T00:00+01:00[A/B]", "2024-01-01T00:00Z"]
            .compactMap { Temporal($0, .dateTime) }
        #expect(order.count == 5)
        for (a, b) in zip(order, order.dropFirst()) { #expect(a.order(b) == -1, "\(a) and \(b)") }
        let month = Temporal.duration(months: 1, days: 0, seconds: 0, nanoseconds: 0)
        let thirty = Temporal.duration(months: 0, days: 30, seconds: 0, nanoseconds: 0)
        let thirtyOne = Temporal.duration(months: 0, days: 31, seconds: 0, nanoseconds: 0)
        #expect(thirty.order(month) == -1 && month.order(thirtyOne) == -1)
        let day = Temporal.duration(months: 0, days: 1, seconds: 0, nanoseconds: 0)
        #expect(day != .duration(months: 0, days: 0, seconds: 86400, nanoseconds: 0))
    }

    @Test func pointsKeepTheirSystemAndReadBack() throws {
        for text in ["SRID=7203;POINT(1 -2.5)", "SRID=9157;POINT Z(1 2 3)", "SRID=4326;POINT(180 -90)", "SRID=4979;POINT Z(12.5 1e-07 8848)"] {
            #expect(try #require(PointValue(text)).description == text)
        }
        #expect(PointValue("POINT(1 2)")?.system == .cartesian)
        #expect(PointValue("{x: 1, y: 2}")?.description == "SRID=7203;POINT(1 2)")
        #expect(PointValue("{latitude: 1, longitude: 2}")?.description == "SRID=4326;POINT(2 1)")
        #expect(PointValue("{longitude:2,latitude:1,height:3}")?.description == "SRID=4979;POINT Z(2 1 3)")
        #expect(PointValue("{x: 1, y: 2, crs: 'wgs-84'}")?.system == .wgs84)
        for text in ["", "POINT(1)", "POINT(1 2 3 4)", "SRID=1;POINT(1 2)", "SRID=4326;POINT(181 0)", "SRID=4326;POINT(nan 0)", "{x: 1}", "{x: 1, x: 2, y: 1}", "{x: 1, y: 2, w: 3}", "POINT(1 x)"] {
            #expect(PointValue(text) == nil, "\(text)")
        }
        let zero = Value.point(try #require(PointValue(.cartesian, [0, 1])))
        let negative = Value.point(try #require(PointValue(.cartesian, [-0.0, 1])))
        #expect(zero == negative && zero.hashValue == negative.hashValue)
        #expect(zero.order(.point(try #require(PointValue(.wgs84, [-1, 0])))) == 1)
    }

    @Test func kindsAreOrderedAndListsAreOfOneKind() throws {
        func temporal(_ text: String, _ sort: Temporal.Sort) throws -> Value {
            let content = try #require(Temporal(text, sort))
            return .temporal(try #require(TemporalValue(content)))
        }
        let date = try temporal("2024-01-01", .date)
        let time = try temporal("12:00", .localTime)
        let point = Value.point(try #require(PointValue(.cartesian, [1, 2])))
        let place = Value.point(try #require(PointValue(.wgs84, [1, 2])))
        let ordered: [Value] = [
            .map(MapValue([])), .list([]), .bytes(BytesValue([])), point, try temporal("2024-01-01T00:00Z", .dateTime),
            try temporal("2024-01-01T00:00", .localDateTime), date, try temporal("12:00Z", .time), time,
            try temporal("P1D", .duration), .string(""), .boolean(false), .integer(0), .null,
        ]
        for (i, a) in ordered.enumerated() {
            for (j, b) in ordered.enumerated() { #expect(a.order(b) == (i < j ? -1 : i == j ? 0 : 1), "\(a) and \(b)") }
        }
        #expect(date.isStorable && point.isStorable)
        #expect(Value.list([date, date]).isStorable)
        #expect(!Value.list([date, time]).isStorable)
        #expect(!Value.list([point, place]).isStorable)
        #expect(Value.list([.bytes(BytesValue([1])), .bytes(BytesValue([]))]).isStorable)
        #expect(!Value.list([.list([])]).isStorable)
        #expect(date.kindName == "Date" && point.kindName == "Point")
    }
}
