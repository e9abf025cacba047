import FileSystem
import Martlet
import Testing

@Suite struct EmbeddingTests {
    private struct Own: Error, Equatable { let number: Int }

    @Test func whatIsWrittenIsThereAfterReopening() throws {
        let directory = TemporaryDirectory()
        let outcome = Monitor<[String]>([])
        DedicatedThread(name: "embedder") {
            do {
                var db: GraphDatabase? = try GraphDatabase.open(directory.path)
                let id = try db?.write { tx in try tx.createNode("Person", properties: ["name": "Ada", "born": 1815]).id }
                // A second one is refused while the first has it.
                if code({ try GraphDatabase.open(directory.path) }) != .storeLocked { throw Own(number: 1) }
                db?.close()
                if code({ try db?.read { _ in } }) != .unavailable { throw Own(number: 2) }
                db = nil
                let again = try GraphDatabase.open(directory.path)
                defer { again.close() }
                let name = try again.read { tx in
                    try tx.node(withID: try #require(id)).property("name", default: "?")
                }
                outcome.withLock { $0.append(name) }
            } catch {
                outcome.withLock { $0.append("\(error)") }
            }
        }.join()
        #expect(outcome.withLock { $0 } == ["Ada"])
    }

    @Test func asyncCallsDoTheSame() async throws {
        let directory = TemporaryDirectory()
        let db = try GraphDatabase.open(directory.path)
        let id = try await db.write { tx in try tx.createNode("Person", properties: ["name": "Ada"]).id }
        #expect(try await db.read { tx in try tx.node(withID: id).property("name", default: "?") } == "Ada")
        let result = try await db.query("MATCH (p:Person {name: $name}) RETURN id(p)", ["name": "Ada"])
        #expect(try result.single(as: Int.self) == Int(id.rawValue))
        let names = Monitor<[String]>([])
        let statistics = try await db.forEachRow(of: "UNWIND ['a', 'b'] AS x CREATE (:N {x: x}) RETURN x") { row in
            let name = try row.get(0, as: String.self)
            names.withLock { $0.append(name) }
        }
        #expect(names.withLock { $0 } == ["a", "b"] && statistics.nodesCreated == 2)
        #expect(db.lastTransactionID == TransactionID(2))
        await #expect(throws: Own(number: 7)) { try await db.write { _ in throw Own(number: 7) } }
        await #expect(throws: Own(number: 8)) { try await db.read { _ in throw Own(number: 8) } }
        await #expect(throws: Own(number: 9)) {
            try await db.forEachRow(of: "UNWIND [1, 2] AS x RETURN x") { _ in throw Own(number: 9) }
        }
        await db.close()
    }

