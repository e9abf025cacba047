import GraphModel
import JSON
import RESTServer
import TestSupport
import Testing

@Suite struct JSONParserTests {
    private func parse(_ text: String) throws -> Value { try JSONParser.parse(Array(text.utf8)) }

    private func failure(_ text: String) -> JSONError? {
        do throws(JSONError) { _ = try JSONParser.parse(Array(text.utf8)) } catch { return error }
        return nil
    }

    @Test func scalars() throws {
        #expect(try parse("null").isNull)
        #expect(try parse(" true ") == .boolean(true))
        #expect(try parse("false") == .boolean(false))
        #expect(try parse("\"\"") == .string(""))
        #expect(try parse("\u{FEFF}1") == .integer(1))
    }

    @Test func numbersKeepTheirKind() throws {
        func kind(_ text: String) throws -> String { try parse(text).kindName }
        #expect(try parse("0") == .integer(0))
        #expect(try parse("-9223372036854775808") == .integer(.min))
        #expect(try parse("9223372036854775807") == .integer(.max))
        #expect(try kind("9223372036854775807") == "Integer")
        #expect(try kind("9223372036854775808") == "Float")
        #expect(try parse("9223372036854775808") == .float(0x1p63))
        #expect(try kind("-9223372036854775809") == "Float")
        #expect(try kind("184467440737095516160") == "Float")
        #expect(try kind("1.0") == "Float")
        #expect(try kind("-0") == "Integer")
        #expect(try kind("-0.0") == "Float")
        #expect(try parse("1e3") == .float(1000))
        #expect(try parse("1E-2") == .float(0.01))
        #expect(try parse("5e-324") == .float(.leastNonzeroMagnitude))
        for bad in ["-", "01", "-01", "1.", ".5", "1e", "1e+", "+1", "0x10", "1e999", "NaN", "Infinity", "1_000"] {
            #expect(failure(bad) != nil, "\(bad)")
        }
    }

    @Test func strings() throws {
        #expect(try parse(#""a\"\\\/\b\f\n\r\tz""#) == .string("a\"\\/\u{8}\u{C}\n\r\tz"))
        #expect(try parse(#""\u00e9\u2603""#) == .string("é☃"))
        #expect(try parse(#""x\ud83d\ude00y""#) == .string("x😀y"))
        #expect(try parse(#""\u0000""#) == .string("\0"))
        #expect(try parse("\"ü\"") == .string("ü"))
        for bad in [#""\ud83d""#, #""\ude00""#, #""\ud83dx""#, #""\ud83d\n""#, #""\ud83d\u0041""#, #""\x""#, #""\u12g4""#, "\"a\nb\"", "\"abc", "\"\\", "\"\\u12"] {
            #expect(failure(bad) != nil, "\(bad)")
        }
        #expect(throws: JSONError.self) { try JSONParser.parse([0x22, 0xC3, 0x28, 0x22]) }
        #expect(throws: JSONError.self) { try JSONParser.parse([0x22, 0xED, 0xA0, 0x80, 0x22]) }
    }

    @Test func theLastOfEqualKeysCounts() throws {
        guard case .map(let map) = try parse(#"{"a":1,"b":2,"a":3}"#) else { Issue.record("no map"); return }
        #expect(map.entries.map(\.key) == ["a", "b"])
        #expect(map["a"] == .integer(3))
        // Composed and decomposed letters are different keys.
        guard case .map(let two) = try parse("{\"\u{FC}\":1,\"u\u{308}\":2}") else { Issue.record("no map"); return }
        #expect(two.entries.count == 2)
        let many = (0..<100).map { "\"k\($0 % 50)\":\($0)" }.joined(separator: ",")
        guard case .map(let fifty) = try parse("{\(many)}") else { Issue.record("no map"); return }
        #expect(fifty.entries.count == 50)
        #expect(fifty["k7"] == .integer(57))
    }

    @Test func nestingIsLimited() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try parse(nested(200))
        #expect(failure(nested(201))?.offset == 200)
        #expect(failure(String(repeating: "{\"a\":", count: 100_000)) != nil)
        #expect(failure(String(repeating: "[", count: 1_000_000)) != nil)
    }

