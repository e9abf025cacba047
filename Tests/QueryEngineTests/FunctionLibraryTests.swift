import Cypher
import GraphModel
import QueryEngine
import Testing

@Suite struct FunctionLibraryTests {
    @Test(
        arguments: [
            // Numbers
            ("round(1.249, 1)", "1.2"), ("round(1.25, 1)", "1.3"), ("round(-1.55, 1)", "-1.6"),
            ("round(1.555, 2)", "1.56"),
            ("round(1.25, 1, 'HALF_EVEN')", "1.2"), ("round(1.35, 1, 'HALF_EVEN')", "1.4"),
            ("round(1.21, 1, 'UP')", "1.3"),
            ("round(1.29, 1, 'down')", "1.2"), ("round(-1.21, 1, 'CEILING')", "-1.2"),
            ("round(-1.21, 1, 'FLOOR')", "-1.3"),
            ("round(1.25, 1, 'HALF_DOWN')", "1.2"), ("round(0.05, 1)", "0.1"), ("round(0.03, 1)", "0.0"),
            ("round(0.03, 1, 'UP')", "0.1"),
            ("round(9.96, 1)", "10.0"), ("round(99.5, 0, 'UP')", "100.0"), ("round(123.0, 2)", "123.0"),
            ("round(0.0, 3)", "0.0"),
            ("round(1e300, 5)", "1e+300"), ("round(1e-9, 3, 'UP')", "0.001"), ("round(0.49999999999999994)", "0.0"),
            ("round(-1.5)", "-1.0"), ("round(-1.5, 0)", "-1.0"), ("round(-1.5, 0, 'HALF_UP')", "-2.0"),
            ("round(2, 1)", "2.0"),
            ("round(null)", "null"), ("round(1.5, null)", "null"),
            ("exp(0)", "1.0"), ("log(1)", "0.0"), ("log10(1000)", "3.0"), ("sin(0)", "0.0"), ("cos(0)", "1.0"),
            ("atan2(1, 0) * 2 = pi()", "true"),
            ("degrees(pi())", "180.0"), ("radians(180) = pi()", "true"), ("haversin(0)", "0.0"),
            ("e() = exp(1)", "true"),
            ("isNaN(0.0 / 0.0)", "true"), ("isNaN(1)", "false"), ("sqrt(-1) = sqrt(-1)", "false"),
            ("0 <= rand() < 1", "true"),
            ("sin(null)", "null"), ("cot(1) * tan(1)", "1.0"),
            // Strings
            ("btrim('  a ')", "a"), ("trim('\\u3000 ü \\t\\u00a0')", "ü"), ("rtrim(' \\t')", ""),
            ("ltrim('\\u3000a ')", "a "),
            ("substring('aüb', 1, 1)", "ü"), ("substring('🐦b', 2)", "b"), ("left('a🐦', 1)", "a"),
            ("substring('abc', 9)", ""), ("right('üab', 2)", "ab"), ("trim('xxaxx', 'x')", "a"),
            ("ltrim('xya', 'yx')", "a"), ("rtrim('ax', 'x')", "a"),
            ("split('a,b;c', [',', ';'])", "[a, b, c]"), ("split('ab', '')", "[a, b]"), ("char_length('abc')", "3"),
            ("character_length(null)", "null"), ("left('ab', 5)", "ab"), ("right('ab', 0)", ""),
            ("substring('abc', 1, 0)", ""),
            ("replace('aaa', 'aa', 'b')", "ba"), ("replace('abc', '', 'x')", "abc"), ("isEmpty('')", "true"),
            ("isEmpty([1])", "false"),
            ("isEmpty({})", "true"), ("isEmpty(null)", "null"),
            // Conversions
            ("toIntegerOrNull([1])", "null"), ("toInteger(true)", "1"), ("toFloatOrNull('x')", "null"),
            ("toBoolean(0)", "false"),
            ("toBooleanOrNull(1.5)", "null"), ("toStringOrNull({a: 1})", "null"),
            ("toIntegerList(['1', 'x', 2.5])", "[1, null, 2]"),
            ("toFloatList([1, '2'])", "[1.0, 2.0]"), ("toStringList([1, true, null])", "[1, true, null]"),
            ("toBooleanList(null)", "null"),
            ("toString(date('2015-07-21'))", "2015-07-21"),
            ("toString(point({x: 1, y: 2}))", "point({x: 1.0, y: 2.0, crs: 'cartesian'})"),
            // Values
            ("nullIf(1, 1.0)", "null"), ("nullIf(1, 2)", "1"), ("nullIf(null, 1)", "null"),
            ("size(randomUUID())", "36"),
            ("randomUUID() =~ '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'", "true"),
            ("valueType([1, 'a'])", "LIST<INTEGER NOT NULL | STRING NOT NULL> NOT NULL"),
            ("valueType(date())", "DATE NOT NULL"),
            ("range(9223372036854775800, 9223372036854775807, 5)", "[9223372036854775800, 9223372036854775805]"),
            ("range(null, 2)", "null"), ("range(0, -3, -1)", "[0, -1, -2, -3]"),
            // Points
            ("point({x: 1, y: 2}).x", "1.0"), ("point({x: 1, y: 2}).crs", "cartesian"),
            ("point({x: 1, y: 2, z: 3}).srid", "9157"),
            ("point({longitude: 12, latitude: 56}).latitude", "56.0"),
            ("point({longitude: 12, latitude: 56, height: 5}).crs", "wgs-84-3d"),
            ("point({x: 12, y: 56, crs: 'WGS-84'}).longitude", "12.0"),
            ("point({x: 1, y: 2, srid: 4326}).crs", "wgs-84"),
            ("point({x: 1, y: null})", "null"), ("point({longitude: 190, latitude: 0}).x", "-170.0"),
            ("point({x: 1, y: 2}).z", "null"),
            ("distance(point({x: 0, y: 0}), point({x: 3, y: 4}))", "5.0"),
            ("point.distance(point({x: 0, y: 0}), point({longitude: 1, latitude: 1}))", "null"),
            (
                "round(point.distance(point({longitude: 12.564590, latitude: 55.672874}), point({longitude: 12.994341, latitude: 55.611784})))",
                "27842.0"
            ),
            ("point.withinBBox(point({x: 1, y: 1}), point({x: 0, y: 0}), point({x: 1, y: 2}))", "true"),
            (
                "point.withinBBox(point({longitude: 179, latitude: 0}), point({longitude: 170, latitude: -5}), point({longitude: -170, latitude: 5}))",
                "true"
            ),
            ("point({x: 1, y: 2}) = point({x: 1.0, y: 2.0})", "true"),
        ] as [(String, String)])
    func values(expression: String, wanted: String) throws {
        let graph = try Graph()
        #expect(try graph.value("RETURN \(expression)").text == wanted, "\(expression)")
    }

