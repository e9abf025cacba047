import Backup
import Testing

@Suite struct YieldingPaceTests {
    @Test func processorsAreBusyUntilAGoodPartOfThemIsIdle() {
        var isBusy = false
        let course: [(idle: Double?, isBusy: Bool)] = [
            (0.9, false), (0.2, false), (0.1, false), (0.05, true), (0.2, true), (0.29, true), (0.3, false), (0.11, false),
            (0, true), (nil, false),
        ]
        for (idle, expected) in course {
            isBusy = YieldingPace.isBusy(idleShare: idle, before: isBusy)
            #expect(isBusy == expected, "\(String(describing: idle)) idle")
        }
    }
}
