import FileSystem
import GraphModel
import ServerRuntime
import Testing

extension EndToEnd {
    /// The files of `cluster-configs` as they are, but for their ports, with the real HAProxy.
    @Suite(.serialized) struct ConfigurationSetTests {
        static var repository: String {
            // Sources of this test lie at Tests/EndToEndTests.
            parentDirectory(parentDirectory(parentDirectory(#filePath)))
        }

        @Test func smallSetServes() async throws {
            let source = Self.repository + "/cluster-configs/small"
            let directory = try TestCluster.temporaryDirectory("small")
            let fileSystem = POSIXFileSystem()
            let names = ["member1.properties", "member2.properties", "member3.properties", "haproxy.cfg"]
            let texts = try names.map { String(decoding: try fileSystem.readAll("\(source)/\($0)"), as: UTF8.self) }
            // Every port of the set, exchanged for a free one.
            let used = [7474, 7475, 7476, 5001, 5002, 5003, 6001, 6002, 6003, 6362, 6363, 6364, 7480, 7481]
            let free = try freePorts(used.count)
            for (name, text) in zip(names, texts) {
                var text = text
                for (old, new) in zip(used, free) {
                    text = text.replacing(":\(old)", with: ":#\(new)").replacing("=\(old)\n", with: "=#\(new)\n")
                }
                try fileSystem.replace("\(directory)/\(name)", with: Array(text.replacing("#", with: "", unlessCommentIn: text).utf8))
            }
            var processes: [ChildProcess] = []
            defer {
                for process in processes { process.terminate() }
                for process in processes { try? waitUntil("a process has ended") { !process.isRunning } }
                removeTree(directory)
            }
            for number in 1...3 {
                processes.append(
                    try ChildProcess.start(
                        TestCluster.program, ["server", "console", "--config", "\(directory)/member\(number).properties"],
                        outputPath: "\(directory)/member\(number).log", detached: false))
            }
            let proxy = try #require(findProgram("haproxy"))
            processes.append(
                try ChildProcess.start(proxy, ["-db", "-f", directory + "/haproxy.cfg"], outputPath: directory + "/haproxy.log", detached: false))
            let writes = BlockingHTTPClient(port: free[12])
            try waitUntil("a write goes through the proxy", seconds: 60) {
                (try? writes.cypher("CREATE (n:Small {name: {name}})", "{\"name\": \"Ada\"}").status) == 200
            }
            let reads = BlockingHTTPClient(port: free[13])
            try waitUntil("the slaves have it") {
                (try? reads.rows("MATCH (n:Small) RETURN n.name")) == [[.string("Ada")]]
            }
            // While a backend knows of nobody yet, its requests go to any member.
            try waitUntil("reads go to slaves") {
                (try? reads.request("GET", "/hastatus").headers["x-ha-role"]) == "slave"
            }
            try waitUntil("writes go to the master") {
                (try? writes.request("GET", "/hastatus").headers["x-ha-role"]) == "master"
            }
        }
    }
}

extension String {
    /// Replaces every occurrence.
    fileprivate func replacing(_ part: String, with other: String) -> String {
        var result = ""
        var rest = self[...]
        while let range = rest.firstRange(of: part) {
            result += rest[..<range.lowerBound] + other
            rest = rest[range.upperBound...]
        }
        return result + rest
    }

    /// Takes the marks away that keep one exchanged port from being exchanged again; comments keep theirs.
    fileprivate func replacing(_ mark: String, with other: String, unlessCommentIn text: String) -> String {
        split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("#") ? String($0) : String($0).replacing(mark, with: other) }.joined(separator: "\n")
    }
}
