internal import Coordination
public import FileSystem
public import GraphModel
internal import Storage

// Frame: `UInt8` protocol version, `UInt32` member id of the sender, `UInt8` tag, fields. Little-endian.
extension ReplicationMessage {
    public static let protocolVersion: UInt8 = 2
    /// The oldest version that is still spoken.
    public static let oldestProtocolVersion: UInt8 = 1

    private enum Tag: UInt8 {
        case append = 1
        case appendReply, storeCopyNeeded, preVote, preVoteReply, prepare, prepareReply, register
        case commit, commitReply, reserve, reserveReply
        // From version 2 on.
        case pull, pullReply, lock, lockReply, unlock, lockCheck, graphChecksum, graphChecksumWanted
    }

    /// Writes the frame as a receiver of `version` reads it. What only later versions know is left out.
    public func encode(from sender: MemberID, version: UInt8 = protocolVersion, into writer: inout ByteWriter) {
        writer.write(version)
        writer.write(sender.rawValue)
        func tag(_ tag: Tag) { writer.write(tag.rawValue) }
        switch self {
        case .append(let append):
            tag(.append)
            writer.write(append.epoch.rawValue)
            append.previous.encode(into: &writer)
            writer.write(append.commitPoint.rawValue)
            writer.write(append.sentAt.nanoseconds)
            writer.write(UInt32(append.records.count))
            for record in append.records { writer.write(data: record.bytes) }
        case .appendReply(let reply):
            tag(.appendReply)
            writer.write(reply.status.rawValue)
            writer.write(reply.promised.rawValue)
            writer.write(reply.acknowledged.rawValue)
            reply.last.encode(into: &writer)
            reply.applied.encode(into: &writer)
            writer.write(reply.sentAt.nanoseconds)
            if version >= 2 { writer.write(reply.isPolling) }
        case .storeCopyNeeded(let epoch, let isDiverged):
            tag(.storeCopyNeeded)
            writer.write(epoch.rawValue)
            if version >= 2 { writer.write(isDiverged) }
        case .pull(let id):
            tag(.pull)
            writer.write(id)
        case .pullReply(let id, let commitPoint):
            tag(.pullReply)
            writer.write(id)
            writer.write(commitPoint.rawValue)
        case .preVote(let epoch, let revision):
            tag(.preVote)
            writer.write(epoch.rawValue)
            writer.write(revision)
        case .preVoteReply(let epoch, let agrees):
            tag(.preVoteReply)
            writer.write(epoch.rawValue)
            writer.write(agrees)
        case .prepare(let epoch, let revision):
            tag(.prepare)
            writer.write(epoch.rawValue)
            writer.write(revision)
        case .prepareReply(let epoch, let outcome):
            tag(.prepareReply)
            writer.write(epoch.rawValue)
            switch outcome {
            case .promised(let durable):
                writer.write(true)
                durable.encode(into: &writer)
            case .refused(let promised):
                writer.write(false)
                writer.write(promised.rawValue)
            }
        case .register(let register):
            tag(.register)
            register.encode(into: &writer)
        case .commit(let id, let writeSet, let lockSession, let epoch):
            tag(.commit)
            writer.write(id)
            writer.write(data: writeSet)
            if version >= 2 {
                writer.write(lockSession)
                writer.write(epoch?.rawValue ?? 0)
            }
        case .commitReply(let id, let outcome):
            tag(.commitReply)
            writer.write(id)
            switch outcome {
            case .committed(let transactionID, let epoch):
                writer.write(UInt8(0))
                writer.write(transactionID.rawValue)
                writer.write(epoch.rawValue)
            case .failed(let reason, let message, let winner):
                writer.write(reason.rawValue)
                writer.write(string: message)
                writer.write(winner?.rawValue ?? 0)
            }
        case .reserve(let id, let nodes, let relationships):
            tag(.reserve)
            writer.write(id)
            writer.write(nodes)
            writer.write(relationships)
        case .reserveReply(let id, let outcome):
            tag(.reserveReply)
            writer.write(id)
            switch outcome {
            case .reserved(let epoch, let nodes, let relationships):
                writer.write(UInt8(0))
                writer.write(epoch.rawValue)
                for range in [nodes, relationships] {
                    writer.write(range.lowerBound)
                    writer.write(UInt64(range.count))
                }
            case .failed(let reason, let message):
                writer.write(reason.rawValue)
                writer.write(string: message)
            }
        case .lock(let id, let request):
            tag(.lock)
            writer.write(id)
            request.encode(into: &writer)
        case .lockReply(let id, let session, let outcome):
            tag(.lockReply)
            writer.write(id)
            writer.write(session)
            switch outcome {
            case .granted(let lastChange):
                writer.write(UInt8(0))
                writer.write(lastChange.rawValue)
            case .failed(let reason, let message):
                writer.write(reason.rawValue)
                writer.write(string: message)
            }
        case .unlock(let session):
            tag(.unlock)
            writer.write(session)
        case .lockCheck(let sessions):
            tag(.lockCheck)
            writer.write(UInt32(sessions.count))
            for session in sessions { writer.write(session) }
        case .graphChecksum(let position, let checksum):
            tag(.graphChecksum)
            position.encode(into: &writer)
            writer.write(checksum.value)
        case .graphChecksumWanted(let position):
            tag(.graphChecksumWanted)
            position.encode(into: &writer)
        }
    }

