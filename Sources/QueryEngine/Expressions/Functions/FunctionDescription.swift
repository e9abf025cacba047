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

    /// All of them by name, aggregates included; without what has a syntax of its own.
    public static let all: [FunctionDescription] =
        (aggregates
        + Function.list.map {
            FunctionDescription(
                name: $0.name, category: $0.category.rawValue, signature: $0.signature, summary: $0.summary)
        }).sorted { $0.name.lowercased() < $1.name.lowercased() }

    private static let aggregates: [FunctionDescription] = [
        ("count", "input :: ANY", "INTEGER", "The number of values that are not null; count(*) of rows."),
        ("sum", "input :: INTEGER | FLOAT", "INTEGER | FLOAT", "The sum of the values."),
        ("avg", "input :: INTEGER | FLOAT", "FLOAT", "The mean of the values."),
        ("min", "input :: ANY", "ANY", "The least value."), ("max", "input :: ANY", "ANY", "The greatest value."),
        ("collect", "input :: ANY", "LIST", "The values as a list."),
        ("stDev", "input :: INTEGER | FLOAT", "FLOAT", "The standard deviation of a sample."),
        ("stDevP", "input :: INTEGER | FLOAT", "FLOAT", "The standard deviation of a whole population."),
        ("percentileDisc", "input :: INTEGER | FLOAT, share :: FLOAT", "INTEGER | FLOAT", "The value nearest to a percentile."),
        ("percentileCont", "input :: INTEGER | FLOAT, share :: FLOAT", "FLOAT", "A percentile, between the two nearest values."),
    ].map {
        FunctionDescription(
            name: $0.0, category: "Aggregating", signature: "\($0.0)(\($0.1)) :: \($0.2)", summary: $0.3)
    }
}
