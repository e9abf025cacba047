import FileSystem
import Glibc
import GraphModel
import JSON
import RESTServer
import Testing

extension EndToEnd {
    /// `martlet export`, and what reads its files again: the same graph comes back.
    @Suite(.serialized) struct ExportTests {
        /// All kinds of properties, names that need quotes, and nodes of several sets of labels.
        private static let statements = [
            """
            CREATE (:All:`B c` {n: 0, text: 'a "quoted", \\'line\\'\\nbreak;\\r\\ttab \\\\ ü 🎉 \\u2028 \\u0001', empty: '', list: ['a;b', '', 'x"y'], \
            names: ['a', 'b'], ints: [1, -2], big: 9223372036854775807, small: -9223372036854775807 - 1, f: 1.5e300, whole: 2.0, \
            tiny: 4.9e-324, zero: -0.0, nan: 0.0 / 0.0, inf: 1.0 / 0.0, minus: -1.0 / 0.0, floats: [1.0, 0.0 / 0.0], flags: [true, false], \
            flag: true, none: [], `a b``c`: 1})
            """,
            """
            CREATE (:All {n: 1, mixed: 1, d: date('2024-02-29'), lt: localtime('12:30:00.5'), t: time('12:30+01:00'), \
            ldt: localdatetime('2024-02-29T12:30:00.123456789'), dt: datetime('2024-02-29T12:30+01:00[Europe/Berlin]'), \
            dur: duration('P1M2DT3.5S'), p: point({x: 1.5, y: -2}), geo: point({longitude: 12.5, latitude: 47}), \
            p3: point({x: 1, y: 2, z: 3}), dates: [date('2024-01-01'), date('1815-12-10')], points: [point({x: 1, y: 2})]})
            """,
            "CREATE (:All {n: 2, mixed: 'one'}), (:Other:All {n: 3, mixed: 1.5})",
            "UNWIND range(4, 2503) AS i CREATE (:All:Many {n: i, name: 'node ' + i})",
            "MATCH (a:All), (b:All {n: 0}) WHERE a.n < 1000 CREATE (a)-[:TO {since: a.n}]->(b)",
            "MATCH (a:All {n: 0}), (b:All {n: 1}) CREATE (a)-[:`odd ``type` {text: 'x, \"y\"', at: date('2020-01-01')}]->(b), (a)-[:SELF]->(a)",
            "CREATE INDEX named FOR (x:Many) ON (x.name)",
        ]

        private func make(_ client: BlockingHTTPClient) throws {
            _ = try client.rows("CREATE CONSTRAINT FOR (x:All) REQUIRE x.n IS UNIQUE")
            for statement in Self.statements { try run(statement, client) }
        }

        private func run(_ statement: String, _ client: BlockingHTTPClient) throws {
            var json = JSONWriter(.compact)
            json.string(statement)
            let answer = try client.request(
                "POST", "/db/neo4j/tx/commit", body: "{\"statements\": [{\"statement\": \(String(decoding: json.bytes, as: UTF8.self))}]}")
            try #require(answer.text.contains("\"errors\":[]") || answer.text.contains("\"errors\" : [ ]"), "\(statement.prefix(300)): \(answer.text.prefix(500))")
        }

        /// The graph of a server as texts that do not depend on ids.
        private func graph(_ port: Int, _ directory: String) throws -> (entities: [String], schema: [String]) {
            let path = directory + "/graph.\(monotonicNanoseconds()).jsonl"
            let outcome = try Program.run(["export", "127.0.0.1:\(port)", "--to", path])
            try #require(outcome.status == 0, "\(outcome.output)")
            return try Self.graph(try POSIXFileSystem().readAll(path))
        }

