internal import CPrefetch

/// Unsigned integers in blocks of 256, each block in as few bits per value as its own values need: the distance from the
/// block's least value (frame of reference, Goldstein, Ramakrishnan, Shaft 1998), or, where values climb by about one per
/// place, the distance from that line. A constant or a plain sequence takes no bits at all. Any value is read on its own.
///
/// Bytes of a section, little-endian: per block `UInt64` base, `UInt32` offset of its bits from the end of this
/// directory, `UInt8` bits per value (0 to 56, or 64), `UInt8` slope (0 or 1), `UInt16` 0; then the bits of every block,
/// each from a byte of its own, least significant first; then 8 zero bytes, so that a value may be loaded as 8 bytes. A
/// column without values has no bytes.
struct BlockIntegers {
    static let blockShift = 8
    static let blockLength = 1 << blockShift
    private static let entryByteCount = 16
    private static let paddingByteCount = 8

    // Safety: points into a mapped segment that the owner of this value keeps; `isValid` has checked every block.
    private let directory: UnsafeRawPointer
    private let bits: UnsafeRawPointer
    private let byteCount: Int
    let count: Int

    private static func blockCount(_ count: Int) -> Int { (count + blockLength - 1) >> blockShift }

    /// No integers.
    init() {
        guard let nowhere = UnsafeRawPointer(bitPattern: 8) else { preconditionFailure("8 is not the null address") }
        directory = nowhere
        bits = nowhere
        byteCount = 0
        count = 0
    }

