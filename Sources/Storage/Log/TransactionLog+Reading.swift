package import GraphModel
internal import FileSystem

extension TransactionLog {
    /// The first transaction that the log still holds.
    package var firstAvailable: TransactionID { state.withLock { $0.files[0].firstTransactionID } }

    /// The position of a transaction; nil when the log no longer holds it, or does not hold it yet.
    package func position(of transactionID: TransactionID) throws(GraphError) -> LogPosition? {
        enum Place {
            case known(LogPosition?)
            case file(LogFile)
        }
        let place = state.withLock { state -> Place in
            if transactionID == state.last.transactionID { return .known(state.last) }
            if let first = state.tail.first, transactionID >= first.position.transactionID {
                guard transactionID <= state.last.transactionID else { return .known(nil) }
                let index = Int(transactionID.rawValue - first.position.transactionID.rawValue)
                return .known(state.tail[index]?.position)
            }
            guard
                let file = state.files.last(where: { $0.before.transactionID <= transactionID }),
                transactionID <= state.durable.transactionID
            else { return .known(nil) }
            return .file(file)
        }
        switch place {
        case .known(let position): return position
        case .file(let file): return try Self.position(in: try withOffsets(file), of: transactionID)
        }
    }

    /// Entries after `transactionID`, at least one when there is one, at most about `maximumByteCount` together.
    /// nil when the log no longer reaches back so far. Files are read without holding up who appends.
    package func records(after transactionID: TransactionID, maximumByteCount: Int) throws(GraphError) -> [LogRecord]? {
        enum Place {
            case known([LogRecord]?)
            case file(LogFile)
        }
        let wanted = transactionID.next
        let place = state.withLock { state -> Place in
            guard wanted >= state.files[0].firstTransactionID else { return .known(nil) }
            if let first = state.tail.first, wanted >= first.position.transactionID {
                var records: [LogRecord] = []
                var byteCount = 0
                var index = Int(wanted.rawValue - first.position.transactionID.rawValue)
                while records.isEmpty || byteCount < maximumByteCount, let record = state.tail[index] {
                    records.append(record)
                    byteCount += record.bytes.count
                    index += 1
                }
                return .known(records)
            }
            guard wanted <= state.durable.transactionID else { return .known([]) }
            guard let file = state.files.last(where: { $0.before.transactionID < wanted }) else { return .known(nil) }
            return .file(file)
        }
        switch place {
        case .known(let records): return records
        case .file(let file): return try Self.records(in: try withOffsets(file), from: wanted, maximumByteCount)
        }
    }

    private static func records(
        in file: LogFile, from wanted: TransactionID, _ maximumByteCount: Int
    ) throws(GraphError) -> [LogRecord] {
        var records: [LogRecord] = []
        var byteCount = 0
        let offsets = file.offsets ?? []
        var index = Int(wanted.rawValue - file.firstTransactionID.rawValue)
        while index < offsets.count, records.isEmpty || byteCount < maximumByteCount {
            let end = index + 1 < offsets.count ? offsets[index + 1] : file.endOffset
            records.append(try readRecord(file, from: offsets[index], to: end))
            byteCount += Int(end - offsets[index])
            index += 1
        }
        return records
    }

    /// The file with its offsets, which are found now if nobody needed them so far and then kept. Only a file that is no
    /// longer written is without them.
    private func withOffsets(_ file: LogFile) throws(GraphError) -> LogFile {
        if file.offsets != nil { return file }
        var scanned = file
        try Self.loadOffsets(&scanned)
        state.withLock { [scanned] state in
            if let index = state.files.firstIndex(where: { $0.path == scanned.path }), state.files[index].offsets == nil,
                state.files[index].endOffset == file.endOffset
            {
                state.files[index] = scanned
            }
        }
        return scanned
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
}
