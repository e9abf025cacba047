internal import FileSystem
internal import GraphModel
internal import NIOCore
internal import Storage
internal import Synchronization
internal import Transport

/// Produces the frames of one copy, one after the other, so that no more than a few are in memory. Lets go of the store
/// when it is dropped.
///
/// Isolation: ``next()`` reads mapped files and the log, so it blocks; it belongs on the service's own threads.
final class CopyStream: Sendable {
    private enum Stage {
        case header
        case fingerprints
        /// The client is to say which files it has.
        case selection
        case file(Int, offset: UInt64)
        case log(after: TransactionID, end: LogPosition)
        case done
    }

    let source: StoreCopySource
    private let role: BackupRole
    /// Counts against the service's limit for as long as the stream lives.
    private let slot: CopySlots.Slot
    private let stage = Mutex(Stage.header)
    /// Whether the client goes on with a copy that was broken off.
    private let isResumed: Bool
    /// Whether content is packed where that makes it shorter.
    private let packs: Bool
    /// Whether it goes slower while this machine's processors are busy.
    let yields: Bool
    private let selection = Mutex(CopySelection(bits: []))

    /// Bytes of a frame, about: the event loop that moves it serves clients too.
    private static let chunkByteCount = 256 << 10

    init(
        _ source: StoreCopySource, role: BackupRole, slot: CopySlots.Slot, isResumed: Bool = false, packs: Bool = false, yields: Bool = false
    ) {
        self.source = source
        self.yields = yields
        self.isResumed = isResumed
        self.packs = packs
        self.role = role
        self.slot = slot
    }

    /// Whether ``next()`` has to wait for ``select(_:)``.
    var awaitsSelection: Bool {
        stage.withLock { if case .selection = $0 { true } else { false } }
    }

    var isAtEnd: Bool {
        stage.withLock { if case .done = $0 { true } else { false } }
    }

    /// Takes what the client has already; false when nobody asked for it.
    func select(_ selection: CopySelection) -> Bool {
        stage.withLock { stage in
            guard case .selection = stage else { return false }
            self.selection.withLock { $0 = selection }
            stage = .file(0, offset: 0)
            return true
        }
    }

    /// The next frame; nil after the last, and while ``awaitsSelection``.
    func next() throws(GraphError) -> ByteBuffer? {
        try stage.withLock { stage throws(GraphError) in
            switch stage {
            case .header:
                stage = isResumed ? .fingerprints : .file(0, offset: 0)
                return Self.frame(.header(header))
            case .fingerprints:
                stage = .selection
                return Self.frame(.fingerprints(source.fingerprints))
            case .selection: return nil
            case .file(let index, let offset):
                return try nextOfFiles(&stage, index, offset)
            case .log(let position, let end):
                return try nextOfLog(&stage, position, end)
            case .done: return nil
            }
        }
    }

    private var header: CopyHeader {
        CopyHeader(
            storeID: source.storeID, role: role, manifest: source.manifest,
            files: source.files.map { .init(name: $0.name, byteCount: $0.byteCount) }, base: source.basePosition,
            target: source.target)
    }

    private func nextOfFiles(_ stage: inout Stage, _ index: Int, _ offset: UInt64) throws(GraphError) -> ByteBuffer? {
        var index = index
        var offset = offset
        let selection = selection.withLock { $0 }
        while index < source.files.count, offset >= source.files[index].byteCount || selection.skips(index) {
            index += 1
            offset = 0
        }
        guard index < source.files.count else {
            // Now, so that the copy has what was committed while its files were on the way.
            let latest = source.latest
            let end = latest.transactionID < source.target.transactionID ? source.target : latest
            return try nextOfLog(&stage, source.basePosition.transactionID, end)
        }
        let bytes = try source.read(index, from: offset, maximumByteCount: Self.chunkByteCount)
        guard !bytes.isEmpty else {
            throw GraphError(
                .corrupt, "\(source.files[index].name) ends at byte \(offset) of \(source.files[index].byteCount)")
        }
        stage = .file(index, offset: offset + UInt64(bytes.count))
        let header = BackupAnswer.chunkHeader(file: UInt32(index), offset: offset)
        if packs, let packed = BackupAnswer.pack(header + bytes) { return Self.frame(payload: packed) }
        var buffer = ByteBuffer()
        Frame.write(header, bytes, into: &buffer)
        return buffer
    }

    private func nextOfLog(
        _ stage: inout Stage, _ position: TransactionID, _ end: LogPosition
    ) throws(GraphError) -> ByteBuffer? {
        guard position < end.transactionID else {
            stage = .done
            return Self.frame(.end(end))
        }
        let records = try source.records(
            after: position, through: end.transactionID, maximumByteCount: Self.chunkByteCount)
        guard let last = records.last else {
            throw GraphError(.general, "the log ends at \(position), before \(end)")
        }
        stage = .log(after: last.position.transactionID, end: end)
        let payload = BackupAnswer.records(records.map(\.bytes)).encode()
        return Self.frame(payload: packs ? BackupAnswer.pack(payload) ?? payload : payload)
    }

    static func frame(_ answer: BackupAnswer) -> ByteBuffer { frame(payload: answer.encode()) }

    private static func frame(payload: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        Frame.write(payload, into: &buffer)
        return buffer
    }
}

/// How many copies may run at once.
final class CopySlots: Sendable {
    let maximum: Int
    private let taken = Mutex(0)

    init(maximum: Int) { self.maximum = maximum }

    var takenCount: Int { taken.withLock { $0 } }

    /// nil when all are taken.
    func take() -> Slot? {
        let isFree = taken.withLock { taken in
            if taken >= maximum { return false }
            taken += 1
            return true
        }
        return isFree ? Slot(self) : nil
    }

    /// Free again when the last reference goes.
    final class Slot: Sendable {
        private let slots: CopySlots
        fileprivate init(_ slots: CopySlots) { self.slots = slots }
        deinit { slots.taken.withLock { $0 -= 1 } }
    }
}
