import GraphModel
import JSON
import RESTServer
import Testing

/// 18.7 and 18.8, for nodes and relationships alike.
@Suite struct PropertyTests {
    /// A server with node 1 and relationship 0.
    private func withEntities(_ body: (HTTPClient, String) async throws -> Void) async throws {
        for path in ["/db/data/node/1", "/db/data/relationship/0"] {
            try await withServer { client async throws in
                _ = try await client.send("POST", "/db/data/node")
                _ = try await client.send("POST", "/db/data/node/1/relationships", body: #"{"to":"/node/0","type":"T"}"#)
                try await body(client, path)
            }
        }
    }

    private func exception(_ reply: Reply) throws -> String? {
        guard case .map(let map) = try JSONParser.parse(reply.body), case .string(let text)? = map["exception"] else {
            return nil
        }
        return text.text
    }

    private func message(_ reply: Reply) throws -> String? {
        guard case .map(let map) = try JSONParser.parse(reply.body), case .string(let text)? = map["message"] else {
            return nil
        }
        return text.text
    }

    @Test func oneProperty() async throws {
        try await withEntities { client, path async throws in
            let put = try await client.send("PUT", path + "/properties/foo", body: "\"bar\"")
            #expect(put.status == 204)
            #expect(put["x-ha-tx"] != nil)
            #expect(try await client.send("PUT", path + "/properties/count", body: "2.0").status == 204)
            let get = try await client.get(path + "/properties/foo")
            #expect(get.status == 200)
            #expect(get["content-type"] == "application/json")
            #expect(get.text == "\"bar\"")
            // Setting one keeps the others, and the kind of a number.
            #expect(try await client.get(path + "/properties").text == "{\n  \"foo\" : \"bar\",\n  \"count\" : 2.0\n}")
            #expect(try await client.send("DELETE", path + "/properties/foo").status == 204)
            #expect(try await client.get(path + "/properties/foo").status == 404)
        }
    }

    @Test func keysAreDecodedOnce() async throws {
        try await withEntities { client, path async throws in
            #expect(try await client.send("PUT", path + "/properties/a%20b%2Fc%25", body: "[ 1, 2 ]").status == 204)
            #expect(try await client.get(path + "/properties").text == "{\n  \"a b/c%\" : [ 1, 2 ]\n}")
            #expect(try await client.get(path + "/properties/a%20b%2Fc%25").text == "[ 1, 2 ]")
            #expect(try await client.get(path + "/properties/a%2").status == 400)
            #expect(try await client.get(path + "/properties/a%C3%28").status == 400)
        }
    }

    @Test func allProperties() async throws {
        try await withEntities { client, path async throws in
            let none = try await client.get(path + "/properties")
            #expect(none.status == 204)
            #expect(none.body.isEmpty)
            #expect(try await client.send("PUT", path + "/properties", body: #"{"age":"18","x":1}"#).status == 204)
            #expect(try await client.send("PUT", path + "/properties", body: #"{"age":"19"}"#).status == 204)
            #expect(try await client.get(path + "/properties").text == "{\n  \"age\" : \"19\"\n}")
            #expect(try await client.send("DELETE", path + "/properties").status == 204)
            #expect(try await client.get(path + "/properties").status == 204)
            // A second time it changes nothing, and says so by having no transaction.
            let again = try await client.send("DELETE", path + "/properties")
            #expect(again.status == 204)
            #expect(again["x-ha-tx"] == nil)
        }
    }

    @Test func valuesThatCannotBeStored() async throws {
        let cases = [
            ("null", "null"), (#"{"bar":"baz"}"#, "{bar=baz}"), (#"[1,"two"]"#, "[1, two]"), ("[[1,2],[3]]", "[[1, 2], [3]]"),
            (#"["a",null]"#, "[a, null]"), (#"[{"a":1}]"#, "[{a=1}]"), ("[1,2.5]", "[1, 2.5]"), ("{}", "{}"),
        ]
        try await withEntities { client, path async throws in
            for (json, java) in cases {
                let expected = "Could not set property \"foo\", unsupported type: \(java)"
                for reply in [
                    try await client.send("PUT", path + "/properties/foo", body: json),
                    try await client.send("PUT", path + "/properties", body: "{\"ok\":1,\"foo\":\(json)}"),
                    try await client.send("POST", "/db/data/node", body: "{\"foo\":\(json)}"),
                ] {
                    #expect(reply.status == 400)
                    #expect(try exception(reply) == "PropertyValueException")
                    #expect(try message(reply) == expected)
                }
            }
            #expect(try await client.get(path + "/properties").status == 204)
            #expect(try await client.get("/db/data/node/2").status == 404)
        }
    }

    @Test func everyStorableValueComesBack() async throws {
        let text = """
            {
              "boolean" : true,
              "long" : 9223372036854775807,
              "minlong" : -9223372036854775808,
              "tenth" : 0.1,
              "whole" : 2.0,
              "string" : "räksmörgås ☃ \\"quoted\\" \\\\ \\n",
              "empty" : "",
              "none" : [ ],
              "booleans" : [ true, false ],
              "doubles" : [ 1.0, 2.5 ],
              "strings" : [ "a", "" ]
            }
            """
        try await withEntities { client, path async throws in
            #expect(try await client.send("PUT", path + "/properties", body: text).status == 204)
            #expect(try await client.get(path + "/properties").text == text)
        }
    }

    @Test func missingEntitiesAndProperties() async throws {
        try await withServer { client async throws in
            for (path, name, missing) in [
                ("/db/data/node/", "Node", "NodeNotFoundException"),
                ("/db/data/relationship/", "Relationship", "RelationshipNotFoundException"),
            ] {
                for id in ["1234", "x", "-1", "99999999999999999999"] {
                    for reply in [
                        try await client.get(path + id + "/properties"),
                        try await client.get(path + id + "/properties/cost"),
                        try await client.send("PUT", path + id + "/properties", body: "{}"),
                        try await client.send("PUT", path + id + "/properties/cost", body: "1"),
                        try await client.send("DELETE", path + id + "/properties"),
                        try await client.send("DELETE", path + id + "/properties/cost"),
                    ] {
                        #expect(reply.status == 404)
                        #expect(try exception(reply) == missing)
                        // The manual shows relationships without a message.
                        #expect(try (message(reply) == nil) == (name == "Relationship"))
                    }
                }
            }
        }
        try await withEntities { client, path async throws in
            let name = path.contains("node") ? "Node[1]" : "Relationship[0]"
            for method in ["GET", "DELETE"] {
                let reply = try await client.send(method, path + "/properties/non-existent")
                #expect(reply.status == 404)
                #expect(try exception(reply) == "NoSuchPropertyException")
                #expect(try message(reply) == "\(name) does not have a property \"non-existent\"")
            }
        }
    }
}
