import FileSystem
import Glibc
import JSON
import GraphModel
import Synchronization
import Testing

extension EndToEnd {
    /// `martlet import --upsert`: a running graph is brought up to date with files.
    @Suite(.serialized) struct UpsertTests {
        struct Summary: Equatable, CustomStringConvertible {
            var created = 0
            var updated = 0
            var unchanged = 0
            var repeated = 0
            var failed = 0

            var description: String { "\(created) created, \(updated) updated, \(unchanged) unchanged, \(repeated) repeated, \(failed) failed" }
        }

        func write(_ path: String, _ lines: [String]) throws {
            try POSIXFileSystem().replace(path, with: Array((lines.joined(separator: "\n") + "\n").utf8))
        }

        private func arguments(_ directory: String, _ addresses: String, _ more: [String] = []) -> [String] {
            [
                "import", "--upsert", addresses, "--nodes", "Person:Reader=\(directory)/people.csv", "Book=\(directory)/books.csv",
                "--relationships", "READ=\(directory)/read.csv", "--batch", "500", "--json",
            ] + more
        }

        func summary(_ outcome: Program.Outcome) throws -> (nodes: Summary, relationships: Summary) {
            let line = try #require(outcome.output.split(separator: "\n").last { $0.hasPrefix("{") }, "\(outcome.output)")
            guard case .map(let map) = try JSONParser.parse(Array(line.utf8)) else { throw BlockingHTTPClient.Broken(description: "no summary") }
            func part(_ name: String) -> Summary {
                guard case .map(let counts)? = map[name] else { return Summary() }
                func number(_ name: String) -> Int { if case .integer(let number)? = counts[name] { Int(number) } else { -1 } }
                return Summary(
                    created: number("created"), updated: number("updated"), unchanged: number("unchanged"), repeated: number("repeated"),
                    failed: number("failed"))
            }
            return (part("nodes"), part("relationships"))
        }

        /// 3000 people, 100 books, 6000 times one of them read one of these.
        private func writeFiles(_ directory: String, ageOffset: Int = 0, people: Int = 3000) throws {
            try write(
                directory + "/people.csv",
                ["id:ID(person),name,age:int,score:float,tags:string[],active:boolean"]
                    + (0..<people).map { "p\($0),\"Name, \($0)\",\($0 % 90 + ($0 % 10 == 0 ? ageOffset : 0)),\($0).5,a;b\($0 % 3),\($0 % 2 == 0)" })
            try write(directory + "/books.csv", ["isbn:ID(book),title"] + (0..<100).map { "b\($0),Title \($0)" })
            try write(
                directory + "/read.csv",
                [":START_ID(person),:END_ID(book),year:int"] + (0..<6000).map { "p\($0 % people),b\(($0 * 7 + $0 / people) % 100),\(1900 + $0 % 100)" })
        }

        /// A server of its own, whose store has to be whole in the end.
        func withServer(
            _ name: String, _ body: (_ directory: String, _ address: String, _ client: BlockingHTTPClient) throws -> Void
        ) throws {
            let directory = try TestCluster.temporaryDirectory(name)
            defer { removeTree(directory) }
            let server = try ProcessTests.SingleServer(directory: directory)
            do { try body(directory, "127.0.0.1:\(server.port)", BlockingHTTPClient(port: server.port)) } catch {
                server.process.kill9()
                throw error
            }
            try server.kill(SIGTERM)
            #expect(try Program.run(["check", directory + "/graph.db"]).status == 0)
        }

