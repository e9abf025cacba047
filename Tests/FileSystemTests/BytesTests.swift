import Testing

import FileSystem

@Suite struct BytesTests {
    @Test func whatIsWrittenIsRead() throws {
        var writer = ByteWriter()
        writer.write(UInt8(7))
        writer.write(UInt16(0xBEEF))
        writer.write(Int64.min)
        writer.write(UInt64.max)
        writer.write(true)
        writer.write(string: "grüße 🐦")
        writer.write(data: [1, 2, 3])
        var reader = ByteReader(writer.bytes)
        #expect(try reader.read(UInt8.self) == 7)
        #expect(try reader.read(UInt16.self) == 0xBEEF)
        #expect(try reader.read(Int64.self) == Int64.min)
        #expect(try reader.read(UInt64.self) == UInt64.max)
        #expect(try reader.readBool())
        #expect(try reader.readString() == "grüße 🐦")
        #expect(try reader.readData() == [1, 2, 3])
        #expect(reader.isAtEnd)
    }

    @Test func truncatedInputThrowsAtEveryLength() throws {
        var writer = ByteWriter()
        writer.write(string: "some text")
        writer.write(UInt64(1))
        for length in 0..<writer.byteCount {
            #expect(throws: MalformedBytes.self) {
                var reader = ByteReader(writer.bytes[..<length])
                _ = try reader.readString()
                _ = try reader.read(UInt64.self)
            }
        }
    }

    @Test func checksumMatchesTheStandardAndTheTable() {
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
        // From 768 bytes on blocks are computed side by side, from 12,288 on longer ones.
        for length in [0, 1, 7, 8, 9, 63, 64, 767, 768, 769, 1000, 1536, 12_287, 12_288, 12_289, 13_063, 40_000] {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &+ 7) }
            #expect(CRC32C.checksum(bytes) == CRC32C.portableChecksum(bytes))
            let cut = length / 3
            #expect(CRC32C.checksum(Array(bytes[cut...]), continuing: CRC32C.checksum(Array(bytes[..<cut]))) == CRC32C.checksum(bytes))
        }
        let bytes = Array("split anywhere".utf8)
        #expect(CRC32C.checksum(Array(bytes[5...]), continuing: CRC32C.checksum(Array(bytes[..<5]))) == CRC32C.checksum(bytes))
    }
}