    /// TX-01, TX-03: the caller's own error comes out as it is, and nothing is written.
    @Test func ownErrorsComeOutAndRollBack() throws {
        try withDatabase { db throws in
            #expect(throws: Own(number: 1)) {
                try db.write { tx throws in
                    _ = try tx.createNode("L")
                    throw Own(number: 1)
                }
            }
            // From a nested one, through the outer one.
            #expect(throws: Own(number: 2)) {
                try db.write { tx throws in
                    _ = try tx.createNode("L")
                    try db.write { _ in throw Own(number: 2) }
                }
            }
            #expect(code { try db.read { tx in try tx.createNode("L") } } == .readOnly)
            #expect(try db.query("MATCH (n:L) RETURN count(n)").single(as: Int.self) == 0)
        }
    }

    @Test func rowsAreTyped() throws {
        try withDatabase { db throws in
            let result = try db.query(
                "RETURN $i AS i, $f AS f, $s AS s, $b AS b, $l AS l, $n AS n",
                ["i": 3, "f": 1.5, "s": "x", "b": true, "l": [1, 2], "n": .null])
            #expect(result.columns == ["i", "f", "s", "b", "l", "n"])
            let row = try #require(result.rows.first)
            #expect(try row.get("i", as: Int.self) == 3 && row.get("i", as: Int64.self) == 3)
            #expect(try row.get("i", as: Double.self) == 3 && row.get("f", as: Double.self) == 1.5)
            #expect(try row.get("s", as: String.self) == "x" && row.get("b", as: Bool.self))
            #expect(try row.get("l", as: [Int].self) == [1, 2])
            #expect(try row.get("n", as: Int?.self) == nil && row.get("i", as: Int?.self) == 3)
            #expect(try row.value("s") == "x" && row[0] == 3 && row.values.count == 6)
            #expect(code { try row.get("s", as: Int.self) } == .typeError)
            #expect(code { try row.get("n", as: Int.self) } == .typeError)
            #expect(code { try row.get("f", as: Int.self) } == .typeError)
            #expect(code { try row.get("l", as: [String].self) } == .typeError)
            #expect(code { try row.get("missing", as: Int.self) } == .argumentError)
            #expect(code { try row.get(6, as: Int.self) } == .argumentError)
            #expect(code { try result.single(as: Int.self) } == .argumentError)
            #expect(code { try db.query("RETURN (") } == .syntaxError)
            let ids = try db.query("CREATE (a)-[r:T]->(b) RETURN a, r").rows
            let node = try #require(ids.first).get("a", as: NodeID.self)
            let tie = try #require(ids.first).get("r", as: RelationshipID.self)
            try db.read { tx throws in #expect(try tx.relationship(withID: tie).start().id == node) }
        }
    }

    /// Rows come as they are found, and a query in a transaction sees its writes.
    @Test func rowsAreStreamedAndQueriesJoinTransactions() throws {
        try withDatabase { db throws in
            var sum = 0
            try db.forEachRow(of: "UNWIND range(1, 5000) AS x RETURN x") { row in sum += try row.get(0, as: Int.self) }
            #expect(sum == 5000 * 5001 / 2)
            var seen = 0
            #expect(throws: Own(number: 3)) {
                try db.forEachRow(of: "UNWIND range(1, 5000) AS x RETURN x") { _ in
                    seen += 1
                    if seen == 3 { throw Own(number: 3) }
                }
            }
            #expect(seen == 3)
            try db.write { tx throws in
                _ = try tx.createNode("L")
                #expect(try db.query("MATCH (n:L) RETURN count(n)", in: tx).single(as: Int.self) == 1)
                #expect(try db.query("MATCH (n:L) RETURN count(n)").single(as: Int.self) == 1)
                try db.query("CREATE (:L)", in: tx)
            }
            #expect(try db.query("MATCH (n:L) RETURN count(n)").single(as: Int.self) == 2)
        }
    }

    @Test func readOnlyDatabaseOpensOnlyWhatExistsAndRefusesWrites() throws {
        let directory = TemporaryDirectory()
        let codes = Monitor<[ErrorCode?]>([])
        DedicatedThread(name: "embedder") {
            var options = GraphDatabase.Options()
            options.isReadOnly = true
            var seen = [code { try GraphDatabase.open(directory.path, options: options) }]
            do {
                try GraphDatabase.open(directory.path).close()
                let db = try GraphDatabase.open(directory.path, options: options)
                seen.append(code { try db.write { _ in } })
                seen.append(code { try db.beginTransaction() })
                seen.append(code { try db.query("CREATE (n)") })
                seen.append(code { try db.query("MATCH (n) RETURN n") })
                db.close()
            } catch {
                seen.append((error as? GraphError)?.code)
            }
            codes.withLock { $0 = seen }
        }.join()
        #expect(codes.withLock { $0 } == [.readOnly, .readOnly, .readOnly, .readOnly, nil])
    }

    @Test func readmeQuotesTheExampleAsItIs() throws {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let fileSystem = POSIXFileSystem()
        let readme = String(decoding: try fileSystem.readAll(root + "/README.md"), as: UTF8.self)
        let example = String(decoding: try fileSystem.readAll(root + "/Examples/Embedded/main.swift"), as: UTF8.self)
        #expect(readme.contains("```swift\n\(example)```\n"))
    }

    /// The program of the README, as it was built.
    @Test func exampleRuns() throws {
        let directory = TemporaryDirectory()
        let output = directory.path + ".out"
        let fileSystem = POSIXFileSystem()
        defer { try? fileSystem.remove(output) }
        let folder = executablePath().split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let example = try ChildProcess.start(
            "\(folder)/EmbeddedExample", [directory.path], outputPath: output, detached: false)
        let pause = Monitor(())
        let deadline = monotonicNanoseconds() + 30_000_000_000
        while example.isRunning, monotonicNanoseconds() < deadline {
            let _: Void? = pause.wait(untilNanoseconds: monotonicNanoseconds() + 5_000_000) { _ in nil }
        }
        let lines = String(decoding: try fileSystem.readAll(output), as: UTF8.self).split(separator: "\n")
        #expect(lines == ["Ada knows Charles since 1833", "Ada KNOWS Charles", "Mary TAUGHT Ada", "last transaction: 2"])
    }
}
