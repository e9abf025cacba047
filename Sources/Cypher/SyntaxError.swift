public import GraphModel

/// Where in a query something is wrong. Line and column count from 1, columns in characters.
public struct SourcePosition: Sendable, Equatable {
    public let line: Int
    public let column: Int
    /// The line's text, for the caret.
    public let lineText: String

    /// The position of a byte in a query.
    public init(of offset: Int, in query: [UInt8]) {
        let offset = min(offset, query.count)
        let before = query[..<offset]
        line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let end = query[offset...].firstIndex(of: UInt8(ascii: "\n")) ?? query.count
        column = String(decoding: query[start..<offset], as: UTF8.self).count + 1
        lineText = String(decoding: query[start..<end], as: UTF8.self)
    }
}

extension GraphError {
    /// An error in the text of a query: what was expected, where, and a caret under the place.
    public static func syntax(
        _ message: String, at offset: Int, in query: [UInt8], code: ErrorCode = .syntaxError
    ) -> GraphError {
        let position = SourcePosition(of: offset, in: query)
        // A very long line is cut to the surroundings of the place.
        let from = max(0, position.column - 1 - 80)
        let shown = String(position.lineText.dropFirst(from).prefix(160))
        let caret = String(repeating: " ", count: position.column - 1 - from) + "^"
        return GraphError(
            code, "\(message) (line \(position.line), column \(position.column))\n\"\(shown)\"\n \(caret)")
    }
}
