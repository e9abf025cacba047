import Storage
import TestSupport
import Testing

@Suite struct ReleasingQueueTests {
    private final class Element {
        let number: Int
        init(_ number: Int) { self.number = number }
    }

    @Test func whatLeavesIsReleased() {
        var queue = ReleasingQueue<Element>()
        weak var oldest: Element?
        weak var newest: Element?
        do {
            let elements = (0..<3).map(Element.init)
            for element in elements { queue.append(element) }
            oldest = elements[0]
            newest = elements[2]
        }
        #expect(oldest != nil && newest != nil)
        queue.removeFirst()
        queue.removeLast()
        #expect(oldest == nil && newest == nil)
        #expect(queue.count == 1 && queue.first?.number == 1 && queue.last?.number == 1)
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func behavesLikeAnArray(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var queue = ReleasingQueue<Int>()
        var model: [Int] = []
        for step in 0..<60_000 {
            // Grows to thousands and shrinks to nothing, so that slots are given up in every way.
            let isGrowing = step / 12_000 % 2 == 0
            switch generator.next() % 10 {
            case 0..<(isGrowing ? 7 : 2):
                queue.append(step)
                model.append(step)
            case 9:
                #expect(queue.removeLast() == model.popLast())
            default:
                #expect(queue.removeFirst() == (model.isEmpty ? nil : model.removeFirst()))
            }
            let offset = Int(generator.next() % UInt64(model.count + 2))
            #expect(queue.count == model.count && queue.isEmpty == model.isEmpty, "seed \(seed), step \(step)")
            #expect(queue.first == model.first && queue.last == model.last, "seed \(seed), step \(step)")
            #expect(queue[offset] == (offset < model.count ? model[offset] : nil), "seed \(seed), step \(step)")
        }
    }
}
