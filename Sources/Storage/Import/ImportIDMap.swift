/// Finds the node of an external id, per id space. Ids that are plain integers take 16 bytes, others their text.
struct ImportIDMap {
    private var numbers: [Int64: UInt32] = [:]
    private var texts: [[UInt8]: UInt32] = [:]

    /// Adds an id; false when it is there already.
    mutating func insert(_ id: ArraySlice<UInt8>, _ node: UInt32) -> Bool {
        if let number = Self.canonical(id) {
            return numbers.updateIfAbsent(number, node)
        }
        return texts.updateIfAbsent(Array(id), node)
    }

    func find(_ id: ArraySlice<UInt8>) -> UInt32? {
        if let number = Self.canonical(id) { return numbers[number] }
        return texts[Array(id)]
    }

    /// An integer whose usual spelling this is: `7`, not `07` or `+7`.
    private static func canonical(_ id: ArraySlice<UInt8>) -> Int64? {
        guard let first = id.first, first != UInt8(ascii: "+") else { return nil }
        if id.count > 1 && (first == UInt8(ascii: "0") || id.starts(with: [UInt8(ascii: "-"), UInt8(ascii: "0")])) {
            return nil
        }
        return Int64(ascii: id)
    }
}

extension Dictionary {
    fileprivate mutating func updateIfAbsent(_ key: Key, _ value: Value) -> Bool {
        let old = updateValue(value, forKey: key)
        if let old {
            self[key] = old
            return false
        }
        return true
    }
}
