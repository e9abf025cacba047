import Martlet
import Testing

/// Traversals and path algorithms from the library's handles.
@Suite struct TraversingTests {
    @Test func traversalsAndPathsOfHandles() throws {
        try withDatabase { db in try use(db) }
    }

    private func use(_ db: GraphDatabase) throws {
        try db.write { tx in
            let ada = try tx.createNode("Person", properties: ["name": "Ada"])
            let charles = try tx.createNode("Person", properties: ["name": "Charles"])
            let mary = try tx.createNode("Person", properties: ["name": "Mary"])
            try mary.createRelationship("TAUGHT", to: ada, properties: ["years": 3])
            try ada.createRelationship("KNOWS", to: charles, properties: ["years": 19])
            // A transaction traverses its own changes.
            let reached = mary.traverse(TraversalDescription().evaluator(.excludeStartPosition)).nodes.map { $0 }
            #expect(reached == [ada.id, charles.id])
        }
        try db.read { tx in
            var people: [String: Node] = [:]
            try tx.forEachNode(label: "Person") { people[try $0.property("name", default: "")] = $0 }
            let mary = try #require(people["Mary"])
            let charles = try #require(people["Charles"])
            let known = TraversalDescription().breadthFirst().relationships("TAUGHT").relationships("KNOWS", .outgoing)
            var names: [String] = []
            for id in mary.traverse(known).nodes { names.append(try tx.node(withID: id).property("name", default: "")) }
            #expect(names == ["Mary", "Ada", "Charles"])
            let texts = mary.traverse(known.evaluator(.atDepth(2))).map { $0.text(in: tx, .property("name")) }
            #expect(texts == ["(Mary)--[TAUGHT]-->(Ada)--[KNOWS]-->(Charles)"])
            #expect(try mary.findPath(to: charles, GraphAlgorithms.shortestPath(maxDepth: 4))?.relationships.count == 2)
            #expect(try mary.findPaths(to: charles, GraphAlgorithms.dijkstra(costProperty: "years")).map(\.weight) == [22])
            #expect(try mary.findPath(to: charles, GraphAlgorithms.shortestPath(maxDepth: 1)) == nil)
        }
    }
}
