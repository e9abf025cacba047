public import GraphModel

/// The exit codes of `martlet`.
public enum ExitStatus: Int32, Sendable {
    case success = 0
    /// Something failed while it ran: a store that cannot be opened, a port in use.
    case failure = 1
    /// The command line or the configuration is wrong.
    case usage = 2
    /// `martlet check` found the store inconsistent.
    case inconsistent = 3

    public init(_ error: GraphError) { self = error.code == .configuration ? .usage : .failure }
}
