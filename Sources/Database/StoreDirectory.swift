internal import FileSystem
internal import GraphModel

/// Puts a copied store in the place of a member's own, so that a crash at any moment leaves one of them whole:
/// `DIR.copy` is complete before `DIR` moves to `DIR.replaced`, and opening finishes what was begun.
struct StoreDirectory {
    let path: String
    let fileSystem: any FileSystem

    var copyPath: String { path + ".copy" }
    private var replacedPath: String { path + ".replaced" }
    private func isStore(_ directory: String) -> Bool { fileSystem.exists(directory + "/manifest") }

    /// Finishes or clears away an exchange that a crash interrupted.
    func recover() throws(GraphError) {
        do throws(FileError) {
            if !isStore(path) && isStore(replacedPath) && isStore(copyPath) {
                try removeTree(path)
                try fileSystem.rename(copyPath, to: path)
                try fileSystem.syncDirectory(parentDirectory(path))
            }
            if isStore(path) { try removeTree(replacedPath) }
            try removeTree(copyPath)
        } catch {
            throw GraphError(.storageIO, "\(path): cannot finish an interrupted store copy: \(error)")
        }
    }

    /// Makes way for a new copy.
    func prepareCopy() throws(GraphError) {
        do throws(FileError) { try removeTree(copyPath) } catch { throw GraphError(.storageIO, error.description) }
    }

    /// Exchanges the store for the copy. With `keepingAs` the old one stays under that name, else it goes.
    func install(keepingAs name: String?) throws(GraphError) {
        do throws(FileError) {
            let aside = name ?? replacedPath
            if fileSystem.exists(path) {
                if name == nil { try removeTree(replacedPath) }
                try fileSystem.rename(path, to: aside)
            }
            try fileSystem.rename(copyPath, to: path)
            try fileSystem.syncDirectory(parentDirectory(path))
            if name == nil { try removeTree(replacedPath) }
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
            do throws(FileError) { try removeTree(other.directory) } catch { throw GraphError(error) }
        }
    }

    private func removeTree(_ directory: String) throws(FileError) {
        guard fileSystem.exists(directory) else { return }
        for name in try fileSystem.list(directory) { try fileSystem.remove(directory + "/" + name) }
        try fileSystem.remove(directory)
    }
}
