public import GraphModel

/// What limits a traversal or a path search while it runs.
public struct TraversalControl: Sendable {
    /// Asked every few thousand steps; what it throws ends the work.
    let check: (@Sendable () throws(GraphError) -> Void)?
    /// Bytes that branches, waiting relationships and visited entities may take, roughly.
    let byteCountMaximum: Int

    /// - Parameters:
    ///   - byteCountMaximum: bytes that the traversal may hold, roughly; 0 is no limit.
    ///   - check: called every few thousand steps; throws to end the traversal.
    public init(
        byteCountMaximum: Int = 0, check: (@Sendable () throws(GraphError) -> Void)? = nil
    ) {
        self.byteCountMaximum = byteCountMaximum > 0 ? byteCountMaximum : .max
        self.check = check
    }

    /// Throws `.queryMemory` when more is held than may be, and what the check throws.
    func require(_ heldByteCount: @autoclosure () -> Int) throws(GraphError) {
        try check?()
        if byteCountMaximum == .max { return }
        if heldByteCount() > byteCountMaximum {
            throw GraphError(
                .queryMemory,
                "the traversal needs more memory than one may hold, \(byteCountMaximum) bytes: limit its depth, choose depth_first, or a uniqueness that remembers less")
        }
    }
}

/// Counts steps, so that the control is asked every few thousand.
struct StepCounter: Sendable {
    private var left = Self.interval
    private static let interval = 4096

    /// Whether it is time to ask.
    @inline(__always)
    mutating func step(_ count: Int = 1) -> Bool {
        left -= count
        if left > 0 { return false }
        left = Self.interval
        return true
    }
}
