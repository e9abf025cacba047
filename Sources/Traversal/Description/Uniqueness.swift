/// Under which circumstances a traversal may come to the same position again (manual 6.2.4).
public enum Uniqueness: Sendable, Hashable {
    /// Any position may be visited again. Where there is a cycle, only an evaluator ends the traversal.
    case none
    /// No node is visited twice. Remembers every node that it has met.
    case nodeGlobal
    /// No relationship is visited twice. Remembers every relationship that it has met.
    case relationshipGlobal
    /// A node does not come twice in one path.
    case nodePath
    /// A relationship does not come twice in one path.
    case relationshipPath
    /// No node is visited again as long as it is among the so many that were met most recently; at least 1.
    case nodeRecent(Int = recentCount)
    /// The same of relationships.
    case relationshipRecent(Int = recentCount)

    /// How many are remembered when nothing else is said.
    public static let recentCount = 10_000
}
