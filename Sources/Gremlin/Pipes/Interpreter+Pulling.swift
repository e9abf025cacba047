internal import GraphModel
internal import Storage

/// What each step does.
extension Interpreter {
    func puller(_ source: Pipe.Source) throws(GraphError) -> Puller {
        switch source {
        case .anonymous: return ItemPuller(self, [])
        case .items(let items): return ItemPuller(self, items.map { Traveller(start: $0) })
        case .list(let list): return ListPuller(self, list)
        case .vertices: return ScanPuller(self, isOfVertices: true)
        case .edges: return ScanPuller(self, isOfVertices: false)
        case .rest(let pipe): return RestPuller(self, pipe)
        }
    }

    func puller(_ steps: [NamedStep], from start: Puller) throws(GraphError) -> Puller {
        var puller = start
        for named in steps {
            puller = self.puller(named.step, puller)
            if named.names.isEmpty { continue }
            let names = named.names
            puller = StepPuller(puller) { traveller in
                var traveller = traveller
                for name in names { traveller.mark(name) }
                return traveller
            }
        }
        return puller
    }

    /// The results of some steps for one item: whether there are any.
    private func leadsAnywhere(_ steps: [NamedStep], _ traveller: Traveller) throws(GraphError) -> Bool {
        try puller(steps, from: ItemPuller(self, [traveller])).next() != nil
    }

    private func value(_ closure: ClosureItem?, _ item: Item) throws(GraphError) -> Item {
        guard let closure else { return item }
        return try call(closure, [item])
    }

    private func puller(_ step: Step, _ upstream: Puller) -> Puller {
        switch step {
        case .identity: return upstream
        case .neighbours(let neighbours, let labels):
            return ManyPuller(upstream) { [self] traveller throws(GraphError) in
                try self.neighbours(neighbours, labels, of: traveller.item)
            }
        case .property(let name):
            return StepPuller(upstream) { [self] traveller throws(GraphError) in
                traveller.moved(to: try plainProperty(name, of: traveller.item))
            }
        case .id: return StepPuller(upstream) { [self] traveller throws(GraphError) in
            traveller.moved(to: try id(of: traveller.item))
        }
        case .label: return StepPuller(upstream) { [self] traveller throws(GraphError) in
            traveller.moved(to: try label(of: traveller.item))
        }
        case .properties(let names): return StepPuller(upstream) { [self] traveller throws(GraphError) in
            traveller.moved(to: try properties(of: traveller.item, names))
        }
        case .transform(let closure): return StepPuller(upstream) { [self] traveller throws(GraphError) in
            traveller.moved(to: try call(closure, [traveller.item]))
        }
        case .path(let closures): return StepPuller(upstream) { [self] traveller throws(GraphError) in
            var items = traveller.items
            if !closures.isEmpty {
                for index in items.indices { items[index] = try call(closures[index % closures.count], [items[index]]) }
            }
            return traveller.moved(to: try list(items))
        }
        case .scatter: return ManyPuller(upstream) { [self] traveller throws(GraphError) in try elements(traveller.item) }
        case .range(let low, let high): return RangePuller(upstream, low, high)
        case .loop(let steps, let condition, let emit): return LoopPuller(upstream, steps, while: condition, emit: emit)
        case .branches(let pipes, let isFair): return BranchPuller(upstream, pipes, isFair: isFair)
        case .ifThenElse(let condition, let then, let otherwise):
            return ManyPuller(upstream) { [self] traveller throws(GraphError) in
                let isTrue = try call(condition, [traveller.item]).isTrue()
                let result = try call(isTrue ? then : otherwise, [traveller.item])
                if case .pipe = result { return try elements(result) }
                return [result]
            }
        case .filter, .has, .dedup, .membership, .same, .simplePath, .back, .tests: return filter(step, upstream)
        case .sideEffect, .optional, .groupCount, .groupBy, .table, .collect(_, _, isGreedy: false):
            return sideEffect(step, upstream)
        case .collect, .gather, .order, .reverse, .cap, .count: return barrier(step, upstream)
        }
    }

    // MARK: Filters

    private func filter(_ step: Step, _ upstream: Puller) -> Puller {
        let seen = ListItem(memory, isSet: true)
        return StepPuller(upstream) { [self] traveller throws(GraphError) in
            try passes(step, traveller, seen) ? traveller : nil
        }
    }

    private func passes(_ step: Step, _ traveller: Traveller, _ seen: ListItem) throws(GraphError) -> Bool {
        switch step {
        case .filter(let closure): return try call(closure, [traveller.item]).isTrue()
        case .has(let key, let comparison, let value, let isNegated):
            let actual: Item
            switch key {
            case .string("id"): actual = try id(of: traveller.item)
            case .string("label"): actual = try label(of: traveller.item)
            default: actual = try plainProperty(try text(key), of: traveller.item)
            }
            return try compares(actual, comparison, value) != isNegated
        case .dedup(let closure): return try seen.append(try value(closure, traveller.item))
        case .membership(let list, let isKept): return try list.contains(traveller.item) == isKept
        case .same(let name, let isKept):
            guard let other = traveller.item(named: name) else { return !isKept }
            return try other.equals(traveller.item) == isKept
        case .simplePath(let isKept):
            let items = traveller.items
            var keys: Set<ItemKey> = []
            for item in items { keys.insert(try ItemKey(item)) }
            return (keys.count == items.count) == isKept
        case .back(let steps): return try leadsAnywhere(steps, traveller)
        case .tests(let pipes, let all):
            for pipe in pipes where try leadsAnywhere(pipe.steps, traveller) != all { return !all }
            return all
        default: return true
        }
    }

