/// First in, first out, and what leaves it is released at once: an array slice would keep it until it grows.
package struct ReleasingQueue<Element> {
    /// Nil below `head`: a slot is given up later than what was in it.
    private var slots: [Element?] = []
    private var head = 0

    package init() {}

    package var count: Int { slots.count - head }
    package var isEmpty: Bool { count == 0 }
    package var first: Element? { isEmpty ? nil : slots[head] }
    package var last: Element? { slots.last ?? nil }

    /// All of them, the oldest first.
    package var elements: [Element] { slots[head...].compactMap(\.self) }

    package mutating func append(_ element: Element) { slots.append(element) }

    @discardableResult
    package mutating func removeFirst() -> Element? {
        guard let element = first else { return nil }
        slots[head] = nil
        head += 1
        if isEmpty || head > 4096 && head > count {
            slots.removeFirst(head)
            head = 0
        }
        return element
    }

    @discardableResult
    package mutating func removeLast() -> Element? {
        guard let element = last else { return nil }
        slots.removeLast()
        if isEmpty { self = ReleasingQueue() }
        return element
    }

    /// The element that so many came before; nil when there are not so many.
    package subscript(_ offset: Int) -> Element? { offset < count ? slots[head + offset] : nil }
}

extension ReleasingQueue: Sendable where Element: Sendable {}
