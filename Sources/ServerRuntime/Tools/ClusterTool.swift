internal import FileSystem
package import GraphModel
internal import RESTServer

/// What `martlet cluster` shows and does.
package enum ClusterTool {
    /// One member as it describes itself, or why it does not answer.
    package struct MemberView: Sendable {
        package let httpAddress: String
        package let status: Value?
        package let problem: String?
    }

    /// Asks a member for its cluster, and then every member for itself.
    package static func view(from address: String) async throws(GraphError) -> [MemberView] {
        let answer = try await HTTPProbe.request("GET", address, "/hastatus")
        guard case .map(let status)? = answer.json else {
            throw GraphError(.network, "\(address): /hastatus answered \(answer.status) and no JSON; is this a Martlet server?")
        }
        var addresses: [String] = []
        if case .list(let members)? = status["members"] {
            for case .map(let member) in members.elements {
                if case .string(let text)? = member["http_address"], !text.text.isEmpty { addresses.append(text.text) }
            }
        }
        if addresses.isEmpty { return [MemberView(httpAddress: address, status: answer.json, problem: nil)] }
        var views: [MemberView] = []
        for address in addresses {
            do throws(GraphError) {
                let answer = try await HTTPProbe.request("GET", address, "/hastatus", timeout: 1000)
                views.append(MemberView(httpAddress: address, status: answer.json, problem: nil))
            } catch {
                views.append(MemberView(httpAddress: address, status: nil, problem: error.message))
            }
        }
        return views
    }

    /// The table for people.
    package static func table(_ views: [MemberView]) -> String {
        var rows = [["member", "role", "HTTP", "epoch", "last tx", "applied tx", "lag ms", "in sync set"]]
        for view in views {
            guard case .map(let status)? = view.status else {
                rows.append(["?", "down", "http://\(view.httpAddress)/", "", "", "", "", ""])
                continue
            }
            let id = status["server_id"] ?? .null
            var inSet = "no"
            if case .list(let set)? = status["sync_set"], set.elements.contains(id) { inSet = "yes" }
            rows.append([
                text(id), text(status["role"]), "http://\(view.httpAddress)/", text(status["epoch"]),
                text(member(status["last"], "tx")), text(member(status["applied"], "tx")), text(status["lag_ms"]), inSet,
            ])
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.indices.map { row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count) }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// All answers as one JSON list.
    package static func json(_ views: [MemberView]) -> String {
        var json = JSONWriter(.manual, capacity: 4096)
        json.beginList()
        for view in views {
            json.beginObject()
            json.key("http_address")
            json.string(view.httpAddress)
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

    private static func member(_ value: Value?, _ key: String) -> Value? {
        if case .map(let map)? = value { return map[key] }
        return nil
    }

    private static func text(_ value: Value?) -> String {
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

    /// Makes another member master, through the present one. Returns the new master's id.
    package static func switchMaster(from address: String, to target: Int?) async throws(GraphError) -> String {
        let views = try await view(from: address)
        guard let master = master(views) else {
            throw GraphError(.noMaster, "no member says that it is master: try again when there is one")
        }
        let body = target.map { "{\"to\": \($0)}" } ?? "{}"
        let answer = try await HTTPProbe.request(
            "POST", master.httpAddress, "/db/manage/server/ha/switch-master", body: body, timeout: 20_000)
        let text = String(decoding: answer.body, as: UTF8.self)
        guard answer.status < 300 else {
            if case .string(let message)? = member(answer.json, "message") { throw GraphError(.general, message.text) }
            throw GraphError(.general, "\(master.httpAddress) answered \(answer.status): \(text)")
        }
        return text
    }
}
