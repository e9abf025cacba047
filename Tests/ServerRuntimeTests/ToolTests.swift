import FileSystem
import GraphModel
import JSON
import RESTServer
import ServerRuntime
import Storage
import Testing

@Suite struct ToolTests {
    private func write(_ path: String, _ text: String) throws {
        try POSIXFileSystem().replace(path, with: Array(text.utf8))
    }

    private func prepare(_ directory: String) throws -> ImportTool.Options {
        try write(directory + "/people.csv", ":ID,name,age:int\n1,Ann,30\n2,Bob,x\n3,Cid,50\n")
        try write(directory + "/knows.csv", ":START_ID,:END_ID,since:int\n1,3,1999\n3,9,2000\n")
        var options = ImportTool.Options()
        options.directory = directory + "/store"
        options.files.nodes = ["Person:Human=" + directory + "/people.csv"]
        options.files.relationships = ["KNOWS=" + directory + "/knows.csv"]
        return options
    }

    @Test func importedStoreIsConsistent() throws {
        try withTemporaryDirectory { directory in
            var options = try prepare(directory)
            options.asJSON = true
            var shown = ""
            var printed = ""
            try ImportTool.run(options, progress: ProgressDisplay(isLive: false) { shown += $0 }) { printed += $0 }
            guard case .map(let statistics) = try JSONParser.parse(Array(printed.utf8)) else {
                Issue.record("no object: \(printed)")
                return
            }
            #expect(statistics["nodes"] == .integer(2))
            #expect(statistics["relationships"] == .integer(1))
            #expect(statistics["bad_rows"] == .integer(2))
            #expect(shown.contains("bad row: \(directory)/people.csv:3: "))
            #expect(shown.contains("bad row: \(directory)/knows.csv:3: no node has the :END_ID \"9\""))
            #expect(shown.contains("nodes: 100 %, 2 rows"))

            var report = ""
            #expect(try CheckTool.run(options.directory, asJSON: true) { report += $0 } == .success)
            guard case .map(let check) = try JSONParser.parse(Array(report.utf8)) else {
                Issue.record("no object: \(report)")
                return
            }
            #expect(check["store_id"] == statistics["store_id"])
            #expect(check["nodes"] == .integer(2))
            #expect(check["consistent"] == .boolean(true))
            report = ""
            #expect(try CheckTool.run(options.directory, asJSON: false) { report += $0 } == .success)
            #expect(report.contains("nodes           2\n"))
            #expect(report.hasSuffix("consistent"))
        }
    }

