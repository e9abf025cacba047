/// Writes down the operators of a plan while they are made, for EXPLAIN and PROFILE.
final class PlanRecorder {
    struct Node: Sendable {
        let number: Int
        let text: String
        /// The plans that the operator runs for its rows.
        let inside: [[Node]]
    }

    /// Whether the operators are to be measured.
    let profiles: Bool
    private(set) var operatorCount = 0
    private(set) var operators: [Node] = []
    /// Plans that are being made, innermost last, and for each of their operators that is being made the plans inside it.
    private var plans: [[Node]] = []
    private var inside: [[[Node]]] = []

    init(profiles: Bool) { self.profiles = profiles }

    func beginPlan() { plans.append([]) }

    func endPlan() {
        guard let plan = plans.popLast() else { return }
        if inside.isEmpty { operators = plan } else { inside[inside.count - 1].append(plan) }
    }

    /// Begins an operator and gives its number.
    func beginOperator() -> Int {
        inside.append([])
        defer { operatorCount += 1 }
        return operatorCount
    }

    func endOperator(_ number: Int, _ text: String) {
        guard let inner = inside.popLast(), !plans.isEmpty else { return }
        plans[plans.count - 1].append(Node(number: number, text: text, inside: inner))
    }
}
