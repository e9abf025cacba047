import Backup
import Testing

@Suite struct YieldingPaceTests {
    @Test func processorsAreBusyUntilAGoodPartOfThemIsIdle() {
        var isBusy = false
        let course: [(idle: Double?, isBusy: Bool)] = [
            (0.9, false), (0.4, false), (0.25, false), (0.24, true), (0.4, true), (0.44, true), (0.45, false), (0.26, false),
            (0, true), (nil, false),
        ]
        for (idle, expected) in course {
            isBusy = YieldingPace.isBusy(idleShare: idle, before: isBusy)
            #expect(isBusy == expected, "\(String(describing: idle)) idle")
        }
    }
}
