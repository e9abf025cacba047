internal import FileSystem
internal import GraphModel
internal import Storage

/// The directory that a backup becomes, and the one beside it in which it is made, so that an unfinished backup is never
/// taken for a store.
///
/// A new directory is made under another name beside it and renamed at the end. One that exists may be a mount point,
/// which cannot be replaced and beside which there may be another disk: the backup is made in a directory within it, and
/// its files are moved up at the end, the manifest last.
struct BackupDestination {
    static let suffix = "incomplete"
    private static let workName = "backup." + suffix

    let directory: String
    /// Where the copy is to be made; empty.
    let storeDirectory: String
    private let work: String
    private let exists: Bool
    private let fileSystem: any FileSystem
    private let lock: any FileLock

    /// Throws `.storageIO` when the directory is not empty, `.storeLocked` when another backup is being made there.
    /// Clears away what an interrupted backup left.
    init(_ path: String, _ fileSystem: any FileSystem) throws(GraphError) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard !path.isEmpty else { throw GraphError(.configuration, "-to: the directory is missing") }
        directory = path
        self.fileSystem = fileSystem
        do throws(FileError) {
            exists = fileSystem.exists(path)
            work = exists ? path + "/" + Self.workName : path + "." + Self.suffix
            storeDirectory = work + "/store"
            try Self.requireEmpty(path, exists, fileSystem)
            try fileSystem.createDirectory(work)
            lock = try fileSystem.lock(work + "/lock")
            // Another backup may have ended between the look and the lock.
            try Self.requireEmpty(path, exists, fileSystem)
        } catch {
            if error.kind == .locked {
                throw GraphError(.storeLocked, "another backup into \(path) is under way (\(error.path) is locked)")
            }
            throw GraphError(error)
        }
        try clear()
    }

    private static func requireEmpty(_ path: String, _ exists: Bool, _ fileSystem: any FileSystem) throws(FileError) {
        guard exists || fileSystem.exists(path) else { return }
        if let name = try fileSystem.list(path).first(where: { $0 != workName }) {
            throw FileError(
                .exists, operation: "back up to", path: path,
                detail: "the directory is not empty (\(name)); name an empty or a new one")
        }
    }

    /// Takes away what was copied, for another try.
    func clear() throws(GraphError) {
        do throws(FileError) {
            guard fileSystem.exists(storeDirectory) else { return }
            for name in try fileSystem.list(storeDirectory) where Store.isOwn(name) {
                try fileSystem.remove(storeDirectory + "/" + name)
            }
            try fileSystem.remove(storeDirectory)
        } catch {
            throw GraphError(error)
        }
    }

    /// Gives the finished backup its name.
    func publish() throws(GraphError) {
        do throws(FileError) {
            if exists {
                let names = try fileSystem.list(storeDirectory)
                for name in names where name != Store.manifestName { try moveUp(name) }
                try fileSystem.syncDirectory(directory)
                try moveUp(Store.manifestName)
                try fileSystem.syncDirectory(directory)
                try fileSystem.remove(storeDirectory)
            } else {
                try fileSystem.rename(storeDirectory, to: directory)
                try fileSystem.syncDirectory(parentDirectory(directory))
            }
            try removeWork()
        } catch {
            throw GraphError(error)
        }
    }

    private func moveUp(_ name: String) throws(FileError) {
        try fileSystem.rename(storeDirectory + "/" + name, to: directory + "/" + name)
    }

    /// Takes everything away that this backup made.
    func abandon() throws(GraphError) {
        try clear()
        do throws(FileError) { try removeWork() } catch { throw GraphError(error) }
    }

    private func removeWork() throws(FileError) {
        try withExtendedLifetime(lock) { () throws(FileError) in
            try fileSystem.remove(work + "/lock")
            try fileSystem.remove(work)
        }
    }
}
