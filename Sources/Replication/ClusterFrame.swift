public import Coordination
public import FileSystem
public import GraphModel

/// Everything that travels between the processes of a cluster, told apart by the first byte.
public enum ClusterFrame: Sendable {
    /// `version`: of the protocol, as the receiver reads it.
    case member(ReplicationMessage, from: MemberID, version: UInt8 = ReplicationMessage.protocolVersion)
    case registerReply(RegisterReply)
    /// Between coordinators, with the sender's address.
    case raft(RaftMessage, from: String)
    /// To a coordinator, with the address to answer.
    case registerRequest(RegisterRequest, from: String)

    /// Of the messages between coordinators; others are refused.
    static let raftVersion: UInt8 = 2

    public func encode() -> [UInt8] {
        var writer = ByteWriter(reservingByteCount: 128)
        switch self {
        case .member(let message, let sender, let version):
            writer.write(UInt8(1))
            message.encode(from: sender, version: version, into: &writer)
        case .registerReply(let reply):
            writer.write(UInt8(2))
            reply.encode(into: &writer)
        case .raft(let message, let sender):
            writer.write(UInt8(3))
            writer.write(Self.raftVersion)
            writer.write(string: sender)
            message.encode(into: &writer)
        case .registerRequest(let request, let sender):
            writer.write(UInt8(4))
            writer.write(string: sender)
            request.encode(into: &writer)
        }
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        let tag: UInt8 = try reader.read()
        switch tag {
        case 1:
            let (sender, version, message) = try ReplicationMessage.decode(&reader)
            self = .member(message, from: sender, version: version)
        case 2: self = .registerReply(try RegisterReply(&reader))
        case 3:
            let version: UInt8 = try reader.read()
            guard version == Self.raftVersion else {
                throw MalformedBytes(
                    offset: 1, detail: "expected version \(Self.raftVersion) of messages between coordinators, found \(version)")
            }
            let sender = try reader.readString()
            self = .raft(try RaftMessage(&reader), from: sender)
        case 4:
            let sender = try reader.readString()
            self = .registerRequest(try RegisterRequest(&reader), from: sender)
        default: throw MalformedBytes(offset: 0, detail: "\(tag) is no kind of frame")
        }
        guard reader.isAtEnd else {
            throw MalformedBytes(offset: reader.offset, detail: "\(reader.remainingByteCount) bytes after the message")
        }
    }
}
