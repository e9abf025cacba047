internal import HTTPTypes

/// The page for people (chapter 26): one document that asks this server by its own API.
struct WebAdminRoutes: Sendable {
    func add(to table: inout RouteTable) {
        let bytes = Array(WebAdminPage.text.utf8)
        let page = Handler.own { _ in
            var answer = Answer(.ok, .html, .bytes(bytes))
            // Nothing but the page itself runs in it, and nobody else shows it as theirs.
            answer.headers.append(
                HTTPField(
                    name: .contentSecurityPolicy,
                    value: "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'"))
            answer.headers.append(HTTPField(name: .xContentTypeOptions, value: "nosniff"))
            return answer
        }
        table.add("/webadmin", isStatus: true, [(.get, page)])
    }
}
