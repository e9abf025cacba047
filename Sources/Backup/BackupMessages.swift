internal import FileSystem
public import GraphModel

/// What a member is to its cluster. A database that stands alone is its own master.
public enum BackupRole: UInt8, Sendable, CustomStringConvertible {
    case master = 1
    case slave = 2
    /// Starting, electing, copying a store, or cut off.
    case pending = 3

    public var description: String {
        switch self {
        case .master: "master"
        case .slave: "slave"
        case .pending: "pending"
        }
    }
}

/// The backup protocol; `docs/formats/backup-protocol.md`. The client sends one ``BackupRequest``, the member answers
/// with ``BackupAnswer``s, all of them payloads of `Frame`.
package enum BackupProtocol {
    static let magic: [UInt8] = Array("MBKP".utf8)
    package static let version: UInt16 = 1
    /// Limit of a request's payload; the only thing that a member reads from a client.
    package static let requestByteCountMaximum = 4096
    /// Longest part of a file in one frame.
    package static let chunkByteCountMaximum = 1 << 20
    /// What a packed answer may come to.
    package static let packedByteCountMaximum = 16 << 20

    static func writePreamble(_ writer: inout ByteWriter) {
        writer.write(raw: magic)
        writer.write(version)
    }

    /// Throws `MalformedBytes` when the other end speaks another protocol; returns its version of this one.
    static func readPreamble(_ reader: inout ByteReader) throws(MalformedBytes) -> UInt16 {
        guard Array(try reader.readRaw(4)) == magic else {
            throw MalformedBytes(offset: 0, detail: "no message of the backup protocol")
        }
        return try reader.read()
    }
}

/// What a client asks for: the first frame that it sends, and the only one but for a ``CopySelection``.
package struct BackupRequest: Equatable, Sendable {
    package enum Kind: UInt8, Sendable {
        /// Role, position and lag.
        case status = 1
        /// A copy of the whole store.
        case full = 2
        /// The log after ``BackupRequest/position``.
        case incremental = 3
        /// A copy of the whole store without the files that the client has already.
        case resumed = 4
    }
    package var kind: Kind
    /// Whether content may come packed.
    package var takesPacked = false
    /// Whether the copy is to go slower while the member's processors are busy.
    package var yields = false
    /// The cluster that the member must belong to; empty when any will do.
    package var clusterName: String
    /// The store that the member must have; `.none` when any will do.
    package var storeID: StoreID
    /// The last transaction that the client has; only of ``Kind/incremental``.
    package var position = LogPosition.zero

    private static let packedBit: UInt8 = 0x80
    private static let yieldsBit: UInt8 = 0x40

    package func encode() -> [UInt8] {
        var writer = ByteWriter()
        BackupProtocol.writePreamble(&writer)
        writer.write(kind.rawValue | (takesPacked ? Self.packedBit : 0) | (yields ? Self.yieldsBit : 0))
        writer.write(string: clusterName)
        writer.write(storeID.rawValue)
        if kind == .incremental { BackupAnswer.write(position, &writer) }
        return writer.bytes
    }

    package init(kind: Kind, clusterName: String, storeID: StoreID, position: LogPosition = .zero) {
        self.kind = kind
        self.clusterName = clusterName
        self.storeID = storeID
        self.position = position
    }

    /// Throws `.network` for bytes of another protocol, which deserve no answer; `.formatVersion` or `.invalidRequest`
    /// for what a client of another version may have meant.
    package init(decoding bytes: [UInt8]) throws(GraphError) {
        var reader = ByteReader(bytes)
        let version: UInt16
        do throws(MalformedBytes) { version = try BackupProtocol.readPreamble(&reader) } catch {
            throw GraphError(.network, "\(error)")
        }
        guard version == BackupProtocol.version else {
            throw GraphError(
                .formatVersion,
                "this server speaks version \(BackupProtocol.version) of the backup protocol, the client asked in version \(version): use a client of the server's version"
            )
        }
        do throws(MalformedBytes) {
            let number: UInt8 = try reader.read()
            guard let kind = Kind(rawValue: number & ~(Self.packedBit | Self.yieldsBit)) else {
                throw MalformedBytes(offset: 6, detail: "\(number) is no kind of request")
            }
            self.kind = kind
            takesPacked = number & Self.packedBit != 0
            yields = number & Self.yieldsBit != 0
            clusterName = try reader.readString()
            storeID = StoreID(try reader.read())
            if kind == .incremental { position = try BackupAnswer.readPosition(&reader) }
            guard reader.isAtEnd else {
                throw MalformedBytes(
                    offset: reader.offset, detail: "\(reader.remainingByteCount) bytes after the request")
            }
        } catch {
            throw GraphError(.invalidRequest, "not understood by this server: \(error)")
        }
    }
}

