package import GraphModel
internal import FileSystem

extension TransactionLog {
    /// The first transaction that the log still holds.
    package var firstAvailable: TransactionID { state.withLock { $0.files[0].firstTransactionID } }

    /// The position of a transaction; nil when the log no longer holds it, or does not hold it yet.
    package func position(of transactionID: TransactionID) throws(GraphError) -> LogPosition? {
        try state.withLock { state throws(GraphError) -> LogPosition? in
            if transactionID == state.last.transactionID { return state.last }
            if let first = state.tail.first, transactionID >= first.position.transactionID {
                guard transactionID <= state.last.transactionID else { return nil }
                let index = Int(transactionID.rawValue - first.position.transactionID.rawValue)
                return state.tail[state.tail.startIndex + index].position
            }
            guard
                let index = state.files.lastIndex(where: { $0.before.transactionID <= transactionID }),
                transactionID <= state.durable.transactionID
            else { return nil }
            try Self.loadOffsets(&state.files[index])
            return try Self.position(in: state.files[index], of: transactionID)
        }
    }

    /// Entries after `transactionID`, at least one when there is one, at most about `maximumByteCount` together.
    /// nil when the log no longer reaches back so far.
    package func records(after transactionID: TransactionID, maximumByteCount: Int) throws(GraphError) -> [LogRecord]? {
        try state.withLock { state throws(GraphError) -> [LogRecord]? in
            let wanted = transactionID.next
            guard wanted >= state.files[0].firstTransactionID else { return nil }
            var records: [LogRecord] = []
            var byteCount = 0
            if let first = state.tail.first, wanted >= first.position.transactionID {
                var index = state.tail.startIndex + Int(wanted.rawValue - first.position.transactionID.rawValue)
                while index < state.tail.endIndex, records.isEmpty || byteCount < maximumByteCount {
                    records.append(state.tail[index])
                    byteCount += state.tail[index].bytes.count
                    index += 1
                }
                return records
            }
            guard wanted <= state.durable.transactionID else { return [] }
            guard let fileIndex = state.files.lastIndex(where: { $0.before.transactionID < wanted }) else { return nil }
            try Self.loadOffsets(&state.files[fileIndex])
            let file = state.files[fileIndex]
            let offsets = file.offsets ?? []
            var index = Int(wanted.rawValue - file.firstTransactionID.rawValue)
            while index < offsets.count, records.isEmpty || byteCount < maximumByteCount {
                let end = index + 1 < offsets.count ? offsets[index + 1] : file.endOffset
                records.append(try Self.readRecord(file, from: offsets[index], to: end))
                byteCount += Int(end - offsets[index])
                index += 1
            }
            return records
        }
    }

    /// Scans a file that was not needed so far.
    static func loadOffsets(_ file: inout LogFile) throws(GraphError) {
        guard file.offsets == nil else { return }
        let allocated = file.allocatedByteCount
        let (_, damage) = try file.scan { _, _ throws(GraphError) in }
        file.allocatedByteCount = allocated
        if let damage {
            throw GraphError(.corrupt, "\(file.path): damaged at offset \(damage.offset): \(damage.detail)")
        }
    }

    static func position(in file: LogFile, of transactionID: TransactionID) throws(GraphError) -> LogPosition? {
        if transactionID == file.before.transactionID { return file.before }
        guard let offsets = file.offsets, transactionID > file.before.transactionID else { return nil }
        let index = Int(transactionID.rawValue - file.firstTransactionID.rawValue)
        guard index < offsets.count else { return nil }
        let end = index + 1 < offsets.count ? offsets[index + 1] : file.endOffset
        return try readRecord(file, from: offsets[index], to: end).position
    }

    private static func readRecord(_ file: LogFile, from start: UInt64, to end: UInt64) throws(GraphError) -> LogRecord {
        do {
            var bytes = [UInt8](repeating: 0, count: Int(end - start))
            let count = try file.file.read(at: start, into: &bytes)
            bytes.removeLast(bytes.count - count)
            return try LogRecord(verifying: bytes)
        } catch let error as FileError {
            throw GraphError(error)
        } catch {
            throw GraphError(.corrupt, "\(file.path): damaged at offset \(start): \(error)")
        }
    }

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

    /// Removes the oldest files that a checkpoint at `checkpoint` made superfluous, beyond the retention limit.
    package func prune(upTo checkpoint: TransactionID) throws(GraphError) {
        let paths = state.withLock { state -> [String] in
            let checkpoint = min(checkpoint, state.pins.values.min() ?? checkpoint)
            var superfluous = 0
            while superfluous + 1 < state.files.count, state.files[superfluous + 1].before.transactionID <= checkpoint {
                superfluous += 1
            }
            var byteCount = state.files[..<superfluous].reduce(0) { $0 + $1.allocatedByteCount }
            var paths: [String] = []
            while superfluous > 0, byteCount > options.retainedByteCount {
                byteCount -= state.files[0].allocatedByteCount
                paths.append(state.files.removeFirst().path)
                superfluous -= 1
            }
            return paths
        }
        do throws(FileError) {
            for path in paths { try fileSystem.remove(path) }
            if !paths.isEmpty { try fileSystem.syncDirectory(directory) }
        } catch {
            throw GraphError(error)
        }
    }
}
