internal import GraphModel

/// What a run of a script holds: counts it, limits it, and sees to it that all of it is freed at the end, circles too.
final class Memory {
    private struct Slot { weak var held: Held? }
    private var slots: [Slot] = []
    private var freeSlots: [Int] = []
    private var buried: [[Item]] = []
    private var buriedObjects: [AnyObject] = []
    private var isBurying = false
    private(set) var byteCount = 0
    private let byteCountMaximum: Int

    /// - Parameter byteCountMaximum: 0 is no limit.
    init(byteCountMaximum: Int) { self.byteCountMaximum = byteCountMaximum > 0 ? byteCountMaximum : .max }

    /// Throws `.queryMemory` when more would be held than may be.
    func take(_ count: Int) throws(GraphError) {
        byteCount += count
        if byteCount > byteCountMaximum {
            throw GraphError(
                .queryMemory, "the script needs more memory than one may hold, \(byteCountMaximum) bytes: collect less, or in parts")
        }
    }

    func give(_ count: Int) { byteCount -= count }

    fileprivate func enter(_ held: Held) -> Int {
        if let slot = freeSlots.popLast() {
            slots[slot].held = held
            return slot
        }
        slots.append(Slot(held: held))
        return slots.count - 1
    }

    fileprivate func leave(_ slot: Int, _ count: Int) {
        freeSlots.append(slot)
        give(count)
    }

    /// Frees what a container held, one container after the other: they may stand in each other any number deep.
    /// Takes them from the caller, whose own reference would be the last one otherwise.
    func bury(_ items: inout [Item]) {
        if items.isEmpty { return }
        buried.append(items)
        items = []
        dig()
    }

    /// The same for what one thing alone refers to.
    func bury<Object: AnyObject>(_ object: inout Object?) {
        if let object { buriedObjects.append(object) }
        object = nil
        dig()
    }

    private func dig() {
        if isBurying { return }
        isBurying = true
        while !buried.isEmpty || !buriedObjects.isEmpty {
            while let next = buried.popLast() { withExtendedLifetime(next) {} }
            while let next = buriedObjects.popLast() { withExtendedLifetime(next) {} }
        }
        isBurying = false
    }

    /// Empties everything that is still held.
    func clear() {
        let all = slots.compactMap(\.held)
        for held in all { held.clear() }
    }
}

/// Something that may refer to itself by a detour.
class Held {
    let memory: Memory
    private var slot = 0
    private var byteCount = 0

    init(_ memory: Memory) {
        self.memory = memory
        slot = memory.enter(self)
    }

    deinit { memory.leave(slot, byteCount) }

    final func grow(_ count: Int) throws(GraphError) {
        byteCount += count
        try memory.take(count)
    }

    final func shrink(_ count: Int) {
        byteCount -= count
        memory.give(count)
    }

    func clear() {}
}

/// Variables of a script, of a function or of a closure while it runs.
final class Environment: Held {
    private var variables: [(name: String, value: Item)] = []
    private let parent: Environment?

    init(_ memory: Memory, in parent: Environment?) throws(GraphError) {
        self.parent = parent
        super.init(memory)
        try grow(128)
    }

    deinit {
        var values = variables.map(\.value)
        variables = []
        memory.bury(&values)
    }

    override func clear() { variables = [] }

    func declare(_ name: String, _ value: Item) throws(GraphError) {
        try grow(32 + value.byteCount)
        if let index = variables.firstIndex(where: { $0.name == name }) {
            variables[index].value = value
        } else {
            variables.append((name, value))
        }
    }

    func value(_ name: String) -> Item? {
        var environment: Environment? = self
        while let current = environment {
            for variable in current.variables where variable.name == name { return variable.value }
            environment = current.parent
        }
        return nil
    }

    /// False when there is no such variable.
    func assign(_ name: String, _ value: Item) throws(GraphError) -> Bool {
        var environment: Environment? = self
        while let current = environment {
            if let index = current.variables.firstIndex(where: { $0.name == name }) {
                let change = value.byteCount - current.variables[index].value.byteCount
                if change > 0 { try current.grow(change) } else { current.shrink(-change) }
                current.variables[index].value = value
                return true
            }
            environment = current.parent
        }
        return false
    }
}