        @Test func aSecondRunChangesNothingAndAThirdOnlyWhatDiffers() throws {
            try withServer("upsert") { directory, at, client in
                try writeFiles(directory)
                let first = try Program.run(arguments(directory, at))
                #expect(first.status == 0, "\(first.output)")
                #expect(try summary(first).nodes == Summary(created: 3100))
                #expect(try summary(first).relationships == Summary(created: 6000))
                #expect(
                    try client.rows("MATCH (n:Person:Reader {id: 'p7'}) RETURN n.name, n.age, n.score, n.tags, n.active")
                        == [[.string("Name, 7"), .integer(7), .float(7.5), .list([.string("a"), .string("b1")]), .boolean(false)]])

                let transactions = try client.request("GET", "/hastatus").json
                let second = try Program.run(arguments(directory, at))
                #expect(try summary(second).nodes == Summary(unchanged: 3100))
                #expect(try summary(second).relationships == Summary(unchanged: 6000))
                func lastTransaction(_ status: Value?) -> Value? {
                    guard case .map(let map)? = status, case .map(let last)? = map["last"] else { return nil }
                    return last["tx"]
                }
                // Nothing was written, not even anew.
                #expect(lastTransaction(try client.request("GET", "/hastatus").json) == lastTransaction(transactions))

                // A tenth is older by one year; half of the people are gone from the file and stay in the graph.
                try writeFiles(directory, ageOffset: 1, people: 1500)
                try write(
                    directory + "/read.csv",
                    [":START_ID(person),:END_ID(Book.isbn),year:int", "p1,b7,1901", "p1,b7,2000", "p2,nobody,1999", "p3,,1998", "p4,b4,when"])
                let third = try Program.run(arguments(directory, at, ["--bad-rows", directory + "/bad.csv"]))
                #expect(third.status == 0, "\(third.output)")
                #expect(try summary(third).nodes == Summary(updated: 150, unchanged: 1450))
                #expect(try summary(third).relationships == Summary(updated: 1, repeated: 1, failed: 3))
                let bad = String(decoding: try POSIXFileSystem().readAll(directory + "/bad.csv"), as: UTF8.self)
                for part in ["read.csv\",4,\"there is no node", "read.csv\",5,\"the :END_ID field is empty", "read.csv\",6,\"column"] {
                    #expect(bad.contains(part), "\(bad)")
                }
                #expect(try client.rows("MATCH (n:Person) RETURN count(n)") == [[.integer(3000)]])
                #expect(try client.rows("MATCH (:Person {id: 'p1'})-[r:READ]->(:Book {isbn: 'b7'}) RETURN r.year") == [[.integer(2000)]])
            }
        }

