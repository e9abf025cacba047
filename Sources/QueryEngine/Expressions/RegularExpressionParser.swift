internal import GraphModel

/// Parses Java's notation of regular expressions and lays it out as a program.
struct RegularExpressionParser {
    private indirect enum Node {
        case empty
        case single(RegularExpression.Instruction)
        case sequence([Node])
        case choice([Node])
        case `repeat`(Node, Int, Int?)
    }

    private let scalars: [UInt32]
    private let pattern: String
    private var index = 0
    private var depth = 0
    private var ignoresCase = false
    private var unicodeCase = false
    private var dotMatchesAll = false
    private var isMultiline = false
    private var instructions: [RegularExpression.Instruction] = []
    private static let depthMaximum = 100
    private static let instructionCountMaximum = 20_000

    init(_ pattern: String) {
        self.pattern = pattern
        scalars = pattern.unicodeScalars.map(\.value)
    }

    mutating func program() throws(GraphError) -> [RegularExpression.Instruction] {
        let node = try choice()
        guard index == scalars.count else { throw fail("unmatched )") }
        try emit(node)
        instructions.append(.match)
        return instructions
    }

    private func fail(_ message: String) -> GraphError {
        GraphError(.syntaxError, "the regular expression \"\(pattern.prefix(100))\": \(message) at index \(index)")
    }

