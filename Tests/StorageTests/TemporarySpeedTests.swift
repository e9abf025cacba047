import FileSystem
import GraphModel
import Storage
import Testing

@Suite struct TemporarySpeedTests {
    @Test func speed() throws {
        for count in [100_000, 1_000_000] {
            let directory = "/tmp/martlet-speed.\(UInt64.random(in: .min ... .max))"
            let store = try Store.open(directory)
            let committer = try LocalCommitter(store)
            var from = 0
            let t0 = monotonicNanoseconds()
            while from < count {
                let transaction = committer.begin(nodes: 50_000, relationships: 0)
                for number in from..<min(count, from + 50_000) {
                    _ = try transaction.createNode(
                        labels: ["Person"],
                        properties: [("number", .integer(Int64(number * 7919 % 10_000_019))), ("name", .string("person \(number)")), ("age", .integer(Int64(number % 90)))])
                }
                try committer.commitAndWait(transaction)
                from += 50_000
            }
            try store.checkpoint()
            let t1 = monotonicNanoseconds()
            let creation = committer.begin(nodes: 0, relationships: 0)
            try creation.createUniquenessConstraint(label: "Person", keys: ["number"], name: "n")
            try creation.createUniquenessConstraint(label: "Person", keys: ["name"], name: "s")
            try committer.commitAndWait(creation)
            try committer.finishSchemaWork()
            let t2 = monotonicNanoseconds()
            print("\(count): load \((t1 - t0) / 1_000_000) ms, two constraints \((t2 - t1) / 1_000_000) ms")
            var size = 0
            for name in try POSIXFileSystem().list(directory) where name.hasPrefix("index.") {
                size += try POSIXFileSystem().readAll(directory + "/" + name).count
            }
            print("index bytes per entry: \(Double(size) / Double(2 * count))")
            let read = store.beginRead()
            let key = try #require(read.token(.propertyKey, "age"))
            for index in ["n", "s"] {
                let id = try #require(read.schemaRule(named: index)).id
                for round in 0..<4 {
                    var values: [Value] = []
                    var state: UInt64 = 12345 + UInt64(round)
                    for _ in 0..<200_000 {
                        state = state &* 6364136223846793005 &+ 1442695040888963407
                        let n = Int(state >> 33) % count
                        values.append(index == "n" ? .integer(Int64(n * 7919 % 10_000_019)) : .string("person \(n)"))
                    }
                    var ids: ContiguousArray<UInt64> = []
                    ids.reserveCapacity(16)
                    var sum: Int64 = 0
                    let a = monotonicNanoseconds()
                    for value in values {
                        ids.removeAll(keepingCapacity: true)
                        try read.seek(id, equals: value, into: &ids)
                        if case .integer(let age)? = read.property(key, ofNode: NodeID(ids[0])) { sum &+= age }
                    }
                    let b = monotonicNanoseconds()
                    for value in values {
                        ids.removeAll(keepingCapacity: true)
                        try read.seek(id, equals: value, into: &ids)
                        sum &+= Int64(ids.count)
                    }
                    let c = monotonicNanoseconds()
                    print("\(index) seek+read \((b - a) * 10 / 200_000) /10 ns, seek \((c - b) * 10 / 200_000) /10 ns (\(sum))")
                }
                let s0 = monotonicNanoseconds()
                var ids: ContiguousArray<UInt64> = []
                var cursor = IndexCursor()
                while try read.scan(id, .all, cursor: &cursor, limit: 1024, into: &ids) {}
                let s1 = monotonicNanoseconds()
                print("scan \(Double(s1 - s0) / Double(ids.count)) ns per entry, \(ids.count)")
                ids.removeAll()
                cursor = IndexCursor()
                while try read.scan(id, .all, order: .descending, cursor: &cursor, limit: 1024, into: &ids) {}
                print("descending \(Double(monotonicNanoseconds() - s1) / Double(ids.count)) ns per entry, \(ids.count)")
            }
            // Ten per cent in the overlay.
            from = count
            let u0 = monotonicNanoseconds()
            while from < count + count / 10 {
                let transaction = committer.begin(nodes: 50_000, relationships: 0)
                for number in from..<from + 10_000 {
                    _ = try transaction.createNode(labels: ["Person"], properties: [("number", .integer(Int64(number * 7919 % 10_000_019))), ("name", .string("person \(number)")), ("age", .integer(1))])
                }
                try committer.commitAndWait(transaction)
                from += 10_000
            }
            print("indexed creation \(Double(monotonicNanoseconds() - u0) / Double(count / 10)) ns per node")
            let late = store.beginRead()
            let id = try #require(late.schemaRule(named: "n")).id
            var ids: ContiguousArray<UInt64> = []
            let o0 = monotonicNanoseconds()
            for number in 0..<200_000 {
                ids.removeAll(keepingCapacity: true)
                let n = number &* 48271 % (count + count / 10)
                try late.seek(id, equals: .integer(Int64(n * 7919 % 10_000_019)), into: &ids)
                if ids.count != 1 { print("wrong") }
            }
            print("seek with a changed tenth \((monotonicNanoseconds() - o0) / 200_000) ns")
            store.close()
            for name in try POSIXFileSystem().list(directory) { try POSIXFileSystem().remove(directory + "/" + name) }
            try POSIXFileSystem().remove(directory)
        }
    }
}
