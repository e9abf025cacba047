public import FileSystem
public import GraphModel
internal import Storage
internal import Synchronization
public import Transport

/// What `martlet backup` does: finds a member, copies its store, verifies the copy, and gives it its name.
public struct BackupTool: Sendable {
    public enum Kind: String, Sendable {
        /// Everything, into a directory that must be empty or not exist.
        case full
        /// What was committed since the backup that is in the directory.
        case incremental
    }

    public struct Options: Sendable {
        public var source: BackupSource
        public var kind = Kind.full
        /// Where the backup goes.
        public var directory: String
        /// Makes each backup a directory of its own within ``directory`` and keeps so many of them, at least 1.
        public var keep: Int?
        /// Takes a full backup where the log that an incremental one needs is pruned.
        public var fallsBackToFull = false
        /// Takes no more bytes per second; 0 is no limit, the least otherwise 1 MiB.
        public var byteCountPerSecond: UInt64 = 0
        /// Has members pack what they send: less to transfer, for processor time at both ends.
        public var compresses = false
        /// Members send a quarter of what they may while their processors are busy.
        public var yields = true
        /// `ha.cluster_name` of the cluster; nil for the default name. Not asked of a database that stands alone.
        public var clusterName: String?
        /// Whether the whole graph is walked at the end.
        public var checksResult = true
        /// For members with `ha.tls=true`.
        public var security: TLSClient?
        public var statusTimeout: Milliseconds = 5000
        public var silenceTimeout: Milliseconds = 60_000

        /// How long members are waited for that are to have what another one had applied when the backup began.
        public var catchUpTimeout: Milliseconds = 10_000

        public init(source: BackupSource, directory: String, kind: Kind = .full) {
            self.source = source
            self.kind = kind
            self.directory = directory
        }
    }

    /// `ha.cluster_name` unless configured otherwise.
    public static let defaultClusterName = "martlet.ha"

    public enum Event: Sendable {
        /// One line for people.
        case note(String)
        case copying(BackupProgress)
        /// 0 to 1.
        case checking(part: Double)
    }

    /// A backup that was made.
    public struct Summary: Sendable {
        /// What it is; a full one where an incremental one was not to be had.
        public var kind = Kind.full
        public var directory: String
        /// The member that it was copied from, and what that was.
        public var host: HostPort
        public var role: BackupRole
        public var storeID: StoreID
        /// The last transaction in the backup.
        public var position: LogPosition
        /// Where an incremental backup began; nil in a full one.
        public var previous: LogPosition?
        /// Bytes of files and log that came from members.
        public var byteCount: UInt64
        /// Bytes that went over the network for it; fewer when they were packed.
        public var transferredByteCount: UInt64 = 0
        /// Bytes of a full backup that were there from a try that was broken off.
        public var adoptedByteCount: UInt64 = 0
        /// Of the copy alone.
        public var copySeconds: Double
        /// With everything.
        public var seconds: Double
        /// What the check found; nil when there was none.
        public var check: Check?

        public struct Check: Sendable {
            public var nodeCount: Int
            public var relationshipCount: Int
            /// Hexadecimal; equal for all stores with the same graph.
            public var graphChecksum: String
            /// One line each; empty when all is well.
            public var problems: [String]

            public init(nodeCount: Int, relationshipCount: Int, graphChecksum: String, problems: [String]) {
                self.nodeCount = nodeCount
                self.relationshipCount = relationshipCount
                self.graphChecksum = graphChecksum
                self.problems = problems
            }
        }

        public init(
            directory: String, host: HostPort, role: BackupRole, storeID: StoreID, position: LogPosition,
            byteCount: UInt64, copySeconds: Double, seconds: Double
        ) {
            self.directory = directory
            self.host = host
            self.role = role
            self.storeID = storeID
            self.position = position
            self.byteCount = byteCount
            self.copySeconds = copySeconds
            self.seconds = seconds
        }

        public var megabytesPerSecond: Double { copySeconds > 0 ? Double(byteCount) / 1e6 / copySeconds : 0 }
        public var isConsistent: Bool { check?.problems.isEmpty ?? true }
    }

    let options: Options
    let fileSystem: any FileSystem
    private let start = monotonicNanoseconds()

    private init(_ options: Options, _ fileSystem: any FileSystem) {
        self.options = options
        self.fileSystem = fileSystem
    }

    /// Makes a backup. Blocks; not for event loops or threads of the concurrency pool.
    ///
    /// Throws `.storageIO` when the directory is not as the kind of backup asks for or cannot be written,
    /// `.configuration` when there is no backup that an incremental one could go on from, `.storeLocked` when another
    /// backup is being made there, `.logPruned` when the log that an incremental one needs is gone, and otherwise what kept
    /// each of the members from being copied. A backup that was there is untouched then; of a full one what can be gone
    /// on with is left beside it, else nothing. Inconsistencies in the graph do not throw: the backup is as the member
    /// is, and the summary says so.
    public static func run(
        _ options: Options, fileSystem: any FileSystem = POSIXFileSystem(), report: (Event) -> Void = { _ in }
    ) throws(GraphError) -> Summary {
        let tool = BackupTool(options, fileSystem)
        let destination = try BackupDestination(
            options.directory, isIncremental: options.kind == .incremental, keep: options.keep, fileSystem)
        do throws(GraphError) {
            let time = wallClockMilliseconds()
            var (summary, checksums) = try tool.make(at: destination, report)
            try tool.list(summary, checksums, time, destination)
            summary.directory = try destination.publish(isFull: summary.kind == .full, time: time)
            summary.seconds = Double(monotonicNanoseconds() - tool.start) / 1e9
            return summary
        } catch {
            if [.network, .unavailable, .overloaded].contains(error.code), tool.isWorthGoingOn(destination) {
                throw GraphError(
                    error.code, "\(error.message); what came whole is in \(destination.work), and the next -full goes on from there")
            }
            do throws(GraphError) { try destination.abandon() } catch let second {
                throw GraphError(
                    error.code, "\(error.message); what was copied could not be removed: \(second.message)")
            }
            throw error
        }
    }

    private func make(
        at destination: BackupDestination, _ report: (Event) -> Void
    ) throws(GraphError) -> (Summary, checksums: [String: UInt32]) {
        guard options.kind == .incremental else { return try makeFull(at: destination, report) }
        do throws(GraphError) {
            return try makeIncremental(at: destination, report)
        } catch {
            guard error.code == .logPruned, options.fallsBackToFull else { throw error }
            report(.note("\(error.message); taking a full backup instead"))
            try destination.clear()
            return try makeFull(at: destination, report)
        }
    }

    /// Whether segments of a full backup are left that the next one need not ask for.
    private func isWorthGoingOn(_ destination: BackupDestination) -> Bool {
        let names = (try? fileSystem.list(destination.storeDirectory)) ?? []
        return options.kind == .full && !names.contains(Store.manifestName) && names.contains { $0.hasSuffix(".seg") }
    }

    /// Writes down what the backup is.
    private func list(
        _ summary: Summary, _ checksums: [String: UInt32], _ time: Int64, _ destination: BackupDestination
    ) throws(GraphError) {
        let listing = BackupListing(
            storeID: summary.storeID, position: summary.position, previous: summary.previous, time: time,
            source: "\(summary.host) \(summary.role)",
            files: try BackupListing.files(in: destination.storeDirectory, known: checksums, fileSystem))
        do throws(FileError) {
            try fileSystem.replace(
                destination.storeDirectory + "/" + BackupListing.fileName, with: listing.encode())
        } catch {
            throw GraphError(error)
        }
    }
}
