internal import ArgumentParser
internal import FileSystem
internal import Hummingbird
internal import Logging
internal import NIOCore

/// The limit for HTTP: the framework that the server uses, with a handler that answers the same bytes each time.
struct BareHTTPCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bare-http", abstract: "Serve a static JSON body until TERM, at a port chosen by the kernel.")

    @Option(help: "Length of the body.")
    var bytes = 1500

    func run() async throws {
        let body = ByteBuffer(string: "{\"data\": \"" + String(repeating: "x", count: max(0, bytes - 12)) + "\"}")
        let router = Router()
        router.get("/db/data/node/:id") { _, _ in
            Response(status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: body))
        }
        var logger = Logger(label: "bare-http")
        logger.logLevel = .warning
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                StandardStream.output.writeLine("ready http://127.0.0.1:\(channel.localAddress?.port ?? 0)/")
            }, logger: logger)
        try await application.runService()
    }
}
