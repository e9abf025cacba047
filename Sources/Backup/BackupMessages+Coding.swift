internal import FileSystem
package import GraphModel

extension BackupAnswer {
    /// Bytes before the content of a chunk.
    static let chunkHeaderByteCount = 13

    package func encode() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .refusal(let error):
            writer.write(Tag.refusal.rawValue)
            BackupProtocol.writePreamble(&writer)
            writer.write(string: error.code.name)
            writer.write(string: error.message)
        case .status(let status):
            writer.write(Tag.status.rawValue)
            BackupProtocol.writePreamble(&writer)
            writer.write(status.storeID.rawValue)
            writer.write(status.role.rawValue)
            writer.write(status.isAvailable)
            Self.write(status.applied, &writer)
            writer.write(status.lagTransactions)
            writer.write(status.lag.rawValue)
            writer.write(string: status.clusterName)
        case .header(let header):
            writer.write(Tag.header.rawValue)
            BackupProtocol.writePreamble(&writer)
            writer.write(header.storeID.rawValue)
            writer.write(header.role.rawValue)
            Self.write(header.base, &writer)
            Self.write(header.target, &writer)
            writer.write(data: header.manifest)
            writer.write(UInt32(header.files.count))
            for file in header.files {
                writer.write(file.byteCount)
                writer.write(string: file.name)
            }
        case .chunk(let file, let offset, let bytes):
            writer = ByteWriter(reservingByteCount: Self.chunkHeaderByteCount + bytes.count)
            writer.write(raw: Self.chunkHeader(file: file, offset: offset))
            writer.write(raw: bytes)
        case .records(let records):
            writer = ByteWriter(reservingByteCount: 5 + records.reduce(0) { $0 + 4 + $1.count })
            writer.write(Tag.records.rawValue)
            writer.write(UInt32(records.count))
            for record in records { writer.write(data: record) }
        case .end(let position):
            writer.write(Tag.end.rawValue)
            Self.write(position, &writer)
        case .fingerprints(let values):
            writer = ByteWriter(reservingByteCount: 5 + 8 * values.count)
            writer.write(Tag.fingerprints.rawValue)
            writer.write(UInt32(values.count))
            for value in values { writer.write(value) }
        }
        return writer.bytes
    }

    /// What precedes the content in a chunk's payload, for senders that do not want to copy the content behind it.
    static func chunkHeader(file: UInt32, offset: UInt64) -> [UInt8] {
        var writer = ByteWriter(reservingByteCount: chunkHeaderByteCount)
        writer.write(Tag.chunk.rawValue)
        writer.write(file)
        writer.write(offset)
        return writer.bytes
    }

    /// Throws `.network` for what is no answer, `.formatVersion` for an answer in another version.
    package init(decoding bytes: [UInt8]) throws(GraphError) {
        try self.init(decoding: bytes, isUnpacked: false)
    }

    private init(decoding bytes: [UInt8], isUnpacked: Bool) throws(GraphError) {
        do {
            var reader = ByteReader(bytes)
            let number: UInt8 = try reader.read()
            guard let tag = Tag(rawValue: number) else {
                throw MalformedBytes(offset: 0, detail: "\(number) is no kind of answer")
            }
            switch tag {
            case .refusal:
                // Refusals are the same in every version, so that this one can always be told.
                _ = try BackupProtocol.readPreamble(&reader)
                let code = try reader.readString()
                self = .refusal(GraphError(ErrorCode.known(code), try reader.readString()))
            case .status:
                try Self.checkVersion(&reader)
                self = .status(
                    BackupStatus(
                        storeID: StoreID(try reader.read()), role: try Self.readRole(&reader),
                        isAvailable: try reader.readBool(), applied: try Self.readPosition(&reader),
                        lagTransactions: try reader.read(), lag: Milliseconds(try reader.read()),
                        clusterName: try reader.readString()))
            case .header:
                try Self.checkVersion(&reader)
                self = .header(try Self.readHeader(&reader))
            case .chunk:
                let file: UInt32 = try reader.read()
                let offset: UInt64 = try reader.read()
                guard 1...BackupProtocol.chunkByteCountMaximum ~= reader.remainingByteCount else {
                    throw MalformedBytes(offset: reader.offset, detail: "a part of \(reader.remainingByteCount) bytes")
                }
                self = .chunk(file: file, offset: offset, bytes: try reader.readRaw(reader.remainingByteCount))
            case .records:
                var records: [[UInt8]] = []
                for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 4)) {
                    records.append(try reader.readData())
                }
                self = .records(records)
            case .end: self = .end(try Self.readPosition(&reader))
            case .fingerprints:
                var values: [UInt64] = []
                for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 8)) { values.append(try reader.read()) }
                self = .fingerprints(values)
            case .packed:
                if isUnpacked { throw MalformedBytes(offset: 0, detail: "an answer that is packed twice") }
                self = try BackupAnswer(decoding: try Self.unpack(&reader), isUnpacked: true)
            }
            guard reader.isAtEnd else {
                throw MalformedBytes(
                    offset: reader.offset, detail: "\(reader.remainingByteCount) bytes after the answer")
            }
        } catch let error as GraphError {
            throw error
        } catch {
            throw GraphError(.network, "an answer cannot be read: \(error)")
        }
    }

    private static func checkVersion(_ reader: inout ByteReader) throws {
        let version = try BackupProtocol.readPreamble(&reader)
        guard version == BackupProtocol.version else {
            throw GraphError(
                .formatVersion,
                "the server answers in version \(version) of the backup protocol, this client speaks version \(BackupProtocol.version)"
            )
        }
    }

    private static func readHeader(_ reader: inout ByteReader) throws(MalformedBytes) -> CopyHeader {
        let storeID = StoreID(try reader.read())
        let role = try readRole(&reader)
        let base = try readPosition(&reader)
        let target = try readPosition(&reader)
        guard base.transactionID <= target.transactionID else {
            throw MalformedBytes(offset: 0, detail: "a copy from \(base) back to \(target)")
        }
        let manifest = try reader.readData()
        var files: [CopyHeader.File] = []
        var names: Set<String> = []
        var total: UInt64 = 0
        for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 12)) {
            let byteCount: UInt64 = try reader.read()
            let name = try reader.readString()
            let (sum, isTooMuch) = total.addingReportingOverflow(byteCount)
            guard !isTooMuch, sum < 1 << 60 else {
                throw MalformedBytes(offset: 0, detail: "files of more than an exabyte")
            }
            guard names.insert(name).inserted else {
                throw MalformedBytes(offset: 0, detail: "file \"\(name)\" comes twice")
            }
            total = sum
            files.append(.init(name: name, byteCount: byteCount))
        }
        return CopyHeader(storeID: storeID, role: role, manifest: manifest, files: files, base: base, target: target)
    }

    private static func readRole(_ reader: inout ByteReader) throws(MalformedBytes) -> BackupRole {
        let number: UInt8 = try reader.read()
        guard let role = BackupRole(rawValue: number) else {
            throw MalformedBytes(offset: reader.offset - 1, detail: "\(number) is no role")
        }
        return role
    }

    static func write(_ position: LogPosition, _ writer: inout ByteWriter) {
        writer.write(position.epoch.rawValue)
        writer.write(position.transactionID.rawValue)
        writer.write(position.checksum)
    }

    static func readPosition(_ reader: inout ByteReader) throws(MalformedBytes) -> LogPosition {
        LogPosition(
            epoch: Epoch(try reader.read()), transactionID: TransactionID(try reader.read()),
            checksum: try reader.read())
    }
}

extension ErrorCode {
    /// The codes that members refuse with.
    private static let refusals: [ErrorCode] = [
        .invalidRequest, .configuration, .foreignStore, .formatVersion, .unavailable, .overloaded, .corrupt, .storageIO,
        .logPruned, .noMaster, .network, .general,
    ]

    /// A code by its name; `.general` for one that this version does not know.
    static func known(_ name: String) -> ErrorCode { refusals.first { $0.name == name } ?? .general }
}
