internal import FileSystem
internal import GraphModel

/// Verifies a segment while its bytes are handed out one part after the other, so that a large one is read once, and at
/// the pace of whoever takes it.
struct PartwiseVerification {
    private var segment: SegmentFile?
    /// Up to here the segment's bytes have been seen.
    private var position = 0
    /// Of each section, as far as it has been seen.
    private var checksums: [UInt32] = []

    /// Takes note of a part. Throws `.corrupt` with the part that completes a damaged section, or at once when the part
    /// does not follow the one before and the segment is damaged anywhere.
    mutating func take(_ part: Range<Int>, of segment: SegmentFile) throws(GraphError) {
        if segment.isVerified { return }
        if part.lowerBound == 0 {
            self.segment = segment
            position = 0
            checksums = [UInt32](repeating: 0, count: segment.sections.count)
        }
        guard self.segment === segment, part.lowerBound == position else { return try segment.verifyBytes() }
        for (index, section) in segment.sections.enumerated() where section.byteCount > 0 {
            let seen = (section.offset..<section.offset + section.byteCount).clamped(to: part)
            if seen.isEmpty { continue }
            checksums[index] = CRC32C.checksum(
                UnsafeRawBufferPointer(rebasing: segment.bytes[seen]), continuing: checksums[index])
            if seen.upperBound == section.offset + section.byteCount { try segment.verify(section, checksums[index]) }
        }
        position = part.upperBound
    }
}
