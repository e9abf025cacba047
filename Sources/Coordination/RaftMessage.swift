public import FileSystem

/// Messages between coordinators. Every message carries the sender's term.
public enum RaftMessage: Sendable, Equatable {
    /// Would you vote for me in this term? Changes nothing at the receiver.
    case preVote(term: UInt64, lastTerm: UInt64, lastIndex: UInt64)
    case preVoteReply(term: UInt64, granted: Bool)
    case vote(term: UInt64, lastTerm: UInt64, lastIndex: UInt64)
    case voteReply(term: UInt64, granted: Bool)
    /// The leader's entry (nil when the receiver has it), how far is committed, the heartbeat's number, and the receiver's
    /// nonce if the leader knew of one when its election began, else 0.
    case append(term: UInt64, entry: RaftEntry?, commitIndex: UInt64, heartbeat: UInt64, nonce: UInt64)
    /// `matchIndex`: index of the receiver's entry if it is of this term, else 0.
    case appendReply(term: UInt64, matchIndex: UInt64, heartbeat: UInt64)
    /// The sender has no state and does not count: its nonce, and those of the others like it that it has heard of.
    case newcomer(nonces: [String: UInt64])
    /// All coordinators were newcomers at once, with these nonces: nothing was decided before.
    case founded(nonces: [String: UInt64])

    public var term: UInt64 {
        switch self {
        case .preVote(let term, _, _), .preVoteReply(let term, _), .vote(let term, _, _), .voteReply(let term, _),
            .append(let term, _, _, _, _), .appendReply(let term, _, _):
            term
        case .newcomer, .founded: 0
        }
    }

    public func encode(into writer: inout ByteWriter) {
        func numbers(_ tag: UInt8, _ values: UInt64...) {
            writer.write(tag)
            for value in values { writer.write(value) }
        }
        switch self {
        case .preVote(let term, let lastTerm, let lastIndex): numbers(1, term, lastTerm, lastIndex)
        case .preVoteReply(let term, let granted): numbers(2, term, granted ? 1 : 0)
        case .vote(let term, let lastTerm, let lastIndex): numbers(3, term, lastTerm, lastIndex)
        case .voteReply(let term, let granted): numbers(4, term, granted ? 1 : 0)
        case .append(let term, let entry, let commitIndex, let heartbeat, let nonce):
            numbers(5, term, commitIndex, heartbeat, nonce)
            writer.write(entry != nil)
            entry?.encode(into: &writer)
        case .appendReply(let term, let matchIndex, let heartbeat): numbers(6, term, matchIndex, heartbeat)
        case .newcomer(let nonces):
            numbers(7)
            writer.write(nonces: nonces)
        case .founded(let nonces):
            numbers(8)
            writer.write(nonces: nonces)
        }
    }

    public init(_ reader: inout ByteReader) throws(MalformedBytes) {
        let tag: UInt8 = try reader.read()
        switch tag {
        case 1: self = .preVote(term: try reader.read(), lastTerm: try reader.read(), lastIndex: try reader.read())
        case 2: self = .preVoteReply(term: try reader.read(), granted: try reader.read(UInt64.self) == 1)
        case 3: self = .vote(term: try reader.read(), lastTerm: try reader.read(), lastIndex: try reader.read())
        case 4: self = .voteReply(term: try reader.read(), granted: try reader.read(UInt64.self) == 1)
        case 5:
            let term: UInt64 = try reader.read()
            let commitIndex: UInt64 = try reader.read()
            let heartbeat: UInt64 = try reader.read()
            let nonce: UInt64 = try reader.read()
            let entry = try reader.readBool() ? try RaftEntry(&reader) : nil
            self = .append(term: term, entry: entry, commitIndex: commitIndex, heartbeat: heartbeat, nonce: nonce)
        case 6: self = .appendReply(term: try reader.read(), matchIndex: try reader.read(), heartbeat: try reader.read())
        case 7: self = .newcomer(nonces: try reader.readNonces())
        case 8: self = .founded(nonces: try reader.readNonces())
        default: throw MalformedBytes(offset: reader.offset - 1, detail: "\(tag) is no coordinator message")
        }
    }
}

