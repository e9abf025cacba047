package import GraphModel

/// What is wrong with a JSON text, and where: offset in bytes from 0, line and column from 1 (columns in bytes, since
/// the text may not even be UTF-8).
package struct JSONError: Error, Equatable, CustomStringConvertible {
    package let message: String
    package let offset: Int
    package let line: Int
    package let column: Int

    init(_ message: String, at offset: Int, in bytes: [UInt8]) {
        self.message = message
        self.offset = offset
        let before = bytes[..<min(offset, bytes.count)]
        line = before.count { $0 == UInt8(ascii: "\n") } + 1
        column = offset - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
    }

    package var description: String { "\(message) at offset \(offset) (line \(line), column \(column))" }

    /// As the answer to a request whose body it was.
    package var asInvalidRequest: GraphError { GraphError(.invalidRequest, "malformed JSON: \(self)") }
}
