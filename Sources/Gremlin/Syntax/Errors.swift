package import GraphModel

extension ErrorCode {
    /// A script that cannot be read, or that says something that is not part of the language here.
    package static let scriptSyntax = ErrorCode(
        ErrorCode.syntaxError.name, httpStatus: 400, legacyException: "BadInputException")
    /// A script that fails while it runs.
    package static let scriptFailure = ErrorCode(
        ErrorCode.argumentError.name, httpStatus: 400, legacyException: "BadInputException")
}

extension GraphError {
    static func unreadable(_ message: String, at place: Place) -> GraphError {
        GraphError(.scriptSyntax, "the script cannot be read: \(message) (\(place))")
    }

    /// Something that is Groovy, but more than what is interpreted here.
    static func beyondSubset(_ construct: String, at place: Place) -> GraphError {
        GraphError(
            .scriptSyntax,
            "\(construct) (\(place)) is not part of the Gremlin that is interpreted here: no code is run that is sent to the server. See docs/gremlin.md for what there is, or ask in Cypher")
    }

    static func script(_ message: String, at place: Place) -> GraphError {
        GraphError(.scriptFailure, "the script fails: \(message) (\(place))")
    }
}
