import FileSystem
import GraphModel
import LuceneQuery
import Storage
import Testing

/// Chapter 14 of the manual.
@Suite struct ManualIndexTests {
    struct Fixture {
        let disk = CrashableFileSystem()
        let store: Store
        let committer: LocalCommitter

        init() throws {
            store = try Store.open("store", fileSystem: disk, options: IndexModelTests.options)
            committer = try LocalCommitter(store)
        }

        @discardableResult
        func change<R>(_ body: (Transaction) throws -> R) throws -> R {
            let transaction = committer.begin()
            let result = try body(transaction)
            try committer.commitAndWait(transaction)
            return result
        }

        func query(_ index: String, _ text: String, key: String? = nil, _ kind: SchemaRule.EntityKind = .node) throws -> [UInt64] {
            try store.beginRead().query(kind, index: index, try .parse(text, key: key)).map(\.id)
        }

        func get(_ index: String, _ key: String, _ value: String, _ kind: SchemaRule.EntityKind = .node) throws -> [UInt64] {
            var ids: ContiguousArray<UInt64> = []
            try store.beginRead().lookUp(kind, inIndex: index, key: key, value: .text(value), into: &ids)
            return Array(ids)
        }
    }

    struct Movies {
        var reeves = NodeID(0), bellucci = NodeID(0), matrix = NodeID(0), reloaded = NodeID(0), malena = NodeID(0)
        var roles: [RelationshipID] = []
    }

    /// 14.4: actors, movies and roles.
    static func movies(_ fixture: Fixture) throws -> Movies {
        try fixture.change { transaction in
            var made = Movies()
            func actor(_ name: String) throws -> NodeID {
                let node = try transaction.createNode(properties: [("name", .string(name))])
                try transaction.add(.node(node), toIndex: "actors", key: "name", value: .text(name))
                return node
            }
            func movie(_ title: String, _ year: Int64, _ score: Double) throws -> NodeID {
                let node = try transaction.createNode(properties: [("title", .string(title)), ("year", .integer(year))])
                for (key, value) in [
                    ("title", IndexedValue.text(title)), ("year", IndexedValue(.integer(year))), ("year-numeric", .integer(year)),
                    ("score", .float(score)),
                ] {
                    try transaction.add(.node(node), toIndex: "movies", key: key, value: value)
                }
                return node
            }
            made.reeves = try actor("Keanu Reeves")
            made.bellucci = try actor("Monica Bellucci")
            try transaction.add(.node(made.bellucci), toIndex: "actors", key: "name", value: .text("La Bellucci"))
            made.matrix = try movie("The Matrix", 1999, 8.7)
            made.reloaded = try movie("The Matrix Reloaded", 2003, 7.1)
            made.malena = try movie("Malèna", 2000, 7.4)
            for (actor, movie, name) in [
                (made.reeves, made.matrix, "Neo"), (made.reeves, made.reloaded, "Neo"),
                (made.bellucci, made.reloaded, "Persephone"), (made.bellucci, made.malena, "Malèna Scordia"),
            ] {
                let role = try transaction.createRelationship(type: "ACTS_IN", from: actor, to: movie)
                try transaction.add(.relationship(role), toIndex: "roles", key: "name", value: .text(name))
                try transaction.add(.relationship(role), toIndex: "roles", key: "type", value: .text("ACTS_IN"))
                made.roles.append(role)
            }
            return made
        }
    }

