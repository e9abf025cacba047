internal import Database
internal import FileSystem
package import GraphModel
internal import RESTServer

/// What `martlet cluster` shows and does.
package enum ClusterTool {
    /// One member as it describes itself, or why it does not answer.
    package struct MemberView: Sendable {
        package let httpAddress: String
        /// `ha.server_id`; nil when neither it nor the member asked first says so.
        package let id: Int64?
        package let status: Value?
        package let problem: String?

        package init(httpAddress: String, id: Int64?, status: Value?, problem: String?) {
            self.httpAddress = httpAddress
            self.id = id
            self.status = status
            self.problem = problem
        }
    }

    /// Longest time for a member's answer.
    private static let patience: Milliseconds = 1000

    /// Asks a member for its cluster, and then every member for itself.
    ///
    /// - Parameter addresses: `host:port` of a member, or several with commas between: the first that answers is asked.
    package static func view(from addresses: String) async throws(GraphError) -> [MemberView] {
        let (address, status) = try await firstAnswer(addresses)
        var members: [(id: Int64?, address: String)] = []
        if case .map(let map) = status, case .list(let list)? = map["members"] {
            for case .map(let member) in list.elements {
                guard case .string(let text)? = member["http_address"], !text.text.isEmpty else { continue }
                members.append((number(member["id"]), text.text))
            }
        }
        if members.isEmpty { return [MemberView(httpAddress: address, id: number(member(status, "server_id")), status: status, problem: nil)] }
        return await withTaskGroup(of: (Int, MemberView).self) { group in
            for (index, member) in members.enumerated() {
                group.addTask { (index, await view(of: member.address, id: member.id)) }
            }
            var views: [(index: Int, view: MemberView)] = []
            for await view in group { views.append(view) }
            return views.sorted { $0.index < $1.index }.map(\.view)
        }
    }

    private static func firstAnswer(_ addresses: String) async throws(GraphError) -> (String, Value) {
        var problem = GraphError(.configuration, "--from is \"\(addresses)\"; it must be host:port, or several with commas between")
        for address in addresses.split(separator: ",").map({ String($0.trimmingSpaces) }) {
            do throws(GraphError) {
                let answer = try await HTTPProbe.request("GET", address, "/hastatus")
                if let json = answer.json, case .map = json { return (address, json) }
                throw GraphError(.network, "\(address): /hastatus answered \(answer.status) and no JSON; is this a Martlet server?")
            } catch {
                problem = error
            }
        }
        throw problem
    }

    private static func view(of address: String, id: Int64?) async -> MemberView {
        do throws(GraphError) {
            let answer = try await HTTPProbe.request("GET", address, "/hastatus", timeout: patience)
            return MemberView(httpAddress: address, id: number(member(answer.json, "server_id")) ?? id, status: answer.json, problem: nil)
        } catch {
            return MemberView(httpAddress: address, id: id, status: nil, problem: error.message)
        }
    }

    /// The table for people.
    package static func table(_ views: [MemberView]) -> String {
        var rows = [
            [
                "member", "role", "since", "HTTP", "epoch", "last tx", "applied tx", "lag ms", "in sync set", "last update",
                "log bytes", "copied bytes", "version", "protocol",
            ]
        ]
        for view in views {
            let id = view.id.map { "\($0)" } ?? "?"
            guard case .map(let status)? = view.status else {
                rows.append([id, "unreachable", time(unreachableSince(view, views)), "http://\(view.httpAddress)/"] + Array(repeating: "", count: 10))
                continue
            }
            var inSet = "no"
            if case .list(let set)? = status["sync_set"], set.elements.contains(status["server_id"] ?? .null) { inSet = "yes" }
            rows.append([
                id, text(status["role"]), time(status["since"]), "http://\(view.httpAddress)/", text(status["epoch"]),
                text(member(status["last"], "tx")), text(member(status["applied"], "tx")), text(status["lag_ms"]), inSet,
                time(status["last_update"]), text(member(status["fetched"], "log_bytes")),
                text(member(status["fetched"], "copy_bytes")), text(status["version"]), text(status["protocol_version"]),
            ])
        }
        return aligned(rows)
    }

    /// Rows with their columns below each other.
    static func aligned(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            row.indices.map { row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count) }.joined(separator: "  ")
        }
        return lines.map { line in String(line.reversed().drop { $0 == " " }.reversed()) }.joined(separator: "\n")
    }

    /// Since when the others have not heard a member, by the one that heard it last.
    private static func unreachableSince(_ view: MemberView, _ views: [MemberView]) -> Value? {
        var latest: String?
        for other in views {
            guard case .list(let list)? = member(other.status, "members") else { continue }
            for entry in list.elements where number(member(entry, "id")) == view.id {
                guard case .string(let since)? = member(entry, "unreachable_since") else { continue }
                // Of the same form, so ordered like the times.
                latest = max(latest ?? "", since.text)
            }
        }
        return latest.map { .string($0) }
    }

    /// All answers as one JSON list.
    package static func json(_ views: [MemberView]) -> String {
        var json = JSONWriter(.manual, capacity: 4096)
        json.beginList()
        for view in views {
            json.beginObject()
            json.key("http_address")
            json.string(view.httpAddress)
            json.key("server_id")
            write(view.id.map { .integer($0) } ?? .null, &json)
            json.key("status")
            write(view.status ?? .null, &json)
            json.key("problem")
            write(view.problem.map { .string($0) } ?? .null, &json)
            json.endObject()
        }
        json.endList()
        return String(decoding: json.take(), as: UTF8.self)
    }

    private static func write(_ value: Value, _ json: inout JSONWriter) {
        switch value {
        case .map(let map):
            json.beginObject()
            for entry in map.entries {
                json.key(entry.key)
                write(entry.value, &json)
            }
            json.endObject()
        case .list(let list):
            json.beginList()
            for element in list.elements { write(element, &json) }
            json.endList()
        case .boolean(let flag): json.value(flag)
        case .integer(let number): json.value(number)
        case .string(let string): json.string(string.text)
        default: json.null()
        }
    }

    private static func number(_ value: Value?) -> Int64? {
        if case .integer(let number)? = value { return number }
        return nil
    }

    /// A point in time to the second.
    private static func time(_ value: Value?) -> String {
        guard case .string(let string)? = value, let dot = string.text.firstIndex(of: ".") else { return text(value) }
        return string.text[..<dot] + "Z"
    }

    private static func member(_ value: Value?, _ key: String) -> Value? {
        if case .map(let map)? = value { return map[key] }
        return nil
    }

    static func text(_ value: Value?) -> String {
        switch value {
        case .integer(let number): "\(number)"
        case .string(let string): string.text
        case .boolean(let flag): "\(flag)"
        default: "-"
        }
    }

    /// The HTTP address of the master among the views.
    package static func master(_ views: [MemberView]) -> MemberView? {
        views.first { view in
            if case .map(let status)? = view.status, case .boolean(true)? = status["master"] { return true }
            return false
        }
    }

    /// The HTTP address of the master, as any member knows it.
    static func requireMaster(from addresses: String) async throws(GraphError) -> String {
        guard let master = master(try await view(from: addresses)) else {
            throw GraphError(.noMaster, "no member says that it is master: try again when there is one")
        }
        return master.httpAddress
    }

    /// Makes another member master, through the present one. Returns the new master's id.
    package static func switchMaster(from addresses: String, to target: Int?) async throws(GraphError) -> String {
        let master = try await requireMaster(from: addresses)
        return try await ask(master, "switch-master", body: target.map { "{\"to\": \($0)}" } ?? "{}")
    }

    /// Takes a member out of the cluster, through the master.
    package static func removeMember(from addresses: String, _ id: Int) async throws(GraphError) {
        let master = try await requireMaster(from: addresses)
        _ = try await ask(master, "remove-member", body: "{\"id\": \(id)}")
    }

    /// The stores that a member set aside, one a line.
    package static func branches(_ configuration: Configuration) throws(GraphError) -> String {
        let branches = try BranchedStore.list(beside: configuration.path(Settings.location))
        if branches.isEmpty { return "no store was set aside" }
        let lines = branches.map { branch in
            [
                timestampText(branch.time), "tx \(branch.last.transactionID.rawValue)", "epoch \(branch.last.epoch.rawValue)",
                "store \(branch.storeID)", "master then \(branch.master.rawValue)", "\(branch.byteCount >> 20) MiB",
                branch.directory,
            ].joined(separator: "  ")
        }
        return lines.joined(separator: "\n")
    }

    private static func ask(_ master: String, _ action: String, body: String) async throws(GraphError) -> String {
        let answer = try await HTTPProbe.request(
            "POST", master, "/db/manage/server/ha/\(action)", body: Array(body.utf8), timeout: 20_000)
        guard answer.status < 300 else { throw refusal(answer, by: master) }
        return String(decoding: answer.body, as: UTF8.self)
    }

    /// What a server said instead of doing what it was asked.
    static func refusal(_ answer: HTTPProbe.Answer, by address: String) -> GraphError {
        if case .string(let message)? = member(answer.json, "message") { return GraphError(.general, message.text) }
        return GraphError(.general, "\(address) answered \(answer.status): \(String(decoding: answer.body, as: UTF8.self))")
    }
}
