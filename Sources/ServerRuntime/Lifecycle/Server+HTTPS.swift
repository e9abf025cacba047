internal import FileSystem
internal import Glibc
internal import GraphModel
internal import RESTServer
internal import Transport

extension Server {
    /// Serves HTTPS beside HTTP, unless that is switched off. What was asked for by name and cannot be had is an error; where
    /// nothing was said, the server goes on without.
    func listenSecurely(_ http: RESTService) async throws(GraphError) {
        guard configuration.value(Settings.secureEnabled) ?? true else { return }
        let isAskedFor =
            configuration.value(Settings.securePort) != nil || configuration.value(Settings.certificate) != nil
            || configuration.value(Settings.certificateKey) != nil
        do throws(GraphError) {
            let identity = try secureIdentity()
            let port = try await http.startSecure(on: portForHTTPS, TLSServer(identity: identity))
            let host = configuration.value(Settings.webAddress) ?? ""
            logger.info("HTTPS listens", metadata: ["address": "\(host):\(port)", "certificate": "\(identity.certificatePath)"])
        } catch {
            if isAskedFor { throw GraphError(error.code, "\(Settings.securePort.name): \(error.message)") }
            logger.warning("no HTTPS: \(error.message); \(Settings.secureEnabled.name)=false says that none is wanted")
        }
    }

    private var portForHTTPS: Int {
        if let port = configuration.value(Settings.securePort) { return port }
        return configuration.value(Settings.webPort) == 0 ? 0 : 7473
    }

    /// The certificate to show: the operator's, or one that is made at the first start and kept.
    private func secureIdentity() throws(GraphError) -> TLSIdentity {
        let named = (configuration.optionalPath(Settings.certificate), configuration.optionalPath(Settings.certificateKey))
        switch named {
        case (let certificate?, let key?): return TLSIdentity(certificatePath: certificate, keyPath: key)
        case (nil, nil): break
        default:
            throw GraphError(
                .configuration, "\(Settings.certificate.name) and \(Settings.certificateKey.name) go together: one of them is missing")
        }
        let directory = parentDirectory(configuration.path(Settings.location)) + "/ssl"
        let identity = TLSIdentity(
            certificatePath: directory + "/snakeoil.cert", keyPath: directory + "/snakeoil.key")
        let fileSystem = POSIXFileSystem()
        if !fileSystem.exists(identity.certificatePath) {
            try SelfSignedCertificate.make(identity, names: namesOfThisServer, fileSystem)
        }
        return identity
    }

    private var namesOfThisServer: [String] {
        var buffer = [CChar](repeating: 0, count: 256)
        var names: [String] = []
        if gethostname(&buffer, buffer.count - 1) == 0 {
            names.append(String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
        }
        if let host = configuration.value(Settings.webAddress), !["0.0.0.0", "::"].contains(host) { names.append(host) }
        return names
    }
}
