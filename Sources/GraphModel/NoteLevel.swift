/// How much a line of the log matters to an operator.
public enum NoteLevel: Sendable, Equatable {
    /// Something happened that belongs to the work of a cluster.
    case info
    /// Something that should be looked at soon.
    case warning
    /// Data is at stake, or a process cannot go on.
    case error
}
