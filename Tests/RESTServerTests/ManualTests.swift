import GraphModel
import JSON
import RESTServer
import Testing

/// The examples of chapter 18, compared as text: keys, their order, layout.
@Suite struct ManualTests {
    private let base = "http://localhost:7474/db/data"

    private func node(_ id: Int, _ data: String) -> String {
        """
        {
          "extensions" : {
          },
          "paged_traverse" : "\(base)/node/\(id)/paged/traverse/{returnType}{?pageSize,leaseTime}",
          "outgoing_relationships" : "\(base)/node/\(id)/relationships/out",
          "traverse" : "\(base)/node/\(id)/traverse/{returnType}",
          "all_typed_relationships" : "\(base)/node/\(id)/relationships/all/{-list|&|types}",
          "all_relationships" : "\(base)/node/\(id)/relationships/all",
          "property" : "\(base)/node/\(id)/properties/{key}",
          "self" : "\(base)/node/\(id)",
          "outgoing_typed_relationships" : "\(base)/node/\(id)/relationships/out/{-list|&|types}",
          "properties" : "\(base)/node/\(id)/properties",
          "incoming_relationships" : "\(base)/node/\(id)/relationships/in",
          "incoming_typed_relationships" : "\(base)/node/\(id)/relationships/in/{-list|&|types}",
          "create_relationship" : "\(base)/node/\(id)/relationships",
          "data" : \(data)
        }
        """
    }

    private func relationship(_ id: Int, _ start: Int, _ type: String, _ end: Int, _ data: String = "{\n  }") -> String {
        """
        {
          "extensions" : {
          },
          "start" : "\(base)/node/\(start)",
          "property" : "\(base)/relationship/\(id)/properties/{key}",
          "self" : "\(base)/relationship/\(id)",
          "properties" : "\(base)/relationship/\(id)/properties",
          "type" : "\(type)",
          "end" : "\(base)/node/\(end)",
          "data" : \(data)
        }
        """
    }

    private func listed(_ id: Int, _ start: Int, _ type: String, _ end: Int) -> String {
        """
        {
          "start" : "\(base)/node/\(start)",
          "data" : {
          },
          "self" : "\(base)/relationship/\(id)",
          "property" : "\(base)/relationship/\(id)/properties/{key}",
          "properties" : "\(base)/relationship/\(id)/properties",
          "type" : "\(type)",
          "extensions" : {
          },
          "end" : "\(base)/node/\(end)"
        }
        """
    }

    private func error(_ message: String?, _ exception: String, _ code: String, _ request: String) -> String {
        let line = message.map { "  \"message\" : \"\($0)\",\n" } ?? ""
        return "{\n\(line)  \"exception\" : \"\(exception)\",\n  \"stacktrace\" : [ \"\(code)\", \"\(request)\" ]\n}"
    }

    @Test func serviceRoot() async throws {
        let root = """
            {
              "extensions" : {
                "CypherPlugin" : {
                  "execute_query" : "\(base)/ext/CypherPlugin/graphdb/execute_query"
                },
                "GremlinPlugin" : {
                  "execute_script" : "\(base)/ext/GremlinPlugin/graphdb/execute_script"
                }
              },
              "node" : "\(base)/node",
              "reference_node" : "\(base)/node/0",
              "node_index" : "\(base)/index/node",
              "relationship_index" : "\(base)/index/relationship",
              "extensions_info" : "\(base)/ext",
              "relationship_types" : "\(base)/relationship/types",
              "batch" : "\(base)/batch",
              "cypher" : "\(base)/cypher",
              "neo4j_version" : "1.8"
            }
            """
        try await withServer { client async throws in
            let reply = try await client.get("/db/data/", ["Accept: application/json"])
            #expect(reply.status == 200)
            #expect(reply["content-type"] == "application/json")
            #expect(reply.text == root)
            #expect(try await client.get("/db/data").text == root)
            // The reference node is named only while it exists.
            #expect(try await client.send("DELETE", "/db/data/node/0").status == 204)
            #expect(!(try await client.get("/db/data/").text.contains("reference_node")))
        }
    }

