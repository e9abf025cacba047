/// An expression as a tree, its parts in one array, each after those that it is made of.
struct ExpressionTree: Sendable {
    enum Unary: Sendable { case not, minus, plus }
    enum Binary: Sendable {
        case or, and, equal, notEqual, less, lessOrEqual, greater, greaterOrEqual, add, subtract, multiply, divide,
            remainder
    }
    enum Part: Sendable {
        case literal(ExpressionValue)
        /// The path to where the traversal is.
        case position
        case unary(Unary, Int)
        case binary(Binary, Int, Int)
        case conditional(Int, Int, Int)
        /// A call of a method; `length` without brackets as well.
        case call(ExpressionMethod, of: Int, [Int])
        /// An element of a list.
        case element(of: Int, Int)
    }
    private(set) var parts: [Part] = []
    /// In characters from 1, for messages.
    private(set) var positions: [Int] = []
    private var depths: [Int] = []

    /// Most parts one inside the other; a chain of operators stands one inside the other too.
    static let depthMaximum = 500

    var last: Int { parts.count - 1 }

    /// Adds a part and returns its place; nil when it would be too deep.
    mutating func add(_ part: Part, at position: Int) -> Int? {
        let inner: Int =
            switch part {
            case .literal, .position: 0
            case .unary(_, let a): depths[a]
            case .binary(_, let a, let b), .element(let a, let b): max(depths[a], depths[b])
            case .conditional(let a, let b, let c): max(depths[a], depths[b], depths[c])
            case .call(_, let of, let arguments): arguments.reduce(depths[of]) { max($0, depths[$1]) }
            }
        if inner >= Self.depthMaximum { return nil }
        parts.append(part)
        positions.append(position)
        depths.append(inner + 1)
        return parts.count - 1
    }
}

/// The methods that can be called, by the names of the Java API of the manual's time.
enum ExpressionMethod: String, Sendable, CaseIterable {
    // Paths
    case length, startNode, endNode, lastRelationship
    // Nodes and relationships
    case getId, getProperty, hasProperty, hasRelationship
    case getType, getStartNode, getEndNode, getOtherNode, isType
    case name
    // Anything
    case equals, toString
    // Strings
    case toLowerCase, toUpperCase, trim, contains, startsWith, endsWith, equalsIgnoreCase, indexOf, lastIndexOf,
        substring, charAt, concat, replace, isEmpty, compareTo
    // Numbers
    case intValue, longValue, doubleValue, floatValue, booleanValue

    /// How many arguments it can have.
    var argumentCounts: ClosedRange<Int> {
        switch self {
        case .length, .startNode, .endNode, .lastRelationship, .getId, .hasRelationship, .getType, .getStartNode,
            .getEndNode, .name, .toString, .toLowerCase, .toUpperCase, .trim, .isEmpty, .intValue, .longValue,
            .doubleValue, .floatValue, .booleanValue:
            0...0
        case .getProperty, .indexOf, .lastIndexOf, .substring: 1...2
        case .hasProperty, .getOtherNode, .isType, .equals, .contains, .startsWith, .endsWith, .equalsIgnoreCase,
            .charAt, .concat, .compareTo:
            1...1
        case .replace: 2...2
        }
    }
}
