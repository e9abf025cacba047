import GraphModel
import Storage
import Testing
import Traversal

/// The examples of chapters 4.5, 6 and 7 of the manual, with the results printed there.
@Suite struct ManualTests {
    // MARK: 6.2.10

    /// The ids are those of the manual's output: seven people from 1 to 7.
    private func likesAndKnows() throws -> TestGraph {
        try TestGraph(
            names: ["", "Lars", "Sara", "Ed", "Lisa", "Peter", "Dirk", "Joe"],
            [
                "Joe KNOWS Sara", "Lisa LIKES Joe", "Peter KNOWS Sara", "Dirk KNOWS Peter", "Lars KNOWS Dirk",
                "Ed KNOWS Lars", "Lisa KNOWS Lars",
            ])
    }

    private func texts(_ description: TraversalDescription, from node: UInt64, in graph: TestGraph) -> [String] {
        let transaction = graph.snapshot
        return description.traverse(from: NodeID(node), in: transaction).map { $0.text(in: transaction) }
    }

    @Test func knowsAndIncomingLikesToDepthFive() throws {
        // The manual's order of relationships, which is not guaranteed there: those of LIKES come first.
        let description = TraversalDescription().depthFirst()
            .expand(.orderedByType.adding("LIKES", .incoming).adding("KNOWS"))
            .evaluator(.toDepth(5))
        #expect(
            texts(description, from: 7, in: try likesAndKnows()) == [
                "(7)",
                "(7)<--[LIKES,1]--(4)",
                "(7)<--[LIKES,1]--(4)--[KNOWS,6]-->(1)",
                "(7)<--[LIKES,1]--(4)--[KNOWS,6]-->(1)--[KNOWS,4]-->(6)",
                "(7)<--[LIKES,1]--(4)--[KNOWS,6]-->(1)--[KNOWS,4]-->(6)--[KNOWS,3]-->(5)",
                "(7)<--[LIKES,1]--(4)--[KNOWS,6]-->(1)--[KNOWS,4]-->(6)--[KNOWS,3]-->(5)--[KNOWS,2]-->(2)",
                "(7)<--[LIKES,1]--(4)--[KNOWS,6]-->(1)<--[KNOWS,5]--(3)",
            ])
    }

    private let friends = TraversalDescription().depthFirst().relationships("KNOWS").uniqueness(.relationshipGlobal)

    @Test func templateOfFriends() throws {
        let graph = try likesAndKnows()
        let start = "(7)--[KNOWS,0]-->(2)<--[KNOWS,2]--(5)"
        let all = [
            "(7)", "(7)--[KNOWS,0]-->(2)", start, start + "<--[KNOWS,3]--(6)",
            start + "<--[KNOWS,3]--(6)<--[KNOWS,4]--(1)",
            start + "<--[KNOWS,3]--(6)<--[KNOWS,4]--(1)<--[KNOWS,5]--(3)",
            start + "<--[KNOWS,3]--(6)<--[KNOWS,4]--(1)<--[KNOWS,6]--(4)",
        ]
        #expect(texts(friends, from: 7, in: graph) == all)
        #expect(texts(friends.evaluator(.toDepth(3)), from: 7, in: graph) == Array(all[..<4]))
        #expect(texts(friends.evaluator(.fromDepth(2)).evaluator(.toDepth(4)), from: 7, in: graph) == Array(all[2..<5]))
        // The template is what it was.
        #expect(texts(friends, from: 7, in: graph) == all)
    }

    @Test func nodesAndRelationshipsOfFriends() throws {
        let graph = try likesAndKnows()
        let transaction = graph.snapshot
        let traverser = friends.traverse(from: NodeID(7), in: transaction)
        #expect(
            traverser.nodes.map { transaction.name($0) } == ["Joe", "Sara", "Peter", "Dirk", "Lars", "Ed", "Lisa"])
        let types = traverser.relationships.compactMap { transaction.relationship($0)?.type }
            .map { transaction.name(.relationshipType, $0) }
        #expect(types == ["KNOWS", "KNOWS", "KNOWS", "KNOWS", "KNOWS", "KNOWS"])
        #expect(traverser.failure == nil)
    }

    // MARK: 4.5

    @Test func friendsAndHackersOfTheMatrix() throws {
        let names = ["Neo", "Thomas_Anderson", "Trinity", "Morpheus", "Cypher", "Agent_Smith", "The_Architect"]
        let graph = try TestGraph(
            names: names,
            [
                "Neo ROOT Thomas_Anderson", "Thomas_Anderson KNOWS Trinity", "Thomas_Anderson KNOWS Morpheus",
                "Morpheus KNOWS Trinity", "Morpheus KNOWS Cypher", "Cypher KNOWS Agent_Smith",
                "Agent_Smith CODED_BY The_Architect",
            ])
        let transaction = graph.snapshot
        func lines(_ description: TraversalDescription) -> [String] {
            description.traverse(from: NodeID(1), in: transaction).map { path in
                "At depth \(path.relationships.count) => \(transaction.name(path.nodes[path.nodes.count - 1]))"
            }
        }
        let friends = TraversalDescription().breadthFirst().relationships("KNOWS", .outgoing)
            .evaluator(.excludeStartPosition)
        #expect(
            lines(friends) == [
                "At depth 1 => Trinity", "At depth 1 => Morpheus", "At depth 2 => Cypher", "At depth 3 => Agent_Smith",
            ])
        let hackers = TraversalDescription().breadthFirst().relationships("CODED_BY", .outgoing)
            .relationships("KNOWS", .outgoing).evaluator(.includeWhereLastRelationshipTypeIs("CODED_BY"))
        #expect(lines(hackers) == ["At depth 4 => The_Architect"])
    }

    @Test func orderedPath() throws {
        let graph = try TestGraph(
            names: ["A", "B", "C", "D"], ["A REL1 B", "B REL2 C", "C REL3 D", "A REL2 C"])
        let types = ["REL1", "REL2", "REL3"]
        let description = TraversalDescription().evaluator(
            .evaluating { position in
                if position.length == 0 { return .excludeAndContinue }
                let isExpected = position.lastRelationshipIs(types[position.length - 1])
                return Evaluation(
                    includes: isExpected && position.length == types.count,
                    continues: isExpected && position.length < types.count)
            })
        let transaction = graph.snapshot
        let paths = description.traverse(from: NodeID(0), in: transaction)
        #expect(
            paths.map { $0.text(in: transaction, .property("name")) } == ["(A)--[REL1]-->(B)--[REL2]-->(C)--[REL3]-->(D)"])
    }

    @Test func uniquenessOfPaths() throws {
        let graph = try TestGraph(
            names: ["none", "Pet1", "Pet2", "Pet0", "Pet3", "Principal1", "Principal2"],
            [
                "Pet0 descendant Pet1", "Pet0 descendant Pet2", "Pet0 descendant Pet3", "Principal1 owns Pet1",
                "Principal2 owns Pet2", "Principal1 owns Pet3",
            ])
        let target = NodeID(5)
        let descendants = TraversalDescription().uniqueness(.nodePath).evaluator(
            .evaluating { position in position.endNode == target ? .includeAndPrune : .excludeAndContinue })
        let both = ["(3)--[descendant,0]-->(1)<--[owns,3]--(5)", "(3)--[descendant,2]-->(4)<--[owns,5]--(5)"]
        #expect(texts(descendants, from: 3, in: graph) == both)
        #expect(texts(descendants.uniqueness(.nodeGlobal), from: 3, in: graph) == [both[0]])
    }

    @Test func statusUpdatesAreReadOneByOne() throws {
        let graph = try TestGraph(names: ["c", "b", "a"], ["c NEXT b", "b NEXT a"])
        let transaction = graph.snapshot
        var statuses = TraversalDescription().depthFirst().relationships("NEXT").traverse(from: NodeID(0), in: transaction)
            .nodes.makeIterator()
        #expect(statuses.next() == NodeID(0))
        #expect(statuses.next() == NodeID(1))
        #expect(statuses.next() == NodeID(2))
        #expect(statuses.next() == nil)
        #expect(statuses.next() == nil)
    }

    // MARK: 7.1

    private func roles() throws -> TestGraph {
        try TestGraph(
            names: [
                "Reference", "Admins", "Users", "HelpDesk", "Managers", "Technicians", "ABCTechnicians", "Ali", "Engin",
                "Demet", "Burcu", "Can", "Gul", "Fuat", "Hakan", "Irmak", "Jale",
            ],
            [
                "Admins ROOT Reference", "Users ROOT Reference", "HelpDesk PART_OF Admins", "Managers PART_OF Users",
                "Technicians PART_OF Users", "ABCTechnicians PART_OF Technicians", "Ali MEMBER_OF Admins",
                "Engin MEMBER_OF Users", "Engin MEMBER_OF HelpDesk", "Demet MEMBER_OF HelpDesk", "Burcu MEMBER_OF Users",
                "Can MEMBER_OF Users", "Ali MEMBER_OF Users", "Gul MEMBER_OF Managers", "Fuat MEMBER_OF Managers",
                "Hakan MEMBER_OF Technicians", "Irmak MEMBER_OF Technicians", "Jale MEMBER_OF ABCTechnicians",
            ])
    }

    /// Names with the depth as the manual counts it, sorted by depth and name.
    private func found(
        _ description: TraversalDescription, from name: String, depthOffset: Int = 1
    ) throws -> [String] {
        let transaction = try roles().snapshot
        return try description.traverse(from: transaction.node(name), in: transaction)
            .map { (transaction.name($0.nodes[$0.nodes.count - 1]), $0.relationships.count - depthOffset) }
            .sorted { ($0.1, $0.0) < ($1.1, $1.0) }
            .map { "\($0.0) at depth: \($0.1)" }
    }

    @Test func theAdmins() throws {
        let description = TraversalDescription().breadthFirst().evaluator(.excludeStartPosition)
            .relationships("PART_OF", .incoming).relationships("MEMBER_OF", .incoming)
        #expect(
            try found(description, from: "Admins") == [
                "Ali at depth: 0", "HelpDesk at depth: 0", "Demet at depth: 1", "Engin at depth: 1",
            ])
    }

    @Test func theGroupsOfAUser() throws {
        let description = TraversalDescription().depthFirst().evaluator(.excludeStartPosition)
            .relationships("MEMBER_OF", .outgoing).relationships("PART_OF", .outgoing)
        #expect(
            try found(description, from: "Jale") == [
                "ABCTechnicians at depth: 0", "Technicians at depth: 1", "Users at depth: 2",
            ])
    }

    @Test func allGroups() throws {
        let description = TraversalDescription().breadthFirst().evaluator(.excludeStartPosition)
            .relationships("ROOT", .incoming).relationships("PART_OF", .incoming)
        #expect(
            try found(description, from: "Reference") == [
                "Admins at depth: 0", "Users at depth: 0", "HelpDesk at depth: 1", "Managers at depth: 1",
                "Technicians at depth: 1", "ABCTechnicians at depth: 2",
            ])
    }

    @Test func allMembersOfAllGroups() throws {
        let description = TraversalDescription().breadthFirst()
            .evaluator(.includeWhereLastRelationshipTypeIs("MEMBER_OF"))
            .relationships("ROOT", .incoming).relationships("PART_OF", .incoming).relationships("MEMBER_OF", .incoming)
        #expect(
            try found(description, from: "Reference") == [
                "Ali at depth: 1", "Burcu at depth: 1", "Can at depth: 1", "Engin at depth: 1", "Demet at depth: 2",
                "Fuat at depth: 2", "Gul at depth: 2", "Hakan at depth: 2", "Irmak at depth: 2", "Jale at depth: 3",
            ])
    }
}