    @Test func streaming() async throws {
        try await withServer { client async throws in
            for field in ["X-Stream: true", "Accept: application/json;stream=true", "Accept: text/html, application/json; stream=true"] {
                let reply = try await client.get("/db/data/node/0", [field])
                #expect(reply["content-type"] == "application/json; stream=true")
                #expect(reply.text.hasPrefix(#"{"extensions":{},"paged_traverse":"http"#), "\(field)")
            }
        }
    }

    @Test func nodes() async throws {
        try await withServer { client async throws in
            let empty = try await client.send("POST", "/db/data/node")
            #expect(empty.status == 201)
            #expect(empty["location"] == "\(base)/node/1")
            #expect(empty["content-type"] == "application/json")
            #expect(empty["x-ha-tx"] == "1")
            #expect(empty.text == node(1, "{\n  }"))
            #expect(try await client.send("POST", "/db/data/node/", body: "{}").text == node(2, "{\n  }"))

            let full = try await client.send("POST", "/db/data/node", body: #"{"foo" : "bar"}"#)
            #expect(full.status == 201)
            #expect(full.text == node(3, "{\n    \"foo\" : \"bar\"\n  }"))
            #expect(full["content-length"] == String(full.body.count))
            #expect(try await client.get("/db/data/node/3").text == full.text)

            let missing = try await client.get("/db/data/node/800000")
            #expect(missing.status == 404)
            #expect(missing["x-error-code"] == "Neo.ClientError.Statement.EntityNotFound")
            #expect(
                missing.text
                    == error(
                        "Cannot find node with id [800000] in database.", "NodeNotFoundException",
                        "Neo.ClientError.Statement.EntityNotFound", "GET /db/data/node/800000"))

            let deleted = try await client.send("DELETE", "/db/data/node/1")
            #expect(deleted.status == 204)
            #expect(deleted["content-type"] == nil)
            #expect(deleted["x-ha-tx"] == "4")
            #expect(try await client.get("/db/data/node/1").status == 404)
            #expect(try await client.send("DELETE", "/db/data/node/1").status == 404)

            _ = try await client.send("POST", "/db/data/node/2/relationships", body: #"{"to":"\#(base)/node/3","type":"KNOWS"}"#)
            let refused = try await client.send("DELETE", "/db/data/node/2")
            #expect(refused.status == 409)
            #expect(
                refused.text
                    == error(
                        "The node with id 2 cannot be deleted. Check that the node is orphaned before deletion.",
                        "OperationFailureException", "Neo.ClientError.Schema.ConstraintValidationFailed",
                        "DELETE /db/data/node/2"))
        }
    }

