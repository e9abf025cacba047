/// The name that a client gives to one of its requests, so that sending it again has no second effect: 1 to 128 visible
/// ASCII characters; and what the request is, where the name alone may be that of several.
public struct RequestID: Hashable, Sendable, CustomStringConvertible {
    /// Longest name, in characters.
    public static let characterCountMaximum = 128
    /// With a fingerprint behind it.
    package static let storedCountMaximum = characterCountMaximum + 17
    public let text: String

    /// Nil when the text is empty, too long, or has anything but visible ASCII characters in it.
    public init?(_ text: String) {
        guard text.utf8.count <= Self.characterCountMaximum else { return nil }
        self.init(stored: text)
    }

    /// The name of one request among those that gateways give the same name to, because they belong together.
    ///
    /// - Parameter fingerprint: equal whenever the same request is sent again.
    public init?(_ text: String, fingerprint: UInt64) {
        guard let name = RequestID(text) else { return nil }
        let digits = String(fingerprint, radix: 16)
        self.text = name.text + "#" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// As it was written down.
    package init?(stored text: String) {
        let bytes = text.utf8
        guard 1...Self.storedCountMaximum ~= bytes.count, bytes.allSatisfy({ 0x21...0x7E ~= $0 }) else { return nil }
        self.text = text
    }

    public var description: String { text }
}

extension GraphError {
    /// A request that is in the log already, under the same id.
    public static func committedBefore(_ id: RequestID, in transaction: TransactionID) -> GraphError {
        GraphError(
            .requestCommitted,
            "the request \(id) was committed before, in transaction \(transaction.rawValue); what it was answered then is not kept",
            conflictingTransaction: transaction)
    }

    /// For a repeated request: the transaction that carried it out.
    public var committedTransaction: TransactionID? { code == .requestCommitted ? conflictingTransaction : nil }
}
