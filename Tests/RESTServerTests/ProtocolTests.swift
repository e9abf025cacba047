import GraphModel
import JSON
import RESTServer
import Testing

/// HTTP itself, and input that nobody should send.
@Suite struct ProtocolTests {
    @Test func unknownPathsAreJSON404() async throws {
        try await withServer { client async throws in
            for path in ["/nothing", "/db/data/nothing", "/db/data/node/1/nothing", "/db/data/node/1/properties/a/b", "/%2e%2e/etc/passwd"] {
                let reply = try await client.get(path)
                #expect(reply.status == 404)
                #expect(reply["content-type"] == "application/json")
                #expect(reply["x-error-code"] == "Neo.ClientError.Request.NotFound")
                #expect(throws: Never.self) { try JSONParser.parse(reply.body) }
            }
        }
    }

    @Test func wrongMethodsAre405WithAllow() async throws {
        try await withServer { client async throws in
            for (method, path, allow) in [
                ("DELETE", "/db/data/node", "POST, OPTIONS"), ("GET", "/db/data/node", "POST, OPTIONS"),
                ("PATCH", "/db/data/node/0", "GET, DELETE, HEAD, OPTIONS"), ("PUT", "/db/data/cypher", "POST, OPTIONS"),
                ("POST", "/db/data/node/0/properties", "GET, PUT, DELETE, HEAD, OPTIONS"),
                ("POST", "/hastatus/master", "GET, HEAD, OPTIONS"), ("PATCH", "/db/data/", "GET, HEAD, OPTIONS"),
            ] {
                let reply = try await client.send(method, path)
                #expect(reply.status == 405, "\(method) \(path)")
                #expect(reply["allow"] == allow)
                let options = try await client.send("OPTIONS", path)
                #expect(options.status == 200)
                if !path.hasPrefix("/hastatus") { #expect(options["allow"] == allow) }
            }
        }
    }

    @Test func headIsGetWithoutBody() async throws {
        try await withServer { client async throws in
            for path in ["/db/data/", "/db/data/node/0", "/hastatus", "/metrics"] {
                let get = try await client.get(path)
                let head = try await client.send("HEAD", path)
                #expect(head.status == 200)
                #expect(head["content-type"] == get["content-type"])
                if path != "/metrics" { #expect(head["content-length"] == get["content-length"]) }
            }
            #expect(try await client.send("HEAD", "/db/data/node/77").status == 404)
        }
    }

    @Test func contentNegotiation() async throws {
        try await withServer { client async throws in
            for accept in ["application/json", "*/*", "application/*", "text/html,application/xhtml+xml,*/*;q=0.8", "application/json; charset=UTF-8", "APPLICATION/JSON"] {
                #expect(try await client.get("/db/data/node/0", ["Accept: \(accept)"]).status == 200, "\(accept)")
            }
            for accept in ["text/html", "application/xml", "application/json;q=0", "text/*, image/png"] {
                let reply = try await client.get("/db/data/node/0", ["Accept: \(accept)"])
                #expect(reply.status == 406, "\(accept)")
                #expect(reply["content-type"] == "application/json")
                #expect(try await client.get("/hastatus/master", ["Accept: \(accept)"]).status == 200)
            }
            for type in ["text/plain", "application/x-www-form-urlencoded", "application/xml; charset=utf-8", "application/jsonp"] {
                #expect(try await client.send("POST", "/db/data/node", body: "{}", contentType: type).status == 415, "\(type)")
            }
            for type in ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8", nil] {
                #expect(try await client.send("POST", "/db/data/node", body: "{}", contentType: type).status == 201)
            }
            // Without a body there is nothing to be of a wrong type.
            #expect(try await client.send("POST", "/db/data/node", ["Content-Type: text/plain"]).status == 201)
        }
    }

    @Test func malformedJSONNamesThePlace() async throws {
        try await withServer { client async throws in
            let reply = try await client.send("POST", "/db/data/node", body: "{\n \"foo\" ; 1}")
            #expect(reply.status == 400)
            #expect(reply.text.contains("malformed JSON: a colon is expected after the key, not \\\";\\\" at offset 9 (line 2, column 8)"))
            #expect(reply.text.contains("\"BadInputException\""))
            for body in ["[1]", "7", "\"x\"", "null", "{\"a\":1", "{} {}", String(repeating: "[", count: 100_000)] {
                #expect(try await client.send("POST", "/db/data/node", body: body).status == 400, "\(body.prefix(20))")
            }
            #expect(try await client.send("PUT", "/db/data/node/0/properties/x", body: "").status == 400)
            #expect(try await client.send("POST", "/db/data/node", body: " \n").status == 201)
        }
    }

    @Test func bodiesHaveALimit() async throws {
        var options = RESTService.Options()
        options.bodyByteCountMaximum = 1000
        try await withServer(options) { client async throws in
            let fits = "{\"a\":\"\(String(repeating: "x", count: 992))\"}"
            #expect(fits.utf8.count == 1000)
            #expect(try await client.send("POST", "/db/data/node", body: fits).status == 201)
            let reply = try await client.send("POST", "/db/data/node", body: fits + " ")
            #expect(reply.status == 413)
            #expect(reply["x-error-code"] == "Neo.ClientError.Request.TooLarge")
            // A body of moderate excess is read to its end, and the connection goes on.
            let long = "POST /db/data/node HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n" + String(repeating: " ", count: 500_000)
            let replies = try await client.exchange(
                Array((long + "GET /hastatus/master HTTP/1.1\r\nHost: h\r\n\r\n").utf8), isHead: [false, false])
            #expect(replies.map(\.status) == [413, 200])
            // One that never ends is not.
            let endless = "POST /db/data/node HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                + String(repeating: "10000\r\n\(String(repeating: " ", count: 65536))\r\n", count: 140)
            let cut = try await client.exchange(Array(endless.utf8), isHead: [false])[0]
            #expect(cut.status == 413)
            #expect(cut["connection"] == "close")
        }
    }

    @Test func expectContinue() async throws {
        var options = RESTService.Options()
        options.bodyByteCountMaximum = 1000
        try await withServer(options) { client async throws in
            let head = "POST /db/data/node HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
            let replies = try await client.exchange(Array((head + "Content-Length: 2\r\n\r\n{}").utf8), isHead: [false, false])
            #expect(replies.map(\.status) == [100, 201])
            let refused = try await client.exchange(Array((head + "Content-Length: 2000\r\n\r\n").utf8), isHead: [false])[0]
            #expect(refused.status == 413)
            #expect(refused["connection"] == "close")
        }
    }

    @Test func pipeliningKeepsTheOrder() async throws {
        try await withServer { client async throws in
            let one = "GET /db/data/node/0 HTTP/1.1\r\nHost: h\r\n\r\n"
            let two = "GET /db/data/node/5 HTTP/1.1\r\nHost: h\r\n\r\n"
            let three = "DELETE /db/data/node/5 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
            let replies = try await client.exchange(Array((one + two + three + one).utf8), isHead: [false, false, false, false])
            #expect(replies.map(\.status) == [200, 404, 404, 200])
        }
    }

    @Test func generatedURIsLeadBackThroughTheProxy() async throws {
        try await withServer { client async throws in
            func start(_ fields: [String]) async throws -> String {
                let raw = "GET /db/ HTTP/1.1\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
                let reply = try await client.exchange(Array(raw.utf8), isHead: [false])[0]
                guard reply.status == 200, case .map(let map) = try JSONParser.parse(reply.body),
                    case .string(let text)? = map["data"]
                else { return "status \(reply.status)" }
                return text.text
            }
            #expect(try await start(["Host: example.com"]) == "http://example.com/db/data/")
            #expect(try await start(["Host: [::1]:7474"]) == "http://[::1]:7474/db/data/")
            #expect(
                try await start(["Host: a", "X-Forwarded-Host: graph.example.com:8443, b", "X-Forwarded-Proto: HTTPS"])
                    == "https://graph.example.com:8443/db/data/")
            #expect(try await start(["Host: a", "X-Forwarded-Proto: gopher"]) == "status 400")
            #expect(try await start(["Host: a\"b"]) == "status 400")
            #expect(try await start(["Host: a", "X-Forwarded-Host: evil/\"path"]) == "status 400")
            #expect(try await start(["Host: " + String(repeating: "a", count: 300)]) == "status 400")
            let reply = try await client.send("POST", "/db/data/node", ["X-Forwarded-Host: graph:1"])
            #expect(reply["location"] == "http://graph:1/db/data/node/1")
        }
    }

