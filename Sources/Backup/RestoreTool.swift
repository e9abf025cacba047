public import FileSystem
public import GraphModel
internal import Storage

/// What `martlet restore` does: copies a backup to where a server has its store, verified, and leaves the backup as it is.
public struct RestoreTool: Sendable {
    public struct Options: Sendable {
        /// A backup, or a directory with generations of backups, of which the latest is taken.
        public var source: String
        /// `org.neo4j.server.database.location` of the server, which must not run.
        public var target: String
        /// Sets aside what is at the target; without it the target must be empty or not exist.
        public var replaces = false
        /// Whether the whole graph is walked before the copy takes its place.
        public var checksResult = true

        public init(source: String, target: String) {
            self.source = source
            self.target = target
        }
    }

    public struct Summary: Sendable {
        public var source: String
        public var target: String
        public var storeID: StoreID
        public var position: LogPosition
        public var byteCount: UInt64
        /// What was at the target and where it is now, in this order.
        public var setAside: [(from: String, to: String)] = []
        /// nil when the graph was not walked.
        public var check: BackupTool.Summary.Check?
        public var seconds: Double = 0

        public var isConsistent: Bool { check?.problems.isEmpty ?? true }
    }

    private let source: String
    private let target: String
    private let options: Options
    private let fileSystem: any FileSystem

    /// Restores. Blocks; not for event loops or threads of the concurrency pool.
    ///
    /// Throws `.storageIO` when the target is not empty or cannot be written, `.storeLocked` when a server runs on it,
    /// `.corrupt` when the backup is damaged, `.configuration` when there is none. What is at the target stays there then. An
    /// inconsistent graph is not restored either: the summary says so.
    public static func run(
        _ options: Options, fileSystem: any FileSystem = POSIXFileSystem(),
        report: (BackupTool.Event) -> Void = { _ in }
    ) throws(GraphError) -> Summary {
        let start = monotonicNanoseconds()
        let tool = try RestoreTool(options, fileSystem)
        var summary = try tool.restore(report)
        summary.seconds = Double(monotonicNanoseconds() - start) / 1e9
        return summary
    }

    private init(_ options: Options, _ fileSystem: any FileSystem) throws(GraphError) {
        self.options = options
        self.fileSystem = fileSystem
        func trimmed(_ path: String) -> String {
            var path = path
            while path.count > 1, path.hasSuffix("/") { path.removeLast() }
            return path
        }
        target = trimmed(options.target)
        let path = trimmed(options.source)
        if Store.exists(path, fileSystem: fileSystem) {
            source = path
        } else if fileSystem.exists(path), let latest = try BackupGeneration.list(path, fileSystem).last {
            source = path + "/" + latest
        } else {
            throw GraphError(.configuration, "\(path) holds no backup")
        }
        guard target != source, !target.hasPrefix(source + "/") else {
            throw GraphError(.configuration, "the backup \(source) cannot be restored into itself: name another target")
        }
    }

    private func restore(_ report: (BackupTool.Event) -> Void) throws(GraphError) -> Summary {
        try requireFree()
        let work = target + ".restoring"
        let lock: any FileLock
        do throws(FileError) {
            try fileSystem.createDirectory(work)
            lock = try fileSystem.lock(work + "/lock")
        } catch {
            throw error.kind == .locked
                ? GraphError(.storeLocked, "another restore to \(target) is under way (\(error.path) is locked)")
                : GraphError(error)
        }
        defer { withExtendedLifetime(lock) {} }
        do throws(GraphError) {
            try remove(work + "/store")
            report(.note("restoring \(source)"))
            let byteCount = try copy(to: work + "/store", report)
            var summary = try open(work + "/store", byteCount, report)
            if summary.isConsistent { summary.setAside = try putInPlace(work + "/store") }
            try remove(work + "/store")
            try removeWork(work)
            return summary
        } catch {
            do throws(GraphError) {
                try remove(work + "/store")
                try removeWork(work)
            } catch let second {
                throw GraphError(error.code, "\(error.message); \(work) could not be removed: \(second.message)")
            }
            throw error
        }
    }

    // MARK: The target

    /// What belongs to the store at the target: itself, and what a member keeps beside it.
    private func occupied() throws(GraphError) -> [String] {
        let (parent, name) = (parentDirectory(target), lastPathComponent(of: target))
        do throws(FileError) {
            guard fileSystem.exists(parent) else { return [] }
            var found: [String] = []
            if fileSystem.exists(target), try !fileSystem.list(target).isEmpty { found.append(target) }
            for other in try fileSystem.list(parent)
            where other == name + ".member" || other.hasPrefix(name + ".member.") { found.append(parent + "/" + other) }
            return found
        } catch {
            throw GraphError(error)
        }
    }

    private func requireFree() throws(GraphError) {
        let occupied = try occupied()
        if !occupied.isEmpty, !options.replaces {
            throw GraphError(
                .storageIO,
                "\(occupied.joined(separator: ", ")) would be replaced: name another target, or say --force to set it aside")
        }
        guard fileSystem.exists(target + "/" + Store.lockName) else { return }
        do throws(FileError) {
            let lock = try fileSystem.lock(target + "/" + Store.lockName)
            withExtendedLifetime(lock) {}
        } catch {
            throw error.kind == .locked
                ? GraphError(.storeLocked, "\(target) is in use by a server: stop it first") : GraphError(error)
        }
    }

