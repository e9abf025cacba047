/// Which messages arrive, and when. Nodes are numbers; a node may have several addresses.
struct VirtualNetwork {
    /// Messages from the first to the second get lost.
    private var blocked: Set<[Int]> = []
    var lossPercent: UInt64 = 0
    var duplicatePercent: UInt64 = 0
    var delayMaximumMicroseconds: UInt64 = 800

    mutating func block(_ source: Int, _ target: Int) { blocked.insert([source, target]) }
    mutating func unblock(_ source: Int, _ target: Int) { blocked.remove([source, target]) }
    mutating func heal() {
        blocked.removeAll()
        lossPercent = 0
        duplicatePercent = 0
        delayMaximumMicroseconds = 800
    }

    func isBlocked(_ source: Int, _ target: Int) -> Bool { blocked.contains([source, target]) }

    /// Delays, in nanoseconds, of each copy that arrives; independent, so messages overtake one another.
    func delays(_ source: Int, _ target: Int, _ random: inout SeededRandom) -> [UInt64] {
        if source == target { return [20_000] }
        if isBlocked(source, target) || random.below(100) < lossPercent { return [] }
        var delays = [100_000 + random.below(delayMaximumMicroseconds) * 1000]
        if random.below(100) < duplicatePercent { delays.append(100_000 + random.below(delayMaximumMicroseconds * 4) * 1000) }
        return delays
    }
}