    @Test func theManualsMoviesAreFoundBeforeAndAfterACheckpoint() throws {
        let fixture = try Fixture()
        let made = try Self.movies(fixture)
        func ids(_ nodes: NodeID...) -> [UInt64] { nodes.map(\.rawValue).sorted() }
        for _ in 0..<2 {
            #expect(try fixture.get("actors", "name", "Keanu Reeves") == ids(made.reeves))
            #expect(try fixture.get("actors", "name", "Keanu") == [])
            #expect(try fixture.get("actors", "name", "La Bellucci") == ids(made.bellucci))
            #expect(try fixture.query("actors", "*e*", key: "name") == ids(made.reeves, made.bellucci))
            #expect(try fixture.query("movies", "title:*Matrix* AND year:1999") == ids(made.matrix))
            #expect(try fixture.query("movies", "title:*Matrix* year:2000") == ids(made.matrix, made.reloaded, made.malena))
            #expect(try fixture.query("movies", "title:The* -year:1999") == ids(made.reloaded))
            #expect(try fixture.query("movies", "title:\"The Matrix\"") == ids(made.matrix))
            #expect(try fixture.query("movies", "title:Malen?") == [])
            #expect(try fixture.query("movies", "title:Mal?na") == ids(made.malena))
            #expect(try fixture.query("movies", "title:Malena~0.7") == ids(made.malena))
            #expect(try fixture.query("movies", "year-numeric:[1997 TO 1999]") == ids(made.matrix))
            #expect(try fixture.query("movies", "year-numeric:{1999 TO *}") == ids(made.reloaded, made.malena))
            #expect(try fixture.query("movies", "score:[7.4 TO 8.7}") == ids(made.malena))
            #expect(try fixture.query("movies", "score:{-1 TO 8]") == ids(made.reloaded, made.malena))
            #expect(try fixture.query("movies", "year:[1999 TO 2000]") == ids(made.matrix, made.malena))
            #expect(try fixture.query("movies", "*:* AND NOT year:2000") == ids(made.matrix, made.reloaded))
            #expect(try fixture.query("movies", "-year:2000") == [])
            #expect(try fixture.query("roles", "name:Neo", .relationship) == [0, 1])
            let read = fixture.store.beginRead()
            let role = try read.query(
                .relationship, index: "roles", try .parse("type:ACTS_IN AND name:Neo"), ends: .init(end: made.matrix))
            #expect(role.map(\.id) == [made.roles[0].rawValue])
            #expect(read.manualIndexes(.node).map(\.name) == ["actors", "movies"])
            #expect(read.manualIndex(.relationship, named: "roles")?.configuration == ["provider": "lucene", "type": "exact"])
            #expect(fixture.store.check().problems == [])
            try fixture.store.checkpoint()
        }
    }

    @Test func removalsTakeOutOnePairAKeyOrAll() throws {
        let fixture = try Fixture()
        let node = try fixture.change { transaction in
            let node = try transaction.createNode()
            for key in ["k1", "k2"] {
                for value in ["v1", "v2", "v2"] { try transaction.add(.node(node), toIndex: "i", key: key, value: .text(value)) }
            }
            return node
        }
        func entries() throws -> [String] {
            try fixture.store.beginRead().entries(of: .node(node), inIndex: "i").map { "\($0.key)=\($0.value.text)" }
        }
        #expect(try entries() == ["k1=v1", "k1=v2", "k2=v1", "k2=v2"])
        try fixture.change { try $0.remove(.node(node), fromIndex: "i", key: "k1", value: .text("v1")) }
        #expect(try entries() == ["k1=v2", "k2=v1", "k2=v2"])
        try fixture.change { try $0.remove(.node(node), fromIndex: "i", key: "k2") }
        #expect(try entries() == ["k1=v2"])
        try fixture.change { try $0.remove(.node(node), fromIndex: "i") }
        #expect(try entries() == [])
        try fixture.change { try $0.remove(.node(node), fromIndex: "i") }
        #expect(fixture.store.check().problems == [])
    }

