internal import FileSystem
public import GraphModel

/// Shows how far a backup is: as a line that redraws itself on a terminal, as a line every few seconds elsewhere.
public final class BackupDisplay {
    private let isLive: Bool
    private let write: (String) -> Void
    private let now: () -> UInt64
    private var lastShown: UInt64?
    private var lineIsShown = false

    /// `write` takes text as it is, line ends included.
    public convenience init(isLive: Bool, write: @escaping (String) -> Void) {
        self.init(isLive: isLive, now: monotonicNanoseconds, write: write)
    }

    package init(isLive: Bool, now: @escaping () -> UInt64, write: @escaping (String) -> Void) {
        self.isLive = isLive
        self.now = now
        self.write = write
    }

    /// Shows on standard error what `body` reports, until it ends.
    public static func showing<R>(
        _ body: (@escaping (BackupTool.Event) -> Void) throws(GraphError) -> R
    ) throws(GraphError) -> R {
        let display = BackupDisplay(isLive: StandardStream.error.isTerminal) { StandardStream.error.write($0) }
        defer { display.finish() }
        return try body { display.show($0) }
    }

    private var intervalNanoseconds: UInt64 { isLive ? 100_000_000 : 5_000_000_000 }

    public func show(_ event: BackupTool.Event) {
        switch event {
        case .note(let line):
            clearLine()
            write(line + "\n")
        case .copying(let progress): update(Self.text(progress), isLast: false)
        case .checking(let part): update("checking: \(Int(part * 100)) %", isLast: part >= 1)
        }
    }

    private func update(_ text: String, isLast: Bool) {
        let now = now()
        guard isLast || lastShown.map({ now - $0 >= intervalNanoseconds }) ?? true else { return }
        lastShown = now
        write(isLive ? "\r\u{1B}[K" + text : text + "\n")
        lineIsShown = isLive
    }

    private func clearLine() {
        if lineIsShown { write("\r\u{1B}[K") }
        lineIsShown = false
    }

    /// Ends the live line, so that what follows begins on one of its own.
    public func finish() { clearLine() }

    static func text(_ progress: BackupProgress) -> String {
        var text = "copying: \(Int(progress.part * 100)) %, \(bytes(Double(progress.receivedByteCount)))"
        if progress.totalByteCount > progress.receivedByteCount {
            text += " of \(bytes(Double(progress.totalByteCount)))"
        }
        if progress.bytesPerSecond > 0 { text += ", \(bytes(progress.bytesPerSecond))/s" }
        if let seconds = progress.remainingSeconds { text += ", \(duration(seconds)) left" }
        return text
    }

    /// `1.2 GB`; decimal units.
    package static func bytes(_ count: Double) -> String {
        var value = count
        var unit = "B"
        for larger in ["kB", "MB", "GB", "TB", "PB"] where value >= 999.95 {
            value /= 1000
            unit = larger
        }
        return unit == "B" ? "\(Int(value)) B" : "\(oneDecimal(value)) \(unit)"
    }

    /// `1:02:03`, `2:03`, `3 s`.
    package static func duration(_ seconds: Double) -> String {
        let whole = Int(min(seconds.rounded(.up), 1e9))
        if whole < 60 { return "\(whole) s" }
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let (hours, minutes) = (whole / 3600, whole / 60 % 60)
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(whole % 60))" : "\(minutes):\(two(whole % 60))"
    }

    package static func oneDecimal(_ number: Double) -> String {
        let tenths = Int(min(number * 10, 1e15).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}

extension BackupTool.Summary {
    /// Transactions that an incremental backup added; nil in a full one.
    public var transactionCount: UInt64? {
        previous.map { position.transactionID.rawValue - $0.transactionID.rawValue }
    }

    private var addition: String {
        guard let previous, let count = transactionCount else { return "" }
        return "; \(count) more than in the backup before, which ended with \(previous.transactionID)"
    }

    private var adopted: String {
        adoptedByteCount == 0 ? "" : " and \(BackupDisplay.bytes(Double(adoptedByteCount))) from an earlier try"
    }

    /// Where members packed what they sent.
    private var transferred: String {
        transferredByteCount < byteCount ? ", packed in \(BackupDisplay.bytes(Double(transferredByteCount))) on the way" : ""
    }

    /// The summary for people, several lines.
    public var text: String {
        var lines = [
            "backup          \(directory)",
            "copied from     \(host) (\(role))",
            "store           \(storeID)",
            "last            \(position.transactionID), \(position.epoch)\(addition)",
            "size            \(BackupDisplay.bytes(Double(byteCount))) (\(byteCount) bytes)\(transferred)\(adopted)",
            "time            \(BackupDisplay.oneDecimal(seconds)) s, copied at \(BackupDisplay.oneDecimal(megabytesPerSecond)) MB/s",
        ]
        guard let check else { return (lines + ["not checked"]).joined(separator: "\n") }
        lines += [
            "nodes           \(check.nodeCount)",
            "relationships   \(check.relationshipCount)",
            "graph checksum  \(check.graphChecksum)",
        ]
        lines += check.problems.map { "problem: " + $0 }
        lines.append(
            check.problems.isEmpty
                ? "consistent" : "INCONSISTENT: \(check.problems.count) problem(s); the member has them too")
        return lines.joined(separator: "\n")
    }
}
