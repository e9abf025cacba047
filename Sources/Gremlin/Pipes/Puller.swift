internal import GraphModel
internal import Storage

/// What is asked for one item of a pipe after the other.
class Puller {
    let interpreter: Interpreter
    init(_ interpreter: Interpreter) { self.interpreter = interpreter }
    func next() throws(GraphError) -> Traveller? { nil }
}

/// Items that are there already.
final class ItemPuller: Puller {
    private let travellers: [Traveller]
    private var index = 0

    init(_ interpreter: Interpreter, _ travellers: [Traveller]) {
        self.travellers = travellers
        super.init(interpreter)
    }

    override func next() throws(GraphError) -> Traveller? {
        guard index < travellers.count else { return nil }
        index += 1
        return travellers[index - 1]
    }
}

/// What a list holds when it is asked.
final class ListPuller: Puller {
    private let list: ListItem
    private var index = 0

    init(_ interpreter: Interpreter, _ list: ListItem) {
        self.list = list
        super.init(interpreter)
    }

    override func next() throws(GraphError) -> Traveller? {
        guard index < list.elements.count else { return nil }
        index += 1
        return Traveller(start: list.elements[index - 1])
    }
}

/// All vertices, or all edges.
final class ScanPuller: Puller {
    private let isOfVertices: Bool
    private var cursor: UInt64 = 0
    private var hasMore = true
    private var ids: ContiguousArray<UInt64> = []
    private var index = 0

    init(_ interpreter: Interpreter, isOfVertices: Bool) {
        self.isOfVertices = isOfVertices
        super.init(interpreter)
    }

    override func next() throws(GraphError) -> Traveller? {
        let transaction = interpreter.transaction
        while true {
            if index < ids.count {
                let id = ids[index]
                index += 1
                // It may be gone by now.
                if isOfVertices ? transaction.nodeExists(NodeID(id)) : transaction.relationship(RelationshipID(id)) != nil {
                    return Traveller(start: isOfVertices ? .vertex(NodeID(id)) : .edge(RelationshipID(id)))
                }
                continue
            }
            guard hasMore else { return nil }
            try interpreter.step(256)
            ids.removeAll(keepingCapacity: true)
            index = 0
            hasMore =
                isOfVertices
                ? transaction.scanNodes(label: nil, cursor: &cursor, limit: 1024, into: &ids)
                : transaction.scanRelationships(type: nil, cursor: &cursor, limit: 1024, into: &ids)
        }
    }
}

/// What a pipe gives that was asked already.
final class RestPuller: Puller {
    private let pipe: Pipe

    init(_ interpreter: Interpreter, _ pipe: Pipe) {
        self.pipe = pipe
        super.init(interpreter)
    }

    override func next() throws(GraphError) -> Traveller? { try pipe.next(interpreter) }
}

/// One step that does something with each item: hands on none, it, or another one.
final class StepPuller: Puller {
    typealias Work = (Traveller) throws(GraphError) -> Traveller?
    private let upstream: Puller
    private let work: Work

    init(_ upstream: Puller, _ work: @escaping Work) {
        (self.upstream, self.work) = (upstream, work)
        super.init(upstream.interpreter)
    }

    override func next() throws(GraphError) -> Traveller? {
        while let traveller = try upstream.next() {
            try interpreter.step()
            if let result = try work(traveller) { return result }
        }
        return nil
    }
}

/// One step that makes several items of one.
final class ManyPuller: Puller {
    typealias Work = (Traveller) throws(GraphError) -> [Item]
    private let upstream: Puller
    private let work: Work
    private var current: Traveller?
    private var items: [Item] = []
    private var index = 0

    init(_ upstream: Puller, _ work: @escaping Work) {
        (self.upstream, self.work) = (upstream, work)
        super.init(upstream.interpreter)
    }

    override func next() throws(GraphError) -> Traveller? {
        while true {
            try interpreter.step()
            if index < items.count, let current {
                index += 1
                return current.moved(to: items[index - 1])
            }
            guard let traveller = try upstream.next() else { return nil }
            interpreter.memory.give(items.count * 24)
            items = try work(traveller)
            try interpreter.memory.take(items.count * 24)
            (current, index) = (traveller, 0)
        }
    }

    deinit { interpreter.memory.give(items.count * 24) }
}

/// One step that looks at everything before it hands on anything.
final class AllPuller: Puller {
    typealias Work = ([Traveller]) throws(GraphError) -> [Traveller]
    private let upstream: Puller
    private let work: Work
    private var travellers: [Traveller]?
    private var index = 0

