internal import GraphModel

/// Goes through a part of an index in order: the run of the base and the layers above it as one.
///
/// Borrows memory of the view that it was made from; whoever uses it keeps that alive.
struct IndexMerge {
    /// A layer and the transaction as of which it is read.
    struct Source {
        let layer: IndexLayer
        let transaction: UInt64
        var node: IndexLayer.Node?
    }

    private let run: IndexRun?
    private let isDescending: Bool
    private let lower: [UInt8]
    private let upper: [UInt8]?
    private var place: IndexRun.Place?
    /// Newest first: the first that knows an entry decides.
    private var sources: [Source]

    /// - Parameter cursor: where to go on; entries up to and including it were given out already.
    init(
        _ run: IndexRun?, _ layers: [(layer: IndexLayer, transaction: UInt64)], _ range: IndexRange, isDescending: Bool,
        after cursor: (key: [UInt8], id: UInt64)?
    ) {
        self.run = run
        self.isDescending = isDescending
        lower = range.lower
        upper = range.upper
        sources = layers.filter { $0.layer.count > 0 }.map { Source(layer: $0.layer, transaction: $0.transaction) }
        func begin(_ key: UnsafeRawBufferPointer?, _ id: UInt64) {
            if isDescending {
                place = run?.last(before: key, id: id)
                for index in sources.indices { sources[index].node = sources[index].layer.last(before: key, id: id) }
            } else if let key {
                place = run?.first(from: key, id: id)
                for index in sources.indices { sources[index].node = sources[index].layer.first(from: key, id: id) }
            }
        }
        if let cursor {
            // An id is below its maximum, so one more is always there to go on from.
            cursor.key.withUnsafeBytes { begin($0, isDescending ? cursor.id : cursor.id + 1) }
        } else if isDescending {
            if let upper { upper.withUnsafeBytes { begin($0, 0) } } else { begin(nil, 0) }
        } else {
            lower.withUnsafeBytes { begin($0, 0) }
        }
        for index in sources.indices { skipInvisible(index) }
    }

    private mutating func skipInvisible(_ index: Int) {
        while let node = sources[index].node, node.isPresent(at: sources[index].transaction) == nil {
            step(index, node)
        }
    }

    private mutating func step(_ index: Int, _ node: IndexLayer.Node) {
        sources[index].node = isDescending ? sources[index].layer.last(before: node.key, id: node.id) : node.next
    }

    private mutating func stepRun(_ place: IndexRun.Place) {
        self.place = isDescending ? run?.previous(place) : run?.next(place)
    }

    /// The next entry; nil at the end of the range. The key's bytes live as long as the view.
    mutating func next() -> (key: UnsafeRawBufferPointer, id: UInt64)? {
        while true {
            var best: (key: UnsafeRawBufferPointer, id: UInt64)?
            var isPresent = true
            // From the oldest to the newest, so that the newest has the last word on an entry.
            if let run, let place { best = (run.key(place), run.id(place)) }
            for source in sources.reversed() {
                guard let node = source.node else { continue }
                let candidate = (key: node.key, id: node.id)
                let order = best.map { IndexKey.order(candidate.key, candidate.id, $0.key, $0.id) }
                if let order, isDescending ? order < 0 : order > 0 { continue }
                best = candidate
                isPresent = node.isPresent(at: source.transaction) ?? true
            }
            guard let best, isInRange(best.key) else { return nil }
            if let run, let place, IndexKey.order(run.key(place), run.id(place), best.key, best.id) == 0 {
                stepRun(place)
            }
            for index in sources.indices {
                guard let node = sources[index].node, IndexKey.order(node.key, node.id, best.key, best.id) == 0 else {
                    continue
                }
                step(index, node)
                skipInvisible(index)
            }
            if isPresent { return best }
        }
    }

    private func isInRange(_ key: UnsafeRawBufferPointer) -> Bool {
        if isDescending { return lower.withUnsafeBytes { IndexKey.order(key, $0) >= 0 } }
        return upper?.withUnsafeBytes { IndexKey.order(key, $0) < 0 } ?? true
    }

    /// Takes up to `limit` entries, many at once where that can be, and gives the last of them; nil at the end of the range.
    mutating func take(
        _ limit: Int, into ids: inout ContiguousArray<UInt64>
    ) -> (key: UnsafeRawBufferPointer, id: UInt64)? {
        if let last = takeFromRun(limit, into: &ids) { return last }
        guard let entry = next() else { return nil }
        ids.append(entry.id)
        return entry
    }

    /// Takes up to `limit` entries at once from the run while no layer has anything left in front of it; ascending only.
    /// Gives nil when entries have to be merged one by one.
    private mutating func takeFromRun(
        _ limit: Int, into ids: inout ContiguousArray<UInt64>
    ) -> (key: UnsafeRawBufferPointer, id: UInt64)? {
        guard !isDescending, let run, var here = place, sources.allSatisfy({ $0.node == nil }) else { return nil }
        var last: (key: UnsafeRawBufferPointer, id: UInt64)?
        var left = limit
        while left > 0 {
            let key = run.key(here)
            if let upper, upper.withUnsafeBytes({ IndexKey.order(key, $0) >= 0 }) { break }
            let end = min(here.entries.upperBound, here.entry + left)
            guard here.entry < end else { break }
            let chunk = run[here.chunk]
            if end == here.entry + 1 { ids.append(chunk.id(here.entry)) } else { chunk.append(here.entry..<end, to: &ids) }
            left -= end - here.entry
            here.entry = end - 1
            last = (key, chunk.id(end - 1))
            guard let next = run.next(here) else {
                place = nil
                return last
            }
            here = next
        }
        place = here
        return last
    }
}
