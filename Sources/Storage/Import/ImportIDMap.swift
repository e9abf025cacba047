/// Finds the node of an external id, per id space. Ids that number the rows densely take 4 bytes and no hashing, other
/// plain integers 16 bytes, all else its text.
struct ImportIDMap {
    /// By id, for ids not far above the number of ids so far; `noNode` where there is none.
    private var dense: ContiguousArray<UInt32> = []
    private var count = 0
    private static let noNode = UInt32.max
    private var numbers: [Int64: UInt32] = [:]
    private var texts: [[UInt8]: UInt32] = [:]

    /// Adds an id; false when it is there already.
    mutating func insert(_ id: ArraySlice<UInt8>, _ node: UInt32) -> Bool {
        if let number = Self.canonical(id) {
            if find(number) != nil { return false }
            count += 1
            if number < 0 || number > 1024 + 2 * Int64(count) {
                numbers[number] = node
                return true
            }
            let index = Int(number)
            if index >= dense.count {
                dense.append(contentsOf: repeatElement(Self.noNode, count: index + 1 - dense.count))
            }
            dense[index] = node
            return true
        }
        return texts.updateIfAbsent(Array(id), node)
    }

    func find(_ id: ArraySlice<UInt8>) -> UInt32? {
        if let number = Self.canonical(id) { return find(number) }
        return texts[Array(id)]
    }

    private func find(_ number: Int64) -> UInt32? {
        if number >= 0, number < Int64(dense.count), dense[Int(number)] != Self.noNode { return dense[Int(number)] }
        // Far above the others when it came.
        return numbers.isEmpty ? nil : numbers[number]
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