    private func putInPlace(_ store: String) throws(GraphError) -> [(from: String, to: String)] {
        try requireFree()
        let aside = target + ".before-" + BackupTime.text(wallClockMilliseconds(), compact: true)
        let occupied = try occupied()
        do throws(FileError) {
            var moved: [(from: String, to: String)] = []
            for path in occupied {
                let to = aside + path.dropFirst(target.count)
                try fileSystem.rename(path, to: to)
                moved.append((path, to))
            }
            if fileSystem.exists(target) { try fileSystem.remove(target) }
            try fileSystem.rename(store, to: target)
            try fileSystem.syncDirectory(parentDirectory(target))
            return moved
        } catch {
            throw GraphError(error)
        }
    }

    // MARK: The copy

    /// Copies the files of the store, the manifest last, and compares each with what the backup's listing says.
    private func copy(to directory: String, _ report: (BackupTool.Event) -> Void) throws(GraphError) -> UInt64 {
        let listing = try BackupListing.read(source, fileSystem: fileSystem)
        var copied: UInt64 = 0
        do throws(FileError) {
            try fileSystem.createDirectory(directory)
            let present = try fileSystem.list(source).filter(Store.isContent)
            let names = listing?.files.map(\.name) ?? present
            let total = try byteCount(of: present)
            var meter = RateMeter(now: monotonicNanoseconds())
            for name in names.filter({ $0 != Store.manifestName }) + [Store.manifestName] {
                var (byteCount, checksum): (UInt64, UInt32) = (0, 0)
                let path = source + "/" + name
                try fileSystem.copy(path, to: directory + "/" + name) { bytes in
                    byteCount += UInt64(bytes.count)
                    checksum = CRC32C.checksum(bytes, continuing: checksum)
                    report(
                        .copying(
                            meter.progress(received: copied + byteCount, files: total, now: monotonicNanoseconds())))
                }
                copied += byteCount
                if let file = listing?.files.first(where: { $0.name == name }) {
                    do throws(GraphError) { try file.require(byteCount, checksum, path) } catch {
                        throw FileError(.other, operation: "verify", path: path, detail: error.message)
                    }
                }
            }
            try fileSystem.syncDirectory(directory)
        } catch {
            throw error.operation == "verify" ? GraphError(.corrupt, error.detail) : GraphError(error)
        }
        return copied
    }

    private func byteCount(of names: [String]) throws(FileError) -> UInt64 {
        var sum: UInt64 = 0
        for name in names {
            let file = try fileSystem.open(source + "/" + name, .readOnly)
            sum += try file.byteCount()
            file.close()
        }
        return sum
    }

    /// Opens the copy as a server would, and walks everything.
    private func open(
        _ directory: String, _ byteCount: UInt64, _ report: (BackupTool.Event) -> Void
    ) throws(GraphError) -> Summary {
        var storeOptions = Store.Options()
        storeOptions.usesLogThread = false
        let store = try Store.open(directory, fileSystem: fileSystem, options: storeOptions)
        defer { store.close() }
        var summary = Summary(
            source: source, target: target, storeID: store.storeID, position: store.applied, byteCount: byteCount)
        if options.checksResult { summary.check = BackupTool.check(store, report) }
        return summary
    }

    private func remove(_ directory: String) throws(GraphError) {
        do throws(FileError) {
            guard fileSystem.exists(directory) else { return }
            for name in try fileSystem.list(directory) where Store.isOwn(name) {
                try fileSystem.remove(directory + "/" + name)
            }
            try fileSystem.remove(directory)
        } catch {
            throw GraphError(error)
        }
    }

    private func removeWork(_ work: String) throws(GraphError) {
        do throws(FileError) {
            if fileSystem.exists(work + "/lock") { try fileSystem.remove(work + "/lock") }
            try fileSystem.remove(work)
        } catch {
            throw GraphError(error)
        }
    }
}

extension RestoreTool.Summary {
    /// The summary for people, several lines.
    public var text: String {
        var lines = [
            "restored        \(target)", "from            \(source)", "store           \(storeID)",
            "last            \(position.transactionID), \(position.epoch)",
            "size            \(BackupDisplay.bytes(Double(byteCount))) (\(byteCount) bytes)",
        ]
        lines += setAside.map { "set aside       \($0.from) is \($0.to) now" }
        guard let check else { return (lines + ["not checked"]).joined(separator: "\n") }
        lines += [
            "nodes           \(check.nodeCount)", "relationships   \(check.relationshipCount)",
            "graph checksum  \(check.graphChecksum)",
        ]
        lines += check.problems.map { "problem: " + $0 }
        lines.append(
            check.problems.isEmpty ? "consistent" : "INCONSISTENT: \(check.problems.count) problem(s); NOT restored")
        return lines.joined(separator: "\n")
    }
}
