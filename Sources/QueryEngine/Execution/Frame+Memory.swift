internal import GraphModel

extension Frame {
    /// Accounts for memory that stays until it is given back or the execution ends. Throws `.queryMemory` when it becomes
    /// more than a query may hold.
    func hold(_ byteCount: Int) throws(GraphError) {
        heldByteCount = addSaturating(heldByteCount, byteCount)
        if heldByteCount > control.byteCountMaximum { throw tooMuchMemory() }
    }

    /// Gives back what was held.
    func release(_ byteCount: Int) {
        heldByteCountPeak = max(heldByteCountPeak, heldByteCount)
        heldByteCount -= byteCount
    }

    private func tooMuchMemory() -> GraphError {
        GraphError(
            .queryMemory,
            "the query needs more memory than one may hold, \(control.byteCountMaximum) bytes: ask for fewer rows at once, or raise the limit"
        )
    }

    /// The same for rows that an operator keeps.
    func hold(rowsOf batch: Batch, _ slots: [Slot]) throws(GraphError) { try hold(batch.byteCount(slots)) }

    /// Counts one step of a loop inside an expression; throws when the query has to end, every so many steps.
    @inline(__always)
    func step() throws(GraphError) { try step(1) }

    /// The same for a loop of as many steps that looks at nothing else than what it goes over.
    @inline(__always)
    func step(_ count: Int) throws(GraphError) {
        stepCount &+= count
        if stepCount >= 4096 {
            stepCount = 0
            try checkControl()
        }
    }
}

extension Batch {
    /// Bytes that its rows take, roughly.
    func byteCount(_ slots: [Slot]) -> Int {
        var sum = 0
        for slot in slots {
            if slot.isID {
                sum = addSaturating(sum, rowCount * MemoryLayout<UInt64>.stride)
            } else {
                for value in columns[slot.index].values { sum = addSaturating(sum, value.byteCount) }
            }
        }
        return sum
    }
}

// MARK: Values that queries make

/// How large and how deep the values that a query makes may become: whatever goes through one goes to its depth and
/// meets every part.
enum ValueLimit {
    static let depthMaximum = 1000
    /// Of one value, however much a query may hold.
    static let byteCountMaximum = 4 << 30
}

extension Frame {
    /// Bytes that one value may take.
    var valueByteCountMaximum: Int { min(control.byteCountMaximum, ValueLimit.byteCountMaximum) }

    /// Throws `.queryMemory` when a value of so many bytes is larger than one may be.
    @inline(__always)
    func requireRoom(forValueOf byteCount: Int) throws(GraphError) {
        if byteCount > valueByteCountMaximum { throw tooLarge() }
    }

    private func tooLarge() -> GraphError {
        GraphError(
            .queryMemory,
            "a value becomes larger than \(valueByteCountMaximum) bytes, the most that one may take: build less at once, or raise the limit of what a query may hold"
        )
    }

    /// A list that an expression makes. Throws `.queryMemory` when it is too large, `.argumentError` when it is too deep.
    func list(_ elements: [Value]) throws(GraphError) -> Value { try limited(.list(elements)) }

    /// The same for a map.
    func map(of entries: [(key: String, value: Value)]) throws(GraphError) -> Value {
        try limited(.map(MapValue(entries)))
    }

    /// The value, when it is neither too large nor too deep.
    func limited(_ value: Value) throws(GraphError) -> Value {
        try requireRoom(forValueOf: value.byteCount)
        return try Self.limitedInDepth(value)
    }

    static func limitedInDepth(_ value: Value) throws(GraphError) -> Value {
        guard value.depth > ValueLimit.depthMaximum else { return value }
        throw GraphError(
            .argumentError,
            "lists and maps stand \(value.depth) deep inside one another, \(ValueLimit.depthMaximum) is the most")
    }
}
