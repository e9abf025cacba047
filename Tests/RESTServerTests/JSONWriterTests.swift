import RESTServer
import Testing

@Suite struct JSONWriterTests {
    private func text(_ layout: JSONWriter.Layout, _ body: (inout JSONWriter) -> Void) -> String {
        var json = JSONWriter(layout)
        body(&json)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private func sample(_ json: inout JSONWriter) {
        json.beginObject()
        json.key("columns")
        json.beginList()
        json.string("a")
        json.string("b")
        json.endList()
        json.key("data")
        json.beginList()
        json.beginList()
        json.beginObject()
        json.key("x")
        json.beginObject()
        json.endObject()
        json.endObject()
        json.null()
        json.endList()
        json.beginList()
        json.endList()
        json.endList()
        json.endObject()
    }

    @Test func theManualsLayout() {
        #expect(
            text(.manual, sample) == """
                {
                  "columns" : [ "a", "b" ],
                  "data" : [ [ {
                    "x" : {
                    }
                  }, null ], [ ] ]
                }
                """)
        #expect(text(.manual) { $0.beginList(); $0.endList() } == "[ ]")
        #expect(text(.manual) { $0.beginObject(); $0.endObject() } == "{\n}")
    }

    @Test func theCompactLayout() {
        #expect(text(.compact, sample) == #"{"columns":["a","b"],"data":[[{"x":{}},null],[]]}"#)
    }

    @Test func numbersAreExact() {
        #expect(text(.compact) { $0.value(Int64.min) } == "-9223372036854775808")
        #expect(text(.compact) { $0.value(Int64.max) } == "9223372036854775807")
        #expect(text(.compact) { $0.value(UInt64.max) } == "18446744073709551615")
        #expect(text(.compact) { $0.value(Int64(0)) } == "0")
        #expect(text(.compact) { $0.value(Int64(-10)) } == "-10")
        #expect(text(.compact) { $0.value(2.0) } == "2.0")
        #expect(text(.compact) { $0.value(0.1) } == "0.1")
        #expect(text(.compact) { $0.value(1e16) } == "1e+16")
        #expect(text(.compact) { $0.value(-0.0) } == "-0.0")
        #expect(text(.compact) { $0.value(Double.nan) } == "\"NaN\"")
        #expect(text(.compact) { $0.value(Double.infinity) } == "\"Infinity\"")
        #expect(text(.compact) { $0.value(-Double.infinity) } == "\"-Infinity\"")
    }

    @Test func onlyWhatMustBeEscapedIs() {
        #expect(text(.compact) { $0.string("a\"b\\c/d\n\r\t\u{8}\u{C}\u{1}\u{1F}\u{7F}é😀") } == "\"a\\\"b\\\\c/d\\n\\r\\t\\b\\f\\u0001\\u001F\u{7F}é😀\"")
    }

    @Test func aPieceCanBeTakenInTheMiddle() {
        var json = JSONWriter(.manual)
        json.beginList()
        json.value(Int64(1))
        let first = json.take()
        json.value(Int64(2))
        json.endList()
        #expect(String(decoding: first + json.take(), as: UTF8.self) == "[ 1, 2 ]")
    }
}
