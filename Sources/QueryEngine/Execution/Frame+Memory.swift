internal import GraphModel

extension Frame {
    /// Accounts for memory that stays until the execution ends. Throws `.queryMemory` when it becomes more than a query
    /// may hold.
    func hold(_ byteCount: Int) throws(GraphError) {
        heldByteCount &+= byteCount
        if heldByteCount > control.byteCountMaximum { throw tooMuchMemory() }
    }

    private func tooMuchMemory() -> GraphError {
        GraphError(
            .queryMemory,
            "the query needs more memory than one may hold, \(control.byteCountMaximum) bytes: ask for fewer rows at once, or raise the limit"
        )
    }

    /// The same for rows that an operator keeps. Values behind references are estimated by some of the rows.
    func hold(rowsOf batch: Batch, _ slots: [Slot]) throws(GraphError) {
        guard batch.rowCount > 0 else { return }
        var rowByteCount = 0
        for slot in slots {
            guard !slot.isID else {
                rowByteCount += MemoryLayout<UInt64>.stride
                continue
            }
            let values = batch.columns[slot.index].values
            let sample = min(values.count, 8)
            guard sample > 0 else { continue }
            var sum = 0
            for index in 0..<sample { sum += values[index * values.count / sample].byteCountEstimate }
            rowByteCount += sum / sample
        }
        try hold(rowByteCount * batch.rowCount)
    }
}

extension Value {
    /// Bytes that it takes, with what it refers to; roughly.
    var byteCountEstimate: Int {
        let own = MemoryLayout<Value>.stride
        switch self {
        case .null, .boolean, .integer, .float, .node, .relationship: return own
        case .string(let text): return own + 32 + text.text.utf8.count
        case .bytes(let bytes): return own + 48 + bytes.bytes.count
        case .temporal, .point: return own + 64
        case .list(let list): return own + 64 + Self.estimate(list.elements)
        case .map(let map): return own + 64 + map.entries.count * 32 + Self.estimate(map.entries.map(\.value))
        case .path(let path): return own + 96 + 16 * path.nodes.count
        }
    }

    private static func estimate(_ values: [Value]) -> Int {
        let sample = min(values.count, 8)
        guard sample > 0 else { return 0 }
        var sum = 0
        for index in 0..<sample { sum += values[index * values.count / sample].byteCountEstimate }
        return sum / sample * values.count
    }
}
