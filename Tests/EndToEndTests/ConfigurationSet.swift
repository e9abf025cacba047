import FileSystem
import Glibc
import GraphModel
import ServerRuntime
import Testing

/// A copy of one directory of `cluster-configs`, the files as they are but for their ports, and its processes.
final class ConfigurationSet {
    let directory: String
    /// What stands in for each port of the files.
    private var ports: [Int: Int]
    private var processes: [String: ChildProcess] = [:]

    static var repository: String {
        // Sources of this test lie at Tests/EndToEndTests.
        parentDirectory(parentDirectory(parentDirectory(#filePath)))
    }

    init(_ name: String) throws {
        let source = Self.repository + "/cluster-configs/" + name
        directory = try TestCluster.temporaryDirectory(name)
        let fileSystem = POSIXFileSystem()
        let names = try fileSystem.list(source).filter { $0.hasSuffix(".properties") || $0.hasSuffix(".cfg") }
        var texts: [String: String] = [:]
        for name in names { texts[name] = String(decoding: try fileSystem.readAll("\(source)/\(name)"), as: UTF8.self) }
        var used: Set<Int> = []
        for text in texts.values { _ = Self.exchangingPorts(text) { used.insert($0); return $0 } }
        let exchanged = Dictionary(uniqueKeysWithValues: zip(used.sorted(), try freePorts(used.count)))
        ports = exchanged
        for (name, text) in texts {
            let own = Self.exchangingPorts(text) { exchanged[$0] ?? $0 }
            try fileSystem.replace("\(directory)/\(name)", with: Array(own.utf8))
        }
    }

    /// Passes every number of four digits behind `:`, `=` or a space through a function; comments stay as they are.
    private static func exchangingPorts(_ text: String, _ exchange: (Int) -> Int) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
            if line.hasPrefix("#") || line.contains("maxconn 4") { return String(line) }
            var result = ""
            var rest = line[...]
            while let start = rest.firstIndex(where: \.isNumber) {
                let digits = rest[start...].prefix(while: \.isNumber)
                let before = start == rest.startIndex ? result.last : rest[rest.index(before: start)]
                let after = digits.endIndex == rest.endIndex ? nil : Optional(rest[digits.endIndex])
                result += rest[..<start]
                let isPort = digits.count == 4 && (before.map { ":= ".contains($0) } ?? false) && (after.map { ", ".contains($0) } ?? true)
                result += isPort ? String(exchange(Int(digits) ?? 0)) : String(digits)
                rest = rest[digits.endIndex...]
            }
            return result + rest
        }.joined(separator: "\n")
    }

    /// Writes the file of a further member, with ports of its own.
    func addMember(_ number: Int, like other: Int) throws {
        let fileSystem = POSIXFileSystem()
        var text = String(decoding: try fileSystem.readAll("\(directory)/member\(other).properties"), as: UTF8.self)
        text = text.replacing("ha.server_id=\(other)", with: "ha.server_id=\(number)").replacing("/member\(other)/", with: "/member\(number)/")
        let numbers = [7473, 7490, 6000, 6361]
        for (first, free) in zip(numbers, try freePorts(numbers.count)) {
            ports[first + number] = free
            for mark in ["=", ":"] { text = text.replacing("\(mark)\(port(first + other))\n", with: "\(mark)\(free)\n") }
        }
        try fileSystem.replace("\(directory)/member\(number).properties", with: Array(text.utf8))
    }

    /// The port that stands in for one of the files.
    func port(_ number: Int) -> Int { ports[number] ?? number }
    func httpPort(_ member: Int) -> Int { port(7473 + member) }
    var writePort: Int { port(7480) }
    var readPort: Int { port(7481) }
    var shardedPort: Int { port(7482) }
    func client(_ port: Int) -> BlockingHTTPClient { BlockingHTTPClient(port: port, timeoutSeconds: 10) }

    // MARK: Processes

    func start(_ name: String, _ program: String, _ arguments: [String]) throws {
        processes[name] = try ChildProcess.start(
            program, arguments, outputPath: "\(directory)/\(name).log", detached: false)
    }

    func startMember(_ number: Int) throws {
        try start("member\(number)", TestCluster.program, ["server", "console", "--config", "\(directory)/member\(number).properties"])
    }

    func startCoordinator(_ number: Int) throws {
        try start(
            "coordinator\(number)", TestCluster.program,
            ["coordinator", "console", "--config", "\(directory)/coordinator\(number).properties"])
    }

    func startProxy(_ file: String = "haproxy.cfg") throws {
        try start(file, try #require(findProgram("haproxy"), "HAProxy is not installed"), ["-db", "-f", "\(directory)/\(file)"])
    }

    func signal(_ name: String, _ number: Int32) {
        if let process = processes[name] { _ = kill(process.processID, number) }
    }
    func isRunning(_ name: String) -> Bool { processes[name]?.isRunning ?? false }

    func stop() {
        for name in processes.keys { signal(name, SIGCONT) }
        for (name, process) in processes where name.hasPrefix("member") || name.hasSuffix(".cfg") { process.terminate() }
        for (name, process) in processes where name.hasPrefix("member") || name.hasSuffix(".cfg") {
            try? waitUntil("a process has ended") { !process.isRunning }
        }
        for process in processes.values { process.kill9() }
        removeTree(directory)
    }

    // MARK: What members say

    func status(_ member: Int) -> MapValue? {
        guard let answer = try? BlockingHTTPClient(port: httpPort(member), timeoutSeconds: 2).request("GET", "/hastatus"),
            case .map(let map)? = answer.json
        else { return nil }
        return map
    }

    func isMaster(_ member: Int) -> Bool {
        if case .boolean(true)? = status(member)?["master"] { return true }
        return false
    }

    func master(of members: some Sequence<Int>) throws -> Int {
        var found: Int?
        try waitUntil("a member is master") {
            found = members.first(where: isMaster)
            return found != nil
        }
        return try #require(found)
    }

    /// Members of the sync set, by the one that is asked.
    func syncSet(_ member: Int) -> [Int] {
        guard case .list(let list)? = status(member)?["sync_set"] else { return [] }
        return list.elements.compactMap { if case .integer(let id) = $0 { Int(id) } else { nil } }.sorted()
    }

    /// Starts members and HAProxy, and waits until all count and HAProxy knows who is what.
    func startAll(members: ClosedRange<Int>, coordinators: ClosedRange<Int>?) throws {
        for number in coordinators ?? 1...1 where coordinators != nil { try startCoordinator(number) }
        for number in members { try startMember(number) }
        try startProxy()
        try waitUntil("all members are in the sync set", seconds: 60) {
            syncSet(members.lowerBound) == Array(members) && members.allSatisfy { status($0)?["readable"] == .boolean(true) }
        }
        try waitUntil("writes go to the master") {
            (try? client(writePort).request("GET", "/hastatus").headers["x-ha-role"]) == "master"
        }
        try waitUntil("reads go to slaves") {
            (try? client(readPort).request("GET", "/hastatus").headers["x-ha-role"]) == "slave"
        }
    }
}

extension String {
    /// Replaces every occurrence.
    func replacing(_ part: String, with other: String) -> String {
        var result = ""
        var rest = self[...]
        while let range = rest.firstRange(of: part) {
            result += rest[..<range.lowerBound] + other
            rest = rest[range.upperBound...]
        }
        return result + rest
    }
}