    @Test func fulltextFindsTokensAndKeepsWhatAnotherValueHas() throws {
        let fixture = try Fixture()
        let node = try fixture.change { transaction in
            try transaction.createManualIndex(.node, named: "f", configuration: ["type": "fulltext"])
            let node = try transaction.createNode()
            try transaction.add(.node(node), toIndex: "f", key: "title", value: .text("The Matrix"))
            try transaction.add(.node(node), toIndex: "f", key: "title", value: .text("The Matrix Reloaded"))
            #expect(try transaction.query(.node, index: "f", try .parse("title:reloAdEd")).count == 1)
            return node
        }
        let found = [node.rawValue]
        #expect(try fixture.query("f", "title:reloAdEd") == found)
        #expect(try fixture.query("f", "title:\"matrix RELOADED\"") == found)
        #expect(try fixture.query("f", "title:\"reloaded matrix\"") == [])
        #expect(try fixture.query("f", "title:\"the reloaded\"~1") == found)
        #expect(try fixture.query("f", "title:MAT*x") == found)
        #expect(try fixture.get("f", "title", "The Matrix") == found)
        #expect(try fixture.get("f", "title", "matrix") == [])
        try fixture.change { try $0.remove(.node(node), fromIndex: "f", key: "title", value: .text("The Matrix Reloaded")) }
        #expect(try fixture.query("f", "title:reloaded") == [])
        #expect(try fixture.query("f", "title:matrix") == found)
        #expect(fixture.store.check().problems == [])
    }

    @Test func exactIndexMayIgnoreCase() throws {
        let fixture = try Fixture()
        let node = try fixture.change { transaction in
            try transaction.createManualIndex(.node, named: "e", configuration: ["type": "exact", "to_lower_case": "true"])
            let node = try transaction.createNode()
            try transaction.add(.node(node), toIndex: "e", key: "name", value: .text("Thomas Anderson"))
            return node
        }
        #expect(try fixture.query("e", "name:\"thoMas ANDerson\"") == [node.rawValue])
        #expect(try fixture.query("e", "name:thomas") == [])
    }

