internal import GraphModel

/// The requests that came from other members lately, so that one which arrives twice is carried out once. Ids of one
/// process count up from a random start.
struct RecentRequests {
    private struct Window {
        var ids: Set<UInt64> = []
        var order: ArraySlice<UInt64> = []
    }
    private var windows: [MemberID: Window] = [:]
    static let rememberedCountMaximum = 4096

    init() {}

    /// Whether this is the first time.
    mutating func insert(_ id: UInt64, from member: MemberID) -> Bool {
        var window = windows.removeValue(forKey: member) ?? Window()
        defer { windows[member] = window }
        guard window.ids.insert(id).inserted else { return false }
        window.order.append(id)
        if window.order.count > Self.rememberedCountMaximum { window.ids.remove(window.order.removeFirst()) }
        if window.order.startIndex > 2 * Self.rememberedCountMaximum { window.order = ArraySlice(Array(window.order)) }
        return true
    }
}