        /// Batches are under way at the same time; those with rows of the same entities are not.
        @Test func theLastOfManyRowsForAnEntityCounts() throws {
            try withServer("upsert-order") { directory, at, client in
                try write(directory + "/p.csv", ["id:ID(p),n:int,even:int"] + (0..<600).map { "k\($0 % 7),\($0),\($0 % 2 == 0 ? "\($0)" : "")" })
                try write(
                    directory + "/r.csv",
                    [":START_ID(p),:END_ID(p),n:int"] + (0..<600).map { "k\($0 % 7),k\($0 % 3),\($0)" })
                let outcome = try Program.run([
                    "import", "--upsert", at, "--nodes", "P=\(directory)/p.csv", "--relationships", "R=\(directory)/r.csv", "--batch", "4", "--json",
                ])
                #expect(outcome.status == 0, "\(outcome.output)")
                let (nodes, relationships) = try summary(outcome)
                #expect(nodes.created == 7 && nodes.failed == 0 && relationships.created == 21 && relationships.failed == 0, "\(outcome.output)")
                #expect(
                    try client.rows("MATCH (p:P) RETURN p.id, p.n, p.even ORDER BY p.id")
                        == (0..<7 as Range<Int64>).map { key in
                            let last = (0..<600 as Range<Int64>).last { $0 % 7 == key } ?? 0
                            let even = (0..<600 as Range<Int64>).last { $0 % 7 == key && $0 % 2 == 0 } ?? 0
                            return [.string("k\(key)"), .integer(last), .integer(even)]
                        })
                #expect(
                    try client.rows("MATCH (p:P)-[r:R]->(q:P) RETURN sum(r.n), count(r)")
                        == [[.integer((579..<600 as Range<Int64>).reduce(0, +)), .integer(21)]])
            }
        }

        /// Whose answer was lost sends its rows again, while the server is at work at them still.
        @Test func rowsWhoseAnswerIsLostAreWrittenOnce() throws {
            try withServer("upsert-lost") { directory, at, client in
                try write(directory + "/p.csv", ["id:ID(p)"] + (0..<2000).map { "k\($0)" })
                try write(directory + "/r.csv", [":START_ID(P.id),:END_ID(P.id)"] + (0..<60_000).map { "k\($0 % 2000),k\($0 / 2000)" })
                let nodes = try Program.run(["import", "--upsert", at, "--nodes", "P=\(directory)/p.csv", "--json"])
                #expect(try summary(nodes).nodes == Summary(created: 2000), "\(nodes.output)")
                let swallower = try AnswerSwallower(serverPort: Int(at.split(separator: ":")[1]) ?? 0, text: "/upsert")
                let outcome = try Program.run(["import", "--upsert", "127.0.0.1:\(swallower.port),\(at)", "--relationships", "R=\(directory)/r.csv", "--json"])
                swallower.close()
                #expect(!swallower.swallowed.isEmpty && swallower.swallowed.allSatisfy { $0 == 200 }, "\(swallower.swallowed)")
                #expect(outcome.status == 0, "\(outcome.output)")
                let counts = try summary(outcome).relationships
                #expect(counts.created + counts.unchanged == 60_000, "\(outcome.output)")
                #expect(try client.rows("MATCH (:P)-[r:R]->(:P) RETURN count(r)") == [[.integer(60_000)]])
            }
        }

        /// Twenty thousand of them would be more than a server takes in one request.
        @Test func largeRowsGoInSmallerBatches() throws {
            try withServer("upsert-large") { directory, at, client in
                let text = String(repeating: "large ", count: 100_000)
                try write(directory + "/p.csv", ["id:ID(p),text"] + (0..<150).map { "k\($0),\(text)" })
                let outcome = try Program.run(["import", "--upsert", at, "--nodes", "P=\(directory)/p.csv", "--json"])
                #expect(outcome.status == 0, "\(outcome.output)")
                #expect(try summary(outcome).nodes == Summary(created: 150), "\(outcome.output)")
                #expect(try client.rows("MATCH (p:P) RETURN count(p), sum(size(p.text))") == [[.integer(150), .integer(150 * 600_000)]])
            }
        }

        @Test func mistakesAreNamedBeforeAnythingIsWritten() throws {
            try withServer("upsert-mistakes") { directory, at, client in
                try write(directory + "/a.csv", ["id:ID,name", "1,x"])
                try write(directory + "/b.csv", [":ID,name", "1,x"])
                try write(directory + "/c.csv", [":START_ID(nowhere),:END_ID(Person.id)", "1,2"])
                try write(directory + "/d.csv", ["id:ID,born:date,born:date", "1,2000-01-01,"])
                for (more, part) in [
                    (["--nodes", directory + "/a.csv"], "needs the label"), (["--nodes", "P=\(directory)/b.csv"], "as in id:ID"),
                    (["--nodes", "P=\(directory)/a.csv", "--relationships", "R=\(directory)/c.csv"], "START_ID(nowhere)"),
                    (["--nodes", "P=\(directory)/d.csv"], "\"born\" and one type"), (["--nodes", "P=\(directory)/missing.csv"], "missing.csv"),
                    ([], "--nodes and --relationships are missing"),
                ] {
                    let outcome = try Program.run(["import", "--upsert", at] + more)
                    #expect(outcome.status != 0)
                    #expect(outcome.output.contains(part), "\(outcome.output)")
                }
                let nobody = try Program.run(["import", "--upsert", "127.0.0.1:1", "--retry-for", "0", "--nodes", "P=\(directory)/a.csv"])
                #expect(nobody.status != 0 && nobody.output.contains("no member could go on"), "\(nobody.output)")
                #expect(try client.rows("MATCH (n:P) RETURN count(n)") == [[.integer(0)]])
            }
        }

        @Test func valuesOfAllTypesAreKeptAndFoundUnchanged() throws {
            try withServer("upsert-types") { directory, at, client in
                try write(
                    directory + "/a.csv",
                    [
                        "id:ID,born:date,at:datetime,for:duration,where:point,raw:byte[],days:date[],x:double,mixed:int,mixed:string,tags:string[json]",
                        "1,1815-12-10,2024-02-29T12:30+01:00[Europe/Berlin],P1M2DT3.5S,SRID=4326;POINT(12.5 47),1;-2,2024-01-01;2024-01-02,NaN,1,,",
                        "2,,,,,,,inf,,one,\"[\"\"a;b\"\",\"\"\"\"]\"", "3,,,,,,,,1,one,",
                    ])
                let words = ["import", "--upsert", at, "--nodes", "T=\(directory)/a.csv", "--json"]
                #expect(try summary(try Program.run(words)).nodes == Summary(created: 2, failed: 1))
                #expect(try summary(try Program.run(words)).nodes == Summary(unchanged: 2, failed: 1))
                let row = try client.rows(
                    "MATCH (n:T {id: '1'}) RETURN n.born = date('1815-12-10'), n.at = datetime('2024-02-29T12:30+01:00[Europe/Berlin]'), n.for = duration('P1M2DT3.5S'), n.where = point({longitude: 12.5, latitude: 47}), n.days = [date('2024-01-01'), date('2024-01-02')], n.mixed")
                #expect(row == [[.boolean(true), .boolean(true), .boolean(true), .boolean(true), .boolean(true), .integer(1)]])
                #expect(try client.rows("MATCH (n:T {id: '2'}) RETURN n.tags, n.mixed") == [[.list([.string("a;b"), .string("")]), .string("one")]])
            }
        }

        @Test func documentsBecomeNodesAndTheirReferencesRelationships() throws {
            try withServer("upsert-documents") { directory, at, client in
                try write(
                    directory + "/documents.json",
                    [
                        #"{"_index": "i", "_id": "d1", "_source": {"type": "Document", "title": "One", "author": {"name": "Ada", "ref": ["p1", "p2"]}, "n": [1, 2.5, null]}}"#,
                        #"{"_index": "i", "_id": "p1", "_type": "Person", "_source": {"name": "Ada", "nothing": null}}"#,
                        #"{"_index": "i", "_id": "p2", "_type": "Person", "_source": {"name": "Grace"}}"#,
                        #"{"_index": "i", "_id": "d2", "_source": {"type": "Document", "parts": [{"a": 1}]}}"#,
                        #"{"_index": "i", "_id": "d3", "_source": {"title": "none"}}"#, #"{"_id": "d4", "_source": {"#,
                    ])
                let words = ["--documents", "\(directory)/documents.json", "--relationship", "author.ref:WROTE:Person", "--json"]
                let first = try Program.run(["import", "--upsert", at] + words)
                #expect(first.output.contains("objects") && first.output.contains("name a label") && first.output.contains("malformed"), "\(first.output)")
                #expect(try summary(first).nodes == Summary(created: 3, failed: 3))
                #expect(try summary(first).relationships == Summary(created: 2))
                let second = try Program.run(["import", "--upsert", at] + words)
                #expect(try summary(second).nodes == Summary(unchanged: 3, failed: 3))
                #expect(try summary(second).relationships == Summary(unchanged: 2))
                #expect(
                    try client.rows("MATCH (d:Document)-[:WROTE]->(p:Person) RETURN d.title, d.`author.name`, d.n, p.name ORDER BY p.id")
                        == [
                            [.string("One"), .string("Ada"), .list([.float(1), .float(2.5)]), .string("Ada")],
                            [.string("One"), .string("Ada"), .list([.float(1), .float(2.5)]), .string("Grace")],
                        ])
                let equal = try Program.run(["import", "--compare", at] + words)
                #expect(equal.status == 0 && equal.output.contains("\"equal\" : true"), "\(equal.output)")
                _ = try client.rows("CREATE (:Person {id: 'p3'})")
                let different = try Program.run(["import", "--compare", at] + words.dropLast())
                #expect(different.status == 1, "\(different.output)")
                #expect(different.output.contains("node Person: 2 in the source, 3 in the graph  (+1)") && different.output.contains("different"), "\(different.output)")
            }
        }

        enum Form: String, CaseIterable { case csv, jsonLines }

        /// The same files as JSON Lines; what an upsert of them is called with.
        private func jsonLinesArguments(_ directory: String, _ addresses: String) throws -> [String] {
            let into = ["import", "--into", directory + "/graph.db"] + arguments(directory, addresses).dropFirst(3).prefix(5)
            let imported = try Program.run(into)
            try #require(imported.status == 0, "\(imported.output)")
            let lines = directory + "/graph.jsonl"
            let exported = try Program.run(["export", "--store", directory + "/graph.db", "--format", "jsonl", "--to", lines])
            try #require(exported.status == 0, "\(exported.output)")
            return ["import", "--upsert", addresses, "--json-lines", lines, "--key", "Person.id,Book.isbn", "--json"]
        }

        /// The import is killed and started again, and the master is killed meanwhile: one node per key, nothing missing.
        @Test(arguments: Form.allCases) func killedImportsAndMastersLeaveOneNodePerKey(_ form: Form) async throws {
            let cluster = try await TestCluster("upsert-failover")
            let directory = cluster.directory + "/files"
            try POSIXFileSystem().createDirectory(directory)
            try writeFiles(directory, people: 6000)
            let addresses = cluster.members.map { "127.0.0.1:\($0.httpPort)" }.joined(separator: ",")
            let whole = try form == .csv ? arguments(directory, addresses) : jsonLinesArguments(directory, addresses)
            let words = whole + ["--batch", "50"]
            func count() throws -> Int64 {
                for member in cluster.members {
                    if case .integer(let count)? = try? cluster.client(member.httpPort).rows("MATCH (n:Person) RETURN count(n)").first?.first { return count }
                }
                return 0
            }
            for round in 0..<2 {
                let before = try count()
                let running = try ChildProcess.start(
                    TestCluster.program, words, outputPath: cluster.directory + "/upsert.\(round)", detached: false)
                try waitUntil("some are there") { try count() > before + 500 || !running.isRunning }
                Glibc.kill(running.processID, SIGKILL)
                try waitUntil("the import has ended") { !running.isRunning }
            }
            let master = try cluster.master()
            let last = try ChildProcess.start(
                TestCluster.program, words, outputPath: cluster.directory + "/upsert.last", detached: false)
            let before = try count()
            try waitUntil("it goes on") { try count() > before + 200 || !last.isRunning }
            cluster.signal(master, SIGKILL)
            try waitUntil("the import has ended", seconds: 120) { !last.isRunning }
            try waitUntil("the killed master has ended") { master.process == nil }
            try cluster.restart(master)
            try cluster.waitUntilEqual()
            let client = cluster.client(try cluster.master().httpPort)
            #expect(try client.rows("MATCH (n:Person) RETURN count(n), count(DISTINCT n.id)") == [[.integer(6000), .integer(6000)]])
            #expect(try client.rows("MATCH (:Person)-[r:READ]->(:Book) RETURN count(r)") == [[.integer(6000)]])
            let again = try Program.run(whole)
            #expect(try summary(again).nodes == Summary(unchanged: 6100), "\(again.output)")
            #expect(try summary(again).relationships == Summary(unchanged: 6000))
            try await cluster.stopAndCompareStores()
            await cluster.stop()
        }
    }
}
