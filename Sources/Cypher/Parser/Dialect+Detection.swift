internal import GraphModel

extension Dialect {
    /// The dialect that a query without a prefix is most likely written in.
    ///
    /// The manual's language begins with START, or with CREATE where nothing is read. Whatever begins with another clause,
    /// or names a label, can only be openCypher. A CREATE that could be either is taken for the manual's.
    public static func detect(in text: String) -> Dialect {
        let source = Array(text.utf8)
        guard let tokens = try? Lexer.tokens(source),
            let first = tokens.first(where: { $0.keyword != .explain && $0.keyword != .profile })
        else { return .cypher9 }
        switch first.keyword {
        case .start, .cypher: return .cypher18
        case .create: return tokens.contains(where: \.isOpenCypherOnly) || namesLabel(tokens) ? .cypher9 : .cypher18
        default: return .cypher9
        }
    }

    /// `(n:Label`, `(:Label`.
    private static func namesLabel(_ tokens: ContiguousArray<Token>) -> Bool {
        for (index, token) in tokens.enumerated() where token.kind == .openParenthesis && index + 2 < tokens.count {
            let next = tokens[index + 1]
            if next.kind == .colon { return true }
            if next.kind == .word || next.kind == .quotedName, tokens[index + 2].kind == .colon { return true }
        }
        return false
    }
}

extension Token {
    /// Words and signs that the manual's language does not have.
    fileprivate var isOpenCypherOnly: Bool {
        switch keyword {
        case .merge, .unwind, .union, .remove, .detach, .optional, .index, .constraint: true
        default: kind == .dollar
        }
    }
}
