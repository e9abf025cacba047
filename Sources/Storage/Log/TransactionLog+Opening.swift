package import FileSystem
package import GraphModel

extension TransactionLog {
    /// What opening found, for the operator.
    package struct Recovery: Sendable {
        /// Entries after the checkpoint, in order.
        package var records: [LogRecord] = []
        /// One line when a torn tail was cut.
        package var note: String?
    }

    /// Creates an empty log that continues after `position`.
    package static func create(
        directory: String, fileSystem: any FileSystem, storeID: StoreID, after position: LogPosition, options: Options,
        onDurable: @escaping @Sendable (LogPosition) -> Void, onFailure: @escaping @Sendable (GraphError) -> Void
    ) throws(GraphError) -> TransactionLog {
        do throws(FileError) {
            let file = try LogFile.create(in: directory, fileSystem, storeID: storeID, before: position)
            return TransactionLog(
                directory: directory, fileSystem: fileSystem, storeID: storeID, options: options, files: [file],
                last: position, onDurable: onDurable, onFailure: onFailure)
        } catch {
            throw GraphError(error)
        }
    }

    /// Opens the log, verifies everything after `checkpoint`, and cuts a torn tail.
    ///
    /// - `tailMayBeCut`: in a cluster an entry's commit point says what a quorum had, not what this disk had synced, so
    ///   a damaged end is cut and the member rejoins as a follower. Alone, an entry that a later entry says was synced
    ///   is corruption, and so is one that a single flipped bit explains: opening refuses.
    package static func open(
        directory: String, fileSystem: any FileSystem, storeID: StoreID, checkpoint: LogPosition, options: Options,
        tailMayBeCut: Bool, onDurable: @escaping @Sendable (LogPosition) -> Void,
        onFailure: @escaping @Sendable (GraphError) -> Void
    ) throws(GraphError) -> (log: TransactionLog, recovery: Recovery) {
        var recovery = Recovery()
        do {
            var files = try openFiles(directory, fileSystem, storeID)
            if files.isEmpty {
                files = [try LogFile.create(in: directory, fileSystem, storeID: storeID, before: checkpoint)]
            }
            guard files[0].before.transactionID <= checkpoint.transactionID else {
                throw GraphError(
                    .corrupt,
                    "\(directory): the log begins with \(files[0].firstTransactionID), but the checkpoint ends at \(checkpoint.transactionID)")
            }
            var index = files.lastIndex { $0.before.transactionID <= checkpoint.transactionID } ?? 0
            var last = files[index].before
            var seenCheckpoint = last.transactionID == checkpoint.transactionID && last.checksum == checkpoint.checksum
            while index < files.count {
                guard files[index].before.checksum == last.checksum,
                    files[index].before.transactionID == last.transactionID
                else {
                    throw GraphError(
                        .corrupt, "\(files[index].path): begins after \(files[index].before), but the file before it ends at \(last)")
                }
                var records: [LogRecord] = []
                let (end, damage) = try files[index].scan { header, bytes in
                    if header.position.transactionID == checkpoint.transactionID {
                        seenCheckpoint = header.position.checksum == checkpoint.checksum
                    }
                    if header.position.transactionID > checkpoint.transactionID {
                        records.append(
                            LogRecord(
                                position: header.position, previousChecksum: header.previousChecksum, bytes: Array(bytes)))
                    }
                }
                recovery.records.append(contentsOf: records)
                last = end
                if let damage {
                    recovery.note = try cut(
                        &files, at: index, damage, tailMayBeCut: tailMayBeCut, fileSystem, checkpoint)
                }
                index += 1
            }
            guard seenCheckpoint else {
                throw GraphError(
                    .corrupt, "\(directory): the log ends at \(last) and does not contain the checkpoint \(checkpoint)")
            }
            let log = TransactionLog(
                directory: directory, fileSystem: fileSystem, storeID: storeID, options: options, files: files,
                last: last, onDurable: onDurable, onFailure: onFailure)
            return (log, recovery)
        } catch let error as GraphError {
            throw error
        } catch let error as FileError {
            throw GraphError(error)
        } catch {
            throw GraphError(.general, "\(error)")
        }
    }

    private static func openFiles(
        _ directory: String, _ fileSystem: any FileSystem, _ storeID: StoreID
    ) throws -> [LogFile] {
        let names = try fileSystem.list(directory).filter(LogFile.isLogName)
        var files: [LogFile] = []
        for (index, name) in names.enumerated() {
            let path = directory + "/" + name
            switch try LogFile.open(path, fileSystem) {
            case .neverWritten:
                guard index == names.count - 1 else {
                    throw GraphError(.corrupt, "\(path): the header is missing, but later log files exist")
                }
                try fileSystem.remove(path)
                try fileSystem.syncDirectory(directory)
            case .file(let file):
                guard file.storeID == storeID else {
                    throw GraphError(
                        .foreignStore, "\(path): belongs to store \(file.storeID), this store is \(storeID)")
                }
                files.append(file)
            }
        }
        return files
    }

    private static func cut(
        _ files: inout [LogFile], at index: Int, _ damage: LogFile.Damage, tailMayBeCut: Bool,
        _ fileSystem: any FileSystem, _ checkpoint: LogPosition
    ) throws -> String {
        let file = files[index]
        let wasSynced =
            !tailMayBeCut
            && (damage.isFlippedBit || damage.laterCommitPoint.map { $0 >= damage.expected } ?? false)
        guard index == files.count - 1, !wasSynced, damage.expected > checkpoint.transactionID else {
            throw GraphError(
                .corrupt,
                "\(file.path): damaged at offset \(damage.offset) (\(damage.expected)): \(damage.detail); \(damage.isFlippedBit ? "a bit was flipped" : "later entries exist"), so this is not a torn tail. Restore from a backup or copy the store from another member")
        }
        try file.file.truncate(to: damage.offset)
        try file.file.sync()
        files[index].allocatedByteCount = damage.offset
        return "\(file.path): cut at offset \(damage.offset), after the last whole entry (\(damage.detail))"
    }
}
