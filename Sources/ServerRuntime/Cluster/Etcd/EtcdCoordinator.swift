internal import Coordination
internal import EtcdCoordination
internal import FileSystem
internal import GraphModel
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Replication
internal import Synchronization
internal import Transport

/// A coordinator for the member of this process that keeps the register in etcd: ``EtcdRegister`` on an event loop, with
/// its connections. The member asks it like any other coordinator.
final class EtcdCoordinator: Sendable {
    /// Where the member sends its questions. No host and port, so that it cannot leave the process.
    static let address = "etcd"
    /// Questions that may wait for the event loop; beyond it they are dropped, and the member asks again.
    static let waitingFrameCountMaximum = 64

    private let loop: any EventLoop
    private let driver: NIOLoopBound<EtcdDriver>
    private let waitingFrameCount = Atomic<Int>(0)

    /// Throws `.configuration` when settings or their files cannot be used; etcd itself may be away.
    static func make(_ configuration: Configuration, clusterName: String, _ logger: Logger) async throws(GraphError) -> EtcdCoordinator {
        let endpoints = try configuration.required(
            Settings.coordinators, because: "with \(Settings.coordination.name)=etcd it names the client addresses of etcd")
        if let hosted = configuration.value(Settings.coordinator) {
            throw GraphError(
                .configuration,
                "\(Settings.coordinator.name)=\(hosted): with \(Settings.coordination.name)=etcd there are no coordinators of Martlet's own; remove it")
        }
        var options = EtcdRegister.Options()
        let user = configuration.value(Settings.etcdUser)
        let password = configuration.value(Settings.etcdPassword)
        switch (user, password) {
        case (let user?, let password?): options.login = .init(user: user, password: password)
        case (nil, nil): break
        default:
            throw GraphError(
                .configuration, "\(Settings.etcdUser.name) and \(Settings.etcdPassword.name) go together: set both or neither")
        }
        let security = try security(configuration)
        let register = EtcdRegister(
            endpoints: endpoints, clusterName: clusterName, options: options, seed: UInt64.random(in: .min ... .max))
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        logger.info(
            "coordination by etcd",
            metadata: [
                "endpoints": "\(endpoints.joined(separator: ","))", "tls": "\(security != nil)",
                "key": "\(EtcdRegister.keyName(clusterName: clusterName))",
            ])
        let driver: NIOLoopBound<EtcdDriver>
        do {
            driver = try await loop.submit {
                NIOLoopBound(EtcdDriver(register, security, loop) { logger.warning("\($0)") }, eventLoop: loop)
            }.get()
        } catch {
            throw GraphError(.general, "the event loop takes no work: \(error)")
        }
        return EtcdCoordinator(loop, driver)
    }

    private static func security(_ configuration: Configuration) throws(GraphError) -> TLSClient? {
        guard configuration.value(Settings.etcdTLS) ?? false else { return nil }
        let identity: TLSIdentity?
        switch (configuration.optionalPath(Settings.etcdCertificate), configuration.optionalPath(Settings.etcdKey)) {
        case (let certificate?, let key?): identity = TLSIdentity(certificatePath: certificate, keyPath: key)
        case (nil, nil): identity = nil
        default:
            throw GraphError(
                .configuration, "\(Settings.etcdCertificate.name) and \(Settings.etcdKey.name) go together: set both or neither")
        }
        return try TLSClient(authorityPath: configuration.optionalPath(Settings.etcdAuthority), identity: identity)
    }

    private init(_ loop: any EventLoop, _ driver: NIOLoopBound<EtcdDriver>) {
        self.loop = loop
        self.driver = driver
    }

    /// Sets who gets the answers; before that they are dropped.
    func setReceiver(_ receive: @escaping @Sendable (_ frame: [UInt8]) -> Void) {
        loop.execute { self.driver.value.deliver = receive }
    }

    /// Takes a frame from within the process. Never blocks.
    func receive(_ frame: [UInt8]) {
        guard waitingFrameCount.wrappingAdd(1, ordering: .relaxed).newValue <= Self.waitingFrameCountMaximum else {
            waitingFrameCount.wrappingSubtract(1, ordering: .relaxed)
            return
        }
        loop.execute {
            self.waitingFrameCount.wrappingSubtract(1, ordering: .relaxed)
            self.driver.value.receive(frame)
        }
    }

    func close() async {
        _ = try? await loop.submit { self.driver.value.close() }.get()
    }
}

/// Carries out what ``EtcdRegister`` decides. Used on its event loop only.
private final class EtcdDriver {
    private var register: EtcdRegister
    private let security: TLSClient?
    private let loop: any EventLoop
    private let note: (String) -> Void
    private var lanes: [EtcdRegister.Lane: EtcdConnection] = [:]
    private var timer: Scheduled<Void>?
    private var isClosed = false
    var deliver: (([UInt8]) -> Void)?

    init(_ register: EtcdRegister, _ security: TLSClient?, _ loop: any EventLoop, note: @escaping (String) -> Void) {
        self.register = register
        self.security = security
        self.loop = loop
        self.note = note
    }

    func receive(_ frame: [UInt8]) {
        // What cannot be read or is not for a coordinator is dropped.
        guard case .registerRequest(let request, let client)? = try? ClusterFrame(decoding: frame) else { return }
        step(.asked(request, from: client))
    }

    func close() {
        isClosed = true
        timer?.cancel()
        for connection in lanes.values { connection.cut() }
        lanes = [:]
        deliver = nil
    }

    private func step(_ event: EtcdRegister.Event) {
        if isClosed { return }
        var actions: [EtcdRegister.Action] = []
        register.step(event, now: .now, into: &actions)
        for action in actions {
            switch action {
            case .send(let request, let lane): send(request, lane)
            case .cut(let lane): lanes.removeValue(forKey: lane)?.cut()
            case .reply(let reply, _): deliver?(ClusterFrame.registerReply(reply).encode())
            case .note(let line): note(line)
            }
        }
        setTimer()
    }

    private func send(_ request: EtcdRegister.Request, _ lane: EtcdRegister.Lane) {
        if let connection = lanes[lane], connection.endpoint == request.endpoint, connection.isUsable {
            return connection.send(request)
        }
        lanes[lane]?.cut()
        lanes[lane] = EtcdConnection(request, isStreaming: lane == .watch, security: security, loop: loop) { [weak self] id, event in
            self?.queue(id, event)
        }
    }

    /// Not at once: it may come while the actions of another step are carried out.
    private func queue(_ id: UInt64, _ event: EtcdConnection.Event) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.execute {
            switch event {
            case .answered(let status, let body): bound.value.step(.answered(id: id, status: status, body: body))
            case .part(let status, let part): bound.value.step(.watched(id: id, status: status, part: part))
            case .failed(let reason): bound.value.step(.failed(id: id, reason: reason))
            }
        }
    }

    private func setTimer() {
        timer?.cancel()
        timer = nil
        guard let at = register.nextTickAt else { return }
        let now = Instant.now
        let wait = at > now ? Int64(clamping: at.nanoseconds - now.nanoseconds) : 0
        // Timers without a pause would leave the loop no time for its connections.
        let delay = max(TimeAmount.nanoseconds(wait), .milliseconds(1))
        let bound = NIOLoopBound(self, eventLoop: loop)
        timer = loop.scheduleTask(in: delay) { bound.value.step(.tick) }
    }
}
