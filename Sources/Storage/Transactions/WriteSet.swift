internal import FileSystem
package import GraphModel

/// What a transaction wants to change, as it travels from the member that executed it to the master: commands, the names
/// they introduce, and the snapshot they were decided on. Little-endian: `UInt8` version, `UInt64` snapshot transaction
/// id, `UInt64` epoch of the reserved ids, new names (kind, name), `UInt32` command count, commands, `UInt32` claim count,
/// claims (rule, hash), from version 3 on `UInt64` epoch of the snapshot. Version 4 has the string of a request id behind
/// the version and is else as version 3, which stands for those without one.
package struct WriteSet: Sendable {
    static let formatVersion: UInt8 = 4
    private static let formatVersionWithoutRequest: UInt8 = 3
    /// The oldest version that is still read; it has no claims.
    static let oldestFormatVersion: UInt8 = 1

    var base: TransactionID
    /// The epoch of that transaction: another history may have one with the same id. Nil before version 3.
    var baseEpoch: Epoch?
    /// The epoch in which the ids of created entities were reserved.
    var idEpoch: Epoch
    var newNames: [NewName]
    var commands: [Command]
    /// What must stay unique from the snapshot on.
    var claims: [Claim]
    /// The request that this transaction carries out, when its client named it.
    var requestID: RequestID?
    /// Where the commands are in the bytes that it was decoded from.
    private(set) var commandBytes = 0..<0
    /// Whether its member looked at the constraints at all.
    private(set) var checksConstraints = true

    /// A key that this transaction puts into the index of a uniqueness constraint. A hash is enough: two keys with one
    /// hash cost a retry.
    struct Claim: Sendable, Hashable {
        let rule: SchemaRuleID
        let keyHash: UInt64
    }

    struct NewName: Sendable, Equatable {
        let kind: TokenKind
        let name: String
    }

    init(
        base: LogPosition, idEpoch: Epoch, newNames: [NewName], commands: [Command], claims: [Claim] = [],
        requestID: RequestID? = nil
    ) {
        self.base = base.transactionID
        baseEpoch = base.epoch
        self.idEpoch = idEpoch
        self.newNames = newNames
        self.commands = commands
        self.claims = claims
        self.requestID = requestID
    }

    func encode() -> [UInt8] {
        var writer = ByteWriter(reservingByteCount: 64 + commands.count * 48)
        if let requestID {
            writer.write(Self.formatVersion)
            writer.write(string: requestID.text)
        } else {
            writer.write(Self.formatVersionWithoutRequest)
        }
        writer.write(base.rawValue)
        writer.write(idEpoch.rawValue)
        writer.write(UInt32(newNames.count))
        for name in newNames {
            writer.write(name.kind.rawValue)
            writer.write(string: name.name)
        }
        writer.write(UInt32(commands.count))
        for command in commands { command.encode(into: &writer) }
        writer.write(UInt32(claims.count))
        for claim in claims {
            writer.write(claim.rule.rawValue)
            writer.write(claim.keyHash)
        }
        writer.write(baseEpoch?.rawValue ?? 0)
        return writer.bytes
    }

    /// The request that a write set carries out; nil when it names none, or cannot be read.
    package static func requestID(in bytes: [UInt8]) -> RequestID? {
        guard bytes.first == formatVersion else { return nil }
        var reader = ByteReader(bytes[1...])
        return try? RequestID(&reader)
    }

    /// Throws `.conflict` unless a write set says which history its snapshot is of: where histories part, transactions of
    /// different contents have the same id.
    package static func requireHistory(in bytes: [UInt8]) throws(GraphError) {
        if let version = bytes.first, version >= formatVersionWithoutRequest { return }
        throw GraphError(.conflict, "the write set does not say which history its transaction began in: run it again")
    }

    /// The same write set as version 2 has it, for members that know no later one. One with a request id has to stay away
    /// from them.
    package static func downgraded(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.first == formatVersionWithoutRequest, bytes.count > 8 else { return bytes }
        return [2] + bytes[1..<(bytes.count - 8)]
    }

    init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        let version: UInt8 = try reader.read()
        guard version >= Self.oldestFormatVersion, version <= Self.formatVersion else {
            throw MalformedBytes(offset: 0, detail: "expected write set format \(Self.formatVersion), found \(version)")
        }
        if version >= 4 { requestID = try RequestID(&reader) }
        base = TransactionID(try reader.read())
        idEpoch = Epoch(try reader.read())
        newNames = []
        for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 5)) {
            let number: UInt8 = try reader.read()
            guard let kind = TokenKind(rawValue: number) else {
                throw MalformedBytes(offset: reader.offset - 1, detail: "\(number) is no kind of token")
            }
            newNames.append(NewName(kind: kind, name: try reader.readString()))
        }
        let count = try reader.readCount(minimumByteCountOfElement: 5)
        commands = []
        commands.reserveCapacity(count)
        let start = reader.offset
        for _ in 0..<count { commands.append(try Command.decode(&reader)) }
        commandBytes = start..<reader.offset
        claims = []
        checksConstraints = version >= 2
        if version >= 2 {
            let count = try reader.readCount(minimumByteCountOfElement: 12)
            claims.reserveCapacity(count)
            for _ in 0..<count {
                claims.append(Claim(rule: SchemaRuleID(try reader.read()), keyHash: try reader.read()))
            }
        }
        if version >= 3 { baseEpoch = Epoch(try reader.read()) }
        guard reader.isAtEnd else { throw MalformedBytes(offset: reader.offset, detail: "bytes after the last field") }
    }
}
