internal import FileSystem

/// Shows on standard error how far a long job is: as a bar that moves on a terminal, as a line every ten per cent
/// elsewhere.
public final class ProgressDisplay {
    private let isLive: Bool
    private let write: (String) -> Void
    private let start = monotonicNanoseconds()
    private var lastDraw: UInt64 = 0
    private var stage = ""
    private var lastTenth = -1
    private var barIsShown = false

    public convenience init() {
        self.init(isLive: StandardStream.error.isTerminal) { StandardStream.error.write($0) }
    }

    package init(isLive: Bool, write: @escaping (String) -> Void) {
        self.isLive = isLive
        self.write = write
    }

    /// Seconds since this display was made.
    public var seconds: Double { Double(monotonicNanoseconds() - start) / 1e9 }

    /// `part` is 0 to 1 within the stage.
    public func update(stage: String, part: Double, rowCount: Int?) {
        let part = min(max(part, 0), 1)
        let isNewStage = stage != self.stage
        self.stage = stage
        let rows = rowCount.map { ", \(Self.grouped($0)) rows" } ?? ""
        let percent = Int(part * 100)
        if isLive {
            let now = monotonicNanoseconds()
            guard isNewStage || part >= 1 || now - lastDraw > 100_000_000 else { return }
            lastDraw = now
            let filled = Int(part * 30)
            let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: 30 - filled)
            write("\r\u{1B}[K\(stage) [\(bar)] \(percent) %\(rows), \(Self.oneDecimal(seconds)) s")
            barIsShown = true
        } else {
            if isNewStage { lastTenth = -1 }
            guard percent / 10 > lastTenth else { return }
            lastTenth = percent / 10
            write("\(stage): \(percent) %\(rows), \(Self.oneDecimal(seconds)) s\n")
        }
    }

    /// Writes a line without spoiling the bar.
    public func note(_ line: String) {
        write(barIsShown ? "\r\u{1B}[K\(line)\n" : line + "\n")
        barIsShown = false
    }

    public func finish() {
        if barIsShown { write("\n") }
        barIsShown = false
    }

    static func oneDecimal(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// `1 234 567`.
    package static func grouped(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(number.magnitude).reversed().enumerated() {
            if index > 0 && index % 3 == 0 { text.append(" ") }
            text.append(digit)
        }
        return (number < 0 ? "-" : "") + String(text.reversed())
    }
}
