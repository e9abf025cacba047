import JSON
import GraphModel
import TestSupport

/// Requests that a client might send by mistake or by malice, from a seed. What can be asked for comes from the server's
/// own description, so that nothing new is left out.
struct RequestFuzzer {
    struct Request {
        let bytes: [UInt8]
        /// Whether it is HTTP as it should be, so that exactly one answer comes and the connection is kept.
        let isSound: Bool
        let isHead: Bool
    }

    private struct Operation {
        let method: String
        let path: String
        let query: [String]
    }

    private var generator: SeededGenerator
    private let operations: [Operation]

    /// - Parameter description: the server's OpenAPI document.
    init(seed: UInt64, description: Value) throws {
        generator = SeededGenerator(seed: seed)
        guard case .map(let document) = description, case .map(let paths)? = document["paths"] else {
            throw BlockingHTTPClient.Broken(description: "no OpenAPI document")
        }
        var operations: [Operation] = []
        for (path, item) in paths.entries {
            guard case .map(let item) = item else { continue }
            for (method, operation) in item.entries where !codeUnitsEqual(method, "parameters") {
                var query: [String] = []
                if case .map(let operation) = operation, case .list(let list)? = operation["parameters"] {
                    for case .map(let parameter) in list.elements {
                        if case .string(let name)? = parameter["name"] { query.append(name.text) }
                    }
                }
                operations.append(Operation(method: method.uppercased(), path: path, query: query))
            }
        }
        self.operations = operations
    }

    private mutating func below(_ count: Int) -> Int { Int(generator.next() % UInt64(count)) }
    private mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    private mutating func one<T>(of choices: [T]) -> T { choices[below(choices.count)] }

