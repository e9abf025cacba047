public import FileSystem
public import GraphModel

/// A store that was set aside because it had applied what the cluster has not: the manual's *branched data* (22.2.4, 25.4).
/// Kept beside the member's store as `STORE.branched-MILLISECONDS`; a server of its own can be started on it.
public struct BranchedStore: Sendable, Equatable, CustomStringConvertible {
    public let directory: String
    /// When it was set aside, ms since 1970.
    public let time: Int64
    public let storeID: StoreID
    /// The end of its log.
    public let last: LogPosition
    /// The master whose log it did not fit.
    public let master: MemberID
    /// Bytes of its files; 0 for one that is only being described.
    public let byteCount: UInt64

    static let fileName = "branched"

    package init(
        beside path: String, time: Int64, storeID: StoreID, last: LogPosition, master: MemberID, byteCount: UInt64 = 0
    ) {
        self.init(
            directory: Self.directory(beside: path, time), time: time, storeID: storeID, last: last, master: master,
            byteCount: byteCount)
    }

    private init(
        directory: String, time: Int64, storeID: StoreID, last: LogPosition, master: MemberID, byteCount: UInt64
    ) {
        self.directory = directory
        self.time = time
        self.storeID = storeID
        self.last = last
        self.master = master
        self.byteCount = byteCount
    }

    private static func directory(beside path: String, _ time: Int64) -> String { "\(path).branched-\(time)" }

    /// The file that tells what a branched store is, one key a line.
    public var description: String {
        """
        time=\(time)
        store=\(storeID.rawValue)
        epoch=\(last.epoch.rawValue)
        tx=\(last.transactionID.rawValue)
        checksum=\(last.checksum)
        master=\(master.rawValue)

        """
    }

    /// The stores that were set aside beside a member's store, the oldest first.
    public static func list(
        beside path: String, _ fileSystem: any FileSystem = POSIXFileSystem()
    ) throws(GraphError) -> [BranchedStore] {
        let parent = parentDirectory(path)
        let prefix = lastPathComponent(of: path) + ".branched-"
        do throws(FileError) {
            guard fileSystem.exists(parent) else { return [] }
            var branches: [BranchedStore] = []
            for name in try fileSystem.list(parent) where name.hasPrefix(prefix) {
                guard let time = Int64(name.dropFirst(prefix.count)) else { continue }
                let directory = directory(beside: path, time)
                branches.append(try read(directory, time, fileSystem))
            }
            return branches.sorted { $0.time < $1.time }
        } catch {
            throw GraphError(error)
        }
    }

    private static func read(
        _ directory: String, _ time: Int64, _ fileSystem: any FileSystem
    ) throws(FileError) -> BranchedStore {
        var values: [Substring: UInt64] = [:]
        if let bytes = try? fileSystem.readAll(directory + "/" + fileName) {
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
                let parts = line.split(separator: "=", maxSplits: 1)
                if parts.count == 2 { values[parts[0]] = UInt64(parts[1]) }
            }
        }
        var byteCount: UInt64 = 0
        for name in try fileSystem.list(directory) {
            let file = try fileSystem.open(directory + "/" + name, .readOnly)
            defer { file.close() }
            byteCount += try file.byteCount()
        }
        return BranchedStore(
            directory: directory, time: time, storeID: StoreID(values["store"] ?? 0),
            last: LogPosition(
                epoch: Epoch(values["epoch"] ?? 0), transactionID: TransactionID(values["tx"] ?? 0),
                checksum: values["checksum"] ?? 0),
            master: MemberID(UInt32(clamping: values["master"] ?? 0)), byteCount: byteCount)
    }
}
