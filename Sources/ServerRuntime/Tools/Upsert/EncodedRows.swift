package import FileSystem
package import GraphModel
package import RESTServer

/// Rows as a request has them, each entity once, in one block of memory: an import makes millions of them.
package struct EncodedRows: Sendable {
    private struct Place {
        var bytes: Range<Int>
        let keyByteCount: Int
        let hash: Int

        var key: Range<Int> { bytes.lowerBound..<bytes.lowerBound + keyByteCount }
    }

    private let keyCount: Int
    private var writer = ByteWriter()
    /// In the order in which the entities came.
    private var places: ContiguousArray<Place> = []
    /// Open addressing by key: the number of a row and one; 0 where there is none.
    private var table = ContiguousArray<UInt32>(repeating: 0, count: 64)

    /// - Parameter keyCount: how many values tell an entity apart.
    package init(keyCount: Int) { self.keyCount = keyCount }

    package var count: Int { places.count }
    /// What they take, rows that were replaced included.
    package var byteCount: Int { writer.byteCount }

    /// Adds a row. Where its entity has one already that one gets its properties, and the answer is false.
    ///
    /// - Throws: never for rows that this has encoded.
    package mutating func add(_ keys: [Value], _ properties: [(name: Int, value: Value)]) throws(MalformedBytes) -> Bool {
        let start = writer.byteCount
        UpsertRequest.Row.encode(keys: keys, into: &writer)
        let keyByteCount = writer.byteCount - start
        let (hash, slot) = writer.bytes.withUnsafeBytes { bytes -> (Int, Int) in
            let key = UnsafeRawBufferPointer(rebasing: bytes[start...])
            let hash = Self.hash(key)
            return (hash, self.slot(key, hash, bytes))
        }
        if table[slot] != 0 {
            writer.removeLast(byteCount: keyByteCount)
            try update(Int(table[slot]) - 1, keys, properties)
            return false
        }
        UpsertRequest.Row.encode(properties: properties, into: &writer)
        places.append(Place(bytes: start..<writer.byteCount, keyByteCount: keyByteCount, hash: hash))
        table[slot] = UInt32(places.count)
        if places.count * 4 > table.count * 3 { growTable() }
        return true
    }

    /// Of several rows for an entity the last counts where they differ.
    private mutating func update(
        _ number: Int, _ keys: [Value], _ properties: [(name: Int, value: Value)]
    ) throws(MalformedBytes) {
        var all = try row(number).properties
        for (name, value) in properties {
            if let known = all.firstIndex(where: { $0.name == name }) { all[known].value = value } else { all.append((name, value)) }
        }
        let start = writer.byteCount
        UpsertRequest.Row.encode(keys: keys, into: &writer)
        UpsertRequest.Row.encode(properties: all, into: &writer)
        let (old, new) = (places[number].bytes, start..<writer.byteCount)
        if writer.bytes[old] == writer.bytes[new] { writer.removeLast(byteCount: new.count) } else { places[number].bytes = new }
    }

    package func row(_ number: Int) throws(MalformedBytes) -> UpsertRequest.Row {
        var reader = ByteReader(writer.bytes[places[number].bytes])
        return try UpsertRequest.Row(&reader, keyCount: keyCount, nameCount: .max)
    }

    /// Writes some of the rows.
    package func write(_ rows: Range<Int>, to writer: inout ByteWriter) {
        var number = rows.lowerBound
        while number < rows.upperBound {
            // Most stand side by side.
            var run = places[number].bytes
            number += 1
            while number < rows.upperBound, places[number].bytes.lowerBound == run.upperBound {
                run = run.lowerBound..<places[number].bytes.upperBound
                number += 1
            }
            writer.write(raw: self.writer.bytes[run])
        }
    }

    /// Whether no entity is in both.
    package func isDisjoint(with other: EncodedRows) -> Bool {
        if count > other.count { return other.isDisjoint(with: self) }
        return writer.bytes.withUnsafeBytes { mine in
            other.writer.bytes.withUnsafeBytes { theirs in
                places.allSatisfy {
                    other.table[other.slot(UnsafeRawBufferPointer(rebasing: mine[$0.key]), $0.hash, theirs)] == 0
                }
            }
        }
    }

    // MARK: Table

    private static func hash(_ key: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: key)
        return hasher.finalize()
    }

    /// Where the table has a key, or would have it.
    ///
    /// - Parameter bytes: those of all rows.
    private func slot(_ key: UnsafeRawBufferPointer, _ hash: Int, _ bytes: UnsafeRawBufferPointer) -> Int {
        var slot = hash & (table.count - 1)
        while table[slot] != 0 {
            let place = places[Int(table[slot]) - 1]
            if place.hash == hash, bytesEqual(UnsafeRawBufferPointer(rebasing: bytes[place.key]), key) { break }
            slot = (slot + 1) & (table.count - 1)
        }
        return slot
    }

    private mutating func growTable() {
        table = ContiguousArray(repeating: 0, count: table.count * 2)
        for (number, place) in places.enumerated() {
            var slot = place.hash & (table.count - 1)
            while table[slot] != 0 { slot = (slot + 1) & (table.count - 1) }
            table[slot] = UInt32(number + 1)
        }
    }
}
