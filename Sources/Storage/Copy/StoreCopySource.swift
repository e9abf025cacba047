public import GraphModel
internal import Synchronization

/// A consistent copy of a running store, to be read out at leisure: the files of one manifest, which never change, and
/// the log after it. Pins both while it lives; commits and checkpoints go on meanwhile. What an incremental backup takes
/// is the same without files: the log after one transaction.
public final class StoreCopySource: Sendable {
    /// One file of the copy.
    public struct FileDescription: Sendable, Equatable {
        public let name: String
        public let byteCount: UInt64
    }

    public let storeID: StoreID
    /// The manifest's bytes; written last by whoever takes the copy. Empty when there are no files.
    public let manifest: [UInt8]
    public let files: [FileDescription]
    /// The last transaction within the segments, or that which the log is asked for after.
    public let basePosition: LogPosition
    /// What was applied when the copy began. The copy is consistent from here on.
    public let target: LogPosition
    private let base: Base
    private let segments: [String: SegmentFile]
    private let store: Store
    private let pin: UInt64
    private let verification = Mutex(PartwiseVerification())

    init(_ store: Store) {
        self.store = store
        // Pin first: what the state names afterwards cannot be pruned any more.
        pin = store.log.pin(after: .zero)
        let state = store.state
        base = state.view.base
        storeID = base.manifest.storeID
        manifest = base.manifest.encode()
        files = base.manifest.allSegments.map {
            FileDescription(name: $0.name, byteCount: $0.byteCount)
        }
        segments = Dictionary(uniqueKeysWithValues: base.files.map { ($0.name, $0) })
        basePosition = base.manifest.position
        target = state.position
    }

    private init(logOf store: Store, _ state: AppliedState, after position: LogPosition, pin: UInt64) {
        self.store = store
        self.pin = pin
        base = state.view.base
        storeID = base.manifest.storeID
        manifest = []
        files = []
        segments = [:]
        basePosition = position
        target = state.position
    }

    /// The log after a transaction, which must be in this store's history. Throws `.logPruned` when the log no longer
    /// reaches back so far, `.unavailable` when this store is not as far, `.foreignStore` when it has another transaction
    /// of that number.
    static func log(of store: Store, after position: LogPosition) throws(GraphError) -> StoreCopySource {
        let pin = store.log.pin(after: position.transactionID)
        do throws(GraphError) {
            let state = store.state
            guard position.transactionID <= state.position.transactionID else {
                throw GraphError(
                    .unavailable, "this member has applied \(state.position.transactionID), \(position.transactionID) is in the backup")
            }
            // Memory may know it longer than the files hold what follows it.
            guard store.firstAvailable <= position.transactionID.next,
                let own = try store.position(of: position.transactionID)
            else {
                throw GraphError(
                    .logPruned,
                    "the log begins with \(store.firstAvailable), what follows \(position.transactionID) is gone (keep_logical_logs): take a full backup")
            }
            guard own == position else {
                throw GraphError(
                    .foreignStore,
                    "\(own) here is another transaction than \(position) in the backup: their histories have parted, take a full backup into another directory")
            }
            return StoreCopySource(logOf: store, state, after: position, pin: pin)
        } catch {
            store.log.unpin(pin)
            throw error
        }
    }

    deinit { store.log.unpin(pin) }

    /// Tells each file from others of the same name, in the order of ``files``.
    public var fingerprints: [UInt64] { files.map { segments[$0.name]?.fingerprint ?? 0 } }

    public var byteCount: UInt64 { files.reduce(0) { $0 + $1.byteCount } }

    /// A part of a file. Throws `.corrupt` when the store is known to be damaged, and with the last part of a damaged
    /// section of the file at the latest: a copy must not carry damage on.
    ///
    /// - Complexity: the file is read once when its parts are asked for one after the other; else wholly for each part.
    public func read(_ file: Int, from offset: UInt64, maximumByteCount: Int) throws(GraphError) -> [UInt8] {
        try base.damage.requireNone()
        guard let segment = segments[files[file].name] else { return [] }
        let bytes = segment.bytes
        guard Int(offset) < bytes.count else { return [] }
        let part = Int(offset)..<min(bytes.count, Int(offset) + maximumByteCount)
        do throws(GraphError) {
            try verification.withLock { verification throws(GraphError) in try verification.take(part, of: segment) }
        } catch {
            base.damage.note(error)
            throw error
        }
        return Array(bytes[part])
    }

    /// What is applied by now. Whoever copies asks once the files are through and adds the log up to here, so that the
    /// copy is as of its end, not of its beginning.
    public var latest: LogPosition { store.applied }

    /// Log entries after a transaction, up to ``target``; empty at the end.
    public func records(after transactionID: TransactionID, maximumByteCount: Int) throws(GraphError) -> [LogRecord] {
        try records(after: transactionID, through: target.transactionID, maximumByteCount: maximumByteCount)
    }

    /// Log entries after one transaction up to another, which must be applied; empty at the end.
    public func records(
        after transactionID: TransactionID, through end: TransactionID, maximumByteCount: Int
    ) throws(GraphError) -> [LogRecord] {
        guard transactionID < end else { return [] }
        guard let records = try store.records(after: transactionID, maximumByteCount: maximumByteCount) else {
            throw GraphError(.logPruned, "the log no longer holds what follows \(transactionID): take a full backup")
        }
        return records.filter { $0.position.transactionID <= end }
    }
}

extension Store {
    /// Begins a copy for a backup or for a member that is new or too far behind.
    public func beginCopy() -> StoreCopySource { StoreCopySource(self) }

    /// Begins to read out the log after a transaction, for an incremental backup. Throws `.logPruned`, `.unavailable` or
    /// `.foreignStore` when there is no way from there to what is applied.
    public func beginLogCopy(after position: LogPosition) throws(GraphError) -> StoreCopySource {
        try StoreCopySource.log(of: self, after: position)
    }

    /// Copies that hold the log now, for status and tests.
    package var pinCount: Int { log.pinCount }
}
