public import Coordination
public import FileSystem
public import GraphModel

/// A coordinator with its disk: carries out what ``RaftCore`` decides. Used by one thread at a time; the network is the
/// caller's, so that the simulator and the server drive the same code.
public final class CoordinatorEngine {
    public let address: String
    private let fileSystem: any FileSystem
    private let path: String
    private var core: RaftCore
    private let send: (_ frame: [UInt8], _ address: String) -> Void
    private let note: (NoteLevel, String) -> Void

    /// Opens or creates the coordinator's state file. Throws `.corrupt` when it is damaged: a coordinator that forgot
    /// its vote must not take part.
    ///
    /// - Parameters:
    ///   - seed: random; a coordinator without a state file draws its nonce from it.
    ///   - note: gets one line per event that an operator should know.
    public init(
        address: String, coordinators: [String], path: String, fileSystem: any FileSystem,
        options: RaftCore.Options = RaftCore.Options(), seed: UInt64, now: Instant,
        note: @escaping (NoteLevel, String) -> Void = { _, _ in },
        send: @escaping (_ frame: [UInt8], _ address: String) -> Void
    ) throws(GraphError) {
        self.address = address
        self.path = path
        self.fileSystem = fileSystem
        self.send = send
        self.note = note
        var hard = RaftHardState()
        do {
            try fileSystem.createDirectory(parentDirectory(path))
            if fileSystem.exists(path) {
                hard = try RaftHardState(decoding: try fileSystem.readAll(path))
            } else {
                var generator = SplitMix(seed: seed)
                if !options.countsWithoutState { hard = RaftHardState(newcomer: generator.next()) }
                try fileSystem.replace(path, with: hard.encode())
            }
        } catch let error as FileError {
            throw GraphError(error)
        } catch {
            throw GraphError(.corrupt, "\(path): \(error). Remove it only if the other coordinators are whole")
        }
        core = RaftCore(
            address: address, coordinators: coordinators, hardState: hard, options: options, seed: seed, now: now)
        if hard.nonce != 0 {
            note(.info, "this coordinator has no state: it counts once a leader has brought it up to date, or all of them are new")
        }
    }

    public var nextTickAt: Instant { core.nextTickAt }
    public var isLeader: Bool { core.isLeader }
    public var committed: ClusterRegister { core.committed }
    package var newest: ClusterRegister { core.newest }
    package var isNewcomer: Bool { core.isNewcomer }

    public func tick(now: Instant) throws(GraphError) { try step(.tick, now) }

    /// Takes a frame; what cannot be read or is not for a coordinator is dropped.
    public func receive(_ frame: ClusterFrame, now: Instant) throws(GraphError) {
        switch frame {
        case .raft(let message, let sender): try step(.received(message, from: sender), now)
        case .registerRequest(let request, let client): try step(.request(request, from: client), now)
        case .member, .registerReply: break
        }
    }

    private func step(_ event: RaftCore.Event, _ now: Instant) throws(GraphError) {
        var actions: [RaftCore.Action] = []
        core.step(event, now: now, into: &actions)
        for action in actions {
            switch action {
            case .persist(let hard):
                do throws(FileError) { try fileSystem.replace(path, with: hard.encode()) } catch { throw GraphError(error) }
            case .send(let message, let peer): send(ClusterFrame.raft(message, from: address).encode(), peer)
            case .reply(let reply, let client): send(ClusterFrame.registerReply(reply).encode(), client)
            case .note(let level, let line): note(level, line)
            case .committed(let register):
                let frame = ClusterFrame.registerReply(RegisterReply(id: 0, outcome: .changed(register))).encode()
                for member in register.members { send(frame, member.address) }
            }
        }
    }
}
