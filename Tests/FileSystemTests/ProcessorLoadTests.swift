import FileSystem
import Testing

@Suite struct ProcessorLoadTests {
    /// A `/proc/stat` that says what is wanted.
    private func counters(_ line: String) throws -> CrashableFileSystem {
        let files = CrashableFileSystem()
        try files.createDirectory("/proc")
        try files.replace("/proc/stat", with: Array((line + "\ncpu0 1 2 3 4 5\nctxt 1\n").utf8))
        return files
    }

    @Test func theIdleShareIsWhatTheCountersGrewBy() throws {
        var load = ProcessorLoad()
        load.look(now: 0, try counters("cpu  100 0 100 800 0 0 0 0 0 0"))
        #expect(load.idleShare == nil)
        // Sixty busy, of them twenty stolen; thirty idle, ten waiting for the disk.
        load.look(now: 1_000_000_000, try counters("cpu  120 0 120 830 10 0 0 20 0 0"))
        #expect(load.idleShare == 0.4)
        load.look(now: 1_100_000_000, try counters("cpu  900 0 900 900 10 0 0 20 0 0"))
        #expect(load.idleShare == 0.4, "a look too soon changes nothing")
        load.look(now: 2_000_000_000, try counters("cpu  220 0 120 830 10 0 0 20 0 0"))
        #expect(load.idleShare == 0)
    }

    @Test func whereNothingCanBeReadNothingIsKnown() throws {
        var load = ProcessorLoad()
        for (number, line) in ["cpu  1 1 1 1 1", "cpu  2 2 2 2 2", "cpu  1 1 1 1 1", "cpu", "intr 4 4 4 4 4 4"].enumerated() {
            load.look(now: UInt64(number) * 1_000_000_000, try counters(line))
            #expect((load.idleShare != nil) == (number == 1), "\(line)")
        }
        load.look(now: 9_000_000_000, CrashableFileSystem())
        #expect(load.idleShare == nil)
    }

    @Test func thisMachineCanBeLookedAt() throws {
        var load = ProcessorLoad()
        var now: UInt64 = 0
        // The counters move a hundred times a second.
        while load.idleShare == nil, now < 100_000_000_000_000 {
            load.look(now: now)
            now += 1_000_000_000
        }
        let share = try #require(load.idleShare)
        #expect((0...1).contains(share))
    }
}
