public import Coordination
public import GraphModel
public import Storage

/// What members say to each other. The version of the protocol stands at the head of every frame; a member speaks its own
/// and the one before.
public enum ReplicationMessage: Sendable, Equatable {
    /// Master to slave: entries, the commit point, and the heartbeat that renews the lease.
    case append(Append)
    case appendReply(AppendReply)
    /// Slave to master: the log cannot be followed from here; the answer to an append that needs none.
    ///
    /// `isDiverged`: what the slave has applied is known to be missing here; always false in version 1.
    case storeCopyNeeded(epoch: Epoch, isDiverged: Bool)
    /// Slave to master, from version 2 on: send what there is now. The answer says how far that was.
    case pull(id: UInt64)
    case pullReply(id: UInt64, commitPoint: TransactionID)
    /// Would you agree to an election for this epoch? Changes nothing at the receiver.
    case preVote(epoch: Epoch, revision: UInt64)
    case preVoteReply(epoch: Epoch, agrees: Bool)
    case prepare(epoch: Epoch, revision: UInt64)
    case prepareReply(epoch: Epoch, outcome: PrepareOutcome)
    /// What the sender knows of the register; saves the receiver a question to the coordinators.
    case register(ClusterRegister)
    /// A write set from a slave's client, to be ordered by the master.
    ///
    /// `lockSession`: which of the sender's transactions it is, when that has locks at the master; 0 when it has none, and
    /// always in version 1. `epoch`: whose master the receiver is, as far as the sender knows; nil in version 1.
    case commit(id: UInt64, writeSet: [UInt8], lockSession: UInt64 = 0, epoch: Epoch? = nil)
    case commitReply(id: UInt64, CommitOutcome)
    case reserve(id: UInt64, nodes: UInt32, relationships: UInt32)
    case reserveReply(id: UInt64, ReserveOutcome)
    /// Slave to master, from version 2 on: a transaction of the sender wants a lock.
    case lock(id: UInt64, LockRequest)
    case lockReply(id: UInt64, session: UInt64, LockOutcome)
    /// The transaction has ended: its locks are to be released.
    case unlock(session: UInt64)
    /// Master to slave: are these still transactions of yours? Each one that is not is answered with an unlock: messages
    /// get lost, and processes end without a word.
    case lockCheck(sessions: [UInt64])
    /// Slave to master, from version 2 on: what the sender's graph comes to at an entry that asks for it.
    case graphChecksum(LogPosition, GraphChecksum)
    /// Master to slave: what does your graph come to there? Messages get lost.
    case graphChecksumWanted(LogPosition)

    public struct LockRequest: Sendable, Equatable {
        /// The transaction, among those of the sender's process.
        public var session: UInt64
        /// The transaction holds nothing at the master yet. What is not the first is refused when the master does not know
        /// the others any more.
        public var isFirst: Bool
        public var entity: EntityID
        public var mode: LockMode
        /// Longest time to wait for the lock.
        public var timeout: Milliseconds

        public init(session: UInt64, isFirst: Bool, entity: EntityID, mode: LockMode, timeout: Milliseconds) {
            self.session = session
            self.isFirst = isFirst
            self.entity = entity
            self.mode = mode
            self.timeout = timeout
        }
    }

    public enum LockOutcome: Sendable, Equatable {
        /// The entity is as its last holder left it where this transaction is applied.
        case granted(lastChange: TransactionID)
        case failed(FailureReason, message: String)
    }

    public struct Append: Sendable, Equatable {
        public var epoch: Epoch
        /// Position before the first entry.
        public var previous: LogPosition
        public var records: [LogRecord]
        public var commitPoint: TransactionID
        /// The master's clock when it sent this; comes back in the answer and dates the lease.
        public var sentAt: Instant

        public init(
            epoch: Epoch, previous: LogPosition, records: [LogRecord], commitPoint: TransactionID, sentAt: Instant
        ) {
            self.epoch = epoch
            self.previous = previous
            self.records = records
            self.commitPoint = commitPoint
            self.sentAt = sentAt
        }
    }

    public struct AppendReply: Sendable, Equatable {
        public enum Status: UInt8, Sendable {
            case accepted = 1
            /// The log ends before, or differs at, the position before the entries.
            case mismatch
            /// The sender has promised a newer epoch.
            case stale
            /// The sender is copying a store and takes no entries now.
            case copying
        }
        public var status: Status
        /// The newest epoch that the sender has promised.
        public var promised: Epoch
        /// On disk here and equal to the master's log up to here.
        public var acknowledged: TransactionID
        public var last: LogPosition
        public var applied: LogPosition
        public var sentAt: Instant
        /// The sender asks for entries when it wants them; always false in version 1.
        public var isPolling: Bool

        public init(
            status: Status, promised: Epoch, acknowledged: TransactionID, last: LogPosition, applied: LogPosition,
            sentAt: Instant, isPolling: Bool = false
        ) {
            self.status = status
            self.promised = promised
            self.acknowledged = acknowledged
            self.last = last
            self.applied = applied
            self.sentAt = sentAt
            self.isPolling = isPolling
        }
    }

    public enum PrepareOutcome: Sendable, Equatable {
        /// The sender refuses every older epoch from now on; this is on its disk.
        case promised(durable: LogPosition)
        case refused(promised: Epoch)
    }

    public enum CommitOutcome: Sendable, Equatable {
        case committed(TransactionID, Epoch)
        /// Nothing was applied.
        case failed(FailureReason, message: String, winner: TransactionID?)
    }

    /// The errors that travel between members.
    public enum FailureReason: UInt8, Sendable {
        case conflict = 1
        case noMaster, noQuorum, masterChanged, invalid, outcomeUnknown, unavailable
        // From version 2 on.
        case deadlock, lockTimeout, overloaded
        /// Not a failure: the request is in the log already, in the transaction that is named as winner.
        case requestCommitted

        public init(_ code: ErrorCode) {
            switch code {
            case .conflict: self = .conflict
            case .noMaster: self = .noMaster
            case .noQuorum: self = .noQuorum
            case .masterChanged: self = .masterChanged
            case .outcomeUnknown: self = .outcomeUnknown
            case .unavailable: self = .unavailable
            case .deadlock: self = .deadlock
            case .lockTimeout: self = .lockTimeout
            case .overloaded: self = .overloaded
            case .requestCommitted: self = .requestCommitted
            default: self = .invalid
            }
        }

        public var code: ErrorCode {
            switch self {
            case .conflict: .conflict
            case .noMaster: .noMaster
            case .noQuorum: .noQuorum
            case .masterChanged: .masterChanged
            case .invalid: .invalidRequest
            case .outcomeUnknown: .outcomeUnknown
            case .unavailable: .unavailable
            case .deadlock: .deadlock
            case .lockTimeout: .lockTimeout
            case .overloaded: .overloaded
            case .requestCommitted: .requestCommitted
            }
        }
    }

    public enum ReserveOutcome: Sendable, Equatable {
        case reserved(epoch: Epoch, nodes: Range<UInt64>, relationships: Range<UInt64>)
        case failed(FailureReason, message: String)
    }
}
