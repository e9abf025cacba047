import FileSystem
import GraphModel
import RESTServer
import ServerRuntime
import TestSupport
import Testing

/// Rows of an upsert against a plain dictionary.
@Suite struct EncodedRowsTests {
    private struct Key: Hashable {
        let start: String
        let end: Int64
    }

    private static func rows(in encoded: EncodedRows) throws -> [Key: [Int: Value]] {
        var rows: [Key: [Int: Value]] = [:]
        for number in 0..<encoded.count {
            let row = try encoded.row(number)
            guard case .string(let start) = row.keys[0], case .integer(let end) = row.keys[1] else { continue }
            rows[Key(start: start.text, end: end)] = Dictionary(uniqueKeysWithValues: row.properties.map { ($0.name, $0.value) })
        }
        return rows
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func everyEntityIsThereOnceWithWhatItsRowsSaidLast(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var encoded = EncodedRows(keyCount: 2)
        var model: [Key: [Int: Value]] = [:]
        var order: [Key] = []
        let keyCount = Int.random(in: 1...2000, using: &generator)
        for _ in 0..<Int.random(in: 1...3000, using: &generator) {
            let number = Int.random(in: 0..<keyCount, using: &generator)
            let key = Key(start: String(repeating: "k", count: number % 40), end: Int64(number / 40))
            let properties = (0..<Int.random(in: 0...3, using: &generator)).map { name in
                (name: name, value: Value.integer(Int64.random(in: 0...2, using: &generator)))
            }
            let isNew = try encoded.add([.string(key.start), .integer(key.end)], properties)
            #expect(isNew == (model[key] == nil), "seed \(seed)")
            if isNew { order.append(key) }
            model[key, default: [:]].merge(properties.map { ($0.name, $0.value) }) { $1 }
        }
        #expect(encoded.count == model.count, "seed \(seed)")
        #expect(try Self.rows(in: encoded) == model, "seed \(seed)")

        // A part of them, as a server takes it.
        let first = Int.random(in: 0..<encoded.count, using: &generator)
        let part = first..<Int.random(in: first + 1...encoded.count, using: &generator)
        let key = UpsertRequest.Key(label: "L", property: "p")
        let request = try UpsertRequest(
            UpsertRequest.encode(
                .relationships(type: "T", start: key, end: key), names: ["a", "b", "c"], rowCount: part.count
            ) { encoded.write(part, to: &$0) })
        #expect(request.rows.map { $0.keys } == order[part].map { [.string($0.start), .integer($0.end)] }, "seed \(seed)")
        for row in request.rows {
            guard case .string(let start) = row.keys[0], case .integer(let end) = row.keys[1] else { continue }
            let properties = Dictionary(uniqueKeysWithValues: row.properties.map { ($0.name, $0.value) })
            #expect(model[Key(start: start.text, end: end)] == properties, "seed \(seed)")
        }

        var other = EncodedRows(keyCount: 2)
        for number in 0..<100 as Range<Int64> { _ = try other.add([.string("another"), .integer(number)], []) }
        #expect(encoded.isDisjoint(with: other) && other.isDisjoint(with: encoded), "seed \(seed)")
        let shared = try #require(order.randomElement(using: &generator))
        _ = try other.add([.string(shared.start), .integer(shared.end)], [])
        #expect(!encoded.isDisjoint(with: other) && !other.isDisjoint(with: encoded), "seed \(seed)")
    }
}