/// Which files of a copy the client has already: the answer to ``BackupAnswer/fingerprints(_:)``, a bit for each file in
/// the order of the header, the lowest of the first byte first. Files beyond the bits are to be sent.
package struct CopySelection: Equatable, Sendable {
    package private(set) var bits: [UInt8]

    package init(bits: [UInt8]) { self.bits = bits }

    /// Of more files than a request may name, the rest is sent again.
    package init(skipping isSkipped: [Bool]) {
        bits = [UInt8](repeating: 0, count: min((isSkipped.count + 7) / 8, BackupProtocol.requestByteCountMaximum))
        for (index, isSkipped) in isSkipped.prefix(bits.count * 8).enumerated() where isSkipped {
            bits[index / 8] |= 1 << UInt8(index % 8)
        }
    }

    package func skips(_ file: Int) -> Bool { file / 8 < bits.count && bits[file / 8] >> UInt8(file % 8) & 1 == 1 }
}

/// What a member says of itself.
public struct BackupStatus: Equatable, Sendable {
    public var storeID: StoreID
    public var role: BackupRole
    /// Whether it has a store that can be copied now.
    public var isAvailable: Bool
    /// The last transaction that a copy begun now would contain at least.
    public var applied: LogPosition
    /// What the master has committed beyond that, as far as the member knows.
    public var lagTransactions: UInt64
    public var lag: Milliseconds
    /// Empty when the database stands alone.
    public var clusterName: String

    public init(
        storeID: StoreID, role: BackupRole, isAvailable: Bool, applied: LogPosition, lagTransactions: UInt64 = 0,
        lag: Milliseconds = 0, clusterName: String = ""
    ) {
        self.storeID = storeID
        self.role = role
        self.isAvailable = isAvailable
        self.applied = applied
        self.lagTransactions = lagTransactions
        self.lag = lag
        self.clusterName = clusterName
    }
}

/// What precedes the content of a copy.
package struct CopyHeader: Equatable, Sendable {
    package struct File: Equatable, Sendable {
        package var name: String
        package var byteCount: UInt64

        package init(name: String, byteCount: UInt64) {
            self.name = name
            self.byteCount = byteCount
        }
    }
    package var storeID: StoreID
    package var role: BackupRole
    /// Bytes of the store's manifest; empty before the log alone.
    package var manifest: [UInt8]
    /// In the order in which their content follows.
    package var files: [File]
    /// The last transaction within the files.
    package var base: LogPosition
    /// The last transaction that the copy contains at least; the end may name a later one.
    package var target: LogPosition

    package init(
        storeID: StoreID, role: BackupRole, manifest: [UInt8], files: [File], base: LogPosition, target: LogPosition
    ) {
        self.storeID = storeID
        self.role = role
        self.manifest = manifest
        self.files = files
        self.base = base
        self.target = target
    }
}

/// A frame from a member. A refusal may come at any point and is the last.
package enum BackupAnswer: Equatable, Sendable {
    case refusal(GraphError)
    case status(BackupStatus)
    case header(CopyHeader)
    /// A part of a file; parts come in order, one file after the other.
    case chunk(file: UInt32, offset: UInt64, bytes: ArraySlice<UInt8>)
    /// Entries of the log, each as it stands there, unverified.
    case records([[UInt8]])
    /// Everything was sent; the copy ends with this transaction.
    case end(LogPosition)
    /// What tells each file from others of the same name, in the order of the header; the member waits for a
    /// ``CopySelection`` then.
    case fingerprints([UInt64])

    /// The kinds by their first byte.
    enum Tag: UInt8 {
        case refusal = 1
        case status = 2
        case header = 3
        case chunk = 4
        case records = 5
        case end = 6
        case fingerprints = 7
        /// Another answer, packed.
        case packed = 8
    }
}
