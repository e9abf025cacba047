package import FileSystem
package import GraphModel

/// Puts a copied store in the place of a member's own, so that a crash at any moment leaves one of them whole:
/// `DIR.copy` is complete before `DIR` moves to `DIR.replaced`, and opening finishes what was begun.
package struct StoreDirectory: Sendable {
    let path: String
    let fileSystem: any FileSystem

    package init(path: String, fileSystem: any FileSystem) {
        self.path = path
        self.fileSystem = fileSystem
    }

    var copyPath: String { path + ".copy" }
    private var replacedPath: String { path + ".replaced" }
    private func isStore(_ directory: String) -> Bool { fileSystem.exists(directory + "/manifest") }

    /// Finishes or clears away an exchange that a crash interrupted.
    package func recover() throws(GraphError) {
        do throws(FileError) {
            if !isStore(path) && isStore(replacedPath) && isStore(copyPath) {
                try discard(path)
                try fileSystem.rename(copyPath, to: path)
                try fileSystem.syncDirectory(parentDirectory(path))
            }
            if isStore(path) { try discard(replacedPath) }
            try discard(copyPath)
        } catch {
            throw GraphError(.storageIO, "\(path): cannot finish an interrupted store copy: \(error)")
        }
    }

    /// Makes way for a new copy.
    package func prepareCopy() throws(GraphError) {
        do throws(FileError) { try discard(copyPath) } catch { throw GraphError(.storageIO, error.description) }
    }

    /// Exchanges the store for the copy. With `keepingAs` the old one stays under that name, else it goes.
    func install(keepingAs name: String?) throws(GraphError) {
        do throws(FileError) {
            let aside = name ?? replacedPath
            if fileSystem.exists(path) {
                if name == nil { try discard(replacedPath) }
                try fileSystem.rename(path, to: aside)
            }
            try fileSystem.rename(copyPath, to: path)
            try fileSystem.syncDirectory(parentDirectory(path))
            if name == nil { try discard(replacedPath) }
        } catch {
            throw GraphError(.storageIO, "\(path): cannot put the copied store in place: \(error)")
        }
    }

    /// Moves a store that cannot be opened out of the way; returns where it is then.
    func setDamagedAside() throws(GraphError) -> String {
        let name = "\(path).damaged-\(wallClockMilliseconds())"
        do throws(FileError) {
            try fileSystem.rename(path, to: name)
            try fileSystem.syncDirectory(parentDirectory(path))
        } catch {
            throw GraphError(error)
        }
        return name
    }

    // MARK: Branched stores

    /// Notes in a store that is about to be set aside what it holds.
    func describeBranch(_ branch: BranchedStore) throws(GraphError) {
        do throws(FileError) {
            try fileSystem.replace(path + "/" + BranchedStore.fileName, with: Array(branch.description.utf8))
        } catch {
            throw GraphError(error)
        }
    }

    /// Removes the stores that were set aside before this one.
    func removeBranches(before branch: BranchedStore) throws(GraphError) {
        for other in try BranchedStore.list(beside: path, fileSystem) where other.time < branch.time {
            do throws(FileError) { try discard(other.directory) } catch { throw GraphError(error) }
        }
    }

    // MARK: Discarding

    /// Bytes that ``removeSome()`` removes at once: a disk that is told of many gigabytes in one go lets nobody else
    /// write for seconds.
    private static let removalByteCount: UInt64 = 32 << 20

    private var discardedPrefix: String { lastPathComponent(of: path) + ".discarded-" }

    /// Takes a directory out of the way, under a name by which ``removeSome()`` finds it.
    private func discard(_ directory: String) throws(FileError) {
        guard fileSystem.exists(directory) else { return }
        var number = wallClockMilliseconds()
        func target() -> String { "\(parentDirectory(path))/\(discardedPrefix)\(number)" }
        while fileSystem.exists(target()) { number += 1 }
        try fileSystem.rename(directory, to: target())
    }

    /// Removes a part of what was discarded, in this run or an earlier one. Returns whether there may be more.
    package func removeSome() throws(FileError) -> Bool {
        let parent = parentDirectory(path)
        guard let name = try fileSystem.list(parent).first(where: { $0.hasPrefix(discardedPrefix) }) else { return false }
        let directory = parent + "/" + name
        var byteCount: UInt64 = 0
        for name in try fileSystem.list(directory) {
            let file = try fileSystem.open(directory + "/" + name, .readOnly)
            byteCount += try file.byteCount()
            file.close()
            try fileSystem.remove(directory + "/" + name)
            if byteCount >= Self.removalByteCount {
                try fileSystem.syncDirectory(directory)
                return true
            }
        }
        try fileSystem.remove(directory)
        return true
    }
}
