/// A word of a script.
struct Token: Sendable {
    enum Kind: Sendable, Equatable {
        case name(String)
        case integer(Int64)
        case float(Double)
        case string(String)
        /// A string with expressions in it.
        case template([TemplatePiece])
        /// An operator or a bracket, as it is written.
        case symbol(String)
        case end
    }
    let kind: Kind
    let place: Place
    /// Whether a line ends before it: a statement may end there.
    let isFirstOfLine: Bool

    /// As messages show it.
    var text: String {
        switch kind {
        case .name(let name): "\"\(name)\""
        case .integer(let number): "\(number)"
        case .float(let number): "\(number)"
        case .string, .template: "a string"
        case .symbol(let symbol): "\"\(symbol)\""
        case .end: "the end"
        }
    }
}

/// Where in a script something stands, both from 1.
struct Place: Sendable, Equatable, CustomStringConvertible {
    var line: Int32 = 1
    var column: Int32 = 1
    var description: String { "line \(line), column \(column)" }
}

/// A part of a string in double quotes.
enum TemplatePiece: Sendable, Equatable {
    case text(String)
    /// The source of an expression, and where it stands.
    case code(String, Place)
}
