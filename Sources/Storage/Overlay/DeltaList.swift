internal import CPrefetch
internal import Synchronization

/// A list in an arena that one thread appends to while any number read it: elements side by side, so that reading is a
/// scan and not a chase of pointers. A list that is full moves to a block of twice the size; the old block stays, for
/// readers that are still in it.
///
/// An element must be movable as bytes; its atomic fields may be changed in place by the appending thread, which makes
/// the change in the current block. A reader of an old block misses only what came after its snapshot.
struct DeltaList<Element: ~Copyable>: ~Copyable {
    /// Address of the current block: the count of elements, the capacity, then the elements. 0 while there is none.
    private let block = Atomic<UInt>(0)
    private static var headerByteCount: Int { 16 }

    /// What was in a list at one moment. Valid as long as its arena.
    struct Elements {
        // Safety: elements below `count` do not move, and change only in their atomic fields.
        private let base: UnsafeMutablePointer<Element>?
        let count: Int

        fileprivate init(_ block: UnsafeMutableRawPointer?) {
            guard let block else {
                base = nil
                count = 0
                return
            }
            base = (block + headerByteCount).assumingMemoryBound(to: Element.self)
            count = block.assumingMemoryBound(to: Atomic<Int>.self).pointee.load(ordering: .acquiring)
        }

        @inline(__always)
        subscript(index: Int) -> UnsafeMutablePointer<Element> {
            guard let base, index < count else { preconditionFailure("element \(index) of \(count)") }
            return base + index
        }
    }

    init() {}

    @inline(__always)
    var isEmpty: Bool { block.load(ordering: .relaxed) == 0 }

    /// Asks for the head of the list and its first elements.
    @inline(__always)
    func prefetch() {
        guard let block = UnsafeRawPointer(bitPattern: block.load(ordering: .acquiring)) else { return }
        martlet_prefetch(block)
        martlet_prefetch(block + 64)
    }

    /// What is in the list now. Any thread.
    @inline(__always)
    var elements: Elements { Elements(UnsafeMutableRawPointer(bitPattern: block.load(ordering: .acquiring))) }

    /// Adds an element and returns its index, which never changes. One thread at a time, the arena's.
    func append(_ element: consuming Element, in arena: inout Arena) -> Int {
        let stride = MemoryLayout<Element>.stride
        var current = UnsafeMutableRawPointer(bitPattern: block.load(ordering: .relaxed))
        let count = Elements(current).count
        let capacity = current.map { $0.load(fromByteOffset: 8, as: Int.self) } ?? 0
        if count == capacity {
            let larger = max(1, capacity * 2)
            let moved = arena.allocate(byteCount: Self.headerByteCount + larger * stride)
            moved.initializeMemory(as: Int.self, repeating: 0, count: 2)
            moved.storeBytes(of: count, as: Int.self)
            moved.storeBytes(of: larger, toByteOffset: 8, as: Int.self)
            if let current {
                (moved + Self.headerByteCount).copyMemory(
                    from: current + Self.headerByteCount, byteCount: count * stride)
            }
            block.store(UInt(bitPattern: moved), ordering: .releasing)
            current = moved
        }
        guard let current else { preconditionFailure("a list without a block") }
        (current + Self.headerByteCount).assumingMemoryBound(to: Element.self).advanced(by: count)
            .initialize(to: element)
        current.assumingMemoryBound(to: Atomic<Int>.self).pointee.store(count + 1, ordering: .releasing)
        return count
    }
}
