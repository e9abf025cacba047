public import GraphModel
public import NIOCore
internal import NIOSSL

/// A certificate with its key, in PEM files.
public struct TLSIdentity: Sendable {
    /// The certificate, followed by those between it and the authority, if there are any.
    public let certificatePath: String
    public let keyPath: String

    public init(certificatePath: String, keyPath: String) {
        self.certificatePath = certificatePath
        self.keyPath = keyPath
    }
}

/// TLS on the connections that this process opens.
public struct TLSClient: Sendable {
    private let context: NIOSSLContext

    /// - Parameters:
    ///   - authorityPath: the certificates that servers must have theirs from; nil for those that the system trusts.
    ///   - identity: shown to servers that ask for it.
    /// - Throws: `.configuration` naming the file.
    public init(authorityPath: String?, identity: TLSIdentity?) throws(GraphError) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let authorityPath { configuration.trustRoots = .certificates(try readCertificates(authorityPath)) }
        if let identity {
            let (chain, key) = try identity.read()
            configuration.certificateChain = chain
            configuration.privateKey = key
        }
        context = try makeContext(configuration, identity)
    }

    /// Puts TLS in front of what the channel has so far. The server must have a certificate for this host, be it a name
    /// or an address.
    public func secure(_ channel: any Channel, host: String) throws {
        let isName = (try? SocketAddress(ipAddress: host, port: 0)) == nil
        let handler = try NIOSSLClientHandler(context: context, serverHostname: isName ? host : nil)
        try channel.pipeline.syncOperations.addHandler(handler, position: .first)
    }
}

/// TLS on the connections that this process accepts.
public struct TLSServer: Sendable {
    private let context: NIOSSLContext

    /// For clients that show no certificate.
    /// - Throws: `.configuration` naming the file.
    public init(identity: TLSIdentity) throws(GraphError) {
        let (chain, key) = try identity.read()
        var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: key)
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        context = try makeContext(configuration, identity)
    }

    /// For clients with a certificate only.
    /// - Parameter authorityPath: the certificates that clients must have theirs from.
    /// - Throws: `.configuration` naming the file.
    public init(authorityPath: String, identity: TLSIdentity) throws(GraphError) {
        let (chain, key) = try identity.read()
        // Asks for a certificate and ends the connection without one. Whoever connects has no name to be checked.
        var configuration = TLSConfiguration.makeServerConfigurationWithMTLS(
            certificateChain: chain, privateKey: key,
            trustRoots: .certificates(try readCertificates(authorityPath)))
        configuration.minimumTLSVersion = .tlsv12
        context = try makeContext(configuration, identity)
    }

    /// Puts TLS in front of what the channel has so far.
    public func secure(_ channel: any Channel) throws {
        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context), position: .first)
    }
}

extension TLSIdentity {
    fileprivate func read() throws(GraphError) -> ([NIOSSLCertificateSource], NIOSSLPrivateKeySource) {
        let chain = try readCertificates(certificatePath).map { NIOSSLCertificateSource.certificate($0) }
        do { return (chain, .privateKey(try NIOSSLPrivateKey(file: keyPath, format: .pem))) } catch {
            throw GraphError(.configuration, "\(keyPath): expected a private key in PEM without a passphrase (\(error))")
        }
    }
}

/// TLS between the processes of a cluster: each shows its certificate and wants to see the other's, whoever dials.
public struct PeerSecurity: Sendable {
    public let client: TLSClient
    public let server: TLSServer

    /// - Parameter authorityPath: the certificates that all processes have theirs from. It must be an authority for this
    ///   purpose: whoever has a certificate from it is trusted.
    /// - Throws: `.configuration` naming the file.
    public init(authorityPath: String, identity: TLSIdentity) throws(GraphError) {
        client = try TLSClient(authorityPath: authorityPath, identity: identity)
        server = try TLSServer(authorityPath: authorityPath, identity: identity)
    }
}

/// What TLS has against a peer; nil when the error is another, or only says that the connection ended.
func refusalByTLS(_ error: any Error) -> String? {
    switch error {
    case NIOSSLError.uncleanShutdown: nil
    case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: "\(error)"
    default: nil
    }
}

private func readCertificates(_ path: String) throws(GraphError) -> [NIOSSLCertificate] {
    do {
        let certificates = try NIOSSLCertificate.fromPEMFile(path)
        if !certificates.isEmpty { return certificates }
    } catch {
        throw GraphError(.configuration, "\(path): expected certificates in PEM (\(error))")
    }
    throw GraphError(.configuration, "\(path): expected certificates in PEM, found none")
}

private func makeContext(_ configuration: TLSConfiguration, _ identity: TLSIdentity?) throws(GraphError) -> NIOSSLContext {
    do { return try NIOSSLContext(configuration: configuration) } catch {
        let files = identity.map { "\($0.certificatePath) and \($0.keyPath): " } ?? ""
        throw GraphError(.configuration, "\(files)certificate and key cannot be used together (\(error))")
    }
}
