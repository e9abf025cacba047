internal import Database
internal import GraphModel
internal import HTTPTypes
internal import Storage

/// The management beans of chapter 25, which JMX showed, over HTTP.
struct ManagementRoutes: Sendable {
    let database: Database
    let beans: ManagementBeans

    private static let path = "/db/manage/server/jmx"
    private static let patternCountMaximum = 100

    func add(to table: inout RouteTable) {
        table.add(Self.path, [(.get, .own(root))])
        table.add(Self.path + "/query", [(.post, .own(query))])
        table.add(Self.path + "/domain", [(.get, .own(domains))])
        table.add(Self.path + "/domain/{domain}", [(.get, .own(domain))])
        table.add(Self.path + "/domain/{domain}/{bean}", [(.get, .own(bean))])
    }

    private func root(_ call: Call) -> Answer {
        call.json(.ok) { json in
            json.beginObject()
            json.key("resources")
            json.beginObject()
            for (key, path) in [
                ("domains", "/domain"), ("domain", "/domain/{domain}"), ("bean", "/domain/{domain}/{objectName}"),
                ("query", "/query"),
            ] {
                json.key(key)
                json.string(call.base.text + Self.path + path)
            }
            json.endObject()
            json.endObject()
        }
    }

    /// Away from the event loop: sizes of files are asked of the file system.
    private func current() async throws(GraphError) -> [ManagementBean] {
        let beans = beans
        return try await database.compute { beans.all() }
    }

    private func answer(_ call: Call, _ beans: [ManagementBean]) -> Answer {
        call.json(.ok) { json in
            json.beginList()
            for bean in beans { bean.write(to: &json) }
            json.endList()
        }
    }

    /// A list of object names with wildcards: `["org.neo4j:*"]`.
    private func query(_ call: Call) async throws(GraphError) -> Answer {
        guard case .list(let list)? = try await call.parsed().input, list.elements.count <= Self.patternCountMaximum else {
            throw GraphError(
                .invalidRequest,
                "the body must be a list of at most \(Self.patternCountMaximum) object names, such as [\"org.neo4j:*\"]")
        }
        var patterns: [String] = []
        for element in list.elements {
            guard case .string(let pattern) = element, pattern.text.utf8.count <= 1000 else {
                throw GraphError(.invalidRequest, "an object name must be a string of at most 1000 bytes")
            }
            patterns.append(pattern.text)
        }
        return answer(call, try await current().filter { bean in patterns.contains { bean.matches($0) } })
    }

    private func domains(_ call: Call) -> Answer { call.json(.ok) { $0.strings([ManagementBean.domain]) } }

    private func requireDomain(_ call: Call) throws(GraphError) {
        guard call.parameters[0] == ManagementBean.domain else {
            throw GraphError(
                .noSuchResource, "there is no domain \"\(call.parameters[0])\": there is \(ManagementBean.domain)")
        }
    }

    private func domain(_ call: Call) async throws(GraphError) -> Answer {
        try requireDomain(call)
        let beans = try await current()
        return call.json(.ok) { json in
            json.beginObject()
            json.key("domain")
            json.string(ManagementBean.domain)
            json.key("beans")
            json.beginList()
            for bean in beans { bean.write(to: &json) }
            json.endList()
            json.endObject()
        }
    }

    /// By its key properties, as the `url` of a bean has them.
    private func bean(_ call: Call) async throws(GraphError) -> Answer {
        try requireDomain(call)
        let name = ManagementBean.domain + ":" + call.parameters[1]
        let found = try await current().filter { $0.matches(name) }
        if found.isEmpty { throw GraphError(.noSuchResource, "there is no bean \"\(name)\"") }
        return answer(call, found)
    }
}
