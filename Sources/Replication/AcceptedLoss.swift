public import FileSystem
public import GraphModel

/// What a member that is stopped has lost of what it acknowledged, and the operator's word that it is to count all the same.
/// Only where nobody else has what it lost: others that are up bring it up to date by themselves.
public struct AcceptedLoss: Sendable {
    /// The highest position that this member ever acknowledged, as far as it wrote that down.
    public let acknowledged: LogPosition
    /// Where its log ends.
    public let end: LogPosition
    private let hardStatePath: String
    private let fileSystem: any FileSystem
    private let hard: MemberHardState

    /// - Parameter end: of the store's log on disk.
    public init(hardStatePath: String, fileSystem: any FileSystem, end: LogPosition) throws(GraphError) {
        do {
            // Without a state of its own it does not know what it promised; that it asks the coordinators to void.
            hard = try fileSystem.exists(hardStatePath)
                ? MemberHardState(decoding: try fileSystem.readAll(hardStatePath)) : MemberHardState()
            acknowledged = max(hard.acknowledged, try AcknowledgedPosition.latest(hardStatePath + ".acknowledged", fileSystem))
        } catch let error as FileError {
            throw GraphError(error)
        } catch {
            throw GraphError(.corrupt, "\(hardStatePath): \(error)")
        }
        self.end = end
        self.hardStatePath = hardStatePath
        self.fileSystem = fileSystem
    }

    /// Whether this member may be elected as it is.
    public var isWhole: Bool { hard.isComplete && end >= acknowledged }

    /// Transactions that it acknowledged and has not; nil when it lacks none that it knows of.
    public var lost: ClosedRange<UInt64>? {
        let (first, last) = (end.transactionID.rawValue + 1, acknowledged.transactionID.rawValue)
        return end < acknowledged && first <= last ? first...last : nil
    }

    /// Lets the member be elected again, with the log that it has; it says so when it starts.
    public func accept() throws(GraphError) {
        var hard = hard
        hard.becomeComplete()
        hard.acknowledged = end
        hard.forgone = acknowledged
        do throws(FileError) {
            try fileSystem.replace(hardStatePath, with: hard.encode())
            var noted = try AcknowledgedPosition(hardStatePath + ".acknowledged", fileSystem)
            try noted.reset(to: end)
        } catch {
            throw GraphError(error)
        }
    }
}
