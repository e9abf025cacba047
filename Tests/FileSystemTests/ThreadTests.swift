import FileSystem
import Glibc
import Testing

@Suite struct ThreadTests {
    @Test func aThreadIsAsNiceAsItsMakerSaysAndNobodyElse() {
        let found = Monitor<[Int32]>([])
        let priority: @Sendable () -> Int32 = { getpriority(Int32(PRIO_PROCESS.rawValue), 0) }
        let own = priority()
        for niceness in [0, own + 3] {
            let thread = DedicatedThread(name: "nice", niceness: niceness) {
                let seen = priority()
                found.withLock { $0.append(seen) }
            }
            thread.join()
        }
        #expect(found.withLock { $0 } == [own, min(19, own + 3)])
        #expect(priority() == own)
    }
}
