public import GraphModel
internal import Synchronization

/// A consistent copy of a running store, to be read out at leisure: the files of one manifest, which never change, and
/// the log after it. Pins both while it lives; commits and checkpoints go on meanwhile.
public final class StoreCopySource: Sendable {
    /// One file of the copy.
    public struct FileDescription: Sendable, Equatable {
        public let name: String
        public let byteCount: UInt64
    }

    public let storeID: StoreID
    /// The manifest's bytes; written last by whoever takes the copy.
    public let manifest: [UInt8]
    public let files: [FileDescription]
    /// The last transaction within the segments.
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

    deinit { store.log.unpin(pin) }

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
            throw GraphError(.general, "the log no longer holds what follows \(transactionID)")
        }
        return records.filter { $0.position.transactionID <= end }
    }
}

extension Store {
    /// Begins a copy for a backup or for a member that is new or too far behind.
    public func beginCopy() -> StoreCopySource { StoreCopySource(self) }

    /// Copies that hold the log now, for status and tests.
    package var pinCount: Int { log.pinCount }
}
