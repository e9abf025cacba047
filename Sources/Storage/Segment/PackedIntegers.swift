/// A run of unsigned integers in a segment, each 1, 2, 4 or 8 bytes wide, little-endian.
struct PackedIntegers {
    // Safety: points into a mapped segment that the owner of this value keeps.
    let base: UnsafeRawPointer
    let width: Int
    let count: Int

    @inline(__always)
    subscript(index: Int) -> UInt64 {
        assert(index >= 0 && index < count)
        switch width {
        case 1: return UInt64(base.load(fromByteOffset: index, as: UInt8.self))
        case 2: return UInt64(UInt16(littleEndian: base.load(fromByteOffset: index * 2, as: UInt16.self)))
        case 4: return UInt64(UInt32(littleEndian: base.load(fromByteOffset: index * 4, as: UInt32.self)))
        default: return UInt64(littleEndian: base.load(fromByteOffset: index * 8, as: UInt64.self))
        }
    }

    /// Appends a range, widened: one branch for the run, none per element.
    func append(_ range: Range<Int>, to target: inout ContiguousArray<UInt64>) {
        guard !range.isEmpty else { return }
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let start = target.count
        target.append(contentsOf: repeatElement(0, count: range.count))
        target.withUnsafeMutableBufferPointer { buffer in
            let output = UnsafeMutableBufferPointer(rebasing: buffer[start...])
            switch width {
            case 1: Self.widen(base.assumingMemoryBound(to: UInt8.self) + range.lowerBound, into: output)
            case 2: Self.widen(base.assumingMemoryBound(to: UInt16.self) + range.lowerBound, into: output)
            case 4: Self.widen(base.assumingMemoryBound(to: UInt32.self) + range.lowerBound, into: output)
            default: Self.widen(base.assumingMemoryBound(to: UInt64.self) + range.lowerBound, into: output)
            }
        }
    }

    @inline(__always)
    private static func widen<T: FixedWidthInteger & UnsignedInteger>(
        _ source: UnsafePointer<T>, into output: UnsafeMutableBufferPointer<UInt64>
    ) {
        for index in 0..<output.count { output[index] = UInt64(T(littleEndian: source[index])) }
    }

    /// The narrowest width, in bytes, that holds `maximum`.
    static func width(holding maximum: UInt64) -> Int {
        maximum <= 0xFF ? 1 : maximum <= 0xFFFF ? 2 : maximum <= 0xFFFF_FFFF ? 4 : 8
    }

    static func pack(_ values: some Collection<UInt64>) -> (bytes: [UInt8], width: Int) {
        let width = width(holding: values.max() ?? 0)
        var bytes = [UInt8](repeating: 0, count: values.count * width)
        bytes.withUnsafeMutableBytes { buffer in
            var offset = 0
            for value in values {
                switch width {
                case 1: buffer.storeBytes(of: UInt8(value), toByteOffset: offset, as: UInt8.self)
                case 2: buffer.storeBytes(of: UInt16(value).littleEndian, toByteOffset: offset, as: UInt16.self)
                case 4: buffer.storeBytes(of: UInt32(value).littleEndian, toByteOffset: offset, as: UInt32.self)
                default: buffer.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
                }
                offset += width
            }
        }
        return (bytes, width)
    }
}
