/// A function of the query language, described for people and tools.
public struct FunctionDescription: Sendable, Equatable {
    /// As documentation writes it; queries may write it in any case.
    public let name: String
    /// `Numeric`, `String`, `Temporal` …
    public let category: String
    /// Parameters and result with their kinds: `left(original :: STRING, length :: INTEGER) :: STRING`.
    public let signature: String
    /// One sentence.
    public let summary: String

    /// All of them by name; without aggregates and what has a syntax of its own.
    public static let all: [FunctionDescription] = Function.list
        .sorted { $0.name.lowercased() < $1.name.lowercased() }
        .map {
            FunctionDescription(
                name: $0.name, category: $0.category.rawValue, signature: $0.signature, summary: $0.summary)
        }
}