    mutating func next() -> Request {
        let kind = below(100)
        if kind < 5 { return Request(bytes: noise(below(400)), isSound: false, isHead: false) }
        var (head, body, method) = request()
        if kind < 65 {
            let bytes = Array((head.joined(separator: "\r\n") + "\r\nContent-Length: \(body.count)\r\n\r\n").utf8) + body
            return Request(bytes: bytes, isSound: true, isHead: method == "HEAD")
        }
        if kind < 75 { head += strangeHeaders() }
        var bytes = Array((head.joined(separator: "\r\n") + "\r\n").utf8)
        switch below(5) {
        case 0: bytes += Array("Content-Length: \(body.count + below(20) - 10)\r\n\r\n".utf8) + body
        case 1: bytes += Array("Transfer-Encoding: chunked\r\n\r\n".utf8) + chunked(body)
        case 2: bytes += Array("Content-Encoding: gzip\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
        default: bytes += Array("Content-Length: \(body.count)\r\n\r\n".utf8) + body
        }
        if chance(60) { mutate(&bytes) }
        // Several at once, too.
        if chance(10) { bytes += bytes }
        return Request(bytes: bytes, isSound: false, isHead: false)
    }

    // MARK: Parts of requests

    private mutating func request() -> (head: [String], body: [UInt8], method: String) {
        let operation = one(of: operations)
        var method = operation.method
        if chance(10) { method = one(of: ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "BREW"]) }
        var path = ""
        for segment in operation.path.split(separator: "/") {
            path += "/" + (segment.hasPrefix("{") ? parameter(String(segment.dropFirst().dropLast())) : String(segment))
        }
        if path.isEmpty { path = "/" }
        var query: [String] = []
        for name in operation.query where chance(70) { query.append(name + "=" + escaped(text())) }
        if chance(5) { query.append(escaped(text())) }
        if !query.isEmpty { path += "?" + query.joined(separator: "&") }
        var head = ["\(method) \(path) HTTP/1.1", "Host: localhost:7474"]
        if chance(80) { head.append("Content-Type: application/json") }
        if chance(50) { head.append("Accept: \(one(of: ["application/json", "*/*", "text/html", "application/json;stream=true"]))") }
        if chance(10) { head.append("X-Stream: true") }
        if chance(10) { head.append("Accept-Encoding: gzip") }
        if chance(3) { head.append("X-HA-Tx: \(one(of: ["0", "1", "-1", "x"]))") }
        if chance(3) { head.append("X-Request-Id: \(generator.next())") }
        if chance(3) { head.append("Max-Execution-Time: \(one(of: ["1", "10", "abc"]))") }
        let takesBody = method == "POST" || method == "PUT"
        let body = takesBody || chance(5) ? self.body(operation.path) : []
        return (head, body, method)
    }

    private mutating func parameter(_ name: String) -> String {
        if chance(10) { return escaped(text()) }
        switch name {
        case "id": return one(of: ["0", "1", "2", "3", "99999999", "-1", "18446744073709551615", "18446744073709551616", "x"])
        case "direction": return one(of: ["all", "in", "out", "up"])
        case "types", "type": return one(of: ["KNOWS", "KNOWS&LIKES", "KNOWS%26LIKES", "&", "%C3%A4"])
        case "returnType": return one(of: ["node", "relationship", "path", "fullpath", "tree"])
        case "name": return one(of: ["people", "fulltext", "node_auto_index", "none"])
        default: return one(of: ["name", "age", "a", "b", "0", "1"])
        }
    }

    private mutating func text() -> String {
        switch below(8) {
        case 0: return one(of: ["name", "age", "name:a*", "name:[a TO z]", "name:a~0.5 AND NOT age:1", "\"a b\"~2", "(", "*:*", "a^"])
        case 1: return String(repeating: one(of: ["(", "a", "-", "\"", "*", "{"]), count: below(300))
        case 2: return "\u{E4}\u{1F600}\u{0}\u{7F}\u{2028}"
        case 3: return String(Int64(bitPattern: generator.next()))
        case 4: return one(of: ["true", "index", "score", "get_or_create", "create_or_fail", "60", "0", "-5"])
        case 5: return "%"
        default: return String(decoding: noise(below(20)), as: UTF8.self)
        }
    }

    private mutating func escaped(_ text: String) -> String {
        if chance(5) { return text.filter { $0 != " " && $0 != "\r" && $0 != "\n" && $0 != "\r\n" && $0.isASCII } }
        return text.utf8.map { byte in
            let digits = Array("0123456789ABCDEF")
            return "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
        }.joined()
    }

    private mutating func body(_ path: String) -> [UInt8] {
        if chance(5) { return noise(below(200)) }
        if chance(2) { return Array(String(repeating: one(of: ["[", "{\"a\":", "[1,"]), count: 1 + below(3000)).utf8) }
        return Array(json(0).utf8)
    }

    /// Members that some operation looks at; what is found under them need not be what it looks for.
    private static let names = [
        "query", "params", "to", "type", "data", "key", "value", "uri", "name", "config", "start", "end", "properties", "provider",
        "order", "relationships", "direction", "uniqueness", "prune_evaluator", "return_filter", "language", "body", "max_depth",
        "algorithm", "cost_property", "default_cost", "statements", "statement", "parameters", "resultDataContents", "method", "id",
        "property_keys", "to_lower_case", "analyzer", "age",
    ]

    private mutating func json(_ depth: Int) -> String {
        switch depth == 0 ? one(of: [0, 0, 0, 0, 0, 1, 2]) : below(9) {
        case 0 where depth < 5:
            let members = (0..<below(7)).map { _ in
                let name = one(of: Self.names)
                return "\"\(name)\": \(chance(60) ? likely(name, depth) : json(depth + 1))"
            }
            return "{" + members.joined(separator: ", ") + "}"
        case 1 where depth < 5: return "[" + (0..<below(5)).map { _ in json(depth + 1) }.joined(separator: ", ") + "]"
        case 2: return one(of: ["null", "true", "false"])
        case 3: return one(of: ["0", "1", "-1", "1.5", "1e400", "-0", "9223372036854775807", "9223372036854775808", "1e-9", "007"])
        case 4: return "\"" + one(of: ["", "a", "\\u0000", "\\ud800", "\\n", "\u{1F600}", "\\x"]) + "\""
        default: return "\"\(one(of: Self.names))\""
        }
    }

    /// What an operation could make sense of.
    private mutating func likely(_ name: String, _ depth: Int) -> String {
        switch name {
        case "query", "statement":
            return "\""
                + one(of: [
                    "RETURN 1", "CREATE (n {name: 'a'}) RETURN n", "MATCH (n) RETURN n LIMIT 3", "START n=node(0) RETURN n.name?",
                    "START n=node:people('name:*') RETURN n", "MATCH (n)-[r*1..3]-(m) RETURN r LIMIT 5", "MATCH (n) DELETE n",
                    "UNWIND range(1, 2000) AS i RETURN i", "RETURN {a}", "MATCH (n:L) SET n.x = 1/0", "MERGE (n:L {k: 1}) RETURN n",
                    "MATCH (a), (b) WHERE id(a) < 3 AND id(b) < 3 CREATE (a)-[:KNOWS]->(b)", "RETURN", "",
                ]) + "\""
        case "to", "uri", "start", "end":
            return "\""
                + one(of: ["/db/data/node/0", "http://localhost/db/data/node/1", "/relationship/0", "/node", "/node/0/traverse/node", "{0}", "/cypher", "/batch"])
                + "\""
        case "params", "parameters", "data", "properties", "config", "body": return json(depth == 0 ? 3 : depth + 1)
        case "method": return "\"" + one(of: ["GET", "POST", "PUT", "DELETE"]) + "\""
        case "type": return "\"" + one(of: ["KNOWS", "exact", "fulltext", ""]) + "\""
        case "direction": return "\"" + one(of: ["all", "in", "out"]) + "\""
        case "order": return "\"" + one(of: ["breadth_first", "depth_first"]) + "\""
        case "algorithm": return "\"" + one(of: ["shortestPath", "allPaths", "allSimplePaths", "dijkstra"]) + "\""
        case "language": return "\"" + one(of: ["builtin", "javascript"]) + "\""
        case "uniqueness": return "\"" + one(of: ["none", "node_global", "relationship_path"]) + "\""
        case "max_depth", "id", "default_cost": return "\(below(6) - 1)"
        default: return "\"name\""
        }
    }

    private mutating func strangeHeaders() -> [String] {
        [
            one(of: [
                "Content-Length: 5", "Content-Length: -1", "Content-Length: 99999999999999999999", "Transfer-Encoding: gzip",
                "Transfer-Encoding: chunked, chunked", "Expect: 100-continue", "Expect: the-unexpected", "Connection: close",
                "Connection: upgrade", "Upgrade: h2c", "Host: \(String(repeating: "h", count: 300))", "Host: a b", "X-Forwarded-Host: <x>",
                "X-Forwarded-Proto: gopher", "Accept: \(String(repeating: "a/b,", count: 500))", "Accept-Encoding: \(String(repeating: "gzip;q=", count: 99))",
                "Content-Type: \u{1}", "X-\(String(repeating: "y", count: 20_000)): z", " folded", "no colon", ": no name", "Content-Encoding: br",
            ])
        ]
    }

    private mutating func chunked(_ body: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = body[...]
        while !rest.isEmpty {
            let piece = rest.prefix(1 + below(50))
            rest = rest.dropFirst(piece.count)
            bytes += Array((String(chance(95) ? piece.count : below(1000), radix: 16) + "\r\n").utf8) + piece + [13, 10]
        }
        return bytes + Array((chance(90) ? "0\r\n\r\n" : "0\r\nX: y\r\n").utf8)
    }

    private mutating func noise(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) } }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        for _ in 0..<(1 + below(8)) where !bytes.isEmpty {
            let place = below(bytes.count)
            switch below(6) {
            case 0: bytes[place] ^= 1 << UInt8(below(8))
            case 1: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(contentsOf: noise(1 + below(4)), at: place)
            case 4: bytes.removeLast(below(bytes.count / 2 + 1))
            default: bytes.insert(contentsOf: bytes[place...].prefix(below(60)), at: place)
            }
        }
    }
}
