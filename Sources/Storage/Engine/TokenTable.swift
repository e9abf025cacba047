internal import FileSystem
internal import GraphModel
internal import Synchronization

/// The names that a store knows, by kind, both ways. A value; published whole when a name is added.
struct TokenTable: Sendable {
    private static let lastVersion = Atomic<UInt64>(0)

    /// Tables with the same version hold the same names, also across the stores of this process. Never 0.
    private(set) var version = TokenTable.nextVersion()
    private var names: [[String]] = [[], [], []]
    /// Keyed by UTF-8, because names compare by code units.
    private var numbers: [[[UInt8]: TokenID]] = [[:], [:], [:]]

    func count(_ kind: TokenKind) -> Int { names[Int(kind.rawValue)].count }

    func token(_ kind: TokenKind, _ name: String) -> TokenID? { numbers[Int(kind.rawValue)][Array(name.utf8)] }

    func name(_ kind: TokenKind, _ token: TokenID) -> String? {
        let names = names[Int(kind.rawValue)]
        return Int(token) < names.count ? names[Int(token)] : nil
    }

    /// Adds a name under the next number; false when the number is not the next one.
    mutating func add(_ kind: TokenKind, _ token: TokenID, _ name: String) -> Bool {
        let index = Int(kind.rawValue)
        guard Int(token) == names[index].count else { return false }
        names[index].append(name)
        numbers[index][Array(name.utf8)] = token
        version = Self.nextVersion()
        return true
    }

    private static func nextVersion() -> UInt64 { lastVersion.add(1, ordering: .relaxed).newValue }

    func encode(into writer: inout ByteWriter) {
        for kind in TokenKind.allCases {
            writer.write(UInt32(count(kind)))
            for name in names[Int(kind.rawValue)] { writer.write(string: name) }
        }
    }

    init() {}

    init(_ reader: inout ByteReader) throws(MalformedBytes) {
        for kind in TokenKind.allCases {
            let count = try reader.readCount(minimumByteCountOfElement: 4)
            for token in 0..<count { _ = add(kind, TokenID(token), try reader.readString()) }
        }
    }
}
