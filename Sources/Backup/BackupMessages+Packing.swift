internal import FileSystem
internal import Gzip

extension BackupAnswer {
    /// Packs the payload of an answer; nil when that does not make it much shorter, or it is too long.
    package static func pack(_ payload: [UInt8]) -> [UInt8]? {
        guard payload.count <= BackupProtocol.packedByteCountMaximum else { return nil }
        var packed = ByteWriter()
        packed.write(Tag.packed.rawValue)
        packed.write(UInt32(payload.count))
        var bytes = packed.bytes
        let isPacked = payload.withUnsafeBytes { Deflater(level: 1).deflate($0, .finished, into: &bytes) }
        return isPacked && bytes.count < payload.count - payload.count / 16 ? bytes : nil
    }

    /// The payload that was packed; reads to the end.
    static func unpack(_ reader: inout ByteReader) throws(MalformedBytes) -> [UInt8] {
        let start = reader.offset
        let byteCount = Int(try reader.read() as UInt32)
        guard byteCount <= BackupProtocol.packedByteCountMaximum else {
            throw MalformedBytes(offset: start, detail: "a packed answer of \(byteCount) bytes")
        }
        let packed = Array(try reader.readRaw(reader.remainingByteCount))
        let inflater = Inflater()
        inflater.give(packed, packed.count)
        var payload = [UInt8](repeating: 0, count: byteCount)
        var filled = 0
        while filled < byteCount {
            let outcome = payload.withUnsafeMutableBytes { inflater.inflate(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...])) }
            switch outcome {
            case .bytes(0): throw MalformedBytes(offset: start, detail: "a packed answer ends after \(filled) of \(byteCount) bytes")
            case .bytes(let count): filled += count
            case .failure(let what): throw MalformedBytes(offset: start, detail: what)
            }
        }
        // Its end has the checksum.
        var rest: [UInt8] = [0]
        guard case .bytes(0) = rest.withUnsafeMutableBytes({ inflater.inflate(into: $0) }), inflater.isBetweenMembers else {
            throw MalformedBytes(offset: start, detail: "a packed answer does not end after \(byteCount) bytes")
        }
        return payload
    }
}