    @Test func errorsNameThePlace() {
        let error = failure("{\n  \"a\" : 1,\n  b\n}")
        #expect(error?.offset == 15)
        #expect(error?.line == 3)
        #expect(error?.column == 3)
        #expect(error?.description == "a key in quotes is expected, not \"b\" at offset 15 (line 3, column 3)")
        #expect(failure("")?.offset == 0)
        #expect(failure("1 2")?.offset == 2)
        #expect(failure("[1,]")?.offset == 3)
        #expect(failure("{\"a\" 1}")?.offset == 5)
        #expect(failure("tru")?.offset == 0)
        #expect(failure("\u{0}")?.message == "a value is expected, not the byte 0x00")
    }

    @Test func anyBytesEitherParseOrThrow() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("{}[]\",:\\u0123456789abcdefntr-+.eE \n\t\u{E9}".utf8) + [0x00, 0xFF, 0xC3, 0xED, 0xA0]
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...40, using: &generator)
            let bytes = (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            do throws(JSONError) { _ = try JSONParser.parse(bytes) } catch {
                #expect((0...bytes.count).contains(error.offset), "seed \(seed): \(bytes)")
            }
        }
    }

    @Test(arguments: [JSONWriter.Layout.manual, .compact])
    func whatIsWrittenReadsBackTheSame(_ layout: JSONWriter.Layout) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let value = randomValue(depth: 4, &generator)
            var json = JSONWriter(layout)
            write(value, &json)
            let text = String(decoding: json.bytes, as: UTF8.self)
            let back = try JSONParser.parse(json.bytes)
            #expect(same(value, back), "seed \(seed): \(text)")
            // A flipped byte must not do worse than throw.
            var broken = json.bytes
            broken[Int.random(in: 0..<broken.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            do throws(JSONError) { _ = try JSONParser.parse(broken) } catch {}
        }
    }
}

private func randomValue(depth: Int, _ generator: inout SeededGenerator) -> Value {
    switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &generator) {
    case 0: return .null
    case 1: return .boolean(.random(using: &generator))
    case 2: return .integer(Int64(bitPattern: generator.next()) >> Int64.random(in: 0..<64, using: &generator))
    case 3:
        let double = Double(bitPattern: generator.next())
        return .float(double.isFinite ? double : 1.5)
    case 4, 5:
        let scalars: [Unicode.Scalar] = ["a", "\"", "\\", "/", "\u{0}", "\n", "\u{1F}", "\u{7F}", "é", "\u{2028}", "😀"]
        var text = ""
        for _ in 0..<Int.random(in: 0...12, using: &generator) {
            text.unicodeScalars.append(scalars.randomElement(using: &generator) ?? "x")
        }
        return .string(text)
    case 6:
        return .list((0..<Int.random(in: 0...4, using: &generator)).map { _ in randomValue(depth: depth - 1, &generator) })
    default:
        let entries = (0..<Int.random(in: 0...4, using: &generator)).map {
            (key: "k\($0)\"", value: randomValue(depth: depth - 1, &generator))
        }
        return .map(MapValue(entries))
    }
}

private func write(_ value: Value, _ json: inout JSONWriter) {
    switch value {
    case .boolean(let value): json.value(value)
    case .integer(let value): json.value(value)
    case .float(let value): json.value(value)
    case .string(let value): json.string(value.text)
    case .list(let list):
        json.beginList()
        for element in list.elements { write(element, &json) }
        json.endList()
    case .map(let map):
        json.beginObject()
        for (key, value) in map.entries {
            json.key(key)
            write(value, &json)
        }
        json.endObject()
    default: json.null()
    }
}

/// Equal in kind too, and bit for bit.
private func same(_ a: Value, _ b: Value) -> Bool {
    switch (a, b) {
    case (.float(let x), .float(let y)): x.bitPattern == y.bitPattern
    case (.list(let x), .list(let y)):
        x.elements.count == y.elements.count && zip(x.elements, y.elements).allSatisfy { same($0, $1) }
    case (.map(let x), .map(let y)):
        x.entries.count == y.entries.count
            && zip(x.entries, y.entries).allSatisfy { codeUnitsEqual($0.key, $1.key) && same($0.value, $1.value) }
    default: a.kindName == b.kindName && a == b
    }
}
