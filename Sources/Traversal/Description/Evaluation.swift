/// What an evaluator decides about a position: whether it is part of the result, and whether the traversal goes on
/// beyond it.
public enum Evaluation: Sendable, Hashable {
    case includeAndContinue
    case includeAndPrune
    case excludeAndContinue
    case excludeAndPrune

    public init(includes: Bool, continues: Bool) {
        self =
            includes
            ? (continues ? .includeAndContinue : .includeAndPrune)
            : (continues ? .excludeAndContinue : .excludeAndPrune)
    }

    public var includes: Bool { self == .includeAndContinue || self == .includeAndPrune }
    public var continues: Bool { self == .includeAndContinue || self == .excludeAndContinue }

    /// Included only if both include, continued only if both continue.
    func and(_ other: Evaluation) -> Evaluation {
        Evaluation(includes: includes && other.includes, continues: continues && other.continues)
    }
}
