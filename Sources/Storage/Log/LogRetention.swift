/// How long transaction log is kept, for slaves and incremental backups, beyond what recovery needs: the forms of
/// `keep_logical_logs` (manual, 21.5).
///
/// Whole files go, oldest first, never one that recovery, an open copy of the store or a follower's pin needs, and never
/// the latest that holds an entry.
public enum LogRetention: Sendable, Equatable {
    case all
    case none
    /// At most so many files.
    case files(Int)
    /// At most so many bytes in files that recovery does not need.
    case bytes(UInt64)
    /// At least so many of the latest transactions.
    case transactions(UInt64)
    /// Everything younger than so many milliseconds, by the clock of the master that wrote it.
    case age(UInt64)

    /// What ``init(_:)`` takes, for messages.
    public static let allowed =
        "true, false, or a number and a unit: \"10 files\", \"300M size\", \"500k txs\", \"12 hours\", \"7 days\""

    /// Reads a setting; nil when it is none of the forms.
    public init?(_ text: String) {
        let words = text.lowercased().split(whereSeparator: \.isWhitespace)
        if words.count == 1 {
            switch words[0] {
            case "true": self = .all
            case "false": self = .none
            default: return nil
            }
            return
        }
        guard words.count == 2, let unit = words[0].last else { return nil }
        let factors: [Character: UInt64] = ["k": 1000, "m": 1_000_000, "g": 1_000_000_000]
        let isSize = words[1] == "size"
        let binary: [Character: UInt64] = ["k": 1 << 10, "m": 1 << 20, "g": 1 << 30]
        let factor = (isSize ? binary : factors)[unit]
        guard let number = UInt64(factor == nil ? words[0] : words[0].dropLast()), number > 0 else { return nil }
        let (amount, overflow) = number.multipliedReportingOverflow(by: factor ?? 1)
        guard !overflow, amount < 1 << 53 else { return nil }
        switch words[1] {
        case "files" where amount < 1 << 31: self = .files(Int(amount))
        case "size": self = .bytes(amount)
        case "txs": self = .transactions(amount)
        case "hours" where amount < 1 << 31: self = .age(amount * 3_600_000)
        case "days" where amount < 1 << 31: self = .age(amount * 86_400_000)
        default: return nil
        }
    }
}
