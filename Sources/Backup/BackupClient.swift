public import FileSystem
public import GraphModel
internal import NIOCore
internal import NIOPosix
internal import Storage
internal import Synchronization
public import Transport

/// A copy that came whole.
public struct CopiedStore: Sendable, Equatable {
    public var storeID: StoreID
    /// What the member that sent it was.
    public var role: BackupRole
    /// The last transaction within the segments.
    public var base: LogPosition
    /// The last transaction of the copy.
    public var position: LogPosition
    /// Bytes of segments and log that were received.
    public var byteCount: UInt64
    public var seconds: Double
    /// Bytes of files that were there from an earlier try.
    public var adoptedByteCount: UInt64 = 0
    /// Bytes that went over the network; fewer than were received when they came packed.
    public var transferredByteCount: UInt64 = 0
    /// CRC-32C of the segments.
    var checksums: [String: UInt32] = [:]
}

/// The client of the backup protocol: asks members for their status and copies stores from them.
public enum BackupClient {
    /// How a copy is made.
    public struct Options: Sendable {
        /// The cluster that the member must belong to; nil for any.
        public var clusterName: String?
        /// The store that the member must have; `.none` for any.
        public var storeID = StoreID.none
        /// Leaves what was written when the copy fails.
        public var keepsUnfinished = false
        /// Goes on with what an earlier copy left in the directory, and leaves what could be gone on with.
        var resumes = false
        /// Takes no more bytes per second; 0 is no limit.
        public var byteCountPerSecond: UInt64 = 0
        /// Has members pack what they send: less to transfer, for processor time at both ends.
        public var compresses = false
        /// The member sends a quarter of what it may while its processors are busy.
        public var yields = false
        /// Whether the copy will be read soon, and should stay in this machine's memory.
        public var keepsCached = true
        /// For a member with `ha.tls=true`.
        public var security: TLSClient?
        public var connectTimeout: Milliseconds = 5000
        /// The copy fails when not a single byte has come for so long.
        public var silenceTimeout: Milliseconds = 60_000
        public init(clusterName: String? = nil, storeID: StoreID = .none) {
            self.clusterName = clusterName
            self.storeID = storeID
        }

        var timeouts: BackupConnection.Timeouts { .init(connect: connectTimeout, silence: silenceTimeout) }
    }

    /// Bytes received so far, and bytes of all files; the log comes on top, so the first can exceed the second.
    public typealias Progress = @Sendable (_ receivedByteCount: UInt64, _ fileByteCount: UInt64) -> Void

    /// Asks a member what it is and how far it is. Blocks; not for event loops or threads of the concurrency pool.
    public static func statusBlocking(
        of member: HostPort, clusterName: String? = nil, security: TLSClient? = nil, timeout: Milliseconds = 5000
    ) throws(GraphError) -> BackupStatus {
        let connection = try BackupConnection.open(
            member, security: security, group: group, timeouts: .init(connect: timeout, silence: timeout))
        defer { connection.close() }
        connection.send(BackupRequest(kind: .status, clusterName: clusterName ?? "", storeID: .none))
        guard case .status(let status) = try connection.next() else {
            throw GraphError(.network, "\(member) answers a request for its status with something else")
        }
        return status
    }