    @Test func contentLengthIsTheManuals() async throws {
        // 18.4.2 prints Content-Length: 1120 for a node with a three-digit id and this property. Ours at another host and
        // id is that number minus what differs.
        try await withServer { client async throws in
            let reply = try await client.send("POST", "/db/data/node", body: #"{"foo" : "bar"}"#)
            #expect(reply.body.count + 12 * 2 == 1120)
        }
    }

    @Test func relationships() async throws {
        try await withServer { client async throws in
            for _ in 1...4 { _ = try await client.send("POST", "/db/data/node") }
            func create(_ start: Int, _ end: Int, _ type: String, _ data: String = "") async throws -> Reply {
                try await client.send(
                    "POST", "/db/data/node/\(start)/relationships",
                    body: "{\"to\" : \"\(base)/node/\(end)\", \"type\" : \"\(type)\"\(data)}")
            }
            let first = try await create(1, 2, "LIKES")
            #expect(first.status == 201)
            #expect(first["location"] == "\(base)/relationship/0")
            #expect(first.text == relationship(0, 1, "LIKES", 2))
            let second = try await create(3, 1, "LIKES", ", \"data\" : {\"foo\" : \"bar\"}")
            #expect(second.text == relationship(1, 3, "LIKES", 1, "{\n    \"foo\" : \"bar\"\n  }"))
            #expect(try await create(1, 4, "HATES").status == 201)
            #expect(try await create(1, 1, "KNOWS").status == 201)
            #expect(try await client.get("/db/data/relationship/1").text == second.text)
            _ = try await client.send("DELETE", "/db/data/relationship/1/properties")

            func list(_ path: String) async throws -> Reply { try await client.get("/db/data/node/1/relationships/" + path) }
            #expect(try await list("in/LIKES").text == "[ \(listed(1, 3, "LIKES", 1)) ]")
            #expect(try await list("out/LIKES&HATES").text == "[ \(listed(0, 1, "LIKES", 2)), \(listed(2, 1, "HATES", 4)) ]")
            #expect(try await list("out/LIKES%26HATES").text == (try await list("out/LIKES&HATES").text))
            #expect(try await list("all/HATES").text == "[ \(listed(2, 1, "HATES", 4)) ]")
            #expect(try await list("all/UNKNOWN").text == "[ ]")
            #expect(try await list("all/UNKNOWN&HATES").text == "[ \(listed(2, 1, "HATES", 4)) ]")
            // A relationship of a node with itself is listed once among all.
            let all = try await list("all").text
            #expect(all.components(of: "\"self\" :") == 4)
            #expect(try await client.get("/db/data/node/0/relationships/all").text == "[ ]")
            #expect(try await client.get("/db/data/node/99/relationships/all").status == 404)
            #expect(try await list("sideways").status == 404)

            #expect(try await client.get("/db/data/relationship/types").text == "[ \"LIKES\", \"HATES\", \"KNOWS\" ]")
            #expect(try await client.send("DELETE", "/db/data/relationship/0").status == 204)
            let gone = try await client.get("/db/data/relationship/0")
            #expect(gone.status == 404)
            #expect(
                gone.text
                    == error(
                        nil, "RelationshipNotFoundException", "Neo.ClientError.Statement.EntityNotFound",
                        "GET /db/data/relationship/0"))
            #expect(try await client.send("DELETE", "/db/data/relationship/0").status == 404)
        }
    }

    @Test func relationshipsThatCannotBe() async throws {
        try await withServer { client async throws in
            func create(_ start: String, _ body: String) async throws -> String {
                let reply = try await client.send("POST", "/db/data/node/\(start)/relationships", body: body)
                guard case .map(let map) = try JSONParser.parse(reply.body), case .string(let exception)? = map["exception"]
                else { return "\(reply.status)" }
                return "\(reply.status) \(exception.text)"
            }
            #expect(try await create("99", #"{"to":"\#(base)/node/0","type":"T"}"#) == "404 StartNodeNotFoundException")
            #expect(try await create("0", #"{"to":"\#(base)/node/99","type":"T"}"#) == "400 EndNodeNotFoundException")
            #expect(try await create("0", #"{"type":"T"}"#) == "400 BadInputException")
            #expect(try await create("0", #"{"to":7,"type":"T"}"#) == "400 BadInputException")
            #expect(try await create("0", #"{"to":"\#(base)/node/x","type":"T"}"#) == "400 BadInputException")
            #expect(try await create("0", #"{"to":"\#(base)/node/0"}"#) == "400 BadInputException")
            #expect(try await create("0", #"{"to":"\#(base)/node/0","type":""}"#) == "400 BadInputException")
            #expect(try await create("0", #"{"to":"\#(base)/node/0","type":"T","data":[1]}"#) == "400 BadInputException")
            #expect(try await create("0", #"{"to":"\#(base)/node/0","type":"T","data":{"a":null}}"#) == "400 PropertyValueException")
            #expect(try await create("0", "[]") == "400 BadInputException")
            // Nothing of it is left behind.
            #expect(try await client.get("/db/data/node/0/relationships/all").text == "[ ]")
        }
    }
}

extension String {
    /// How often a text occurs.
    func components(of text: String) -> Int {
        var count = 0
        var rest = Substring(self)
        while let range = rest.firstRange(of: text) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
