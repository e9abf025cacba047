import GraphModel
import RESTServer
import Testing

/// 18.9 to 18.12, 18.17: named and automatic indexes.
@Suite struct IndexRouteTests {
    private let data = "/db/data"

    private func id(_ reply: Reply) -> String { reply["Location"]?.split(separator: "/").last.map(String.init) ?? "" }

    private func make(_ client: HTTPClient, _ properties: String = "{}") async throws -> String {
        id(try await client.send("POST", data + "/node", body: properties))
    }

    private func add(
        _ client: HTTPClient, _ index: String, _ key: String, _ value: String, _ node: String
    ) async throws -> Reply {
        try await client.send(
            "POST", "\(data)/index/node/\(index)",
            body: "{\"key\": \"\(key)\", \"value\": \"\(value)\", \"uri\": \"http://elsewhere/db/data/node/\(node)\"}")
    }

    @Test func indexesAreMadeListedAndDropped() async throws {
        try await withServer { client in
            #expect(try await client.get(data + "/index/node/").status == 204)
            let made = try await client.send(
                "POST", data + "/index/node/",
                body: #"{"name": "full text", "config": {"type": "fulltext", "provider": "lucene"}}"#)
            #expect(made.status == 201)
            #expect(made["Location"] == "http://localhost:7474/db/data/index/node/full%20text/")
            #expect(
                made.text == """
                    {
                      "template" : "http://localhost:7474/db/data/index/node/full%20text/{key}/{value}",
                      "type" : "fulltext",
                      "provider" : "lucene"
                    }
                    """)
            #expect(try await client.send("POST", data + "/index/relationship", body: #"{"name": "r"}"#).status == 201)
            let listed = try await client.get(data + "/index/node")
            #expect(
                listed.text == """
                    {
                      "full text" : {
                        "template" : "http://localhost:7474/db/data/index/node/full%20text/{key}/{value}",
                        "provider" : "lucene",
                        "type" : "fulltext"
                      }
                    }
                    """)
            let other = #"{"name": "full text", "config": {"type": "exact"}}"#
            #expect(try await client.send("POST", data + "/index/node", body: other).status == 409)
            #expect(try await client.send("POST", data + "/index/node", body: "{}").status == 400)
            #expect(try await client.send("DELETE", data + "/index/node/full%20text").status == 204)
            #expect(try await client.send("DELETE", data + "/index/node/full%20text").status == 404)
        }
    }

    @Test func entriesAreAddedFoundAndRemoved() async throws {
        try await withServer { client in
            let node = try await make(client)
            let added = try await add(client, "favorites", "some key", "a%/b", node)
            #expect(added.status == 201)
            #expect(added["Location"]?.hasSuffix("/index/node/favorites/some%20key/a%25%2Fb/\(node)") == true)
            let pair = data + "/index/node/favorites/some%20key/a%25%2Fb"
            let found = try await client.get(pair)
            #expect(found.status == 200)
            #expect(found.text.hasPrefix("[ {\n  \"indexed\" : "))
            #expect(try await client.get(pair + "/" + node).status == 200)
            #expect(try await client.get(pair + "/0").status == 404)
            #expect(try await client.get(data + "/index/node/favorites/some%20key/A").text == "[ ]")
            #expect(try await client.get(data + "/index/node/nosuch/k/v").status == 404)
            #expect(try await client.send("DELETE", pair + "/" + node).status == 204)
            #expect(try await client.get(pair).text == "[ ]")
            _ = try await add(client, "favorites", "k", "v", node)
            #expect(try await client.send("DELETE", data + "/index/node/favorites/k/\(node)").status == 204)
            _ = try await add(client, "favorites", "k", "v", node)
            #expect(try await client.send("DELETE", data + "/index/node/favorites/\(node)").status == 204)
            #expect(try await client.get(data + "/index/node/favorites/k/v").text == "[ ]")
            #expect(try await client.send("DELETE", data + "/index/node/favorites/99999").status == 404)
            #expect(try await add(client, "favorites", "k", "v", "99999").status == 404)
        }
    }

    @Test func queriesCanBeOrderedByScore() async throws {
        try await withServer { client in
            for (name, sex) in [("Builder", "Male"), ("Build", "Male"), ("Bold", "Female")] {
                let node = try await make(client, "{\"Name\": \"\(name)\"}")
                _ = try await add(client, "bob", "Name", name, node)
                _ = try await add(client, "bob", "Gender", sex, node)
            }
            let query = data + "/index/node/bob?query=Name:Build~0.1%20AND%20Gender:Male"
            let plain = try await client.get(query)
            #expect(plain.status == 200)
            #expect(!plain.text.contains("\"score\"") && !plain.text.contains("\"indexed\""))
            let ordered = try await client.get(query + "&order=score").text
            let first = try #require(ordered.firstRange(of: "\"Build\""))
            let second = try #require(ordered.firstRange(of: "\"Builder\""))
            #expect(first.lowerBound < second.lowerBound)
            #expect(ordered.contains("\"score\" : 2.0"))
            #expect(try await client.get(data + "/index/node/bob/Name?query=B*d").text.contains("\"Bold\""))
            let wrong = try await client.get(data + "/index/node/bob?query=Name:(a")
            #expect(wrong.status == 400)
            #expect(wrong.text.contains("character 6"))
            #expect(try await client.get(data + "/index/node/bob").status == 400)
            #expect(try await client.get(query + "&order=size").status == 400)
        }
    }

    @Test func uniqueEntitiesAreMadeOnce() async throws {
        try await withServer { client in
            let body = #"{"key": "name", "value": "Tobias", "properties": {"name": "Tobias", "sequence": 1}}"#
            let first = try await client.send("POST", data + "/index/node/people?unique", body: body)
            #expect(first.status == 201)
            let again = try await client.send("POST", data + "/index/node/people?uniqueness=get_or_create", body: body)
            #expect(again.status == 200)
            #expect(again["Location"] == nil)
            #expect(again.text == first.text)
            #expect(try await client.send("POST", data + "/index/node/people?uniqueness=create_or_fail", body: body).status == 409)
            let (a, b) = (try await make(client), try await make(client))
            let relationship =
                "{\"key\": \"name\", \"value\": \"x\", \"start\": \"/db/data/node/\(a)\", \"end\": \"/db/data/node/\(b)\", \"type\": \"T\"}"
            let made = try await client.send("POST", data + "/index/relationship/knowledge/?unique", body: relationship)
            #expect(made.status == 201)
            #expect(made.text.contains("\"name\" : \"x\""))
            #expect(try await client.send("POST", data + "/index/relationship/knowledge/?unique", body: relationship).status == 200)
            let both = #"{"key": "k", "value": "v", "uri": "/db/data/node/0", "properties": {}}"#
            #expect(try await client.send("POST", data + "/index/node/people?unique", body: both).status == 400)
            #expect(try await client.send("POST", data + "/index/node/people?unique=sometimes", body: body).status == 400)
        }
    }

    /// Many at once: one node comes of it.
    @Test func uniqueNodesAreOneHoweverManyAsk() async throws {
        try await withServer { client in
            let path = data + "/index/node/crowd?unique"
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        try await client.send("POST", path, body: #"{"key": "name", "value": "one"}"#).status
                    }
                }
                var statuses: [Int] = []
                for try await status in group { statuses.append(status) }
                return statuses
            }
            #expect(statuses.filter { $0 == 201 }.count == 1)
            #expect(statuses.filter { $0 == 200 }.count == 15)
        }
    }

    @Test func automaticIndexesFollowAndCanBeChanged() async throws {
        try await withServer { client in
            let auto = data + "/index/auto/node"
            #expect(try await client.get(auto + "/status").text == "false")
            #expect(try await client.get(auto + "/properties").text == "[ ]")
            #expect(try await client.get(auto + "/name/I").text == "[ ]")
            #expect(try await client.send("PUT", auto + "/status", body: "true").status == 204)
            #expect(try await client.send("PUT", auto + "/status", body: "1").status == 400)
            #expect(try await client.send("POST", auto + "/properties", body: "name\n").status == 204)
            #expect(try await client.get(auto + "/properties").text == "[ \"name\" ]")
            #expect(try await client.get(auto + "/status").text == "true")
            let node = try await make(client, #"{"name": "I", "age": 5}"#)
            let found = try await client.get(auto + "/name/I").text
            #expect(found.contains("/node/\(node)\""))
            #expect(!found.contains("\"indexed\""))
            #expect(try await client.get(auto + "/?query=name:I").text == found)
            #expect(try await client.get(auto + "/age/5").text == "[ ]")
            let query = #"{"query": "start n=node:node_auto_index(name={name}) return n.age", "params": {"name": "I"}}"#
            for path in ["/cypher", "/ext/CypherPlugin/graphdb/execute_query"] {
                #expect(try await client.send("POST", data + path, body: query).text.contains("[ [ 5 ] ]"))
            }
            #expect(try await add(client, "node_auto_index", "k", "v", node).status == 405)
            #expect(try await client.send("DELETE", auto + "/properties/name").status == 204)
            #expect(try await client.send("DELETE", data + "/node/\(node)").status == 204)
            #expect(try await client.get(auto + "/name/I").text == "[ ]")
        }
    }
}