    private func compares(_ a: Item, _ comparison: Comparison, _ b: Item) throws(GraphError) -> Bool {
        switch comparison {
        case .eq: return try a.equals(b)
        case .neq: return try !a.equals(b)
        case .in: return try contains(b, a)
        case .notin: return try !contains(b, a)
        case .gt, .gte, .lt, .lte:
            if a.isNull || b.isNull { return false }
            let order = try a.order(b)
            switch comparison {
            case .gt: return order > 0
            case .gte: return order >= 0
            case .lt: return order < 0
            default: return order <= 0
            }
        }
    }

    // MARK: Side effects

    private func sideEffect(_ step: Step, _ upstream: Puller) -> Puller {
        StepPuller(upstream) { [self] traveller throws(GraphError) in
            try perform(step, traveller)
            return traveller
        }
    }

    private func perform(_ step: Step, _ traveller: Traveller) throws(GraphError) {
        let item = traveller.item
        switch step {
        case .sideEffect(let closure): _ = try call(closure, [item])
        case .optional(let steps):
            let inner = try puller(steps, from: ItemPuller(self, [traveller]))
            while try inner.next() != nil {}
        case .collect(let list, let closure, _): try list.append(try value(closure, item))
        case .groupCount(let map, let key, let value):
            let key = try self.value(key, item)
            let old = try map.value(key) ?? .integer(0)
            if let value {
                try map.set(key, try call(value, [pair(item, old)]))
            } else {
                try map.set(key, try apply(.add, old, .integer(1)))
            }
        case .groupBy(let map, let key, let value):
            let key = try self.value(key, item)
            var list = ListItem(memory)
            if case .list(let old)? = try map.value(key) { list = old } else { try map.set(key, .list(list)) }
            try list.append(try self.value(value, item))
        case .table(let table, let names, let closures):
            var row = traveller.named
            if !names.isEmpty { row = names.map { name in (name, traveller.item(named: name) ?? .null) } }
            var values: [Item] = []
            for (index, column) in row.enumerated() {
                values.append(closures.isEmpty ? column.item : try call(closures[index % closures.count], [column.item]))
            }
            try table.append(values, columns: row.map(\.name))
        default: break
        }
    }

    private func pair(_ a: Item, _ b: Item) -> Item { .object(.entry(EntryItem(memory, a, b))) }

    // MARK: All at once

    private func barrier(_ step: Step, _ upstream: Puller) -> Puller {
        AllPuller(upstream) { [self] travellers throws(GraphError) in
            switch step {
            case .collect(let list, let closure, _):
                for traveller in travellers { try list.append(try value(closure, traveller.item)) }
                return travellers
            case .gather(let closure):
                let all = try list(travellers.map(\.item))
                return [Traveller(start: try value(closure, all))]
            case .order(let closure):
                let order = try sorted(try indexed(travellers)) { a, b throws(GraphError) in
                    let (a, b) = (try a.element(1), try b.element(1))
                    guard let closure, closure.parameters == nil else { return try compare(a, b, by: closure) }
                    return try sign(try call(closure, [pair(a, b)]))
                }
                var result: [Traveller] = []
                for place in order {
                    if case .integer(let index) = try place.element(0) { result.append(travellers[Int(index)]) }
                }
                return result
            case .reverse: return travellers.reversed()
            case .cap(let item): return [Traveller(start: item)]
            case .count: return [Traveller(start: .integer(Int64(travellers.count)))]
            default: return travellers
            }
        }
    }

    private func indexed(_ travellers: [Traveller]) throws(GraphError) -> [Item] {
        var items: [Item] = []
        for (index, traveller) in travellers.enumerated() {
            items.append(try list([.integer(Int64(index)), traveller.item]))
        }
        return items
    }

    /// The order of two items: their own, by a value of each, or by a closure that gets both.
    func compare(_ a: Item, _ b: Item, by closure: ClosureItem?) throws(GraphError) -> Int {
        try step()
        guard let closure else { return try a.order(b) }
        let count = closure.parameters?.count ?? 1
        if count < 2 {
            return try call(closure, [a]).order(try call(closure, [b]))
        }
        return try sign(try call(closure, [a, b]))
    }

    private func sign(_ item: Item) throws(GraphError) -> Int {
        switch item {
        case .integer(let order): return Int(order.signum())
        case .float(let order) where !order.isNaN: return order < 0 ? -1 : order > 0 ? 1 : 0
        default: throw fail("a closure that compares must give a number, as <=> does")
        }
    }
}
