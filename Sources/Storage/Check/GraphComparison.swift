public import GraphModel

/// What the members' graphs come to at one transaction, as the master has heard it: members that applied the same
/// transactions must have the same checksum.
public struct GraphComparison: Sendable, Equatable {
    /// The entry in the log that asked for it.
    public let position: LogPosition
    /// When that was, in ms of the master's wall clock since 1970.
    public let startedAt: Int64
    /// Who was asked, ascending.
    public let members: [MemberID]
    public let master: MemberID
    public private(set) var checksums: [MemberID: GraphChecksum] = [:]
    /// How long it took; nil while it goes on.
    public private(set) var duration: Milliseconds?

    public init(position: LogPosition, startedAt: Int64, members: [MemberID], master: MemberID) {
        self.position = position
        self.startedAt = startedAt
        self.members = members.sorted()
        self.master = master
    }

    /// A member's answer; one that nobody asked, or that comes too late, does not count.
    public mutating func note(_ checksum: GraphChecksum, of member: MemberID) {
        if duration == nil && members.contains(member) { checksums[member] = checksum }
    }

    public mutating func finish(after duration: Milliseconds) { self.duration = duration }

    /// Who has not answered.
    public var missing: [MemberID] { members.filter { checksums[$0] == nil } }

    /// The checksum that most of those who answered have; of as many, the master's.
    public var agreed: GraphChecksum? {
        let counts = Dictionary(checksums.values.map { ($0, 1) }, uniquingKeysWith: +)
        guard let most = counts.values.max() else { return nil }
        let first = counts.filter { $0.value == most }.keys
        if let own = checksums[master], first.contains(own) { return own }
        return first.min { $0.value < $1.value }
    }

    /// Who answered otherwise than most.
    public var differing: [MemberID] {
        let agreed = agreed
        return members.filter { checksums[$0].map { $0 != agreed } ?? false }
    }

    /// One line for people.
    public var summary: String {
        func list(_ members: [MemberID]) -> String { members.map { "\($0.rawValue)" }.joined(separator: ", ") }
        let position = "at tx \(position.transactionID.rawValue)"
        let unheard = missing.isEmpty ? "" : "; no answer from \(list(missing))"
        guard let agreed else { return "no member said what its graph comes to \(position)\(unheard)" }
        let time = duration.map { ", in \($0)" } ?? ""
        if differing.isEmpty {
            return "the graphs of members \(list(members.filter { checksums[$0] != nil })) are equal \(position): checksum \(agreed)\(time)\(unheard)"
        }
        let others = differing.map { "member \($0.rawValue) has checksum \(checksums[$0].map(\.description) ?? "")" }
        return "GRAPHS DIFFER \(position): \(others.joined(separator: ", ")), the others \(agreed)\(time)\(unheard)"
    }
}
