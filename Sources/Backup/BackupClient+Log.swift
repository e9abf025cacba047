internal import FileSystem
internal import GraphModel
internal import Storage
internal import Transport

/// Log entries that came from a member and were applied.
struct CopiedLog {
    var role: BackupRole
    /// Bytes of the entries.
    var byteCount: UInt64
    /// Bytes that went over the network.
    var transferredByteCount: UInt64
    var seconds: Double
}

extension BackupClient {
    /// Bytes of entries after which they are written, applied and, when it is time, merged into the segments.
    private static let batchByteCount = 8 << 20

    /// Asks a member for what follows the end of a store, which nobody else has open, and applies it there. Throws what
    /// the member refuses with: `.logPruned`, `.unavailable` when it is not as far, `.foreignStore` when the histories
    /// have parted.
    static func copyLog(
        from member: HostPort, into store: Store, _ options: Options, progress: (UInt64, UInt64) -> Void
    ) throws(CopyFailure) -> CopiedLog {
        let start = monotonicNanoseconds()
        let connection: BackupConnection
        do throws(GraphError) {
            connection = try BackupConnection.open(
                member, security: options.security, group: group, timeouts: options.timeouts)
        } catch {
            throw CopyFailure(error: error, isLocal: false)
        }
        defer { connection.close() }
        var request = BackupRequest(
            kind: .incremental, clusterName: options.clusterName ?? "", storeID: store.storeID, position: store.applied)
        request.takesPacked = options.compresses
        request.yields = options.yields
        connection.send(request)
        let pace = CopyPace(byteCountPerSecond: options.byteCountPerSecond)
        var receiver = LogReceiver(store)
        while true {
            let before = connection.takenByteCount
            let answer: BackupAnswer
            do throws(GraphError) { answer = try connection.next() } catch {
                throw CopyFailure(error: error, isLocal: false)
            }
            let isAtEnd = try receiver.receive(answer)
            progress(receiver.byteCount, receiver.expectedByteCount)
            if isAtEnd, let role = receiver.role {
                return CopiedLog(
                    role: role, byteCount: receiver.byteCount, transferredByteCount: connection.takenByteCount,
                    seconds: Double(monotonicNanoseconds() - start) / 1e9)
            }
            pace.hold(connection, after: connection.takenByteCount - before)
        }
    }

    /// Takes in the answers of a member to a request for its log.
    private struct LogReceiver {
        private let store: Store
        private let start: TransactionID
        private var target = TransactionID.zero
        private var waitingByteCount = 0
        private(set) var role: BackupRole?
        private(set) var byteCount: UInt64 = 0

        init(_ store: Store) {
            self.store = store
            start = store.applied.transactionID
        }

        /// Going by the transactions that have come and are to come.
        var expectedByteCount: UInt64 {
            let (done, all) = (store.last.transactionID.rawValue - start.rawValue, target.rawValue - min(start, target).rawValue)
            return done == 0 || all <= done ? byteCount : UInt64(Double(byteCount) * Double(all) / Double(done))
        }

        /// Returns whether it was the last answer.
        mutating func receive(_ answer: BackupAnswer) throws(CopyFailure) -> Bool {
            switch answer {
            case .header(let header):
                guard role == nil, header.manifest.isEmpty, header.files.isEmpty, header.base == store.applied,
                    header.storeID == store.storeID
                else { throw unexpected("a header of something else") }
                role = header.role
                target = header.target.transactionID
            case .records(let records): try append(records)
            case .end(let end):
                guard role != nil, end.transactionID >= target else { throw unexpected("an end at \(end)") }
                try apply()
                guard store.applied == end else {
                    throw CopyFailure(
                        error: GraphError(.corrupt, "the log that came ends at \(store.applied), not at \(end)"),
                        isLocal: false)
                }
                return true
            case .refusal, .status, .chunk, .fingerprints: throw unexpected("something else")
            }
            return false
        }

        private mutating func append(_ records: [[UInt8]]) throws(CopyFailure) {
            guard role != nil else { throw unexpected("log entries before the header") }
            var verified: [LogRecord] = []
            for bytes in records {
                do throws(MalformedBytes) { verified.append(try LogRecord(verifying: bytes)) } catch {
                    throw CopyFailure(
                        error: GraphError(.corrupt, "a log entry arrived damaged: \(error)"), isLocal: false)
                }
            }
            var previous = store.last
            for record in verified {
                guard record.previousChecksum == previous.checksum,
                    record.position.transactionID == previous.transactionID.next
                else { throw unexpected("\(record.position) after \(previous)") }
                previous = record.position
            }
            do throws(GraphError) { try store.append(verified) } catch { throw CopyFailure(error: error, isLocal: true) }
            let received = records.reduce(0) { $0 + $1.count }
            byteCount += UInt64(received)
            waitingByteCount += received
            if waitingByteCount >= BackupClient.batchByteCount { try apply() }
        }

        private mutating func apply() throws(CopyFailure) {
            waitingByteCount = 0
            do throws(GraphError) {
                store.flush()
                if let failure = store.failure { throw failure }
                try store.apply(upTo: store.last.transactionID)
                if store.isCheckpointDue { try store.checkpoint() }
            } catch {
                throw CopyFailure(error: error, isLocal: error.code == .storageIO)
            }
        }

        private func unexpected(_ what: String) -> CopyFailure {
            CopyFailure(
                error: GraphError(.network, "the member sends \(what): it does not keep to the protocol"), isLocal: false)
        }
    }
}