    @Test func badRowsGoToAFileWhenOneIsNamed() throws {
        try withTemporaryDirectory { directory in
            var options = try prepare(directory)
            options.badRowsPath = directory + "/bad.csv"
            options.memory = "128M"
            var shown = ""
            var printed = ""
            try ImportTool.run(options, progress: ProgressDisplay(isLive: false) { shown += $0 }) { printed += $0 }
            let report = String(decoding: try POSIXFileSystem().readAll(directory + "/bad.csv"), as: UTF8.self)
            #expect(
                report == """
                    file,line,reason
                    "\(directory)/people.csv",3,"column ""age"": ""x"" is no integer"
                    "\(directory)/knows.csv",3,"no node has the :END_ID ""9""\"

                    """)
            #expect(!shown.contains("bad row"))
            #expect(printed.contains("  Person  2\n") && printed.contains("  KNOWS  1\n") && printed.contains(" rows/s"))
        }
    }

    @Test func theLogIsDumpedAsTextAndAsJSON() throws {
        try withTemporaryDirectory { directory in
            var options = LogTool.Options()
            options.directory = directory + "/store"
            do {
                let store = try Store.open(options.directory)
                defer { store.close() }
                let committer = try LocalCommitter(store)
                let transaction = committer.begin()
                _ = try transaction.createNode(labels: ["Person"], properties: [("name", .string("Ann"))])
                try committer.commitAndWait(transaction)
            }
            options.withCommands = true
            var lines: [String] = []
            #expect(try LogTool.dump(options) { lines.append($0) } == .success)
            #expect(lines.last?.hasPrefix("tx ") == true)
            #expect(lines.last?.hasSuffix("  create node 1 :Person {name: \"Ann\"}") == true)
            options.asJSON = true
            lines = []
            #expect(try LogTool.dump(options) { lines.append($0) } == .success)
            guard case .map(let entry) = try JSONParser.parse(Array((lines.last ?? "").utf8)) else {
                Issue.record("no object: \(lines)")
                return
            }
            #expect(entry["kind"] == .string("transaction"))
            guard case .integer(let offset)? = entry["offset"], case .string(let name)? = entry["file"] else {
                Issue.record("no place: \(lines)")
                return
            }
            let path = options.directory + "/" + name.text
            var bytes = try POSIXFileSystem().readAll(path)
            bytes[Int(offset) + 30] ^= 1
            try POSIXFileSystem().replace(path, with: bytes)
            lines = []
            options.asJSON = false
            #expect(try LogTool.dump(options) { lines.append($0) } == .failure)
            #expect(lines.last?.hasPrefix("DAMAGED \(path): offset \(offset): ") == true)
            options.from = 2
            options.to = 1
            #expect(throws: GraphError.self) { try LogTool.dump(options) { _ in } }
        }
    }

    @Test func damageIsFoundAndHasAnExitCode() throws {
        try withTemporaryDirectory { directory in
            let options = try prepare(directory)
            try ImportTool.run(options, progress: ProgressDisplay(isLive: false) { _ in }) { _ in }
            let name = try #require(try POSIXFileSystem().list(options.directory).first { $0.hasSuffix(".seg") })
            let path = options.directory + "/" + name
            var bytes = try POSIXFileSystem().readAll(path)
            bytes[bytes.count / 2] ^= 0x10
            try POSIXFileSystem().replace(path, with: bytes)
            var report = ""
            do {
                let status = try CheckTool.run(options.directory, asJSON: false) { report += $0 }
                #expect(status == .inconsistent)
                #expect(report.contains("problem: "))
            } catch {
                // Damage in a part that opening looks at.
                #expect((error as? GraphError)?.code == .corrupt)
            }
        }
    }

    @Test func toolsRefuseWhatTheyCannotUse() throws {
        try withTemporaryDirectory { directory in
            func failure(_ change: (inout ImportTool.Options) -> Void) throws -> GraphError? {
                var options = try prepare(directory)
                change(&options)
                do throws(GraphError) {
                    try ImportTool.run(options, progress: ProgressDisplay(isLive: false) { _ in }) { _ in }
                } catch { return error }
                return nil
            }
            #expect(try failure { $0.files.nodes = [] }?.code == .configuration)
            #expect(try failure { $0.files.nodes = ["Person="] }?.message == "--nodes Person=: expected FILE, or NAME=FILE, or several files with commas between")
            #expect(try failure { $0.files.relationships = ["A:B=x.csv"] }?.code == .configuration)
            #expect(try failure { $0.files.delimiter = "::" }?.message == "--delimiter ::: expected one ASCII character, TAB, or its number as U+1F")
            #expect(try failure { $0.files.quote = "," }?.code == .configuration)
            #expect(try failure { $0.memory = "1M" }?.message.contains("--max-memory 1M") ?? false)
            #expect(try failure { $0.files.nodes = [directory + "/none.csv"] }?.message.contains("/none.csv") ?? false)
            let empty = directory + "/empty"
            try POSIXFileSystem().createDirectory(empty)
            #expect(throws: GraphError.self) { try CheckTool.run(empty, asJSON: false) { _ in } }
            // Checking must not have made a store of it.
            #expect(try POSIXFileSystem().list(empty).isEmpty)
        }
    }

    @Test func aLiveBarRedrawsAndPlainLinesDoNot() {
        var text = ""
        let live = ProgressDisplay(isLive: true) { text += $0 }
        live.update(stage: "nodes", part: 0.5, rowCount: 1_234_567)
        live.note("bad row: x")
        live.update(stage: "nodes", part: 1, rowCount: 2)
        live.finish()
        #expect(text.hasPrefix("\r\u{1B}[Knodes [###############---------------] 50 %, 1 234 567 rows, 0.0 s\r\u{1B}[Kbad row: x\n"))
        #expect(text.hasSuffix("100 %, 2 rows, 0.0 s\n"))
        text = ""
        let plain = ProgressDisplay(isLive: false) { text += $0 }
        for part in 0...1000 { plain.update(stage: "nodes", part: Double(part) / 1000, rowCount: nil) }
        #expect(text.split(separator: "\n").count == 11)
    }

    @Test func clusterTableNamesWhoIsUnreachableAndSinceWhen() throws {
        let status = try JSONParser.parse(
            Array(
                """
                {"role": "slave", "since": "2026-01-05T10:11:12.345Z", "server_id": 2, "epoch": 3, "last": {"tx": 7},
                 "applied": {"tx": 6}, "lag_ms": 4, "last_update": null,
                 "fetched": {"log_bytes": 815, "copy_bytes": 0}, "version": "1.2.3", "protocol_version": 1,
                 "sync_set": [2, 3],
                 "members": [{"id": 1, "role": "unreachable", "unreachable_since": "2026-01-05T10:11:11.005Z"},
                             {"id": 2, "role": "slave", "unreachable_since": null}]}
                """.utf8))
        let views = [
            ClusterTool.MemberView(httpAddress: "10.0.0.1:7474", id: 1, status: nil, problem: "refused"),
            ClusterTool.MemberView(httpAddress: "10.0.0.2:7474", id: 2, status: status, problem: nil),
        ]
        #expect(
            ClusterTool.table(views) == """
                member  role         since                 HTTP                   epoch  last tx  applied tx  lag ms  in sync set  last update  log bytes  copied bytes  version  protocol
                1       unreachable  2026-01-05T10:11:11Z  http://10.0.0.1:7474/
                2       slave        2026-01-05T10:11:12Z  http://10.0.0.2:7474/  3      7        6           4       yes          -            815        0             1.2.3    1
                """)
        guard case .list(let list) = try JSONParser.parse(Array(ClusterTool.json(views).utf8)), case .map(let down) = list.elements[0]
        else {
            Issue.record("no list")
            return
        }
        #expect(down["server_id"] == .integer(1))
        #expect(down["status"] == .null)
        #expect(down["problem"] == .string("refused"))
    }
}
