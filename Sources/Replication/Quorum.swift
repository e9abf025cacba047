internal import GraphModel

/// How many members it takes (Kafka's ISR and Vertical Paxos II use the same two numbers).
public enum Quorum {
    /// Acknowledgements that commit in a sync set of `count`.
    public static func write(_ count: Int) -> Int { count / 2 + 1 }
    /// Members that must answer an election, so that one of them has every committed entry.
    public static func election(_ count: Int) -> Int { count - write(count) + 1 }

    /// The greatest value that a write quorum of `members` has reached.
    static func reached<Value: Comparable>(
        in members: [MemberID], _ value: (MemberID) -> Value, atLeast minimum: Value
    ) -> Value {
        guard !members.isEmpty else { return minimum }
        let values = members.map(value).sorted(by: >)
        return values[write(values.count) - 1]
    }
}
