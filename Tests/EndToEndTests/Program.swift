import FileSystem
import Glibc
import ServerRuntime
import Testing

/// Tests that start real processes. One after the other: they share two processors and measure times.
@Suite(.serialized) enum EndToEnd {}

/// Runs the command line to its end.
enum Program {
    struct Outcome {
        let status: Int32
        let output: String
    }

    static func run(_ arguments: [String]) throws -> Outcome {
        let directory = try TestCluster.temporaryDirectory("output")
        let path = directory + "/out.\(monotonicNanoseconds())"
        let process = try ChildProcess.start(TestCluster.program, arguments, outputPath: path, detached: false)
        var status: Int32 = 0
        waitpid(process.processID, &status, 0)
        let bytes = (try? POSIXFileSystem().readAll(path)) ?? []
        try? POSIXFileSystem().remove(path)
        return Outcome(
            status: status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F), output: String(decoding: bytes, as: UTF8.self))
    }
}
