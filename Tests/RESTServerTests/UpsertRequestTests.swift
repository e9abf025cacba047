import GraphModel
import RESTServer
import TestSupport
import Testing

@Suite struct UpsertRequestTests {
    private static let person = UpsertRequest.Key(label: "Person", property: "id")

    private static func encode(_ target: UpsertRequest.Target, names: [String], rows: [UpsertRequest.Row]) -> [UInt8] {
        UpsertRequest.encode(target, names: names, rowCount: rows.count) { writer in
            for row in rows {
                UpsertRequest.Row.encode(keys: row.keys, into: &writer)
                UpsertRequest.Row.encode(properties: row.properties, into: &writer)
            }
        }
    }

    private static func nodes() -> [UInt8] {
        encode(
            .nodes(person, labels: ["Person", "Crew"]), names: ["name", "scores"],
            rows: [
                .init(keys: [.string("a")], properties: [(0, .string("Anna")), (1, .list([.float(1), .float(.nan)]))]),
                .init(keys: [.integer(7)], properties: []),
            ])
    }

    private static func relationships() -> [UInt8] {
        encode(
            .relationships(type: "KNOWS", start: person, end: .init(label: "Film", property: "title")), names: ["since"],
            rows: [.init(keys: [.string("a"), .string("b")], properties: [(0, .integer(1999))])])
    }

    @Test func whatIsEncodedIsDecoded() throws {
        let nodes = try UpsertRequest(Self.nodes())
        #expect(nodes.target == .nodes(Self.person, labels: ["Person", "Crew"]) && nodes.names == ["name", "scores"])
        #expect(nodes.rows.map(\.keys.count) == [1, 1] && nodes.rows[0].properties.map(\.name) == [0, 1])
        #expect(Self.encode(nodes.target, names: nodes.names, rows: nodes.rows) == Self.nodes())
        let relationships = try UpsertRequest(Self.relationships())
        #expect(Self.encode(relationships.target, names: relationships.names, rows: relationships.rows) == Self.relationships())
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func damagedBytesAreRefusedOrMeanSomethingElse(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var refused = 0
        for _ in 0..<5000 {
            var bytes = seed % 2 == 0 ? Self.nodes() : Self.relationships()
            switch generator.next() % 4 {
            case 0: bytes.removeLast(Int(generator.next() % UInt64(bytes.count)) + 1)
            case 1: bytes += [UInt8(truncatingIfNeeded: generator.next())]
            default:
                for _ in 0...generator.next() % 4 {
                    bytes[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next())
                }
            }
            do throws(GraphError) {
                let request = try UpsertRequest(bytes)
                #expect(request.rows.allSatisfy { $0.properties.allSatisfy { $0.name < request.names.count } }, "seed \(seed)")
            } catch {
                refused += 1
                #expect(error.code == .invalidRequest, "seed \(seed): \(error)")
            }
        }
        // Cut or longer is always refused.
        #expect(refused > 2000, "seed \(seed)")
    }
}
