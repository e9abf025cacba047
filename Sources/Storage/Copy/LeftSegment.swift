package import FileSystem
package import GraphModel

/// A whole segment that a copy left when it was broken off.
package struct LeftSegment: Sendable {
    package let name: String
    package let byteCount: UInt64
    /// As ``StoreCopySource/fingerprints`` have it.
    package let fingerprint: UInt64
    /// CRC-32C of the file.
    package let checksum: UInt32

    /// The whole segments in a directory, synced. Those that are not whole are left out.
    ///
    /// - Complexity: reads every segment.
    package static func find(
        in directory: String, _ fileSystem: any FileSystem
    ) throws(GraphError) -> [LeftSegment] {
        do throws(FileError) {
            guard fileSystem.exists(directory) else { return [] }
            var found: [LeftSegment] = []
            for name in try fileSystem.list(directory) where Manifest.isSegmentName(name) {
                guard let segment = try? SegmentFile(directory: directory, name: name, fileSystem),
                    (try? segment.verifyBytes()) != nil
                else { continue }
                let file = try fileSystem.open(directory + "/" + name, .readWrite)
                defer { file.close() }
                try file.sync()
                found.append(
                    LeftSegment(
                        name: name, byteCount: UInt64(segment.byteCount), fingerprint: segment.fingerprint,
                        checksum: CRC32C.checksum(segment.bytes)))
            }
            return found
        } catch {
            throw GraphError(error)
        }
    }
}
