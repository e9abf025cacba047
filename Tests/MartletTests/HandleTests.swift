import Martlet
import Testing

/// What the manual promises of nodes and relationships.
@Suite struct HandleTests {
    /// DM-17: properties are set, read, read with a default, removed, tested and listed, on both alike. DM-16: never null.
    @Test func propertiesOfNodesAndRelationships() throws {
        try withDatabase { db throws in
            try db.write { tx throws in
                let node = try tx.createNode("A", "B", properties: ["x": 1, "y": "two"])
                let tie = try node.createRelationship("SELF", to: node, properties: ["x": 1, "y": "two"])
                #expect(try node.property("x") == 1 && tie.property("x") == 1)
                #expect(try node.property("z") == nil && tie.property("z") == nil)
                #expect(try node.property("z", default: 7) == 7 && tie.property("z", default: "none") == "none")
                #expect(code { try node.property("y", default: 7) } == .typeError)
                #expect(code { try tie.property("y", default: 7) } == .typeError)
                #expect(try node.hasProperty("y") && !node.hasProperty("z") && tie.hasProperty("y"))
                #expect(try Set(node.propertyKeys()) == ["x", "y"] && Set(tie.propertyKeys()) == ["x", "y"])
                try node.setProperty("x", to: [1, 2, 3])
                try tie.setProperty("x", to: 2.5)
                #expect(try node.property("x", default: [Int]()) == [1, 2, 3] && tie.property("x", default: 0.0) == 2.5)
                #expect(try node.removeProperty("y") == "two" && node.removeProperty("y") == nil)
                #expect(try tie.removeProperty("y") == "two" && tie.properties().count == 1)
                #expect(code { try node.setProperty("x", to: .null) } == .typeError)
                #expect(code { try tie.setProperty("x", to: .null) } == .typeError)
                #expect(code { try node.setProperty("x", to: ["a": 1]) } == .typeError)
                try node.addLabel("C")
                try node.removeLabel("A")
                #expect(try Set(node.labels()) == ["B", "C"] && node.hasLabel("C") && !node.hasLabel("A"))
            }
        }
    }

    /// DM-18, DM-19: found by id, or an error; the reference node is there.
    @Test func entitiesAreFoundByIDOrNotAtAll() throws {
        try withDatabase { db throws in
            try db.read { tx throws in
                #expect(try tx.referenceNode().id == NodeID(0))
                #expect(code { try tx.node(withID: NodeID(9)) } == .entityNotFound)
                #expect(code { try tx.relationship(withID: RelationshipID(9)) } == .entityNotFound)
            }
        }
    }

    /// DM-21, DM-05, DM-06.
    @Test func relationshipsByTypeAndDirectionAndTheSingleOne() throws {
        try withDatabase { db throws in
            try db.write { tx throws in
                let (a, b) = (try tx.createNode("N"), try tx.createNode("N"))
                let knows = try a.createRelationship("KNOWS", to: b)
                let likes = try b.createRelationship("LIKES", to: a)
                let loop = try a.createRelationship("SELF", to: a)
                #expect(try Set(a.relationships()) == [knows, likes, loop])
                #expect(try Set(a.relationships(.outgoing)) == [knows, loop])
                #expect(try Set(a.relationships(.incoming)) == [likes, loop])
                #expect(try Set(a.relationships(.both, types: "KNOWS", "LIKES")) == [knows, likes])
                #expect(try a.relationships(.both, types: "NEVER USED").isEmpty)
                #expect(try a.degree() == 3 && a.degree(.outgoing) == 2)
                #expect(try a.singleRelationship("KNOWS", .outgoing) == knows)
                #expect(try a.singleRelationship("KNOWS", .incoming) == nil)
                _ = try a.createRelationship("KNOWS", to: b)
                #expect(code { try a.singleRelationship("KNOWS", .outgoing) } == .constraintViolation)
                #expect(try knows.type() == "KNOWS" && knows.isType("KNOWS") && !knows.isType("LIKES"))
                #expect(try knows.start() == a && knows.end() == b && knows.other(than: a) == b)
                #expect(try loop.other(than: a) == a)
                #expect(code { try loop.other(than: b) } == .argumentError)
            }
        }
    }

