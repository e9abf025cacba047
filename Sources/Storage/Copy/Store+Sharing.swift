package import FileSystem
package import GraphModel

extension Store {
    /// Whether a file of this name holds what a store consists of: not its lock, nor what a crash left half-written.
    package static func isContent(_ name: String) -> Bool {
        name == Manifest.fileName || LogFile.isLogName(name) || Manifest.isSegmentName(name)
    }

    /// Makes a directory, which must be empty or not exist, the store that another one is that nobody has open. What
    /// never changes is shared (hard links, copies where the disk has none), so that it costs little; what a store can
    /// append to is the new one's own. The manifest comes last.
    package static func share(
        _ source: String, as target: String, fileSystem: any FileSystem
    ) throws(GraphError) {
        let bytes: [UInt8]
        do throws(FileError) { bytes = try fileSystem.readAll(source + "/" + Manifest.fileName) } catch {
            throw GraphError(error)
        }
        let manifest = try Manifest(decoding: bytes, path: source + "/" + Manifest.fileName)
        do throws(FileError) {
            try fileSystem.createDirectory(target)
            let logs = try fileSystem.list(source).filter(LogFile.isLogName)
            // A crash can leave a last file without a header, which opening removes; then the one before is the last.
            let own = logs.suffix(2)
            for name in manifest.allSegments.map(\.name) + logs.dropLast(own.count) {
                do throws(FileError) {
                    try fileSystem.link(source + "/" + name, as: target + "/" + name)
                } catch {
                    if [.notFound, .noSpace, .io, .exists, .crashed].contains(error.kind) { throw error }
                    try fileSystem.copy(source + "/" + name, to: target + "/" + name)
                }
            }
            for name in own { try fileSystem.copy(source + "/" + name, to: target + "/" + name) }
            try fileSystem.syncDirectory(target)
            try fileSystem.replace(target + "/" + Manifest.fileName, with: bytes)
        } catch {
            throw GraphError(error)
        }
    }
}
