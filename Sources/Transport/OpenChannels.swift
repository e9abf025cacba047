public import NIOCore
internal import Synchronization

/// The open connections of a service, so that closing it leaves none behind.
public final class OpenChannels: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isClosed = false
    }
    private let state = Mutex(State())

    public init() {}

    /// Takes in a connection until it closes by itself. Throws when everything has been closed: the connection must not
    /// be used.
    public func add(_ channel: any Channel) throws(ChannelError) {
        let isAdded = state.withLock { state in
            if !state.isClosed { state.channels[ObjectIdentifier(channel)] = channel }
            return !state.isClosed
        }
        guard isAdded else { throw ChannelError.alreadyClosed }
        channel.closeFuture.whenComplete { _ in
            _ = self.state.withLock { $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
        }
    }

    public var count: Int { state.withLock { $0.channels.count } }

    /// Closes every connection, refuses new ones, and returns once all are gone.
    public func close() async {
        let channels = state.withLock { state in
            state.isClosed = true
            return Array(state.channels.values)
        }
        for channel in channels { channel.close(promise: nil) }
        for channel in channels {
            await withCheckedContinuation { continuation in
                channel.closeFuture.whenComplete { _ in continuation.resume() }
            }
        }
    }
}