    /// DM-26: handles of the same thing are equal, and hash alike.
    @Test func handlesAreEqualWhenTheyMeanTheSame() throws {
        try withDatabase { db throws in
            try db.write { tx throws in
                let node = try tx.createNode("N")
                let tie = try node.createRelationship("T", to: node)
                #expect(try node == tx.node(withID: node.id) && tie == tx.relationship(withID: tie.id))
                #expect(try Set([node, tx.node(withID: node.id), tie.start(), tie.end()]).count == 1)
                #expect(try node != tx.referenceNode())
            }
        }
    }

    /// DM-20.
    @Test func allNodesAreIterated() throws {
        try withDatabase { db throws in
            try db.write { tx throws in
                for number in 0..<3000 { _ = try tx.createNode(number % 3 == 0 ? "Third" : "Other") }
            }
            try db.read { tx throws in
                var (all, third) = (0, 0)
                tx.forEachNode { _ in all += 1 }
                tx.forEachNode(label: "Third") { _ in third += 1 }
                tx.forEachNode(label: "Never used") { _ in all += 1 }
                #expect(all == 3001 && third == 1000)
            }
        }
    }

    /// DL-05, DL-06, DL-07: named until the commit, closed to all work, gone afterwards.
    @Test func handlesOfDeletedEntities() throws {
        try withDatabase { db throws in
            let (node, tie) = try db.write { tx throws in
                let node = try tx.createNode("N", properties: ["x": 1])
                return (node.id, try node.createRelationship("T", to: node, properties: ["x": 1]).id)
            }
            try db.write { tx throws in
                let (old, oldTie) = (try tx.node(withID: node), try tx.relationship(withID: tie))
                try old.delete()
                try oldTie.delete()
                #expect(try tx.node(withID: node) == old && tx.relationship(withID: tie) == oldTie)
                #expect(code { try old.property("x") } == .entityDeleted)
                #expect(code { try old.setProperty("x", to: 2) } == .entityDeleted)
                #expect(code { try old.delete() } == .entityDeleted)
                #expect(code { try oldTie.property("x") } == .entityDeleted)
                #expect(code { try oldTie.setProperty("x", to: 2) } == .entityDeleted)
                #expect(code { try oldTie.start() } == .entityDeleted)
            }
            try db.write { tx throws in
                #expect(code { try tx.node(withID: node) } == .entityNotFound)
                #expect(code { try tx.relationship(withID: tie) } == .entityNotFound)
            }
        }
    }

    /// A handle that outlives its transaction is an error, for reading too.
    @Test func handlesEndWithTheirTransaction() throws {
        try withDatabase { db throws in
            let kept = try db.write { tx in try tx.createNode("N") }
            #expect(code { try kept.property("x") } == .transactionClosed)
            #expect(code { try kept.setProperty("x", to: 1) } == .transactionClosed)
            let read = try db.read { tx in try tx.node(withID: kept.id) }
            #expect(code { try read.labels() } == .transactionClosed)
        }
    }

    /// By hand, nested, with handles: the cycle of the manual.
    @Test func workByHandWithHandles() throws {
        try withDatabase { db throws in
            let outer = try db.beginTransaction()
            let node = try outer.graph.createNode("N")
            let inner = try db.beginTransaction()
            try inner.acquireWriteLock(on: NodeID(0))
            try node.createRelationship("T", to: try inner.graph.referenceNode())
            inner.success()
            try inner.finish()
            outer.success()
            #expect(try outer.finish() != nil)
            #expect(code { try node.degree() } == .transactionClosed)
            #expect(try db.query("MATCH (:N)-[:T]->(r) RETURN id(r)").single(as: Int.self) == 0)
            #expect(try db.lockStatistics.lockedCount == 0)
        }
    }
}
