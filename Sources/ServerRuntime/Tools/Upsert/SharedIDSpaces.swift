internal import GraphModel
internal import RESTServer

/// Id spaces whose nodes come in groups of different labels, as published data sets mostly have them: which group a node
/// is of is known once it was read. Keeps the ids of those spaces.
final class SharedIDSpaces {
    private var keys: [String: [UpsertRequest.Key]] = [:]
    private var groups: [String: [CodeUnitKey: Int]] = [:]

    /// Notes that a group has nodes with ids of a space.
    func add(_ key: UpsertRequest.Key, to space: String) {
        if !(keys[space]?.contains(key) ?? false) { keys[space, default: []].append(key) }
    }

    /// Of every group of a space; empty when there is none.
    func keys(of space: String) -> [UpsertRequest.Key] { keys[space] ?? [] }

    /// Notes a node that was read.
    func note(_ id: String, _ key: UpsertRequest.Key, in space: String) {
        guard let keys = keys[space], keys.count > 1, let number = keys.firstIndex(of: key) else { return }
        groups[space, default: [:]][CodeUnitKey(id)] = number
    }

    /// What tells the node apart that has an id; nil when no file had it.
    func key(of id: String, in space: String) -> UpsertRequest.Key? {
        groups[space]?[CodeUnitKey(id)].flatMap { keys[space]?[$0] }
    }
}
