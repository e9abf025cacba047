internal import FileSystem
public import GraphModel

/// What the files of a store take on disk, in bytes. Segments hold properties with their nodes and relationships, so there
/// is no figure for properties of one kind.
public struct StoreFileSizes: Sendable, Equatable {
    public var nodes: UInt64 = 0
    public var relationships: UInt64 = 0
    public var indexes: UInt64 = 0
    /// All files of the transaction log.
    public var log: UInt64 = 0
    /// Everything, what is not named above included.
    public var total: UInt64 = 0
}

extension Store {
    /// Asks the file system for the size of every file: for people and monitors, not for each request. Files that a
    /// checkpoint removes meanwhile do not count. Throws `.storageIO` when the directory cannot be read.
    public func fileSizes() throws(GraphError) -> StoreFileSizes {
        var sizes = StoreFileSizes()
        let names: [String]
        do throws(FileError) { names = try fileSystem.list(directory) } catch {
            throw GraphError(.storageIO, "\(directory) cannot be listed: \(error)")
        }
        for name in names {
            guard let byteCount = byteCount(directory + "/" + name) else { continue }
            sizes.total += byteCount
            if LogFile.isLogName(name) {
                sizes.log += byteCount
            } else if Manifest.isSegmentName(name) {
                if name.hasPrefix("nodes.") { sizes.nodes += byteCount }
                if name.hasPrefix("relationships.") { sizes.relationships += byteCount }
                if name.hasPrefix("index.") { sizes.indexes += byteCount }
            }
        }
        return sizes
    }

    private func byteCount(_ path: String) -> UInt64? {
        do throws(FileError) {
            let file = try fileSystem.open(path, .readOnly)
            defer { file.close() }
            return try file.byteCount()
        } catch {
            // A directory, or gone.
            return nil
        }
    }
}