    /// Copies the store of a running member into a directory that must be empty or not exist, on the caller's thread.
    /// Blocks; not for event loops or threads of the concurrency pool.
    ///
    /// Everything is verified before the directory becomes a store. When the copy fails, what it wrote is taken away.
    /// Throws what the member refuses with, `.network` when the connection fails, `.storageIO` when the directory is not
    /// empty or cannot be written, `.corrupt` when what arrived is damaged.
    @discardableResult
    public static func copyStoreBlocking(
        from member: HostPort, into directory: String, options: Options = Options(),
        fileSystem: any FileSystem = POSIXFileSystem(),
        progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(GraphError) -> CopiedStore {
        do throws(CopyFailure) {
            return try copy(
                from: member, into: directory, options, fileSystem, cancellation: nil, progress: progress)
        } catch {
            throw error.error
        }
    }

    /// Copies the store of a running member like ``copyStoreBlocking(from:into:options:fileSystem:progress:)``, on
    /// a thread of its own. Cancelling the task ends the copy with `.unavailable`.
    @discardableResult
    public static func copyStore(
        from member: HostPort, into directory: String, options: Options = Options(),
        fileSystem: any FileSystem = POSIXFileSystem(),
        progress: @escaping Progress = { _, _ in }
    ) async throws(GraphError) -> CopiedStore {
        let cancellation = Cancellation()
        return try await onThread(cancellation) { () throws(GraphError) in
            do throws(CopyFailure) {
                return try copy(
                    from: member, into: directory, options, fileSystem, cancellation: cancellation,
                    progress: progress)
            } catch {
                throw error.error
            }
        }
    }

    /// Runs what blocks on a thread of its own, after everything else that this process does.
    static func onThread<R: Sendable>(
        _ cancellation: Cancellation = Cancellation(), _ body: @escaping @Sendable () throws(GraphError) -> R
    ) async throws(GraphError) -> R {
        let thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
        let result: Result<R, GraphError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                thread.submit { _ in
                    lowerThreadPriority()
                    continuation.resume(returning: Result(catching: body))
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
        await withCheckedContinuation { continuation in
            thread.shutdownGracefully { _ in continuation.resume() }
        }
        return try result.get()
    }

    /// The process's shared event loops; a client needs them for seconds and owns none.
    static var group: any EventLoopGroup { MultiThreadedEventLoopGroup.singleton }

    static func copy(
        from member: HostPort, into directory: String, _ options: Options, _ fileSystem: any FileSystem,
        cancellation: Cancellation?, progress: (UInt64, UInt64) -> Void
    ) throws(CopyFailure) -> CopiedStore {
        let start = monotonicNanoseconds()
        let left = try options.resumes ? whatIsLeft(directory, fileSystem) : nil
        if left == nil { try requireEmpty(directory, fileSystem) }
        let connection: BackupConnection
        do throws(GraphError) {
            connection = try BackupConnection.open(
                member, security: options.security, group: group, timeouts: options.timeouts)
            try cancellation?.watch(connection)
        } catch {
            throw CopyFailure(error: error, isLocal: false)
        }
        defer { connection.close() }
        var request = BackupRequest(
            kind: left == nil ? .full : .resumed, clusterName: options.clusterName ?? "", storeID: options.storeID)
        request.takesPacked = options.compresses
        request.yields = options.yields
        connection.send(request)
        var receiver = CopyReceiver(
            directory: directory, fileSystem: fileSystem, storeID: options.storeID, keepsCached: options.keepsCached, left: left)
        let pace = CopyPace(byteCountPerSecond: options.byteCountPerSecond)
        do throws(CopyFailure) {
            while true {
                let before = connection.takenByteCount
                let answer: BackupAnswer
                do throws(GraphError) { answer = try connection.next() } catch {
                    throw CopyFailure(error: error, isLocal: false)
                }
                let hadSelection = receiver.selection != nil
                let end = try receiver.receive(answer)
                if let selection = receiver.selection, !hadSelection { connection.send(selection) }
                progress(receiver.receivedByteCount, receiver.fileByteCount)
                pace.hold(connection, after: connection.takenByteCount - before)
                guard let end, let header = receiver.header else { continue }
                var copied = CopiedStore(
                    storeID: header.storeID, role: header.role, base: header.base, position: end,
                    byteCount: receiver.receivedByteCount, seconds: Double(monotonicNanoseconds() - start) / 1e9)
                copied.adoptedByteCount = header.files.reduce(0) { $0 + $1.byteCount } - receiver.fileByteCount
                copied.transferredByteCount = connection.takenByteCount
                copied.checksums = receiver.checksums
                return copied
            }
        } catch {
            if options.resumes && !error.isLocal && error.error.code == .network && receiver.hasWholeFile { throw error }
            throw options.keepsUnfinished ? error : discard(&receiver, after: error, directory)
        }
    }

    /// The whole segments of an earlier try; nil when there are none, and then nothing else is left either.
    private static func whatIsLeft(
        _ directory: String, _ fileSystem: any FileSystem
    ) throws(CopyFailure) -> [LeftSegment]? {
        do throws(GraphError) {
            let left = try LeftSegment.find(in: directory, fileSystem)
            if !left.isEmpty { return left }
        } catch {
            throw CopyFailure(error: error, isLocal: true)
        }
        do throws(FileError) {
            guard fileSystem.exists(directory) else { return nil }
            for name in try fileSystem.list(directory) where Store.isOwn(name) {
                try fileSystem.remove(directory + "/" + name)
            }
        } catch {
            throw CopyFailure(error: GraphError(error), isLocal: true)
        }
        return nil
    }

    /// Before anything is asked of the member.
    private static func requireEmpty(_ directory: String, _ fileSystem: any FileSystem) throws(CopyFailure) {
        do throws(FileError) {
            guard fileSystem.exists(directory) else { return }
            guard let stranger = try fileSystem.list(directory).first else { return }
            throw FileError(
                .exists, operation: "copy a store to", path: directory,
                detail: "the directory is not empty (\(stranger)); name an empty one")
        } catch {
            throw CopyFailure(error: GraphError(error), isLocal: true)
        }
    }

    private static func discard(
        _ receiver: inout CopyReceiver, after failure: CopyFailure, _ directory: String
    ) -> CopyFailure {
        let error = failure.error
        let progress =
            receiver.header == nil
            ? "" : " (\(receiver.receivedByteCount) of at least \(receiver.fileByteCount) bytes had arrived)"
        var message = error.message + progress
        do throws(GraphError) { try receiver.discard() } catch {
            message += "; what arrived could not be removed from \(directory): \(error.message)"
        }
        return CopyFailure(error: GraphError(error.code, message), isLocal: failure.isLocal)
    }

    /// Ends a copy from another thread.
    final class Cancellation: Sendable {
        private let state = Mutex<(isCancelled: Bool, connection: BackupConnection?)>((false, nil))
        private static let error = GraphError(.unavailable, "the copy was cancelled")

        func watch(_ connection: BackupConnection) throws(GraphError) {
            let isCancelled = state.withLock { state in
                state.connection = connection
                return state.isCancelled
            }
            if isCancelled {
                connection.close()
                throw Self.error
            }
        }

        func cancel() {
            let connection = state.withLock { state in
                state.isCancelled = true
                return state.connection
            }
            connection?.cancel(Self.error)
        }
    }
}
