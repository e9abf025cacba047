import GraphModel
import RESTServer
import Testing

/// Labels and schema.
@Suite struct LabelRouteTests {
    private let data = "/db/data"

    @Test func labelsOfANode() async throws {
        try await withServer { client async throws in
            let path = data + "/node/0/labels"
            #expect(try await client.get(path).text == "[ ]")
            #expect(try await client.send("POST", path, body: #""A""#).status == 204)
            #expect(try await client.send("POST", path, body: #"["B", "C d"]"#).status == 204)
            #expect(try await client.get(path).text == #"[ "A", "B", "C d" ]"#)
            #expect(try await client.send("PUT", path, body: #"["B", "D"]"#).status == 204)
            #expect(try await client.get(path).text == #"[ "B", "D" ]"#)
            #expect(try await client.send("DELETE", path + "/D").status == 204)
            #expect(try await client.send("DELETE", path + "/nobody").status == 204)
            #expect(try await client.get(path).text == #"[ "B" ]"#)
            for wrong in ["1", #"[1]"#, #""""#, "{}", ""] {
                #expect(try await client.send("POST", path, body: wrong).status == 400, "\(wrong)")
            }
            #expect(try await client.send("PUT", path, body: #""A""#).status == 400)
            #expect(try await client.get(data + "/node/77/labels").status == 404)
            #expect(try await client.get(data + "/labels").text == #"[ "A", "B", "C d", "D" ]"#)
        }
    }

    @Test func nodesOfALabel() async throws {
        try await withServer { client async throws in
            for (label, name) in [("A`x", "one"), ("A`x", "two"), ("B", "one")] {
                let node = try await client.send("POST", data + "/node", body: "{\"na`me\": \"\(name)\"}")
                let path = try #require(node["location"]?.split(separator: "7474").last)
                #expect(try await client.send("POST", path + "/labels", body: "\"\(label)\"").status == 204)
            }
            let all = try await client.get(data + "/label/A%60x/nodes")
            #expect(all.text.contains("\"one\"") && all.text.contains("\"two\""))
            let one = try await client.get(data + "/label/A%60x/nodes?na%60me=%22one%22")
            #expect(one.text.contains("/node/1\"") && !one.text.contains("\"two\""))
            #expect(try await client.get(data + "/label/nobody/nodes").text == "[ ]")
            #expect(try await client.get(data + "/label/B/nodes?p=one").status == 400)
            #expect(try await client.get(data + "/label/B/nodes?p=1&q=2").status == 400)
            #expect(try await client.get(data + "/propertykeys").text == #"[ "na`me" ]"#)
        }
    }

    @Test func degrees() async throws {
        try await withServer { client async throws in
            for type in ["T", "T", "U"] {
                let made = try await client.send(
                    "POST", data + "/node/0/relationships", body: "{\"to\": \"/node/0\", \"type\": \"\(type)\"}")
                #expect(made.status == 201)
            }
            for (path, degree) in [("out", "3"), ("in", "3"), ("out/T", "2"), ("out/T&U", "3"), ("out/X", "0")] {
                #expect(try await client.get(data + "/node/0/degree/\(path)").text == degree, "\(path)")
            }
            #expect(try await client.get(data + "/node/0/degree/up").status == 404)
            #expect(try await client.get(data + "/node/9/degree/all").status == 404)
        }
    }

    @Test func indexesOfTheSchema() async throws {
        try await withServer { client async throws in
            let path = data + "/schema/index"
            let made = try await client.send("POST", path + "/P", ["X-Stream: true"], body: #"{"property_keys": ["name"]}"#)
            #expect(made.status == 200)
            #expect(made.text == #"{"label":"P","property_keys":["name"]}"#)
            #expect(try await client.send("POST", path + "/P", body: #"{"property_keys": ["name"]}"#).status == 409)
            #expect(try await client.send("POST", path, body: #"{"label": "Q", "property_keys": ["a", "b"]}"#).status == 200)
            let listed = try await client.get(path, ["X-Stream: true"])
            #expect(listed.text == #"[{"label":"P","property_keys":["name"]},{"label":"Q","property_keys":["a","b"]}]"#)
            #expect(try await client.get(path + "/Q", ["X-Stream: true"]).text == #"[{"label":"Q","property_keys":["a","b"]}]"#)
            #expect(try await client.get(path + "/X").text == "[ ]")
            for wrong in ["{}", #"{"property_keys": []}"#, #"{"property_keys": [1]}"#, #"{"property_keys": "a"}"#] {
                #expect(try await client.send("POST", path + "/R", body: wrong).status == 400, "\(wrong)")
            }
            #expect(try await client.send("DELETE", path + "/P/name").status == 204)
            #expect(try await client.send("DELETE", path + "/P/name").status == 404)
            #expect(try await client.send("DELETE", path + "/Q/a,b").status == 204)
            #expect(try await client.get(path).text == "[ ]")
        }
    }

    @Test func constraintsOfTheSchema() async throws {
        try await withServer { client async throws in
            let path = data + "/schema/constraint"
            let made = try await client.send(
                "POST", path + "/P/uniqueness", ["X-Stream: true"], body: #"{"property_keys": ["name"]}"#)
            #expect(made.text == #"{"label":"P","type":"UNIQUENESS","property_keys":["name"]}"#)
            #expect(try await client.send("POST", path + "/P/uniqueness", body: #"{"property_keys": ["name"]}"#).status == 409)
            #expect(try await client.send("POST", path + "/P/existence", body: #"{"property_keys": ["x"]}"#).status == 200)
            #expect(try await client.send("POST", path + "/P/other", body: #"{"property_keys": ["x"]}"#).status == 404)
            let unique = "[\(made.text)]"
            for way in ["/P/uniqueness", "/P/uniqueness/name"] {
                #expect(try await client.get(path + way, ["X-Stream: true"]).text == unique, "\(way)")
            }
            for way in ["", "/P"] {
                #expect(try await client.get(path + way, ["X-Stream: true"]).text.contains("NODE_PROPERTY_EXISTENCE"))
            }
            #expect(try await client.get(path + "/P/uniqueness/other").status == 404)
            #expect(try await client.send("DELETE", path + "/P/uniqueness/name").status == 204)
            #expect(try await client.send("DELETE", path + "/P/uniqueness/name").status == 404)
        }
    }
}
