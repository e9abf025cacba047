package import GraphModel

/// What `martlet cluster checksums` does.
package enum ChecksumTool {
    /// Has the members' graphs compared and waits for the outcome.
    ///
    /// - Parameter addresses: `host:port` of a member, or several with commas between.
    /// - Returns: a table for people, and whether all who answered agree.
    package static func compare(from addresses: String) async throws(GraphError) -> (table: String, agree: Bool) {
        let master = try await ClusterTool.requireMaster(from: addresses)
        let path = "/db/manage/server/ha/checksums"
        let started = try await HTTPProbe.request("POST", master, path, body: Array("{}".utf8), timeout: 20_000)
        guard started.status == 202, case .map(let map)? = started.json, case .integer(let transaction)? = map["transaction"]
        else {
            throw ClusterTool.refusal(started, by: master)
        }
        while true {
            let answer = try await HTTPProbe.request("GET", master, path + "?wait=true", timeout: 20_000)
            // The master may have begun another one by itself meanwhile: as good as this one.
            guard case .map(let outcome)? = answer.json, case .integer(let latest)? = outcome["transaction"], latest >= transaction
            else {
                throw GraphError(.masterChanged, "\(master) knows no more of the comparison: it is not the master any more, try again")
            }
            if outcome["running"] == .boolean(false) { return (table(outcome), !differs(outcome)) }
        }
    }

    private static func members(_ outcome: MapValue) -> [MapValue] {
        guard case .list(let list)? = outcome["members"] else { return [] }
        return list.elements.compactMap { if case .map(let member) = $0 { member } else { nil } }
    }

    private static func differs(_ outcome: MapValue) -> Bool { members(outcome).contains { $0["differs"] == .boolean(true) } }

    private static func table(_ outcome: MapValue) -> String {
        let rows = members(outcome).map { member in
            let word =
                member["checksum"] == .null ? "no answer" : member["differs"] == .boolean(true) ? "DIFFERS" : "equal"
            return [ClusterTool.text(member["id"]), ClusterTool.text(member["checksum"]), word]
        }
        return ClusterTool.aligned([["member", "checksum", ""]] + rows)
            + "\ntx \(ClusterTool.text(outcome["transaction"])), \(ClusterTool.text(outcome["duration_ms"])) ms"
    }
}
