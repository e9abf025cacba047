import Backup
import Synchronization
import Testing

@Suite struct DisplayTests {
    /// Shows a copy of a gigabyte that goes on every 10 ms for `seconds`.
    private func show(isLive: Bool, seconds: UInt64) -> String {
        var text = ""
        var now: UInt64 = 0
        let display = BackupDisplay(isLive: isLive, now: { now }) { text += $0 }
        display.show(.note("copying the store of a:1"))
        for step in 0...(seconds * 100) {
            now = step * 10_000_000
            display.show(
                .copying(
                    BackupProgress(
                        receivedByteCount: step * 1_000_000, totalByteCount: 1_000_000_000, bytesPerSecond: 1e8,
                        remainingSeconds: 75)))
        }
        display.show(.note("done"))
        display.finish()
        return text
    }

    @Test func aTerminalGetsOneLineThatRedrawsItself() {
        let text = show(isLive: true, seconds: 2)
        let draws = text.split(separator: "\r", omittingEmptySubsequences: false)
        #expect(draws.count == 23)
        #expect(draws.contains("\u{1B}[Kcopying: 10 %, 100.0 MB of 1.0 GB, 100.0 MB/s, 1:15 left"))
        #expect(text.hasSuffix("\r\u{1B}[Kdone\n"))
    }

    @Test func aFileGetsALineEveryFewSeconds() {
        let lines = show(isLive: false, seconds: 12).split(separator: "\n")
        #expect(lines.count == 5)
        #expect(lines.first == "copying the store of a:1" && lines.last == "done")
        #expect(lines[2] == "copying: 50 %, 500.0 MB of 1.0 GB, 100.0 MB/s, 1:15 left")
        #expect(!lines.joined().contains("\u{1B}"))
    }

    @Test func numbersAreReadable() {
        #expect(BackupDisplay.bytes(0) == "0 B")
        #expect(BackupDisplay.bytes(999) == "999 B")
        #expect(BackupDisplay.bytes(1000) == "1.0 kB")
        #expect(BackupDisplay.bytes(999_960) == "1.0 MB")
        #expect(BackupDisplay.bytes(1.55e12) == "1.6 TB")
        #expect(BackupDisplay.duration(0.2) == "1 s")
        #expect(BackupDisplay.duration(59) == "59 s")
        #expect(BackupDisplay.duration(61) == "1:01")
        #expect(BackupDisplay.duration(3723) == "1:02:03")
    }
}
