internal import FileSystem
internal import GraphModel
internal import Storage

/// The directory that a backup becomes, and the one in which it is made, so that an unfinished backup is never taken for
/// a store and one that is there stays whole until the next one is.
///
/// - A new directory is made under another name beside it and renamed at the end.
/// - An empty one may be a mount point, which cannot be replaced and beside which there may be another disk: the backup
///   is made in a directory within it, and its files are moved up at the end, the manifest last.
/// - An incremental backup is made in the same way from a store that shares the files of the one before. Its files are
///   moved up so that the directory is a whole store at every moment: the old log is a beginning of the new one.
/// - With generations each backup is a directory of its own within the directory.
struct BackupDestination {
    enum Kind: Sendable, Equatable {
        case new
        case empty
        case existing
        case generations(keep: Int)
    }

    static let suffix = "incomplete"
    static let workName = "backup." + suffix
    static let replacedSuffix = "replaced"

    let kind: Kind
    let directory: String
    /// Where the backup is to be made.
    let storeDirectory: String
    /// The backup to go on from.
    let previous: String?
    let work: String
    let fileSystem: any FileSystem
    private let lock: any FileLock
    /// Of the store that is to be replaced.
    private let storeLock: (any FileLock)?

    /// Throws `.storageIO` when the directory is not what the kind of backup asks for, `.configuration` when there is
    /// nothing to go on from, `.storeLocked` when another backup is being made there or a server has it open.
    ///
    /// - Parameter keep: so many generations stay; nil for a single backup.
    init(_ path: String, isIncremental: Bool, keep: Int?, _ fileSystem: any FileSystem) throws(GraphError) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard !path.isEmpty else { throw GraphError(.configuration, "-to: the directory is missing") }
        directory = path
        self.fileSystem = fileSystem
        do throws(FileError) {
            if isIncremental && keep == nil { try Self.recoverReplaced(path, fileSystem) }
            let exists = fileSystem.exists(path)
            kind =
                if let keep { .generations(keep: keep) } else if isIncremental { .existing } else { exists ? .empty : .new }
            work = kind == .new ? path + "." + Self.suffix : path + "/" + Self.workName
            storeDirectory = work + "/store"
            try Self.require(kind, path, fileSystem)
            if keep != nil { try fileSystem.createDirectory(path) }
        } catch {
            throw GraphError(error)
        }
        previous = isIncremental ? try Self.latest(kind, path, fileSystem) : nil
        do throws(FileError) {
            try fileSystem.createDirectory(work)
            lock = try fileSystem.lock(work + "/lock")
            // Another backup may have ended between the look and the lock.
            if kind == .new && fileSystem.exists(path) { try Self.require(.empty, path, fileSystem) }
            try Self.require(kind, path, fileSystem)
            storeLock = kind == .existing ? try fileSystem.lock(path + "/" + Store.lockName) : nil
        } catch {
            guard error.kind == .locked else { throw GraphError(error) }
            throw GraphError(
                .storeLocked,
                error.path.hasSuffix(Store.lockName)
                    ? "\(path) is in use by a server or a check: stop it, or name another directory"
                    : "another backup into \(path) is under way (\(error.path) is locked)")
        }
        try removeFiles(in: work + "/" + Self.expiredName)
    }

    /// Throws when the directory holds what it must not.
    private static func require(_ kind: Kind, _ path: String, _ fileSystem: any FileSystem) throws(FileError) {
        guard kind != .existing, fileSystem.exists(path) else { return }
        let mayHoldGenerations = kind != .empty && kind != .new
        let stranger = try fileSystem.list(path).first {
            $0 != workName && !(mayHoldGenerations && BackupGeneration.isName($0))
        }
        guard let stranger else { return }
        let advice =
            mayHoldGenerations ? "with --keep name a directory for generations alone"
            : BackupGeneration.isName(stranger) ? "it holds generations of backups, say --keep"
            : "name an empty or a new one"
        throw FileError(
            .exists, operation: "back up to", path: path, detail: "the directory is not empty (\(stranger)); \(advice)")
    }

    private static func latest(_ kind: Kind, _ path: String, _ fileSystem: any FileSystem) throws(GraphError) -> String {
        if case .generations = kind {
            if let name = try BackupGeneration.list(path, fileSystem).last { return path + "/" + name }
        } else if Store.exists(path, fileSystem: fileSystem) {
            return path
        } else if fileSystem.exists(path), try !BackupGeneration.list(path, fileSystem).isEmpty {
            throw GraphError(.configuration, "\(path) holds generations of backups: say --keep with -incremental, too")
        }
        throw GraphError(
            .configuration, "\(path) holds no backup that an incremental one could go on from: begin with -full")
    }

    /// Makes the staged store from the one before, sharing its files.
    func stagePrevious() throws(GraphError) {
        guard let previous else { return }
        try clear()
        try Store.share(previous, as: storeDirectory, fileSystem: fileSystem)
    }

    /// Takes away what was made so far, for another try.
    func clear() throws(GraphError) { try removeFiles(in: storeDirectory) }

    private static let expiredName = "expired"

    private func removeFiles(in directory: String) throws(GraphError) {
        do throws(FileError) {
            guard fileSystem.exists(directory) else { return }
            for name in try fileSystem.list(directory) where Store.isOwn(name) || name.hasPrefix(BackupListing.fileName) {
                try fileSystem.remove(directory + "/" + name)
            }
            try fileSystem.remove(directory)
        } catch {
            throw GraphError(error)
        }
    }

    // MARK: The end

    /// Gives the finished backup its name, and returns where it is.
    ///
    /// - Parameters:
    ///   - isFull: whether it has nothing of the one before.
    ///   - time: ms since 1970.
    func publish(isFull: Bool, time: Int64) throws(GraphError) -> String {
        var result = directory
        do throws(FileError) {
            switch kind {
            case .new:
                try fileSystem.rename(storeDirectory, to: directory)
                try fileSystem.syncDirectory(parentDirectory(directory))
            case .empty: try moveFilesUp()
            case .existing where isFull: try exchange()
            case .existing:
                try moveFilesUp()
                try removeObsolete()
            case .generations:
                result = directory + "/" + BackupGeneration.name(after: try lastGeneration(), time: time)
                try fileSystem.rename(storeDirectory, to: result)
                try fileSystem.syncDirectory(directory)
            }
        } catch {
            throw GraphError(error)
        }
        if case .generations(let keep) = kind { try expire(keep) }
        do throws(FileError) { try removeWork() } catch { throw GraphError(error) }
        return result
    }

    /// Segments and log first, which the old manifest either does not name or takes for the same store further on.
    private func moveFilesUp() throws(FileError) {
        let names = try fileSystem.list(storeDirectory).filter { Store.isContent($0) && $0 != Store.manifestName }
        let listing = directory + "/" + BackupListing.fileName
        // What it says is over with the first file.
        if fileSystem.exists(listing) {
            try fileSystem.remove(listing)
            try fileSystem.syncDirectory(directory)
        }
        for name in names { try moveUp(name) }
        try fileSystem.syncDirectory(directory)
        try moveUp(Store.manifestName)
        try fileSystem.syncDirectory(directory)
        try moveUp(BackupListing.fileName)
        try fileSystem.syncDirectory(directory)
    }

    private func moveUp(_ name: String) throws(FileError) {
        let source = storeDirectory + "/" + name
        try fileSystem.rename(source, to: directory + "/" + name)
        // Two names of one file: renaming does nothing then.
        if fileSystem.exists(source) { try fileSystem.remove(source) }
    }

    /// Removes what the store had before a checkpoint and has no more.
    private func removeObsolete() throws(FileError) {
        let listing: BackupListing?
        do throws(GraphError) { listing = try BackupListing.read(directory, fileSystem: fileSystem) } catch {
            throw FileError(.other, operation: "read", path: directory, detail: error.message)
        }
        guard let kept = listing.map({ Set($0.files.map(\.name)) }) else { return }
        for name in try fileSystem.list(directory) where Store.isContent(name) && !kept.contains(name) {
            try fileSystem.remove(directory + "/" + name)
        }
        if fileSystem.exists(storeDirectory + "/" + Store.lockName) {
            try fileSystem.remove(storeDirectory + "/" + Store.lockName)
        }
        try fileSystem.remove(storeDirectory)
    }

    /// Puts a full backup in the place of another one. In between the old one is whole under another name.
    private func exchange() throws(FileError) {
        let (aside, replaced) = (directory + "." + Self.suffix, directory + "." + Self.replacedSuffix)
        try fileSystem.rename(work, to: aside)
        do throws(FileError) { try fileSystem.rename(directory, to: replaced) } catch {
            try fileSystem.rename(aside, to: work)
            throw error
        }
        try fileSystem.rename(aside + "/store", to: directory)
        try fileSystem.syncDirectory(parentDirectory(directory))
        try fileSystem.rename(aside, to: work)
        try Self.removeReplaced(directory, fileSystem)
    }

    /// Finishes what ``exchange()`` began when the process ended in the middle of it.
    private static func recoverReplaced(_ path: String, _ fileSystem: any FileSystem) throws(FileError) {
        let replaced = path + "." + replacedSuffix
        guard fileSystem.exists(replaced + "/" + Store.manifestName) else { return }
        if fileSystem.exists(path) { return try removeReplaced(path, fileSystem) }
        try fileSystem.rename(replaced, to: path)
        try fileSystem.syncDirectory(parentDirectory(path))
    }

    private static func removeReplaced(_ path: String, _ fileSystem: any FileSystem) throws(FileError) {
        let replaced = path + "." + replacedSuffix
        for name in try fileSystem.list(replaced) where Store.isOwn(name) || name == BackupListing.fileName {
            try fileSystem.remove(replaced + "/" + name)
        }
        // Whatever else somebody put there stays.
        if try fileSystem.list(replaced).isEmpty { try fileSystem.remove(replaced) }
    }

    private func lastGeneration() throws(FileError) -> String? {
        try fileSystem.list(directory).last(where: BackupGeneration.isName)
    }

    private func expire(_ keep: Int) throws(GraphError) {
        for name in try BackupGeneration.list(directory, fileSystem).dropLast(keep) {
            do throws(FileError) {
                // Out of sight first: half a generation must not be taken for one.
                try fileSystem.rename(directory + "/" + name, to: work + "/" + Self.expiredName)
            } catch {
                throw GraphError(error)
            }
            try removeFiles(in: work + "/" + Self.expiredName)
        }
    }

    /// Takes everything away that this backup made.
    func abandon() throws(GraphError) {
        try clear()
        do throws(FileError) { try removeWork() } catch { throw GraphError(error) }
    }

    private func removeWork() throws(FileError) {
        try withExtendedLifetime(lock) { () throws(FileError) in
            if fileSystem.exists(storeDirectory) {
                for name in try fileSystem.list(storeDirectory) { try fileSystem.remove(storeDirectory + "/" + name) }
                try fileSystem.remove(storeDirectory)
            }
            if fileSystem.exists(work + "/lock") { try fileSystem.remove(work + "/lock") }
            if fileSystem.exists(work) { try fileSystem.remove(work) }
        }
    }
}

/// The names of generations, `000012.20261126T091000Z`: in the order in which they were made.
enum BackupGeneration {
    private static let digitCount = 6

    static func isName(_ name: String) -> Bool {
        name.utf8.count > digitCount + 1 && name.utf8.prefix(digitCount).allSatisfy { 0x30...0x39 ~= $0 }
            && name.utf8.dropFirst(digitCount).first == UInt8(ascii: ".")
    }

    static func name(after last: String?, time: Int64) -> String {
        let number = (last.flatMap { Int($0.prefix(digitCount)) } ?? 0) + 1
        let digits = String(number)
        return String(repeating: "0", count: max(0, digitCount - digits.count)) + digits + "."
            + BackupTime.text(time, compact: true)
    }

    /// Oldest first.
    static func list(_ directory: String, _ fileSystem: any FileSystem) throws(GraphError) -> [String] {
        do throws(FileError) {
            return try fileSystem.list(directory).filter {
                isName($0) && Store.exists(directory + "/" + $0, fileSystem: fileSystem)
            }
        } catch {
            throw GraphError(error)
        }
    }
}