    @Test(
        arguments: [
            ("round(1.5, -1)", ErrorCode.argumentError), ("round(1.5, 1, 'SIDEWAYS')", .argumentError),
            ("round($text)", .typeError),
            ("sin($text)", .typeError), ("abs(-9223372036854775808)", .arithmeticError), ("toFloat($flag)", .typeError),
            ("toBoolean($number)", .typeError), ("toString($list)", .typeError), ("toIntegerList($number)", .typeError),
            ("isEmpty($number)", .typeError),
            ("range(1.0, 2)", .argumentError), ("range('a', 2)", .argumentError), ("split('a', $number)", .typeError),
            ("left('a', -1)", .argumentError),
            ("point({x: 1})", .argumentError), ("point({x: 1, y: 2, crs: 'mars'})", .argumentError),
            ("point({x: 'a', y: 2})", .typeError),
            ("point({latitude: 91, longitude: 0})", .argumentError),
            ("point({x: 1, y: 2, crs: 'wgs-84-3d'})", .argumentError),
            ("point({x: 1, y: 2, longitude: 1})", .argumentError), ("point($number)", .typeError),
            ("point({x: 1, y: 2}).latitude", .argumentError),
            ("pi(1)", .syntaxError),
            // What is written out is refused before the query runs.
            ("sin('a')", .syntaxError), ("toFloat(true)", .syntaxError), ("toString([1])", .syntaxError),
            ("isEmpty(1 + 1)", .syntaxError), ("properties(1)", .syntaxError), ("sin(toUpper('a'))", .syntaxError), ("point.nearest(1)", .syntaxError), ("nullIf(1)", .syntaxError),
        ] as [(String, ErrorCode)])
    func errors(expression: String, code: ErrorCode) throws {
        let parameters: [String: Value] = [
            "text": .string("t"), "flag": .boolean(true), "number": .float(1.5), "list": .list([.integer(1)]),
        ]
        let error = try Graph().error("UNWIND [1] AS x RETURN \(expression)", parameters)
        #expect(error?.code == code, "\(expression): \(error?.message ?? "no error")")
    }

    @Test func unwoundRangesKnowNull() throws {
        let graph = try Graph()
        #expect(try graph.lines("UNWIND range(1, null) AS x RETURN x") == [])
        #expect(try graph.lines("UNWIND range(1, 2) AS x RETURN x") == ["1", "2"])
    }

    @Test func everyFunctionIsDescribed() {
        let functions = FunctionDescription.all
        #expect(functions.count > 100)
        #expect(functions.map(\.name) == functions.map(\.name).sorted { $0.lowercased() < $1.lowercased() })
        for function in functions {
            #expect(function.signature.hasPrefix(function.name + "("), "\(function)")
            #expect(function.summary.hasSuffix("."), "\(function)")
            #expect(!function.category.isEmpty)
        }
        #expect(
            functions.first { $0.name == "left" }?.signature == "left(original :: STRING, length :: INTEGER) :: STRING")
    }
}
