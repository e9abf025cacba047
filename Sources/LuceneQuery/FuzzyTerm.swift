/// A term that others may resemble: by a part of their length, as the original has it, or by a number of edits.
public struct FuzzyTerm: Sendable {
    static let defaultSimilarity = 0.5
    public let text: String
    /// Below 1 the similarity that a match must be above, else how many edits lead to it at most.
    private let limit: Double
    private let scalars: [Unicode.Scalar]

    /// nil when the limit is neither from 0 to below 1 nor a whole number.
    public init?(_ text: String, _ limit: Double) {
        guard limit >= 0, limit < 1 || limit == limit.rounded() else { return nil }
        self.text = text
        self.limit = limit
        scalars = Array(text.unicodeScalars)
    }

    public func lowercased() -> FuzzyTerm { FuzzyTerm(text.lowercased(), limit) ?? self }

    /// How much a term resembles this one, up to 1; nil when it does not enough.
    public func similarity(_ other: String) -> Double? {
        let candidate = Array(other.unicodeScalars)
        let shorter = min(scalars.count, candidate.count)
        if shorter == 0 { return scalars.isEmpty && candidate.isEmpty ? 1 : nil }
        // More edits than this cannot be enough.
        let allowed = limit >= 1 ? Int(min(limit, 1_000_000)) : Int((1 - limit) * Double(shorter))
        guard let edits = Self.distance(scalars, candidate, atMost: allowed) else { return nil }
        let similarity = 1 - Double(edits) / Double(shorter)
        if limit >= 1 { return max(similarity, 0.01) }
        return similarity > limit || edits == 0 ? similarity : nil
    }

    /// The least number of characters put in, taken out or exchanged that make one of the other (Levenshtein); nil when
    /// it is above the limit.
    public static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar], atMost limit: Int) -> Int? {
        if abs(a.count - b.count) > limit { return nil }
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            var least = row[0]
            for (j, y) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = x == y ? diagonal : 1 + min(diagonal, above, row[j])
                diagonal = above
                least = min(least, row[j + 1])
            }
            if least > limit { return nil }
        }
        return row[b.count] <= limit ? row[b.count] : nil
    }
}
