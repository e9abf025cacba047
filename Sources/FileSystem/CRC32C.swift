internal import CCRC32C

/// CRC-32C (Castagnoli) as in RFC 3720, by the machine's instruction where it has one.
public enum CRC32C {
    public static func checksum(_ bytes: UnsafeRawBufferPointer, continuing crc: UInt32 = 0) -> UInt32 {
        martlet_crc32c(crc, bytes.baseAddress, bytes.count)
    }

    public static func checksum(_ bytes: [UInt8], continuing crc: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { checksum($0, continuing: crc) }
    }

    /// Table-driven; exists for the test that compares both.
    package static func portableChecksum(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBytes { martlet_crc32c_portable(0, $0.baseAddress, $0.count) }
    }
}