    /// `count` integers in the bytes of a section; nil when that many cannot be there. Does not look at the bytes.
    init?(_ bytes: UnsafeRawBufferPointer, count: Int) {
        let directoryByteCount = Self.blockCount(count) * Self.entryByteCount
        guard count >= 0, let base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 8),
            count == 0 ? bytes.isEmpty : bytes.count >= directoryByteCount + Self.paddingByteCount
        else { return nil }
        directory = base
        bits = base + directoryByteCount
        byteCount = bytes.count - directoryByteCount
        self.count = count
    }

    /// Whether every block lies within the section.
    var isValid: Bool {
        for block in 0..<Self.blockCount(count) {
            let width = self.width(block)
            guard width <= 56 || width == 64, slope(block) <= 1 else { return false }
            let length = min(count - block << Self.blockShift, Self.blockLength)
            let end = offset(block) + (length * width + 7) / 8
            if end + Self.paddingByteCount > byteCount { return false }
        }
        return true
    }

    @inline(__always)
    private func base(_ block: Int) -> UInt64 {
        UInt64(littleEndian: directory.load(fromByteOffset: block * 16, as: UInt64.self))
    }
    @inline(__always)
    private func offset(_ block: Int) -> Int {
        Int(UInt32(littleEndian: directory.load(fromByteOffset: block * 16 + 8, as: UInt32.self)))
    }
    @inline(__always)
    private func width(_ block: Int) -> Int { Int(directory.load(fromByteOffset: block * 16 + 12, as: UInt8.self)) }
    @inline(__always)
    private func slope(_ block: Int) -> UInt64 {
        UInt64(directory.load(fromByteOffset: block * 16 + 13, as: UInt8.self))
    }

    @inline(__always)
    private static func load(_ bits: UnsafeRawPointer, _ place: Int, _ width: Int) -> UInt64 {
        let bit = place &* width
        let word = UInt64(littleEndian: bits.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self))
        return width == 64 ? word : word >> UInt64(bit & 7) & ((1 << UInt64(width)) &- 1)
    }

    @inline(__always)
    subscript(index: Int) -> UInt64 {
        assert(index >= 0 && index < count)
        let block = index >> Self.blockShift
        let place = index & (Self.blockLength - 1)
        let start = base(block) &+ slope(block) &* UInt64(truncatingIfNeeded: place)
        let width = self.width(block)
        return width == 0 ? start : start &+ Self.load(bits + offset(block), place, width)
    }

    /// Asks for the memory of one.
    @inline(__always)
    func prefetch(_ index: Int) {
        guard index >= 0 && index < count else { return }
        let block = index >> Self.blockShift
        martlet_prefetch(bits + offset(block) + ((index & (Self.blockLength - 1)) &* width(block)) >> 3)
    }

    /// Writes a range, with the bits of `mask` turned over, to `target`.
    func read(_ range: Range<Int>, turning mask: UInt64, into target: UnsafeMutablePointer<Int64>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        var index = range.lowerBound
        var output = target
        while index < range.upperBound {
            let block = index >> Self.blockShift
            let end = min(range.upperBound, (block + 1) << Self.blockShift)
            let (base, slope, width) = (base(block), slope(block), width(block))
            let bits = bits + offset(block)
            let place = index & (Self.blockLength - 1)
            let length = end - index
            if width == 8, slope == 0 {
                for step in 0..<length {
                    let value = base &+ UInt64(bits.load(fromByteOffset: place &+ step, as: UInt8.self))
                    output[step] = Int64(bitPattern: value ^ mask)
                }
            } else {
                for step in 0..<length {
                    let start = base &+ slope &* UInt64(truncatingIfNeeded: place &+ step)
                    let value = width == 0 ? start : start &+ Self.load(bits, place &+ step, width)
                    output[step] = Int64(bitPattern: value ^ mask)
                }
            }
            output += length
            index = end
        }
    }

    /// Appends a range.
    func append(_ range: Range<Int>, to target: inout ContiguousArray<UInt64>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        guard !range.isEmpty else { return }
        let before = target.count
        target.append(contentsOf: repeatElement(0, count: range.count))
        target.withUnsafeMutableBufferPointer { buffer in
            var index = range.lowerBound
            var output = before
            while index < range.upperBound {
                let block = index >> Self.blockShift
                let end = min(range.upperBound, (block + 1) << Self.blockShift)
                let (base, slope, width) = (base(block), slope(block), width(block))
                let bits = bits + offset(block)
                for index in index..<end {
                    let place = index & (Self.blockLength - 1)
                    let start = base &+ slope &* UInt64(truncatingIfNeeded: place)
                    buffer[output] = width == 0 ? start : start &+ Self.load(bits, place, width)
                    output += 1
                }
                index = end
            }
        }
    }

    /// Where the first value that is not below `value` stands in a range of ascending values; its end if there is none.
    func lowerBound(of value: UInt64, in range: Range<Int>) -> Int {
        var low = range.lowerBound
        var high = range.upperBound
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Where a value stands in a range of ascending values; nil when it does not.
    func firstIndex(of value: UInt64, in range: Range<Int>) -> Int? {
        let index = lowerBound(of: value, in: range)
        return index < range.upperBound && self[index] == value ? index : nil
    }

    static func encode(_ values: some RandomAccessCollection<UInt64>) -> [UInt8] {
        if values.isEmpty { return [] }
        let blockCount = blockCount(values.count)
        var directory = [UInt8](repeating: 0, count: blockCount * entryByteCount)
        var bits: [UInt8] = []
        var rest = values[...]
        for block in 0..<blockCount {
            let part = rest.prefix(blockLength)
            rest = rest.dropFirst(blockLength)
            let shape = Shape(part)
            directory.withUnsafeMutableBytes { bytes in
                bytes.storeBytes(of: shape.base.littleEndian, toByteOffset: block * 16, as: UInt64.self)
                bytes.storeBytes(of: UInt32(bits.count).littleEndian, toByteOffset: block * 16 + 8, as: UInt32.self)
                bytes[block * 16 + 12] = UInt8(shape.width)
                bytes[block * 16 + 13] = UInt8(shape.slope)
            }
            if shape.width > 0 { append(part, shape, to: &bits) }
        }
        return directory + bits + [UInt8](repeating: 0, count: paddingByteCount)
    }

    /// How one block is stored.
    private struct Shape {
        let base: UInt64
        let slope: UInt64
        let width: Int

        init(_ values: some RandomAccessCollection<UInt64>) {
            var least = UInt64.max
            var most: UInt64 = 0
            var leastRest = Int64.max
            var mostRest = Int64.min
            var place: Int64 = 0
            for value in values {
                least = min(least, value)
                most = max(most, value)
                let rest = Int64(bitPattern: value) &- place
                leastRest = min(leastRest, rest)
                mostRest = max(mostRest, rest)
                place += 1
            }
            let flat = Self.bitCount(most - least)
            let (spread, overflow) = mostRest.subtractingReportingOverflow(leastRest)
            let climbing = overflow ? 64 : Self.bitCount(UInt64(spread))
            if climbing < flat {
                (base, slope, width) = (UInt64(bitPattern: leastRest), 1, climbing)
            } else {
                (base, slope, width) = (least, 0, flat)
            }
        }

        private static func bitCount(_ distance: UInt64) -> Int {
            let count = 64 - distance.leadingZeroBitCount
            return count > 56 ? 64 : count
        }
    }

    private static func append(_ values: some Collection<UInt64>, _ shape: Shape, to bits: inout [UInt8]) {
        var pending: UInt64 = 0
        var pendingCount = 0
        var place: UInt64 = 0
        for value in values {
            let rest = value &- shape.base &- shape.slope &* place
            place += 1
            if shape.width == 64 {
                withUnsafeBytes(of: rest.littleEndian) { bits.append(contentsOf: $0) }
                continue
            }
            pending |= rest << UInt64(pendingCount)
            pendingCount += shape.width
            while pendingCount >= 8 {
                bits.append(UInt8(truncatingIfNeeded: pending))
                pending >>= 8
                pendingCount -= 8
            }
        }
        if pendingCount > 0 { bits.append(UInt8(truncatingIfNeeded: pending)) }
    }
}
