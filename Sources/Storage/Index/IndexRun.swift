internal import FileSystem
internal import GraphModel

/// One index as of a base: its chunks in ascending order, mapped. Empty when the index holds nothing.
final class IndexRun: @unchecked Sendable {
    // Safety: `chunks` and `heads` are written in `init` alone; what the chunks point to belongs to `files`.
    let files: [SegmentFile]
    let chunks: UnsafeBufferPointer<IndexChunk>
    /// The beginning of each chunk's first key, for finding a chunk without touching it.
    private let heads: UnsafeBufferPointer<UInt64>
    let entryCount: Int
    /// Distinct keys; one whose entries lie in two chunks counts twice.
    let keyCount: Int

    init(_ files: [SegmentFile]) throws(GraphError) {
        self.files = files
        var list: [IndexChunk] = []
        for file in files { list.append(try IndexChunk(file)) }
        for (number, file) in files.enumerated().dropFirst() {
            let before = list[number - 1]
            let chunk = list[number]
            let lastKey = before.keyCount - 1
            guard let lastEntry = before.entries(lastKey).last, let firstEntry = chunk.entries(0).first,
                IndexKey.order(before.key(lastKey), before.id(lastEntry), chunk.key(0), chunk.id(firstEntry)) < 0
            else { throw GraphError(.corrupt, "\(file.path): does not follow \(files[number - 1].name)") }
        }
        let chunks = UnsafeMutableBufferPointer<IndexChunk>.allocate(capacity: list.count)
        _ = chunks.initialize(from: list)
        let heads = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: list.count)
        _ = heads.initialize(from: list.map { IndexKey.head($0.key(0)) })
        self.chunks = UnsafeBufferPointer(chunks)
        self.heads = UnsafeBufferPointer(heads)
        entryCount = list.reduce(0) { $0 + $1.entryCount }
        keyCount = list.reduce(0) { $0 + $1.keyCount }
    }

    deinit {
        chunks.deallocate()
        heads.deallocate()
    }

    /// The last chunk that begins before (key, id) or there; the first when none does. There must be chunks.
    func chunk(for key: UnsafeRawBufferPointer, id: UInt64) -> Int {
        let head = IndexKey.head(key)
        var low = 0
        var high = chunks.count
        while low < high {
            let middle = (low + high) / 2
            var order = heads[middle] < head ? -1 : heads[middle] > head ? 1 : 0
            if order == 0 {
                let chunk = chunks[middle]
                order = IndexKey.order(chunk.key(0), chunk.entries(0).first.map(chunk.id) ?? 0, key, id)
            }
            if order <= 0 { low = middle + 1 } else { high = middle }
        }
        return max(0, low - 1)
    }

    /// Calls `body` with the runs of ids that a key has.
    @inline(__always)
    func forEachRun(_ key: UnsafeRawBufferPointer, hash: UInt64, _ body: (IndexChunk, Range<Int>) -> Void) {
        guard chunks.count > 0 else { return }
        var number = chunk(for: key, id: 0)
        while number < chunks.count {
            let chunk = chunks[number]
            if let found = chunk.find(key, hash: hash) {
                body(chunk, chunk.entries(found))
                // Entries of the chunk's last key may go on in the next one.
                if found < chunk.keyCount - 1 { return }
            }
            number += 1
            if number == chunks.count || IndexKey.order(chunks[number].key(0), key) > 0 { return }
        }
    }

    /// A place between entries, moved along by a scan.
    struct Place {
        var chunk: Int
        var key: Int
        var entry: Int
        var entries: Range<Int>
    }

    /// The first entry at or after (key, id).
    func first(from key: UnsafeRawBufferPointer, id: UInt64) -> Place? {
        guard chunks.count > 0 else { return nil }
        let number = chunk(for: key, id: id)
        let chunk = chunks[number]
        let first = chunk.firstKey(from: key)
        guard first < chunk.keyCount else { return start(number + 1) }
        var place = Place(chunk: number, key: first, entry: 0, entries: chunk.entries(first))
        place.entry = place.entries.lowerBound
        if IndexKey.areEqual(chunk.key(first), key) {
            place.entry = chunk.firstEntry(place.entries, from: id)
            if place.entry == place.entries.upperBound {
                place.entry -= 1
                return next(place)
            }
        }
        return place
    }

    private func start(_ number: Int) -> Place? {
        guard number < chunks.count else { return nil }
        let entries = chunks[number].entries(0)
        return Place(chunk: number, key: 0, entry: entries.lowerBound, entries: entries)
    }

    /// The last entry before (key, id); `key` nil means the end.
    func last(before key: UnsafeRawBufferPointer?, id: UInt64) -> Place? {
        if let key, let after = first(from: key, id: id) { return previous(after) }
        guard let chunk = chunks.last else { return nil }
        let entries = chunk.entries(chunk.keyCount - 1)
        return Place(chunk: chunks.count - 1, key: chunk.keyCount - 1, entry: entries.upperBound - 1, entries: entries)
    }

    @inline(__always)
    func next(_ place: Place) -> Place? {
        var place = place
        place.entry += 1
        if place.entry < place.entries.upperBound { return place }
        place.key += 1
        guard place.key < chunks[place.chunk].keyCount else { return start(place.chunk + 1) }
        place.entries = chunks[place.chunk].entries(place.key)
        place.entry = place.entries.lowerBound
        return place
    }

    func previous(_ place: Place) -> Place? {
        var place = place
        if place.entry > place.entries.lowerBound {
            place.entry -= 1
            return place
        }
        if place.key > 0 {
            place.key -= 1
        } else {
            guard place.chunk > 0 else { return nil }
            place.chunk -= 1
            place.key = chunks[place.chunk].keyCount - 1
        }
        place.entries = chunks[place.chunk].entries(place.key)
        place.entry = place.entries.upperBound - 1
        return place
    }

    @inline(__always)
    func key(_ place: Place) -> UnsafeRawBufferPointer { chunks[place.chunk].key(place.key) }
    @inline(__always)
    func id(_ place: Place) -> UInt64 { chunks[place.chunk].id(place.entry) }
}
