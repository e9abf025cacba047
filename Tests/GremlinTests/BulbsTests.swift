import GraphModel
import Testing

/// Scripts as bulbs 0.3.29 sends them: the bodies of its functions, their parameters as variables.
@Suite struct BulbsTests {
    private static let create = """
        neo4j = g.getRawGraph()
          manager = neo4j.index()
          g.setMaxBufferSize(0)
          g.startTransaction()
          try {
            index = manager.forNodes(index_name)
            vertex = neo4j.createNode()
            for (entry in data.entrySet()) {
              if (entry.value == null) continue;
              vertex.setProperty(entry.key,entry.value)
              if (keys == null || keys.contains(entry.key))
        \tindex.add(vertex,entry.key,String.valueOf(entry.value))
            }
            g.stopTransaction(TransactionalGraph.Conclusion.SUCCESS)
            return vertex
          } catch (e) {
            g.stopTransaction(TransactionalGraph.Conclusion.FAILURE)
            return e
          }
        """

    private func parameters(_ data: [(key: String, value: Value)], keys: Value = .null) -> [(key: String, value: Value)] {
        [("index_name", .string("people")), ("data", .map(MapValue(data))), ("keys", keys)]
    }

    @Test func indexedVerticesAreMade() throws {
        let graph = try TestGraph()
        #expect(try graph.run(Self.create, parameters([("name", .string("a")), ("age", .integer(3)), ("x", .null)])) == "v0")
        #expect(try graph.run(Self.create, parameters([("name", .string("b"))], keys: .list([]))) == "v1")
        #expect(try graph.run("g.idx('people').get('age', 3)") == "[v0]")
        #expect(try graph.run("g.idx('people')[[name: 'b']]") == "[]")
        #expect(try graph.run("return g.idx(i).get('name', Neo4jTokens.QUERY_HEADER + '?')", [("i", .string("people"))]) == "[v0]")
        #expect(try graph.run("g.idx('people').count('name', 'a')") == "1")
        #expect(try graph.run("g.idx('none')") == "null")
    }

    @Test func aFailureLeavesNothing() throws {
        let graph = try TestGraph()
        let map = Value.map(MapValue([("a", .integer(1))]))
        let error = #expect(throws: GraphError.self) { try graph.run(Self.create, parameters([("name", map)])) }
        #expect(error?.message.contains("Unknown property type") == true)
        #expect(try graph.run("[g.V.count(), g.idx('people')]") == "[0, null]")
    }

    @Test func edgesAreUpdatedAndVerticesRemoved() throws {
        let graph = try TestGraph.tinker()
        let edge = """
            import org.neo4j.graphdb.DynamicRelationshipType;
            vertex = g.getRawGraph().getNodeById(outV)
            relationshipType = DynamicRelationshipType.withName(label)
            edge = vertex.createRelationshipTo(g.getRawGraph().getNodeById(inV),relationshipType)
            for (String key in edge.getPropertyKeys())
              edge.removeProperty(key)
            manager = g.getRawGraph().index()
            index = manager.forRelationships('edges', config)
            index.add(edge,'label',String.valueOf(label))
            index.remove(edge)
            index.add(edge,'label',String.valueOf(label))
            edge.label
            """
        let config = Value.map(MapValue([("type", .string("exact")), ("provider", .string("lucene"))]))
        let parameters: [(key: String, value: Value)] = [
            ("outV", .integer(5)), ("inV", .string("0")), ("label", .string("likes")), ("config", config),
        ]
        #expect(try graph.run(edge, parameters) == "\"likes\"")
        #expect(try graph.run("g.idx('edges').get('label', 'likes').inV.name") == "[\"marko\"]")
        let pipe = """
            if (label == null)
              pipe = g.v(_id).outE()
            else
              pipe = g.v(_id).outE(label)

            if (start != null && limit != null)
              pipe = pipe.range(start, start+limit-1)

            return pipe
            """
        func edges(_ label: Value, _ start: Value, _ limit: Value) throws -> String {
            try graph.run(pipe, [("_id", .integer(0)), ("label", label), ("start", start), ("limit", limit)])
        }
        #expect(try edges(.null, .null, .null) == "[e0, e1, e2]")
        #expect(try edges(.string("knows"), .integer(1), .integer(5)) == "[e1]")
        #expect(try graph.run("vertex = g.v(_id)\n  g.removeVertex(vertex)", [("_id", .integer(0))]) == "null")
        #expect(try graph.run("[g.v(0), g.idx('edges').count('label', 'likes')]") == "[null, 0]")
    }
}
