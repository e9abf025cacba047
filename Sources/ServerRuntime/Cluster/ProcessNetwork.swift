internal import GraphModel
internal import Replication
internal import Synchronization
internal import Transport

/// Frames of one address of this process: to the outside over TCP, to the other address of the same process directly.
final class ProcessNetwork: FrameNetwork {
    // A struct, not a tuple: a function that is itself part of the state of a mutex is wrapped anew by every access, for
    // good.
    private struct Local {
        let address: String
        let receive: @Sendable ([UInt8]) -> Void
    }
    private let tcp: TCPNetwork
    private let local = Mutex<Local?>(nil)

    init(_ tcp: TCPNetwork) { self.tcp = tcp }

    /// Frames to this address stay in the process.
    func setLocal(_ address: String, receive: @escaping @Sendable ([UInt8]) -> Void) {
        local.withLock { $0 = Local(address: address, receive: receive) }
    }

    func send(_ frame: [UInt8], to address: String) {
        if let target = local.withLock({ $0 }), target.address == address { return target.receive(frame) }
        tcp.send(frame, to: address)
    }
}

extension Configuration {
    /// The address of a setting that must be there in HA mode.
    func requiredAddress(_ setting: Setting<String>) throws(GraphError) -> (text: String, address: HostPort) {
        let text = try required(setting, because: "it is needed with \(Settings.mode.name)=HA")
        guard let address = HostPort(text) else {
            throw GraphError(.configuration, "\(setting.name)=\(text): expected host:port")
        }
        return (text, address)
    }
}
