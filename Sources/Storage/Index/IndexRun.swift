internal import FileSystem
internal import GraphModel
internal import Synchronization

/// One index as of a base: its chunks in ascending order, mapped. Empty when the index holds nothing.
///
/// Each chunk is verified when its first reader comes. A damaged one reads as empty and is noted.
final class IndexRun: @unchecked Sendable {
    // Safety: no lock and no thread owns it: `chunks` is written in `init` alone; what the chunks point to belongs to `files`.
    let rule: SchemaRuleID
    let files: [SegmentFile]
    private let chunks: UnsafeMutablePointer<IndexChunk>
    /// Per chunk whether it was verified.
    private let verified: UnsafeMutablePointer<Atomic<Bool>>
    private let damage: StoreDamage
    let chunkCount: Int
    let entryCount: Int
    /// Distinct keys; one whose entries lie in two chunks counts twice.
    let keyCount: Int

    init(_ rule: SchemaRuleID, _ files: [SegmentFile], damage: StoreDamage) throws(GraphError) {
        self.rule = rule
        self.files = files
        self.damage = damage
        var list: [IndexChunk] = []
        for file in files {
            let chunk = try IndexChunk(file)
            if let last = list.last, last.firstKeyHead > chunk.firstKeyHead {
                throw GraphError(.corrupt, "\(file.path): does not follow \(files[list.count - 1].name)")
            }
            list.append(chunk)
        }
        chunkCount = list.count
        chunks = .allocate(capacity: list.count)
        chunks.initialize(from: list, count: list.count)
        verified = .allocate(capacity: list.count)
        for (number, file) in files.enumerated() { (verified + number).initialize(to: Atomic(file.isVerified)) }
        entryCount = list.reduce(0) { $0 + $1.entryCount }
        keyCount = list.reduce(0) { $0 + $1.keyCount }
    }

    deinit {
        chunks.deallocate()
        verified.deallocate()
    }

    // MARK: Verifying

    /// A chunk that may be read: empty when it turns out damaged.
    @inline(__always)
    subscript(number: Int) -> IndexChunk {
        verified[number].load(ordering: .acquiring) || verify(number) ? chunks[number] : IndexChunk()
    }

    @inline(never)
    private func verify(_ number: Int) -> Bool {
        do throws(GraphError) {
            try check(number)
            return true
        } catch {
            damage.note(error)
            return false
        }
    }

    private func check(_ number: Int) throws(GraphError) {
        try chunks[number].verify(files[number])
        verified[number].store(true, ordering: .releasing)
    }

    /// Compares every chunk with its checksums and its own order, also what was verified before.
    func verifyAll(_ onProblem: (GraphError) -> Void) {
        for number in 0..<chunkCount {
            do throws(GraphError) {
                try check(number)
                if let problem = chunks[number].problem() ?? seam(before: number) {
                    throw GraphError(.corrupt, "\(files[number].path): \(problem)")
                }
            } catch {
                onProblem(error)
            }
        }
    }

    /// The same, without the order, for some chunks; throws at the first problem.
    func verify(where isWanted: (SegmentFile) -> Bool) throws(GraphError) {
        for number in 0..<chunkCount where isWanted(files[number]) { try check(number) }
    }

    private func seam(before number: Int) -> String? {
        if number == 0 { return nil }
        let before = self[number - 1]
        let chunk = self[number]
        let lastKey = before.keyCount - 1
        guard let lastEntry = before.entries(lastKey).last, let firstEntry = chunk.entries(0).first else { return nil }
        return IndexKey.order(before.key(lastKey), before.id(lastEntry), chunk.key(0), chunk.id(firstEntry)) < 0
            ? nil : "does not follow \(files[number - 1].name)"
    }

    // MARK: Finding

    /// The last chunk that begins before (key, id) or there; the first when none does. There must be chunks.
    func chunk(for key: UnsafeRawBufferPointer, id: UInt64) -> Int {
        let head = IndexKey.head(key)
        var low = 0
        var high = chunkCount
        while low < high {
            let middle = (low + high) / 2
            let first = chunks[middle].firstKeyHead
            var order = first < head ? -1 : first > head ? 1 : 0
            if order == 0 {
                let chunk = self[middle]
                order = IndexKey.order(chunk.key(0), chunk.entries(0).first.map(chunk.id) ?? 0, key, id)
            }
            if order <= 0 { low = middle + 1 } else { high = middle }
        }
        return max(0, low - 1)
    }

    /// Calls `body` with the runs of ids that a key has.
    @inline(__always)
    func forEachRun(_ key: UnsafeRawBufferPointer, hash: UInt64, _ body: (IndexChunk, Range<Int>) -> Void) {
        guard chunkCount > 0 else { return }
        var number = chunk(for: key, id: 0)
        while number < chunkCount {
            let chunk = self[number]
            if let found = chunk.find(key, hash: hash) {
                body(chunk, chunk.entries(found))
                // Entries of the chunk's last key may go on in the next one.
                if found < chunk.keyCount - 1 { return }
            }
            number += 1
            if number == chunkCount || chunks[number].firstKeyHead > IndexKey.head(key) { return }
            if IndexKey.order(self[number].key(0), key) > 0 { return }
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
        guard chunkCount > 0 else { return nil }
        let number = chunk(for: key, id: id)
        let chunk = self[number]
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

    /// The first entry of the first chunk from `number` on.
    private func start(_ number: Int) -> Place? {
        var number = number
        while number < chunkCount, self[number].keyCount == 0 { number += 1 }
        guard number < chunkCount else { return nil }
        let entries = self[number].entries(0)
        return Place(chunk: number, key: 0, entry: entries.lowerBound, entries: entries)
    }

    /// The last entry of the last chunk up to `number`.
    private func end(_ number: Int) -> Place? {
        var number = number
        while number >= 0, self[number].keyCount == 0 { number -= 1 }
        guard number >= 0 else { return nil }
        let key = self[number].keyCount - 1
        let entries = self[number].entries(key)
        return Place(chunk: number, key: key, entry: entries.upperBound - 1, entries: entries)
    }

    /// The last entry before (key, id); `key` nil means the end.
    func last(before key: UnsafeRawBufferPointer?, id: UInt64) -> Place? {
        if let key, let after = first(from: key, id: id) { return previous(after) }
        return end(chunkCount - 1)
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
        guard place.key > 0 else { return end(place.chunk - 1) }
        place.key -= 1
        place.entries = chunks[place.chunk].entries(place.key)
        place.entry = place.entries.upperBound - 1
        return place
    }

    @inline(__always)
    func key(_ place: Place) -> UnsafeRawBufferPointer { chunks[place.chunk].key(place.key) }
    @inline(__always)
    func id(_ place: Place) -> UInt64 { chunks[place.chunk].id(place.entry) }
}