/// One entry: the whole register, so that each supersedes all before it.
public struct RaftEntry: Sendable, Equatable {
    public var index: UInt64 = 0
    public var term: UInt64 = 0
    public var register = ClusterRegister()

    public init() {}

    public init(index: UInt64, term: UInt64, register: ClusterRegister) {
        self.index = index
        self.term = term
        self.register = register
    }

    public func encode(into writer: inout ByteWriter) {
        writer.write(index)
        writer.write(term)
        register.encode(into: &writer)
    }

    public init(_ reader: inout ByteReader) throws(MalformedBytes) {
        index = try reader.read()
        term = try reader.read()
        register = try ClusterRegister(&reader)
    }
}

extension ByteWriter {
    /// Nonces by address, in the order of the addresses.
    fileprivate mutating func write(nonces: [String: UInt64]) {
        write(UInt32(nonces.count))
        for address in nonces.keys.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            write(string: address)
            write(nonces[address] ?? 0)
        }
    }
}

extension ByteReader {
    fileprivate mutating func readNonces() throws(MalformedBytes) -> [String: UInt64] {
        var nonces: [String: UInt64] = [:]
        for _ in 0..<(try readCount(minimumByteCountOfElement: 12)) { nonces[try readString()] = try read() }
        return nonces
    }
}

/// What a coordinator must not forget: its term, its vote, its entry. Persisted as a whole before anything that
/// depends on it is sent.
public struct RaftHardState: Sendable, Equatable {
    public var term: UInt64 = 0
    public var votedFor: String?
    public var entry = RaftEntry()
    /// Not 0: this coordinator began without a state, drew this number, and does not count yet.
    public var nonce: UInt64 = 0
    /// The nonces with which all coordinators began together; kept until the register is written for the first time.
    public var founders: [String: UInt64] = [:]

    static let magic: [UInt8] = Array("MCRD".utf8)
    static let formatVersion: UInt16 = 2

    public init() {}

    /// That of a coordinator which finds no state file; `nonce` must be random.
    public init(newcomer nonce: UInt64) { self.nonce = max(nonce, 1) }

    /// Takes an entry. A register that was written shows that a majority counts: how that began is of no more use.
    mutating func hold(_ entry: RaftEntry) {
        self.entry = entry
        if entry.register.revision > 0 { founders = [:] }
    }

    public func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(raw: Self.magic)
        writer.write(Self.formatVersion)
        writer.write(term)
        writer.write(string: votedFor ?? "")
        entry.encode(into: &writer)
        writer.write(nonce)
        writer.write(nonces: founders)
        writer.write(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        guard bytes.count > 10, Array(bytes[..<4]) == Self.magic else {
            throw MalformedBytes(offset: 0, detail: "not a coordinator's state")
        }
        var tail = ByteReader(bytes[(bytes.count - 4)...])
        guard try tail.read(UInt32.self) == CRC32C.checksum(Array(bytes[..<(bytes.count - 4)])) else {
            throw MalformedBytes(offset: bytes.count - 4, detail: "the checksum does not match")
        }
        var reader = ByteReader(bytes[4..<(bytes.count - 4)])
        let version: UInt16 = try reader.read()
        guard (1...Self.formatVersion).contains(version) else {
            throw MalformedBytes(offset: 4, detail: "expected format 1 to \(Self.formatVersion), found \(version)")
        }
        term = try reader.read()
        let vote = try reader.readString()
        votedFor = vote.isEmpty ? nil : vote
        entry = try RaftEntry(&reader)
        guard version >= 2 else { return }
        nonce = try reader.read()
        founders = try reader.readNonces()
    }
}
