/// The two languages that share the tree. They differ in grammar and in the switches below, never in the executor.
public enum Dialect: String, Sendable, Hashable {
    /// The manual's language.
    case cypher18 = "1.8"
    /// openCypher.
    case cypher9 = "9"

    /// Whether reading a property that is not set is an error (1.8) or gives null (9).
    public var missingPropertyIsError: Bool { self == .cypher18 }
}