        private static func graph(_ bytes: [UInt8]) throws -> (entities: [String], schema: [String]) {
            var nodes: [String: String] = [:]
            var relationships: [String] = []
            var schema: [String] = []
            func text(_ value: Value?) -> String {
                switch value {
                case .map(let map)?: "{" + map.entries.map { "\($0.key)=\(text($0.value))" }.sorted().joined(separator: ",") + "}"
                case .list(let list)?: "[" + list.elements.map(text).joined(separator: ",") + "]"
                case .string(let string)?: "'" + string.text + "'"
                case let value?: "\(value)"
                case nil: ""
                }
            }
            for line in bytes.split(separator: UInt8(ascii: "\n")) {
                guard case .map(let map) = try JSONParser.parse(Array(line)), case .string(let type)? = map["type"] else { continue }
                let content = text(map["properties"]) + text(map["types"])
                switch type.text {
                case "node":
                    guard case .list(let labels)? = map["labels"] else { continue }
                    nodes[text(map["id"])] = labels.elements.map(text).sorted().joined(separator: ":") + content
                case "relationship":
                    guard case .map(let start)? = map["start"], case .map(let end)? = map["end"] else { continue }
                    relationships.append(
                        "\(text(map["label"]))\(content) from \(nodes[text(start["id"])] ?? "?") to \(nodes[text(end["id"])] ?? "?")")
                case "schema": schema.append(text(map["kind"]) + text(map["label"]) + text(map["properties"]))
                default: continue
                }
            }
            return (nodes.values.sorted() + relationships.sorted(), schema.sorted())
        }

        @Test func everyFormatGivesTheGraphBack() throws {
            let directory = try TestCluster.temporaryDirectory("export")
            let server = try ProcessTests.SingleServer(directory: directory)
            let client = BlockingHTTPClient(port: server.port)
            try make(client)
            let original = try graph(server.port, directory)
            // The reference node is among them.
            #expect(original.entities.count == 2505 + 1002)
            #expect(original.schema.count == 2)
            let at = "127.0.0.1:\(server.port)"

            // Into another running server, twice.
            let lines = directory + "/graph.jsonl.gz"
            #expect(try Program.run(["export", at, "--to", lines, "--gzip", "--json"]).output.contains("\"nodes\":2505,\"relationships\":1002"))
            let otherDirectory = try TestCluster.temporaryDirectory("export-upsert")
            let other = try ProcessTests.SingleServer(directory: otherDirectory)
            for word in ["\"created\": 2504", "\"unchanged\": 2504"] {
                let upsert = try Program.run(["import", "--upsert", "127.0.0.1:\(other.port)", "--json-lines", lines, "--json", "--batch", "700"])
                #expect(upsert.status == 0 && upsert.output.contains(word), "\(upsert.output)")
            }
            let compared = try Program.run(["import", "--compare", "127.0.0.1:\(other.port)", "--json-lines", lines])
            #expect(compared.status == 0 && compared.output.contains("node Many: 2500 in the source, 2500 in the graph"), "\(compared.output)")
            #expect(try graph(other.port, otherDirectory).entities == original.entities)
            try other.kill(SIGTERM)
            removeTree(otherDirectory)

            // A node without labels has no key, so only the other ways have it.
            _ = try client.rows("CREATE ({lost: true})")
            let whole = try graph(server.port, directory)
            for (format, more) in [("csv", []), ("csv", ["--gzip"]), ("jsonl", ["--gzip"]), ("jsonl", [])] {
                let name = "\(directory)/\(format)\(more.count)"
                let outcome = try Program.run(["export", at, "--format", format, "--to", name, "--json"] + more)
                #expect(outcome.status == 0, "\(outcome.output)")
                var arguments = ["--json-lines", name]
                if format == "csv" {
                    let line = try #require(outcome.output.split(separator: "\n").last { $0.hasPrefix("{") })
                    guard case .map(let map) = try JSONParser.parse(Array(line.utf8)), case .list(let list)? = map["import_arguments"] else { continue }
                    arguments = list.elements.compactMap { if case .string(let text) = $0 { text.text } else { nil } }
                }
                let copy = try TestCluster.temporaryDirectory("export-import")
                let imported = try Program.run(["import", "--into", copy + "/graph.db"] + arguments)
                #expect(imported.status == 0, "\(imported.output)")
                #expect(!POSIXFileSystem().exists(copy + "/graph.db.json-lines"))
                // From the store itself, without a server.
                let exported = try Program.run(["export", "--store", copy + "/graph.db", "--to", copy + "/all.jsonl"])
                #expect(exported.status == 0, "\(exported.output)")
                #expect(try Self.graph(try POSIXFileSystem().readAll(copy + "/all.jsonl")).entities == whole.entities, "\(format) \(more)")
                removeTree(copy)
            }

            let statements = directory + "/graph.cypher"
            #expect(try Program.run(["export", at, "--format", "cypher", "--to", statements]).status == 0)
            let thirdDirectory = try TestCluster.temporaryDirectory("export-cypher")
            let third = try ProcessTests.SingleServer(directory: thirdDirectory)
            let thirdClient = BlockingHTTPClient(port: third.port, timeoutSeconds: 60)
            // The reference node comes with the file.
            _ = try thirdClient.rows("MATCH (n) DELETE n")
            for line in String(decoding: try POSIXFileSystem().readAll(statements), as: UTF8.self).split(separator: "\n") {
                try #require(line.hasSuffix(";"))
                try run(String(line.dropLast()), thirdClient)
            }
            let copy = try graph(third.port, thirdDirectory)
            #expect(copy.entities == whole.entities)
            #expect(copy.schema == whole.schema)
            try third.kill(SIGTERM)
            try server.kill(SIGTERM)
            removeTree(thirdDirectory)
            removeTree(directory)
        }