    init(_ upstream: Puller, _ work: @escaping Work) {
        (self.upstream, self.work) = (upstream, work)
        super.init(upstream.interpreter)
    }

    override func next() throws(GraphError) -> Traveller? {
        if travellers == nil {
            var all: [Traveller] = []
            while let traveller = try upstream.next() {
                try interpreter.step()
                try interpreter.memory.take(80)
                all.append(traveller)
            }
            interpreter.memory.give(all.count * 80)
            travellers = try work(all)
            try interpreter.memory.take((travellers?.count ?? 0) * 80)
        }
        guard let travellers, index < travellers.count else { return nil }
        index += 1
        return travellers[index - 1]
    }

    deinit { interpreter.memory.give((travellers?.count ?? 0) * 80) }
}

/// What lies between two places of the order in which items come.
final class RangePuller: Puller {
    private let upstream: Puller
    private let (low, high): (Int64, Int64)
    private var count: Int64 = 0

    init(_ upstream: Puller, _ low: Int64, _ high: Int64) {
        (self.upstream, self.low, self.high) = (upstream, low, high)
        super.init(upstream.interpreter)
    }

    override func next() throws(GraphError) -> Traveller? {
        // -1 is no limit.
        while high < 0 || count <= high {
            guard let traveller = try upstream.next() else { return nil }
            try interpreter.step()
            count += 1
            if count > low { return traveller }
        }
        return nil
    }
}

/// Steps that are taken again and again.
final class LoopPuller: Puller {
    private let upstream: Puller
    private let steps: [NamedStep]
    private let condition: ClosureItem
    private let emit: ClosureItem?
    private var inner: Puller?
    private var loops: Int64 = 1
    private var waiting: [Traveller] = []
    private var first = 0

    private static let travellerByteCount = 112

    init(_ upstream: Puller, _ steps: [NamedStep], while condition: ClosureItem, emit: ClosureItem?) {
        (self.upstream, self.steps, self.condition, self.emit) = (upstream, steps, condition, emit)
        super.init(upstream.interpreter)
    }

    override func next() throws(GraphError) -> Traveller? {
        while true {
            try interpreter.step()
            if var traveller = try inner?.next() {
                traveller.loops = loops + 1
                let bundle = Item.object(.bundle(BundleItem(interpreter.memory, traveller)))
                let goesOn = try interpreter.call(condition, [bundle]).isTrue()
                if goesOn {
                    try interpreter.memory.take(Self.travellerByteCount)
                    waiting.append(traveller)
                }
                if try emit.map({ emit throws(GraphError) in try interpreter.call(emit, [bundle]).isTrue() }) ?? !goesOn {
                    // What counts outside is another loop's number.
                    traveller.loops = 1
                    return traveller
                }
            } else if first < waiting.count {
                let traveller = waiting[first]
                first += 1
                interpreter.memory.give(Self.travellerByteCount)
                if first == waiting.count { (waiting, first) = ([], 0) }
                try begin(traveller)
            } else if let traveller = try upstream.next() {
                try begin(traveller)
            } else {
                return nil
            }
        }
    }

    private func begin(_ traveller: Traveller) throws(GraphError) {
        loops = traveller.loops
        inner = try interpreter.puller(steps, from: ItemPuller(interpreter, [traveller]))
    }

    deinit { interpreter.memory.give((waiting.count - first) * Self.travellerByteCount) }
}

/// Several pipes for each item, their results one after the other or in turn.
final class BranchPuller: Puller {
    private let upstream: Puller
    private let pipes: [Pipe]
    private let isFair: Bool
    private var branches: [Puller] = []
    private var turn = 0

    init(_ upstream: Puller, _ pipes: [Pipe], isFair: Bool) {
        (self.upstream, self.pipes, self.isFair) = (upstream, pipes, isFair)
        super.init(upstream.interpreter)
    }

    override func next() throws(GraphError) -> Traveller? {
        while true {
            try interpreter.step()
            if branches.isEmpty {
                guard let traveller = try upstream.next() else { return nil }
                for pipe in pipes {
                    branches.append(try interpreter.puller(pipe.steps, from: ItemPuller(interpreter, [traveller])))
                }
                turn = 0
                if branches.isEmpty { continue }
            }
            if let traveller = try branches[turn].next() {
                if isFair { turn = (turn + 1) % branches.count }
                return traveller
            }
            branches.remove(at: turn)
            if turn >= branches.count { turn = 0 }
        }
    }
}