    private func isAt(_ character: Unicode.Scalar) -> Bool {
        index < scalars.count && scalars[index] == character.value
    }

    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard isAt(character) else { return false }
        index += 1
        return true
    }

    private mutating func choice() throws(GraphError) -> Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMaximum else { throw fail("nested deeper than \(Self.depthMaximum) levels") }
        var branches = [try sequence()]
        while accept("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws(GraphError) -> Node {
        var parts: [Node] = []
        while index < scalars.count, !isAt("|"), !isAt(")") {
            let atom = try atom()
            parts.append(try quantified(atom))
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func quantified(_ atom: Node) throws(GraphError) -> Node {
        let node: Node
        if accept("*") {
            node = .repeat(atom, 0, nil)
        } else if accept("+") {
            node = .repeat(atom, 1, nil)
        } else if accept("?") {
            node = .repeat(atom, 0, 1)
        } else if accept("{") {
            guard let minimum = number() else { throw fail("a number is expected in {}") }
            var maximum: Int? = minimum
            if accept(",") { maximum = number() }
            guard accept("}") else { throw fail("} is expected") }
            if let maximum, maximum < minimum { throw fail("the bounds in {} are the wrong way round") }
            node = .repeat(atom, minimum, maximum)
        } else {
            return atom
        }
        // Reluctant and possessive differ only in what they capture first.
        _ = accept("?") || accept("+")
        if isAt("*") || isAt("+") || isAt("?") || isAt("{") { throw fail("nothing to repeat") }
        return node
    }

    private mutating func number() -> Int? {
        var value: Int?
        while index < scalars.count, (48...57).contains(scalars[index]), (value ?? 0) < 100_000 {
            value = (value ?? 0) * 10 + Int(scalars[index] - 48)
            index += 1
        }
        return value
    }

    private mutating func atom() throws(GraphError) -> Node {
        let character = scalars[index]
        index += 1
        switch Unicode.Scalar(character) {
        case "(": return try group()
        case "[": return .single(.set(folded(try set())))
        case ".": return .single(.any(includingNewlines: dotMatchesAll))
        case "^": return .single(.assert(isMultiline ? .lineStart : .start))
        case "$": return .single(.assert(isMultiline ? .lineEnd : .end))
        case "*", "+", "?":
            index -= 1
            throw fail("nothing to repeat")
        case "\\": return try escape()
        default: return literal(character)
        }
    }

    private func folded(_ set: CharacterSet) -> CharacterSet {
        ignoresCase ? set.ignoringCase(unicode: unicodeCase) : set
    }

    private func literal(_ character: UInt32) -> Node {
        let others = ignoresCase ? CharacterSet.otherCases(character, unicode: unicodeCase) : []
        if others.isEmpty { return .single(.scalar(character)) }
        return .single(.set(CharacterSet(([character] + others).map { $0...$0 })))
    }

    private mutating func group() throws(GraphError) -> Node {
        let flags = (ignoresCase, unicodeCase, dotMatchesAll, isMultiline)
        if accept("?") {
            if accept("<") {
                if isAt("=") || isAt("!") { throw fail("look-behind is not offered") }
                while index < scalars.count, !isAt(">") { index += 1 }
                guard accept(">") else { throw fail("> is expected") }
            } else if isAt("=") || isAt("!") {
                throw fail("look-ahead is not offered")
            } else if !accept(">") {
                if try self.flags() { return .empty }
            }
        }
        let inner = try choice()
        guard accept(")") else { throw fail("unclosed group") }
        (ignoresCase, unicodeCase, dotMatchesAll, isMultiline) = flags
        return inner
    }

    /// `(?i)`, `(?i-s:`, `(?:`. True when the flags stand alone and hold for the rest of the enclosing group.
    private mutating func flags() throws(GraphError) -> Bool {
        var isOn = true
        while index < scalars.count {
            let character = Unicode.Scalar(scalars[index])
            index += 1
            switch character {
            case "i": ignoresCase = isOn
            case "u", "U": unicodeCase = isOn
            case "s": dotMatchesAll = isOn
            case "m": isMultiline = isOn
            case "-": isOn = false
            case ":": return false
            case ")": return true
            default:
                index -= 1
                throw fail("unknown flag")
            }
        }
        throw fail("unclosed group")
    }

    private mutating func escape() throws(GraphError) -> Node {
        guard index < scalars.count else { throw fail("\\ at the end") }
        switch Unicode.Scalar(scalars[index]) {
        case "b":
            index += 1
            return .single(.assert(.wordBoundary))
        case "B":
            index += 1
            return .single(.assert(.noWordBoundary))
        case "A":
            index += 1
            return .single(.assert(.start))
        case "z", "Z":
            index += 1
            return .single(.assert(.end))
        case "Q":
            index += 1
            var parts: [Node] = []
            while index < scalars.count {
                if isAt("\\"), index + 1 < scalars.count, scalars[index + 1] == 69 {
                    index += 2
                    break
                }
                parts.append(literal(scalars[index]))
                index += 1
            }
            return .sequence(parts)
        default: break
        }
        if let set = try classEscape() { return .single(.set(folded(set))) }
        return literal(try characterEscape())
    }

    /// `\d`, `\W`, `\p{Lu}` and the like; nil when the escape stands for a character.
    private mutating func classEscape() throws(GraphError) -> CharacterSet? {
        let set: CharacterSet
        switch Unicode.Scalar(scalars[index]) {
        case "d": set = .digit
        case "D": set = CharacterSet.digit.negated
        case "s": set = .space
        case "S": set = CharacterSet.space.negated
        case "w": set = .word
        case "W": set = CharacterSet.word.negated
        case "p", "P":
            let isNegated = scalars[index] == 80
            index += 1
            let named = try namedClass()
            return isNegated ? named.negated : named
        default: return nil
        }
        index += 1
        return set
    }

    private mutating func namedClass() throws(GraphError) -> CharacterSet {
        var name = ""
        if accept("{") {
            while index < scalars.count, !isAt("}") {
                if let scalar = Unicode.Scalar(scalars[index]) { name.unicodeScalars.append(scalar) }
                index += 1
            }
            guard accept("}") else { throw fail("} is expected") }
        } else if index < scalars.count, let scalar = Unicode.Scalar(scalars[index]) {
            name.unicodeScalars.append(scalar)
            index += 1
        }
        switch name {
        case "Lower": return .lower
        case "Upper": return .upper
        case "Alpha": return CharacterSet([65...90, 97...122])
        case "Digit": return .digit
        case "Alnum": return CharacterSet([48...57, 65...90, 97...122])
        case "Punct": return CharacterSet([33...47, 58...64, 91...96, 123...126])
        case "Space": return .space
        case "ASCII": return CharacterSet([0...127])
        default: throw fail("unknown character class \(name)")
        }
    }

    private mutating func characterEscape() throws(GraphError) -> UInt32 {
        let character = scalars[index]
        index += 1
        switch Unicode.Scalar(character) {
        case "n": return 10
        case "t": return 9
        case "r": return 13
        case "f": return 12
        case "a": return 7
        case "e": return 27
        case "x": return try hexadecimal(2)
        case "u": return try hexadecimal(4)
        default: break
        }
        switch character {
        case 48...57: throw fail("back-references are not offered")
        case 65...90, 97...122: throw fail("unknown escape")
        default: return character
        }
    }

    private mutating func hexadecimal(_ count: Int) throws(GraphError) -> UInt32 {
        guard index + count <= scalars.count else { throw fail("\(count) hexadecimal digits are expected") }
        var text = ""
        for scalar in scalars[index..<index + count] { text.unicodeScalars.append(Unicode.Scalar(scalar) ?? " ") }
        guard let value = UInt32(text, radix: 16) else { throw fail("\(count) hexadecimal digits are expected") }
        index += count
        return value
    }

    /// What stands between [ and ].
    private mutating func set() throws(GraphError) -> CharacterSet {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMaximum else { throw fail("nested deeper than \(Self.depthMaximum) levels") }
        let isNegated = accept("^")
        var result = CharacterSet()
        var isFirst = true
        while true {
            guard index < scalars.count else { throw fail("unclosed character class") }
            if !isFirst, accept("]") { break }
            isFirst = false
            if accept("[") {
                result.insert(try set())
                continue
            }
            if isAt("&"), index + 1 < scalars.count, scalars[index + 1] == 38 {
                index += 2
                var other = CharacterSet()
                if accept("[") { other = try set() } else { other.insert(try setRange()) }
                result.formIntersection(other)
                continue
            }
            if isAt("\\"), index + 1 < scalars.count {
                index += 1
                if let named = try classEscape() {
                    result.insert(named)
                    continue
                }
                index -= 1
            }
            result.insert(try setRange())
        }
        return isNegated ? result.negated : result
    }

    private mutating func setRange() throws(GraphError) -> ClosedRange<UInt32> {
        let start = try setCharacter()
        guard isAt("-"), index + 1 < scalars.count, scalars[index + 1] != 93 else { return start...start }
        index += 1
        let end = try setCharacter()
        guard start <= end else { throw fail("a range is the wrong way round") }
        return start...end
    }

    private mutating func setCharacter() throws(GraphError) -> UInt32 {
        guard index < scalars.count else { throw fail("unclosed character class") }
        if accept("\\") {
            guard index < scalars.count else { throw fail("\\ at the end") }
            return try characterEscape()
        }
        index += 1
        return scalars[index - 1]
    }

    // MARK: Layout

    private mutating func append(_ instruction: RegularExpression.Instruction) throws(GraphError) {
        guard instructions.count < Self.instructionCountMaximum else { throw fail("too large") }
        instructions.append(instruction)
    }

    private mutating func emit(_ node: Node) throws(GraphError) {
        switch node {
        case .empty: break
        case .single(let instruction): try append(instruction)
        case .sequence(let parts): for part in parts { try emit(part) }
        case .choice(let branches):
            var jumps: [Int] = []
            for (index, branch) in branches.enumerated() {
                if index == branches.count - 1 {
                    try emit(branch)
                    break
                }
                let split = instructions.count
                try append(.split(0, 0))
                try emit(branch)
                jumps.append(instructions.count)
                try append(.jump(0))
                instructions[split] = .split(split + 1, instructions.count)
            }
            for jump in jumps { instructions[jump] = .jump(instructions.count) }
        case .repeat(let inner, let minimum, let maximum): try emitRepeat(inner, minimum, maximum)
        }
    }

    private mutating func emitRepeat(_ inner: Node, _ minimum: Int, _ maximum: Int?) throws(GraphError) {
        for _ in 0..<minimum {
            let before = instructions.count
            try emit(inner)
            if instructions.count == before { return }
        }
        guard let maximum else {
            let split = instructions.count
            try append(.split(0, 0))
            try emit(inner)
            try append(.jump(split))
            instructions[split] = .split(split + 1, instructions.count)
            return
        }
        var splits: [Int] = []
        for _ in minimum..<maximum {
            splits.append(instructions.count)
            try append(.split(0, 0))
            try emit(inner)
        }
        for split in splits { instructions[split] = .split(split + 1, instructions.count) }
    }
}