    @Test func indexesAreMadeAndDroppedInTransactions() throws {
        let fixture = try Fixture()
        #expect(performing: { try fixture.get("i", "k", "v") }, throws: { ($0 as? GraphError)?.code == .schemaRuleNotFound })
        let node = try fixture.change { transaction in
            let node = try transaction.createNode()
            try transaction.add(.node(node), toIndex: "i", key: "k", value: .text("v"))
            return node
        }
        let dropping = fixture.committer.begin()
        try dropping.dropManualIndex(.node, named: "i")
        #expect(dropping.manualIndex(.node, named: "i") == nil)
        dropping.close()
        #expect(try fixture.get("i", "k", "v") == [node.rawValue])
        let late = fixture.committer.begin()
        try late.add(.node(node), toIndex: "i", key: "k", value: .text("w"))
        try fixture.change { transaction in
            try transaction.dropManualIndex(.node, named: "i")
            try transaction.add(.node(node), toIndex: "i", key: "k", value: .text("new"))
            try transaction.dropManualIndex(.node, named: "i")
            try transaction.createManualIndex(.node, named: "i", configuration: ["type": "fulltext"])
        }
        #expect(performing: { try fixture.committer.commitAndWait(late) }, throws: { ($0 as? GraphError)?.code == .conflict })
        #expect(try fixture.get("i", "k", "v") == [])
        #expect(performing: {
            try fixture.change { try $0.createManualIndex(.node, named: "i", configuration: ["type": "exact"]) }
        }, throws: { ($0 as? GraphError)?.code == .schemaRuleExists })
        try fixture.change { try $0.createManualIndex(.node, named: "i") }
        for wrong in [["provider": "solr"], ["type": "fuzzy"]] {
            #expect(performing: {
                try fixture.change { try $0.createManualIndex(.node, named: "j", configuration: wrong) }
            }, throws: { ($0 as? GraphError)?.code == .argumentError })
        }
    }

    @Test func deletedEntitiesFallOutOfEveryIndex() throws {
        let fixture = try Fixture()
        let made = try Self.movies(fixture)
        try fixture.store.checkpoint()
        let adding = fixture.committer.begin()
        try adding.add(.relationship(made.roles[0]), toIndex: "roles", key: "name", value: .text("The One"))
        let deletion = fixture.committer.begin()
        try deletion.deleteRelationship(made.roles[0])
        try deletion.deleteRelationship(made.roles[1])
        try deletion.deleteNode(made.reeves)
        #expect(try deletion.query(.node, index: "actors", try .parse("name:*")).map(\.id) == [made.bellucci.rawValue])
        #expect(performing: {
            try deletion.add(.node(made.reeves), toIndex: "actors", key: "name", value: .text("x"))
        }, throws: { ($0 as? GraphError)?.code == .entityDeleted })
        try fixture.committer.commitAndWait(deletion)
        #expect(performing: { try fixture.committer.commitAndWait(adding) }, throws: { ($0 as? GraphError)?.code == .conflict })
        #expect(try fixture.query("actors", "name:*") == [made.bellucci.rawValue])
        #expect(try fixture.get("roles", "name", "Neo", .relationship) == [])
        #expect(fixture.store.check().problems == [])
    }

    /// Two values that share a word: both are out of the index in the transaction that deletes their entity.
    @Test func wordsThatValuesShareGoWithTheirEntity() throws {
        let fixture = try Fixture()
        let node = try fixture.change { transaction in
            try transaction.createManualIndex(.node, named: "f", configuration: ["type": "fulltext"])
            let node = try transaction.createNode()
            for title in ["The Matrix", "The Matrix Reloaded"] {
                try transaction.add(.node(node), toIndex: "f", key: "title", value: .text(title))
            }
            return node
        }
        let deletion = fixture.committer.begin()
        #expect(try deletion.query(.node, index: "f", try .parse("title:matrix")).map(\.id) == [node.rawValue])
        try deletion.deleteNode(node)
        for query in ["title:matrix", "title:reloaded", "title:*"] {
            #expect(try deletion.query(.node, index: "f", try .parse(query)).map(\.id) == [])
        }
        try fixture.committer.commitAndWait(deletion)
        #expect(try fixture.query("f", "title:matrix") == [])
    }

    /// 12.6.2: one of two that put at once wins, the other finds its entity.
    @Test func putIfAbsentLetsOneWin() throws {
        let fixture = try Fixture()
        try fixture.change { try $0.createManualIndex(.node, named: "users") }
        func attempt(_ transaction: Transaction) throws -> (entity: EntityID, isNew: Bool) {
            try transaction.getOrCreate(.node, inIndex: "users", key: "name", value: .text("Tobias")) { t throws(GraphError) in
                .node(try t.createNode())
            }
        }
        let first = fixture.committer.begin()
        let second = fixture.committer.begin()
        let other = fixture.committer.begin()
        let winner = try attempt(first)
        #expect(winner.isNew)
        #expect(try attempt(first) == (winner.entity, false))
        #expect(try attempt(second).isNew)
        _ = try other.getOrCreate(.node, inIndex: "users", key: "name", value: .text("Peter")) { t throws(GraphError) in
            .node(try t.createNode())
        }
        try fixture.committer.commitAndWait(first)
        try fixture.committer.commitAndWait(other)
        #expect(performing: { try fixture.committer.commitAndWait(second) }, throws: { ($0 as? GraphError)?.code == .conflict })
        let third = fixture.committer.begin()
        #expect(try attempt(third) == (winner.entity, false))
        #expect(!third.hasWrites)
        #expect(try third.putIfAbsent(.node(NodeID(0)), toIndex: "users", key: "name", value: .text("Tobias")) == winner.entity)
        #expect(try third.putIfAbsent(.node(NodeID(0)), toIndex: "users", key: "name", value: .text("new")) == nil)
    }

    /// Every change of the settings is written whole, so that they may not grow for ever.
    @Test func followedKeysAreBounded() throws {
        let fixture = try Fixture()
        let long = String(repeating: "k", count: 32_767)
        try fixture.change { transaction in
            try transaction.startAutoIndexing("a" + long, of: .node)
            try transaction.startAutoIndexing("b" + long, of: .node)
            #expect(throws: GraphError.self) { try transaction.startAutoIndexing("c", of: .node) }
            // One that is followed already is no more; and room can be made.
            try transaction.startAutoIndexing("b" + long, of: .node)
            try transaction.stopAutoIndexing("a" + long, of: .node)
            try transaction.startAutoIndexing("c", of: .node)
            #expect(transaction.autoIndexing(.node).keys == ["b" + long, "c"])
        }
    }

    /// 14.12.4, with the manual's four nodes.
    @Test func automaticIndexFollowsWhatIsTouched() throws {
        let fixture = try Fixture()
        try fixture.change { transaction in
            try transaction.setAutoIndexing(.node, isEnabled: true)
            try transaction.startAutoIndexing("nodeProp1", of: .node)
            try transaction.startAutoIndexing("nodeProp2", of: .node)
        }
        let index = "node_auto_index"
        #expect(try fixture.get(index, "nodeProp1", "x") == [])
        let nodes = try fixture.change { transaction in
            var nodes: [NodeID] = []
            for (key, value) in [
                ("nodeProp1", "nodeProp1Value"), ("nodeProp2", "nodeProp2Value"), ("nodeProp1", "nodeProp3Value"),
                ("nodeProp2", "nodeProp4Value"),
            ] {
                let node = try transaction.createNode()
                try transaction.setProperty(key, to: .string(value), ofNode: node)
                nodes.append(node)
            }
            try transaction.setProperty("nonIndexed", to: .string("x"), ofNode: nodes[0])
            return nodes
        }
        #expect(try fixture.get(index, "nodeProp1", "nodeProp1Value") == [nodes[0].rawValue])
        #expect(try fixture.get(index, "nonIndexed", "x") == [])
        try fixture.change { try $0.stopAutoIndexing("nodeProp1", of: .node) }
        try fixture.change { transaction in
            try transaction.setProperty("nodeProp1", to: .string("nodeProp1Value2"), ofNode: nodes[0])
            try transaction.setProperty("nodeProp2", to: .string("nodeProp2Value2"), ofNode: nodes[1])
            try transaction.setProperty("nodeProp2", to: .null, ofNode: nodes[3])
        }
        #expect(try fixture.get(index, "nodeProp1", "nodeProp1Value") == [])
        #expect(try fixture.get(index, "nodeProp1", "nodeProp1Value2") == [])
        #expect(try fixture.get(index, "nodeProp2", "nodeProp2Value") == [])
        #expect(try fixture.get(index, "nodeProp2", "nodeProp2Value2") == [nodes[1].rawValue])
        #expect(try fixture.get(index, "nodeProp1", "nodeProp3Value") == [nodes[2].rawValue])
        #expect(try fixture.get(index, "nodeProp2", "nodeProp4Value") == [])
        // Whatever is done to it: what is followed no more goes.
        try fixture.change { try $0.setProperty("other", to: .integer(1), ofNode: nodes[2]) }
        #expect(try fixture.get(index, "nodeProp1", "nodeProp3Value") == [])
        #expect(performing: {
            try fixture.change { try $0.add(.node(nodes[0]), toIndex: index, key: "k", value: .text("v")) }
        }, throws: { ($0 as? GraphError)?.code == .indexIsReadOnly })
        #expect(fixture.store.check().problems == [])
    }

    @Test func automaticIndexOfRelationshipsTakesNumbersAndLists() throws {
        let fixture = try Fixture()
        try fixture.change { transaction in
            try transaction.startAutoIndexing("since", of: .relationship)
            try transaction.setAutoIndexing(.relationship, isEnabled: true)
        }
        let id = try fixture.change { transaction in
            let node = try transaction.createNode(properties: [("since", .integer(1))])
            return try transaction.createRelationship(
                type: "R", from: node, to: node, properties: [("since", .list([.integer(1999), .integer(2003)]))])
        }
        #expect(try fixture.get("relationship_auto_index", "since", "2003", .relationship) == [id.rawValue])
        try fixture.change { try $0.setProperty("since", to: .float(1.5), ofRelationship: id) }
        #expect(try fixture.get("relationship_auto_index", "since", "2003", .relationship) == [])
        #expect(try fixture.query("relationship_auto_index", "since:1.5", .relationship) == [id.rawValue])
        #expect(performing: { try fixture.get("node_auto_index", "since", "1") }, throws: {
            ($0 as? GraphError)?.code == .schemaRuleNotFound
        })
    }
}
