internal import GraphModel

/// A regular expression in Java's notation that must match a whole string.
///
/// Only whether it matches is asked, so it runs as a set of states over the text: time is proportional to text times
/// pattern for every pattern, and none can run away. Back-references and look-around, which need backtracking, are not
/// offered.
final class RegularExpression {
    enum Instruction {
        case scalar(UInt32)
        case any(includingNewlines: Bool)
        case set(CharacterSet)
        case split(Int, Int)
        case jump(Int)
        case assert(Assertion)
        case match
    }
    enum Assertion { case start, end, lineStart, lineEnd, wordBoundary, noWordBoundary }

    private let program: [Instruction]

    init(_ pattern: String) throws(GraphError) {
        var parser = RegularExpressionParser(pattern)
        program = try parser.program()
    }

    /// Whether the whole text matches.
    func matchesAll(of text: String, _ control: ExecutionControl) throws(GraphError) -> Bool {
        let scalars = text.unicodeScalars.map(\.value)
        var current = StateList(program.count)
        var following = StateList(program.count)
        var pending: [Int] = []
        add(0, to: &current, &pending, scalars, 0)
        for position in 0..<scalars.count {
            if current.isEmpty { return false }
            if position & 0xFFF == 0xFFF { try control.check() }
            let scalar = scalars[position]
            following.removeAll()
            for state in current.states {
                let isTaken =
                    switch program[state] {
                    case .scalar(let wanted): wanted == scalar
                    case .any(let includingNewlines): includingNewlines || !CharacterSet.isLineEnd(scalar)
                    case .set(let set): set.contains(scalar)
                    case .split, .jump, .assert, .match: false
                    }
                if isTaken { add(state + 1, to: &following, &pending, scalars, position + 1) }
            }
            swap(&current, &following)
        }
        return current.states.contains { if case .match = program[$0] { true } else { false } }
    }

    /// Adds a state and all that it leads to without reading.
    private func add(
        _ state: Int, to list: inout StateList, _ pending: inout [Int], _ scalars: [UInt32], _ position: Int
    ) {
        pending.append(state)
        while let state = pending.popLast() {
            guard list.insert(state) else { continue }
            switch program[state] {
            case .jump(let target): pending.append(target)
            case .split(let a, let b):
                pending.append(b)
                pending.append(a)
            case .assert(let assertion):
                if holds(assertion, scalars, position) { pending.append(state + 1) }
            case .scalar, .any, .set, .match: break
            }
        }
    }

    private func holds(_ assertion: Assertion, _ scalars: [UInt32], _ position: Int) -> Bool {
        func isWord(_ index: Int) -> Bool {
            scalars.indices.contains(index) && CharacterSet.word.contains(scalars[index])
        }
        switch assertion {
        case .start: return position == 0
        case .end: return position == scalars.count
        case .lineStart: return position == 0 || scalars[position - 1] == 10
        case .lineEnd: return position == scalars.count || scalars[position] == 10
        case .wordBoundary: return isWord(position - 1) != isWord(position)
        case .noWordBoundary: return isWord(position - 1) == isWord(position)
        }
    }

    private struct StateList {
        private(set) var states: [Int] = []
        private var marks: [Bool]
        init(_ count: Int) { marks = [Bool](repeating: false, count: count) }
        var isEmpty: Bool { states.isEmpty }
        mutating func insert(_ state: Int) -> Bool {
            if marks[state] { return false }
            marks[state] = true
            states.append(state)
            return true
        }
        mutating func removeAll() {
            for state in states { marks[state] = false }
            states.removeAll(keepingCapacity: true)
        }
    }
}

/// A set of Unicode scalars.
struct CharacterSet {
    private var ranges: [ClosedRange<UInt32>] = []
    private var parts: [CharacterSet] = []
    private var intersected: [CharacterSet] = []
    private var isNegated = false

    static let digit = CharacterSet([48...57])
    static let space = CharacterSet([9...13, 32...32])
    static let word = CharacterSet([48...57, 65...90, 95...95, 97...122])
    static let lower = CharacterSet([97...122])
    static let upper = CharacterSet([65...90])

    init(_ ranges: [ClosedRange<UInt32>] = []) { self.ranges = ranges }

    static func isLineEnd(_ scalar: UInt32) -> Bool {
        scalar == 10 || scalar == 13 || scalar == 0x85 || scalar == 0x2028 || scalar == 0x2029
    }

    mutating func insert(_ range: ClosedRange<UInt32>) { ranges.append(range) }
    mutating func insert(_ other: CharacterSet) { parts.append(other) }
    mutating func formIntersection(_ other: CharacterSet) { intersected.append(other) }

    var negated: CharacterSet {
        var result = self
        result.isNegated.toggle()
        return result
    }

    /// The set together with the other case of its letters.
    func ignoringCase(unicode: Bool) -> CharacterSet {
        var result = CharacterSet()
        result.parts = [self]
        result.foldsCase = true
        result.foldsUnicode = unicode
        return result
    }
    private var foldsCase = false
    private var foldsUnicode = false

    func contains(_ scalar: UInt32) -> Bool {
        var found = ranges.contains { $0.contains(scalar) } || parts.contains { $0.contains(scalar) }
        if !found && foldsCase {
            found = Self.otherCases(scalar, unicode: foldsUnicode).contains { other in
                parts.contains { $0.contains(other) }
            }
        }
        if !intersected.isEmpty { found = found && intersected.allSatisfy { $0.contains(scalar) } }
        return found != isNegated
    }

    static func otherCases(_ scalar: UInt32, unicode: Bool) -> [UInt32] {
        if scalar < 0x80 {
            if (65...90).contains(scalar) { return [scalar + 32] }
            if (97...122).contains(scalar) { return [scalar - 32] }
            return []
        }
        guard unicode, let properties = Unicode.Scalar(scalar)?.properties else { return [] }
        return [properties.lowercaseMapping, properties.uppercaseMapping].compactMap { text in
            let scalars = text.unicodeScalars
            return scalars.count == 1 ? scalars.first?.value : nil
        }
    }
}

/// Compiled patterns of one execution, so that a pattern that comes with every row is parsed once.
struct PatternCache {
    private var expressions: [Value: RegularExpression] = [:]
    private var last: (pattern: StringValue, expression: RegularExpression)?

    mutating func expression(_ pattern: StringValue) throws(GraphError) -> RegularExpression {
        if let last, last.pattern === pattern { return last.expression }
        let key = Value.string(pattern)
        let expression: RegularExpression
        if let known = expressions[key] {
            expression = known
        } else {
            expression = try RegularExpression(pattern.text)
            if expressions.count >= 64 { expressions.removeAll() }
            expressions[key] = expression
        }
        last = (pattern, expression)
        return expression
    }
}
