internal import FileSystem
package import GraphModel

extension TransactionLog {
    /// Keeps everything after a transaction until ``unpin(_:)``; while a copy of the store is being streamed.
    package func pin(after transactionID: TransactionID) -> UInt64 {
        state.withLock { state in
            state.nextPin += 1
            state.pins[state.nextPin] = transactionID
            return state.nextPin
        }
    }

    package func unpin(_ pin: UInt64) { state.withLock { $0.pins[pin] = nil } }

    package var pinCount: Int { state.withLock { $0.pins.count } }

    /// Removes the oldest files that a checkpoint at `checkpoint` made superfluous, as far as retention allows.
    ///
    /// - Parameter now: wall clock, ms since 1970; compared with the entries' own times.
    package func prune(upTo checkpoint: TransactionID, now: Int64) throws(GraphError) {
        let (superfluous, kept) = state.withLock { state in
            let checkpoint = min(checkpoint, state.pins.values.min() ?? checkpoint)
            // The latest file that holds an entry stays, whatever the setting.
            let last = state.files.count - (state.files[state.files.count - 1].isEmpty ? 2 : 1)
            var count = 0
            while count < last, state.files[count + 1].before.transactionID <= checkpoint { count += 1 }
            return (Array(state.files[..<count]), Array(state.files[count...]))
        }
        let count = try removableCount(superfluous, kept, now)
        guard count > 0 else { return }
        let removable = superfluous[..<count].map(\.path)
        do throws(FileError) {
            for path in removable {
                // Files are removed by one checkpoint at a time, so the first is still this one.
                state.withLock { if $0.files[0].path == path { $0.files.removeFirst() } }
                try fileSystem.remove(path)
            }
            try fileSystem.syncDirectory(directory)
        } catch {
            throw GraphError(error)
        }
    }

    /// How many of the oldest files need not be kept.
    private func removableCount(
        _ superfluous: [LogFile], _ kept: [LogFile], _ now: Int64
    ) throws(GraphError) -> Int {
        switch options.retention {
        case .all: return 0
        case .none: return superfluous.count
        case .files(let limit): return min(superfluous.count, max(0, superfluous.count + kept.count - limit))
        case .bytes(let limit):
            var byteCount = superfluous.reduce(0) { $0 + $1.allocatedByteCount }
            return superfluous.firstIndex { file in
                if byteCount <= limit { return true }
                byteCount -= file.allocatedByteCount
                return false
            } ?? superfluous.count
        case .transactions(let limit):
            let last = state.withLock { $0.last.transactionID.rawValue }
            return followers(superfluous, kept).firstIndex { $0.before.transactionID.rawValue + limit > last }
                ?? superfluous.count
        case .age(let limit):
            for (index, follower) in followers(superfluous, kept).enumerated() {
                // A file is as young as its last entry, which is about as old as the first one of the next file.
                guard let time = try follower.firstEntryMilliseconds(), now - time > Int64(limit) else { return index }
            }
            return superfluous.count
        }
    }

    /// For each superfluous file the one after it.
    private func followers(_ superfluous: [LogFile], _ kept: [LogFile]) -> [LogFile] {
        Array((superfluous + kept.prefix(1)).dropFirst())
    }
}

extension LogFile {
    var isEmpty: Bool { endOffset == UInt64(Self.headerByteCount) && (offsets?.isEmpty ?? false) }

    /// The wall-clock time of the first entry, ms since 1970; nil when there is none.
    func firstEntryMilliseconds() throws(GraphError) -> Int64? {
        var bytes = [UInt8](repeating: 0, count: LogEntryHeader.byteCount)
        do throws(FileError) {
            guard try file.read(at: UInt64(Self.headerByteCount), into: &bytes) == bytes.count else { return nil }
        } catch {
            throw GraphError(error)
        }
        return LogEntryHeader.wallClockMilliseconds(ofEntry: bytes)
    }
}
