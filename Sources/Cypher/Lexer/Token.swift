/// One token and where it stands, in bytes. It holds no text: the parser decodes names and strings when it keeps them.
struct Token: Equatable {
    enum Kind: UInt8 {
        /// A name or a keyword.
        case word
        /// A name in back-quotes; never a keyword.
        case quotedName
        case integer, float, string
        case end
        case openParenthesis, closeParenthesis, openBracket, closeBracket, openBrace, closeBrace
        case comma, dot, twoDots, colon, semicolon, bar, twoBars, ampersand
        case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual, matches
        case plus, plusEqual, minus, star, slash, percent, caret, question, exclamation, dollar
    }
    let kind: Kind
    /// What word it is; `.none` for names that are no keyword, and for everything that is not a word.
    let keyword: Keyword
    let start: Int
    let end: Int

    /// A symbol as it is written, for messages.
    static func text(of kind: Kind) -> String {
        switch kind {
        case .word, .quotedName: "a name"
        case .integer, .float: "a number"
        case .string: "a string"
        case .end: "the end of the query"
        case .openParenthesis: "("
        case .closeParenthesis: ")"
        case .openBracket: "["
        case .closeBracket: "]"
        case .openBrace: "{"
        case .closeBrace: "}"
        case .comma: ","
        case .dot: "."
        case .twoDots: ".."
        case .colon: ":"
        case .semicolon: ";"
        case .bar: "|"
        case .twoBars: "||"
        case .ampersand: "&"
        case .equal: "="
        case .notEqual: "<>"
        case .less: "<"
        case .lessOrEqual: "<="
        case .greater: ">"
        case .greaterOrEqual: ">="
        case .matches: "=~"
        case .plus: "+"
        case .plusEqual: "+="
        case .minus: "-"
        case .star: "*"
        case .slash: "/"
        case .percent: "%"
        case .caret: "^"
        case .question: "?"
        case .exclamation: "!"
        case .dollar: "$"
        }
    }
}

/// The words that mean something somewhere in the language. Most of them can be names elsewhere.
enum Keyword: UInt8, CaseIterable {
    case `none`
    case `all`, `allshortestpaths`, `and`, `any`, `as`, `asc`, `ascending`, `assert`, `bool`
    case `by`, `call`, `case`, `collect`, `concurrent`, `constraint`, `constraints`, `contains`, `count`, `create`, `csv`, `cypher`
    case `database`, `delete`, `desc`, `descending`, `detach`, `distinct`, `drop`
    case `each`, `else`, `end`, `ends`, `exists`, `explain`, `extract`
    case `false`, `field`, `filter`, `finish`, `for`, `foreach`, `from`, `fulltext`, `function`, `functions`
    case `has`, `header`, `headers`, `if`, `in`, `index`, `indexes`, `infinity`, `is`
    case `join`, `key`, `limit`, `load`, `lookup`, `match`, `merge`, `nan`, `node`, `none_`, `not`, `null`
    case `of`, `offset`, `on`, `optional`, `or`, `order`, `point`, `procedure`, `procedures`, `profile`, `property`
    case `range`, `reduce`, `rel`, `relationship`, `remove`, `require`, `return`, `rows`, `set`, `scan`, `shortestpath`, `show`, `single`, `skip`
    case `start`, `starts`, `terminate`, `text`, `then`, `transaction`, `transactions`, `true`
    case `union`, `unique`, `unwind`, `use`, `using`, `vector`, `when`, `where`, `with`, `xor`, `yield`

    /// The word in capitals.
    var text: String { String(describing: self).filter { $0 != "_" }.uppercased() }
}

/// Finds keywords by their bytes: an open hash table over the words' letters packed into two integers.
struct KeywordTable: Sendable {
    private struct Entry: Sendable {
        var low: UInt64
        var high: UInt64
        var keyword: Keyword
    }
    private var entries: ContiguousArray<Entry>
    private static let capacity = 512
    static let longest = 16

    static let shared = KeywordTable()

    private init() {
        entries = ContiguousArray(repeating: Entry(low: 0, high: 0, keyword: .none), count: Self.capacity)
        for keyword in Keyword.allCases where keyword != .none {
            let (low, high) = Self.pack(Array(keyword.text.utf8)[...])
            var index = Self.slot(low, high)
            while entries[index].keyword != .none { index = (index + 1) & (Self.capacity - 1) }
            entries[index] = Entry(low: low, high: high, keyword: keyword)
        }
    }

    /// The letters, in capitals, as two integers.
    private static func pack(_ word: ArraySlice<UInt8>) -> (low: UInt64, high: UInt64) {
        var low: UInt64 = 0
        var high: UInt64 = 0
        for (index, byte) in word.enumerated() {
            let letter = UInt64(byte & 0xDF)
            if index < 8 { low |= letter << UInt64(index * 8) } else { high |= letter << UInt64((index - 8) * 8) }
        }
        return (low, high)
    }

    private static func slot(_ low: UInt64, _ high: UInt64) -> Int {
        let mixed = (low ^ (high &* 0x9E37_79B9_7F4A_7C15)) &* 0xD6E8_FEB8_6659_FD93
        return Int(truncatingIfNeeded: mixed >> 55)
    }

    /// The keyword that a word spells in any case; its bytes are letters, digits and the like.
    @inline(__always)
    func keyword(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Keyword {
        guard end - start <= Self.longest else { return .none }
        var low: UInt64 = 0
        var high: UInt64 = 0
        var shift: UInt64 = 0
        for index in start..<end {
            let byte = bytes[index] | 0x20
            // No keyword has a digit, an underscore or anything beyond ASCII in it.
            guard byte >= 97, byte <= 122, bytes[index] != 0x40 else { return .none }
            let letter = UInt64(byte & 0xDF)
            if shift < 64 { low |= letter << shift } else { high |= letter << (shift - 64) }
            shift += 8
        }
        var index = Self.slot(low, high)
        while entries[index].keyword != .none {
            if entries[index].low == low, entries[index].high == high { return entries[index].keyword }
            index = (index + 1) & (Self.capacity - 1)
        }
        return .none
    }
}