    @Test func discoveryDocuments() async throws {
        try await withServer { client async throws in
            let root = try await client.get("/")
            #expect(root.text == "{\n  \"management\" : \"http://localhost:7474/db/manage/\",\n  \"data\" : \"http://localhost:7474/db/data/\"\n}")
            #expect(try await client.get("/db/manage/").text.contains("\"services\""))
        }
    }

    @Test func browsersGetAPage() async throws {
        try await withServer { client async throws in
            for accept in ["text/html,*/*;q=0.8", "text/html"] {
                let browser = try await client.get("/", ["Accept: \(accept)"])
                #expect(browser.status == 303)
                #expect(browser["location"] == "http://localhost:7474/webadmin/")
                let page = try await client.get("/webadmin/", ["Accept: \(accept)"])
                #expect(page.status == 200 && page["content-type"] == "text/html; charset=utf-8")
                // All it needs is in it.
                #expect(page["content-security-policy"]?.hasPrefix("default-src 'none'") ?? false)
                for outside in ["http://", "https://", "src=", "@import"] { #expect(!page.text.contains(outside)) }
            }
            #expect(try await client.get("/", ["Accept: application/json"]).status == 200)
        }
    }

    @Test func cypherRequestsThatAreWrong() async throws {
        try await withServer { client async throws in
            for body in ["", "{}", #"{"query":7}"#, #"{"query":"RETURN 1","params":[1]}"#, #"{"query":"RETURN 1""#] {
                let reply = try await client.send("POST", "/db/data/cypher", body: body)
                #expect(reply.status == 400, "\(body)")
                #expect(reply.text.contains("\"BadInputException\""))
            }
            let reply = try await client.send("POST", "/db/data/cypher", body: #"{"query":"start n=node(0)\nretrun n"}"#)
            #expect(reply.status == 400)
            #expect(reply["x-error-code"] == "Neo.ClientError.Statement.SyntaxError")
            #expect(reply.text.contains("\"SyntaxException\""))
            #expect(reply.text.contains("line 2"))
            #expect(reply.text.contains("^"))
        }
    }

    @Test func malformedHTTPIsRefused() async throws {
        try await withServer { client async throws in
            for raw in ["GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\u{0} HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n"] {
                #expect(try await client.exchange(Array(raw.utf8), isHead: [false])[0].status == 400, "\(raw)")
            }
            let manyHeaders = (0..<5000).map { "X-\($0): y\r\n" }.joined()
            let reply = try? await client.exchange(Array("GET / HTTP/1.1\r\n\(manyHeaders)\r\n".utf8), isHead: [false])[0]
            #expect(reply == nil || (400...499).contains(reply?.status ?? 0))
            // The server is none the worse for it.
            #expect(try await client.get("/db/data/").status == 200)
        }
    }
}