    /// Reads what a peer sent. Entries are verified: length, CRC, chain.
    public static func decode(
        _ reader: inout ByteReader
    ) throws(MalformedBytes) -> (sender: MemberID, version: UInt8, message: ReplicationMessage) {
        let version: UInt8 = try reader.read()
        guard (oldestProtocolVersion...protocolVersion).contains(version) else {
            throw MalformedBytes(
                offset: 0, detail: "protocol version \(version), this member speaks \(oldestProtocolVersion) to \(protocolVersion)")
        }
        let sender = MemberID(try reader.read())
        return (sender, version, try decodeBody(&reader, version))
    }

    private static func decodeBody(_ reader: inout ByteReader, _ version: UInt8) throws(MalformedBytes) -> ReplicationMessage {
        let number: UInt8 = try reader.read()
        guard let tag = Tag(rawValue: number) else {
            throw MalformedBytes(offset: reader.offset - 1, detail: "\(number) is no replication message")
        }
        switch tag {
        case .append:
            var append = Append(
                epoch: Epoch(try reader.read()), previous: try LogPosition(&reader), records: [],
                commitPoint: TransactionID(try reader.read()), sentAt: Instant(nanoseconds: try reader.read()))
            let count = try reader.readCount(minimumByteCountOfElement: 4 + LogEntryHeader.byteCount)
            append.records.reserveCapacity(count)
            for _ in 0..<count { append.records.append(try LogRecord(verifying: try reader.readData())) }
            return .append(append)
        case .appendReply:
            let number: UInt8 = try reader.read()
            guard let status = AppendReply.Status(rawValue: number) else {
                throw MalformedBytes(offset: reader.offset - 1, detail: "\(number) is no status of an answer")
            }
            return .appendReply(
                AppendReply(
                    status: status, promised: Epoch(try reader.read()), acknowledged: TransactionID(try reader.read()),
                    last: try LogPosition(&reader), applied: try LogPosition(&reader),
                    sentAt: Instant(nanoseconds: try reader.read()), isPolling: version >= 2 ? try reader.readBool() : false))
        case .storeCopyNeeded:
            return .storeCopyNeeded(
                epoch: Epoch(try reader.read()), isDiverged: version >= 2 ? try reader.readBool() : false)
        case .pull: return .pull(id: try reader.read())
        case .pullReply: return .pullReply(id: try reader.read(), commitPoint: TransactionID(try reader.read()))
        case .preVote: return .preVote(epoch: Epoch(try reader.read()), revision: try reader.read())
        case .preVoteReply: return .preVoteReply(epoch: Epoch(try reader.read()), agrees: try reader.readBool())
        case .prepare: return .prepare(epoch: Epoch(try reader.read()), revision: try reader.read())
        case .prepareReply:
            let epoch = Epoch(try reader.read())
            return .prepareReply(
                epoch: epoch,
                outcome: try reader.readBool()
                    ? .promised(durable: try LogPosition(&reader)) : .refused(promised: Epoch(try reader.read())))
        case .register: return .register(try ClusterRegister(&reader))
        case .commit:
            let (id, writeSet): (UInt64, [UInt8]) = (try reader.read(), try reader.readData())
            guard version >= 2 else { return .commit(id: id, writeSet: writeSet) }
            let (lockSession, epoch): (UInt64, UInt64) = (try reader.read(), try reader.read())
            return .commit(
                id: id, writeSet: writeSet, lockSession: lockSession, epoch: epoch == 0 ? nil : Epoch(epoch))
        case .commitReply:
            let id: UInt64 = try reader.read()
            guard let reason = try failureReason(&reader) else {
                return .commitReply(id: id, .committed(TransactionID(try reader.read()), Epoch(try reader.read())))
            }
            let message = try reader.readString()
            let winner: UInt64 = try reader.read()
            return .commitReply(
                id: id, .failed(reason, message: message, winner: winner == 0 ? nil : TransactionID(winner)))
        case .reserve:
            return .reserve(id: try reader.read(), nodes: try reader.read(), relationships: try reader.read())
        case .reserveReply:
            let id: UInt64 = try reader.read()
            guard let reason = try failureReason(&reader) else {
                let epoch = Epoch(try reader.read())
                return .reserveReply(
                    id: id, .reserved(epoch: epoch, nodes: try range(&reader), relationships: try range(&reader)))
            }
            return .reserveReply(id: id, .failed(reason, message: try reader.readString()))
        case .lock: return .lock(id: try reader.read(), try LockRequest(&reader))
        case .lockReply:
            let (id, session): (UInt64, UInt64) = (try reader.read(), try reader.read())
            guard let reason = try failureReason(&reader) else {
                return .lockReply(id: id, session: session, .granted(lastChange: TransactionID(try reader.read())))
            }
            return .lockReply(id: id, session: session, .failed(reason, message: try reader.readString()))
        case .unlock: return .unlock(session: try reader.read())
        case .lockCheck:
            var sessions: [UInt64] = []
            for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 8)) { sessions.append(try reader.read()) }
            return .lockCheck(sessions: sessions)
        case .graphChecksum: return .graphChecksum(try LogPosition(&reader), GraphChecksum(try reader.read()))
        case .graphChecksumWanted: return .graphChecksumWanted(try LogPosition(&reader))
        }
    }

    private static func failureReason(_ reader: inout ByteReader) throws(MalformedBytes) -> FailureReason? {
        let number: UInt8 = try reader.read()
        if number == 0 { return nil }
        guard let reason = FailureReason(rawValue: number) else {
            throw MalformedBytes(offset: reader.offset - 1, detail: "\(number) is no reason of a failure")
        }
        return reason
    }

    private static func range(_ reader: inout ByteReader) throws(MalformedBytes) -> Range<UInt64> {
        let start: UInt64 = try reader.read()
        let count: UInt64 = try reader.read()
        guard count <= .max - start else { throw MalformedBytes(offset: reader.offset, detail: "a range of ids overflows") }
        return start..<start + count
    }
}

extension ReplicationMessage.LockRequest {
    fileprivate func encode(into writer: inout ByteWriter) {
        writer.write(session)
        writer.write(isFirst)
        switch entity {
        case .node(let node):
            writer.write(true)
            writer.write(node.rawValue)
        case .relationship(let relationship):
            writer.write(false)
            writer.write(relationship.rawValue)
        }
        writer.write(mode.rawValue)
        writer.write(timeout.rawValue)
    }

    fileprivate init(_ reader: inout ByteReader) throws(MalformedBytes) {
        session = try reader.read()
        isFirst = try reader.readBool()
        entity = try reader.readBool() ? .node(NodeID(try reader.read())) : .relationship(RelationshipID(try reader.read()))
        let number: UInt8 = try reader.read()
        guard let mode = LockMode(rawValue: number) else {
            throw MalformedBytes(offset: reader.offset - 1, detail: "\(number) is no mode of a lock")
        }
        self.mode = mode
        timeout = Milliseconds(try reader.read())
    }
}
