import GraphModel
import Testing

@Suite struct ValueTests {
    @Test func valueIsNineBytes() {
        #expect(MemoryLayout<Value>.size == 9)
        #expect(MemoryLayout<Value>.stride == 16)
    }

    @Test func stringsCompareByCodeUnits() {
        let composed = "\u{FC}"
        let decomposed = "u\u{308}"
        #expect(composed == decomposed)
        #expect(!codeUnitsEqual(composed, decomposed))
        #expect(Value.string(composed) != Value.string(decomposed))
    }

    @Test func orderOfStringsIsThatOfUTF16() {
        let samples = ["", "a", "b", "ab", "\u{7F}", "\u{E9}", "\u{D7FF}", "\u{E000}", "\u{FFFD}", "\u{10000}", "\u{10FFFF}", "a\u{FFFF}", "a\u{10000}"]
        for a in samples {
            for b in samples {
                let wanted = Array(a.utf16) == Array(b.utf16) ? 0 : (a.utf16.lexicographicallyPrecedes(b.utf16) ? -1 : 1)
                #expect(codeUnitOrder(a, b) == wanted)
            }
        }
    }

    @Test func numbersCompareExactlyAcrossKinds() {
        let big = Int64(1) << 53
        #expect(Value.integer(big + 1) != Value.float(Double(big)))
        #expect(Value.integer(big + 1).order(.float(Double(big))) == 1)
        #expect(Value.integer(Int64.max).order(.float(0x1p63)) == -1)
        #expect(Value.integer(3) == Value.float(3))
        #expect(Value.integer(3).hashValue == Value.float(3).hashValue)
        #expect(Value.float(.nan) == Value.float(.nan))
        #expect(Value.float(-0.0).hashValue == Value.integer(0).hashValue)
        #expect(Value.integer(1).order(.float(.nan)) == -1)
    }

    @Test func onlyHomogeneousListsAreStorable() {
        #expect(Value.list([.integer(1), .integer(2)]).isStorable)
        #expect(Value.list([]).isStorable)
        #expect(!Value.list([.integer(1), .string("a")]).isStorable)
        #expect(!Value.list([.null]).isStorable)
        #expect(!Value.map(MapValue([])).isStorable)
    }
}
