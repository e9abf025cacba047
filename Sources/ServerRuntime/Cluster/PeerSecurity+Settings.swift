internal import GraphModel
internal import Transport

extension PeerSecurity {
    /// As configured; nil without `ha.tls`. Throws `.configuration` when a file is missing or not what it should be.
    static func configured(_ configuration: Configuration) throws(GraphError) -> PeerSecurity? {
        guard configuration.value(Settings.peerTLS) ?? false else { return nil }
        for setting in [Settings.peerAuthority, Settings.peerCertificate, Settings.peerKey] {
            _ = try configuration.required(setting, because: "\(Settings.peerTLS.name)=true needs it")
        }
        return try PeerSecurity(
            authorityPath: configuration.path(Settings.peerAuthority),
            identity: TLSIdentity(
                certificatePath: configuration.path(Settings.peerCertificate), keyPath: configuration.path(Settings.peerKey)))
    }
}
