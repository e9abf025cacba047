/// Memory that is handed out in order and given back all at once. Owned by one overlay; one thread allocates.
struct Arena: ~Copyable {
    private var chunks: [UnsafeMutableRawPointer] = []
    private var next: UnsafeMutableRawPointer?
    private var remaining = 0
    private(set) var byteCount = 0
    private var nextChunkByteCount: Int
    private static let chunkByteCount = 1 << 18

    /// Chunks double in size from the first on, up to 256 KiB.
    init(firstChunkByteCount: Int = Self.chunkByteCount) { nextChunkByteCount = firstChunkByteCount }

    deinit {
        for chunk in chunks { chunk.deallocate() }
    }

    /// Uninitialised memory, aligned to 8 bytes, valid as long as the arena.
    mutating func allocate(byteCount count: Int) -> UnsafeMutableRawPointer {
        let rounded = (count + 7) & ~7
        if rounded > remaining {
            let size = max(nextChunkByteCount, rounded)
            nextChunkByteCount = min(2 * nextChunkByteCount, Self.chunkByteCount)
            let chunk = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            chunks.append(chunk)
            byteCount += size
            next = chunk
            remaining = size
        }
        guard let result = next else { preconditionFailure("an arena without a chunk") }
        next = result + rounded
        remaining -= rounded
        return result
    }

    mutating func make<T: ~Copyable>(_ value: consuming T) -> UnsafeMutablePointer<T> {
        let pointer = allocate(byteCount: MemoryLayout<T>.size).bindMemory(to: T.self, capacity: 1)
        pointer.initialize(to: value)
        return pointer
    }
}