        @Test func mistakesLeaveNoFiles() throws {
            let directory = try TestCluster.temporaryDirectory("export-mistakes")
            try POSIXFileSystem().createDirectory(directory + "/full")
            try POSIXFileSystem().replace(directory + "/full/x", with: [1])
            for (arguments, part) in [
                (["127.0.0.1:1", "--retry-for", "0", "--to", directory + "/a"], "no member answered"),
                (["--store", directory + "/none", "--to", directory + "/a"], "no Martlet store"),
                (["--store", directory + "/none", "--format", "csv", "--to", directory + "/full"], "not empty"),
                (["--store", directory + "/none", "--format", "csv", "--to", "-"], "into a directory"), (["--to", "-"], "expected either"),
            ] {
                let outcome = try Program.run(["export"] + arguments)
                #expect(outcome.status != 0 && outcome.output.contains(part), "\(outcome.output)")
            }
            #expect(try POSIXFileSystem().list(directory) == ["full"])
            // Half a file is told as such.
            try POSIXFileSystem().replace(
                directory + "/half.jsonl",
                with: Array("{\"type\":\"graph\",\"version\":1}\n{\"type\":\"node\",\"id\":\"1\",\"labels\":[\"A\"]}\n".utf8))
            let half = try Program.run(["import", "--into", directory + "/graph.db", "--json-lines", directory + "/half.jsonl"])
            #expect(half.status == 1 && half.output.contains("the file has no end"), "\(half.output)")
            // Also where a whole one follows.
            try POSIXFileSystem().replace(
                directory + "/whole.jsonl",
                with: Array("{\"type\":\"graph\",\"version\":1}\n{\"type\":\"end\",\"nodes\":0,\"relationships\":0}\n".utf8))
            let both = try Program.run(
                ["import", "--into", directory + "/graph.db", "--json-lines", "\(directory)/half.jsonl,\(directory)/whole.jsonl"])
            #expect(both.status == 1 && both.output.contains("half.jsonl: the file has no end"), "\(both.output)")
            #expect(try Set(POSIXFileSystem().list(directory)) == ["full", "half.jsonl", "whole.jsonl"])
            removeTree(directory)
        }
    }
}
