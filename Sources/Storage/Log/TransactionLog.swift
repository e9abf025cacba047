internal import FileSystem
package import GraphModel
internal import Synchronization

/// The transaction log: the truth of a store. Appends are ordered by the caller; one thread writes and syncs them in
/// groups, so that one `fdatasync` serves every transaction that waits.
///
/// Durability: none before `onDurable` names a position at or after the entry's. After a failed write or sync the log
/// takes no more entries (``failure``): what a disk did with a failed sync cannot be known.
package final class TransactionLog: Sendable {
    package struct Options: Sendable {
        /// A new file is begun when the current one has reached this length.
        package var rotationByteCount: UInt64 = 64 << 20
        /// Files grow by preallocation in steps of this length.
        package var preallocationByteCount: UInt64 = 4 << 20
        /// Entries kept in memory for slaves that follow closely.
        package var tailByteCountMaximum = 32 << 20
        /// How long files stay that recovery does not need.
        package var retention = LogRetention.bytes(512 << 20)
        /// Whether a batch is on disk before it is reported as durable.
        package var syncs = true
        package init() {}
    }

    struct State {
        var files: [LogFile]
        /// Position of the last entry appended, durable or not.
        var last: LogPosition
        var durable: LogPosition
        var pending: [LogRecord] = []
        /// The latest entries, for readers that keep up.
        var tail = ReleasingQueue<LogRecord>()
        var tailByteCount = 0
        var isWriting = false
        var isStopping = false
        var failure: GraphError?
        var syncCount: UInt64 = 0
        /// Transactions after which nothing may be pruned yet.
        var pins: [UInt64: TransactionID] = [:]
        var nextPin: UInt64 = 0
    }

    let directory: String
    let fileSystem: any FileSystem
    let storeID: StoreID
    let options: Options
    let state: Monitor<State>
    private let onDurable: @Sendable (LogPosition) -> Void
    private let onFailure: @Sendable (GraphError) -> Void
    private let thread = Mutex<DedicatedThread?>(nil)

    init(
        directory: String, fileSystem: any FileSystem, storeID: StoreID, options: Options, files: [LogFile],
        last: LogPosition, onDurable: @escaping @Sendable (LogPosition) -> Void,
        onFailure: @escaping @Sendable (GraphError) -> Void
    ) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.storeID = storeID
        self.options = options
        self.onDurable = onDurable
        self.onFailure = onFailure
        state = Monitor(State(files: files, last: last, durable: last))
    }

    package var last: LogPosition { state.withLock { $0.last } }
    package var durable: LogPosition { state.withLock { $0.durable } }
    package var failure: GraphError? { state.withLock { $0.failure } }
    /// Number of group syncs so far; for metrics and tests of group commit.
    package var syncCount: UInt64 { state.withLock { $0.syncCount } }

    /// Starts the log thread. Without it the owner calls ``flush()`` itself (tests on a simulated disk).
    package func startThread() {
        let thread = DedicatedThread(name: "martlet-log") { [self] in
            while let batch = state.wait({ state -> [LogRecord]? in
                if state.isWriting { return nil }
                if state.pending.isEmpty { return state.isStopping || state.failure != nil ? [] : nil }
                return Self.takeBatch(&state)
            }) {
                if batch.isEmpty { return }
                write(batch)
            }
        }
        self.thread.withLock { $0 = thread }
    }

    /// Writes what is pending and ends the log thread.
    package func stop() {
        state.withLock { $0.isStopping = true }
        state.signal()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }

    /// Appends entries in order. Each must follow the one before it; durability is reported later. Who does not wake the
    /// log thread calls ``writeHere()`` or ``wakeThread()`` next.
    package func append(_ records: [LogRecord], wakesThread: Bool = true) throws(GraphError) {
        try state.withLock { state throws(GraphError) in
            if let failure = state.failure { throw failure }
            for record in records {
                guard record.previousChecksum == state.last.checksum,
                    record.position.transactionID == state.last.transactionID.next
                else {
                    throw GraphError(.general, "\(record) does not follow \(state.last) in \(directory)")
                }
                state.last = record.position
                state.pending.append(record)
                state.tail.append(record)
                state.tailByteCount += record.bytes.count
            }
            shortenTail(&state)
        }
        if wakesThread { state.signal() }
    }

    /// Has the log thread write what is pending.
    package func wakeThread() { state.signal() }

    /// Writes and syncs what is pending on the caller's thread, unless somebody is writing already, who then sees to it
    /// that the log thread does. For a committer that has nothing else to do: it saves two changes of thread, which
    /// together cost as much as the sync.
    package func writeHere() {
        let batch = state.withLock { state -> [LogRecord] in
            if state.isWriting || state.pending.isEmpty || state.failure != nil { return [] }
            return Self.takeBatch(&state)
        }
        if batch.isEmpty { state.signal() } else { write(batch) }
    }

    /// Lets go of the oldest entries in memory. What is not on disk yet stays: it can be read nowhere else, and a slave that
    /// needs it must not be taken for one that is too far behind.
    private func shortenTail(_ state: inout State) {
        while state.tailByteCount > options.tailByteCountMaximum, let first = state.tail.first,
            first.position.transactionID <= state.durable.transactionID
        {
            state.tailByteCount -= first.bytes.count
            state.tail.removeFirst()
        }
    }

    /// Writes and syncs everything pending on the caller's thread. Only where no log thread runs.
    package func flush() {
        while let batch = state.withLock({ $0.pending.isEmpty ? nil : Self.takeBatch(&$0) }) { write(batch) }
    }

    private static func takeBatch(_ state: inout State) -> [LogRecord] {
        let batch = state.pending
        state.pending = []
        state.isWriting = true
        return batch
    }

    private func write(_ batch: [LogRecord]) {
        guard let end = batch.last?.position else { return }
        do throws(FileError) {
            var current = state.withLock { $0.files[$0.files.count - 1] }
            if current.endOffset >= options.rotationByteCount, let first = batch.first {
                current = try rotate(before: LogPosition(
                    epoch: durable.epoch, transactionID: durable.transactionID, checksum: first.previousChecksum))
            }
            // Shared, they would be copied whole when this batch's are added.
            current.offsets = nil
            var buffer: [UInt8] = []
            buffer.reserveCapacity(batch.reduce(0) { $0 + $1.bytes.count })
            var offsets: [UInt64] = []
            offsets.reserveCapacity(batch.count)
            for record in batch {
                offsets.append(current.endOffset + UInt64(buffer.count))
                buffer.append(contentsOf: record.bytes)
            }
            let newEnd = current.endOffset + UInt64(buffer.count)
            var allocated = current.allocatedByteCount
            if newEnd > allocated {
                // A file that is to stay short takes no more.
                let step = min(options.preallocationByteCount, max(options.rotationByteCount, 4096))
                allocated = (newEnd / step + 1) * step
                try current.file.preallocate(to: allocated)
            }
            do throws(FileError) {
                try current.file.write(buffer, at: current.endOffset)
            } catch {
                // Nothing of this batch is acknowledged; take it away so that a reopening does not find it either.
                if error.kind != .crashed {
                    _ = try? current.file.truncate(to: current.endOffset)
                    _ = try? current.file.sync()
                }
                throw error
            }
            if options.syncs { try current.file.sync() }
            state.withLock { state in
                let index = state.files.count - 1
                state.files[index].offsets?.append(contentsOf: offsets)
                state.files[index].endOffset = newEnd
                state.files[index].allocatedByteCount = allocated
                state.durable = end
                state.isWriting = false
                state.syncCount += 1
                shortenTail(&state)
            }
            state.signal()
            onDurable(end)
        } catch {
            let failure = GraphError(
                .storageIO, "the transaction log cannot be written, the database is read-only now: \(error)")
            state.withLock { state in
                state.failure = failure
                state.isWriting = false
            }
            state.signal()
            onFailure(failure)
        }
    }

    private func rotate(before: LogPosition) throws(FileError) -> LogFile {
        let file = try LogFile.create(in: directory, fileSystem, storeID: storeID, before: before)
        state.withLock { $0.files.append(file) }
        return file
    }

    /// Takes away every entry after `transactionID`, pending ones included. Only never-applied entries may go.
    package func truncate(after transactionID: TransactionID) throws(GraphError) {
        let problem: GraphError? = state.wait { state -> GraphError?? in
            if state.isWriting && state.failure == nil { return nil }
            do throws(GraphError) {
                try self.truncate(&state, after: transactionID)
                return .some(nil)
            } catch {
                return .some(error)
            }
        } ?? nil
        if let problem { throw problem }
    }

    private func truncate(_ state: inout State, after transactionID: TransactionID) throws(GraphError) {
        if let failure = state.failure { throw failure }
        guard transactionID < state.last.transactionID else { return }
        state.pending.removeAll { $0.position.transactionID > transactionID }
        while let record = state.tail.last, record.position.transactionID > transactionID {
            state.tail.removeLast()
            state.tailByteCount -= record.bytes.count
        }
        if let record = state.pending.last {
            state.last = record.position
            return
        }
        do throws(FileError) {
            while state.files.count > 1, let file = state.files.last, file.before.transactionID > transactionID {
                try fileSystem.remove(file.path)
                state.files.removeLast()
            }
            try fileSystem.syncDirectory(directory)
        } catch {
            throw GraphError(error)
        }
        let index = state.files.count - 1
        try Self.loadOffsets(&state.files[index])
        guard let position = try Self.position(in: state.files[index], of: transactionID) else {
            throw GraphError(.general, "cannot truncate the log to \(transactionID): it begins after that")
        }
        let keep = Int(transactionID.rawValue - state.files[index].before.transactionID.rawValue)
        let offsets = state.files[index].offsets ?? []
        if keep < offsets.count {
            let end = offsets[keep]
            do throws(FileError) {
                try state.files[index].file.truncate(to: end)
                try state.files[index].file.sync()
            } catch {
                throw GraphError(error)
            }
            state.files[index].offsets?.removeLast(offsets.count - keep)
            state.files[index].endOffset = end
            state.files[index].allocatedByteCount = end
        }
        state.last = position
        if position.transactionID < state.durable.transactionID { state.durable = position }
    }
}
