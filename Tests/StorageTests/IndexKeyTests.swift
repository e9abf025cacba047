import GraphModel
import Storage
import TestSupport
import Testing

@Suite struct IndexKeyTests {
    static func key(_ values: [Value]) -> [UInt8] {
        var key: [UInt8] = []
        for value in values { #expect(IndexKey.append(value, to: &key), "\(value)") }
        return key
    }

    static func order(_ a: [UInt8], _ b: [UInt8]) -> Int {
        a == b ? 0 : a.lexicographicallyPrecedes(b) ? -1 : 1
    }

    static let numbers: [Value] = {
        var list: [Value] = [
            .float(-.infinity), .float(.infinity), .float(.nan), .float(-0.0), .float(0), .integer(0),
            .float(.leastNonzeroMagnitude), .float(-.leastNonzeroMagnitude), .float(.greatestFiniteMagnitude),
            .float(-.greatestFiniteMagnitude), .integer(.min), .integer(.max), .float(0x1p63), .float(-0x1p63),
        ]
        for exponent in [52, 53, 54, 60, 62] {
            let power = Int64(1) << Int64(exponent)
            for distance in -3...3 as ClosedRange<Int64> {
                list += [.integer(power + distance), .integer(-power + distance), .float(Double(power + distance))]
                list += [.float(Double(-power + distance))]
            }
        }
        for distance in 0...1100 as ClosedRange<Int64> { list.append(.integer(.max - distance)) }
        return list
    }()

    static let texts: [Value] = [
        "", "a", "aa", "b", "\u{0}", "a\u{0}", "a\u{0}b", "\u{7F}", "\u{80}", "\u{7FF}", "\u{D7FF}", "\u{E000}", "\u{FFFF}",
        "\u{10000}", "\u{10FFFF}", "\u{FFFF}a", "\u{10000}a", "u\u{308}", "\u{FC}", "🐦", "🐦\u{E000}", "\u{E000}🐦",
    ].map { .string($0) }

    static let others: [Value] = [
        .boolean(false), .boolean(true), .list([]), .list([.integer(1)]), .list([.integer(1), .integer(2)]),
        .list([.float(1)]), .list([.string("a")]), .list([.string("a"), .string("")]), .list([.string("ab")]),
        .list([.boolean(true)]), .bytes(BytesValue([])), .bytes(BytesValue([0])), .bytes(BytesValue([0, 0])),
        .bytes(BytesValue([0, 1])), .bytes(BytesValue([0, 255])), .bytes(BytesValue([1])), .bytes(BytesValue([255])),
    ]

    static let temporalsAndPoints: [Value] = {
        var generator = SeededGenerator(seed: 7)
        let values = (0..<400).map { _ in SampleValues.value(using: &generator) }
        return values + values.prefix(20).map { .list([$0]) }
    }()

    @Test func keysOrderLikeValuesForEveryPairOfHardOnes() {
        let all = Self.others + Self.temporalsAndPoints + Self.texts + Self.numbers
        let keys = all.map { Self.key([$0]) }
        for (i, a) in all.enumerated() {
            for (j, b) in all.enumerated() where i % 7 == 0 || j < 450 {
                // Recorded only when it fails: there are a million pairs.
                if Self.order(keys[i], keys[j]) != a.order(b) { Issue.record("\(a) and \(b)") }
            }
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func keysOfSeveralPropertiesOrderLikeTheirValuesOneByOne(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        func value() -> Value {
            switch Int.random(in: 0..<7, using: &generator) {
            case 6: SampleValues.value(using: &generator)
            case 0: .integer(Int64.random(in: .min ... .max, using: &generator))
            case 1: .integer(Int64.random(in: -2...2, using: &generator))
            case 2: .float(Double(bitPattern: UInt64.random(in: .min ... .max, using: &generator)))
            case 3: .float(Double(Int64.random(in: .min ... .max, using: &generator)))
            case 4: Self.texts[Int.random(in: 0..<Self.texts.count, using: &generator)]
            default: Self.others[Int.random(in: 0..<Self.others.count, using: &generator)]
            }
        }
        for round in 0..<20_000 {
            let count = Int.random(in: 1...3, using: &generator)
            let a = (0..<count).map { _ in value() }
            let b = (0..<count).map { index in Bool.random(using: &generator) ? a[index] : value() }
            let wanted = zip(a, b).lazy.map { $0.order($1) }.first { $0 != 0 } ?? 0
            #expect(Self.order(Self.key(a), Self.key(b)) == wanted, "seed \(seed), round \(round): \(a) and \(b)")
        }
    }

    @Test func valuesThatNoPropertyHasHaveNoKey() {
        for value in [Value.null, .map(MapValue([])), .node(NodeID(1)), .list([.null])] {
            var key: [UInt8] = []
            #expect(!IndexKey.append(value, to: &key))
        }
    }
}
