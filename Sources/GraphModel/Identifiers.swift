/// Identifies a node. Ids are 64-bit, handed out by the master, and never reused.
public struct NodeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static func < (a: NodeID, b: NodeID) -> Bool { a.rawValue < b.rawValue }
    public var description: String { "Node[\(rawValue)]" }
}

/// Identifies a relationship. Ids are 64-bit, handed out by the master, and never reused.
public struct RelationshipID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static func < (a: RelationshipID, b: RelationshipID) -> Bool { a.rawValue < b.rawValue }
    public var description: String { "Relationship[\(rawValue)]" }
}

/// A node or a relationship.
public enum EntityID: Hashable, Sendable, CustomStringConvertible {
    case node(NodeID)
    case relationship(RelationshipID)
    public var description: String {
        switch self {
        case .node(let id): id.description
        case .relationship(let id): id.description
        }
    }
}

/// The three kinds of names that a store interns.
public enum TokenKind: UInt8, Sendable, CaseIterable {
    case label = 0
    case relationshipType = 1
    case propertyKey = 2
}

/// The number of an interned label, relationship type or property key. Small and dense, per kind, from 0.
public typealias TokenID = UInt32

/// Which relationships of a node are meant.
public enum Direction: UInt8, Sendable, CaseIterable {
    case outgoing = 0
    case incoming = 1
    case both = 2

    /// The direction seen from the other end.
    public var reversed: Direction {
        switch self {
        case .outgoing: .incoming
        case .incoming: .outgoing
        case .both: .both
        }
    }
}

/// Number of a committed transaction. The first is 1; 0 is the empty store.
public struct TransactionID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    public static let zero = TransactionID(0)
    public var next: TransactionID { TransactionID(rawValue + 1) }
    public var description: String { "tx \(rawValue)" }
}

/// Number of a mastership. It only grows; a single, unclustered database writes under epoch 0.
public struct Epoch: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    public static let zero = Epoch(0)
    public var next: Epoch { Epoch(rawValue + 1) }
    public var description: String { "epoch \(rawValue)" }
}

/// Identifies a cluster member; `ha.server_id` in the configuration.
public struct MemberID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    public var description: String { "member \(rawValue)" }
}

/// Identifies a store and all its copies: drawn at random when the store is created.
public struct StoreID: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public static let none = StoreID(0)
    public var description: String {
        let hex = String(rawValue, radix: 16)
        return String(repeating: "0", count: 16 - hex.count) + hex
    }
}

/// Where a log ends, or a place in it.
///
/// Ordered by `(epoch, transactionID)`, which is what an election compares. `checksum` is chained over all earlier
/// entries, so two logs that hold the same `(transactionID, checksum)` are equal up to it.
public struct LogPosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let epoch: Epoch
    public let transactionID: TransactionID
    public let checksum: UInt64

    public init(epoch: Epoch, transactionID: TransactionID, checksum: UInt64) {
        self.epoch = epoch
        self.transactionID = transactionID
        self.checksum = checksum
    }

    /// The position of an empty log.
    public static let zero = LogPosition(epoch: .zero, transactionID: .zero, checksum: 0)

    public static func < (a: LogPosition, b: LogPosition) -> Bool {
        (a.epoch, a.transactionID) < (b.epoch, b.transactionID)
    }
    public var description: String {
        "(\(epoch), \(transactionID), checksum \(String(checksum, radix: 16)))"
    }
}

/// A point on a monotonic clock, in nanoseconds from an arbitrary start. State machines get time only as this.
public struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let nanoseconds: UInt64
    @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }
    @inlinable public static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }
    public static func + (a: Instant, milliseconds: Milliseconds) -> Instant {
        Instant(nanoseconds: a.nanoseconds &+ milliseconds.rawValue &* 1_000_000)
    }
    /// Time since `earlier` in whole milliseconds; 0 when `earlier` is later.
    public func milliseconds(since earlier: Instant) -> Milliseconds {
        Milliseconds(earlier < self ? (nanoseconds - earlier.nanoseconds) / 1_000_000 : 0)
    }
    public var description: String { "\(nanoseconds / 1_000_000)ms" }
}

/// A length of time in milliseconds.
public struct Milliseconds: Hashable, Comparable, Sendable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    public let rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public init(integerLiteral value: UInt64) { self.rawValue = value }
    @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    public var description: String { "\(rawValue)ms" }
}
