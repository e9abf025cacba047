import Database
import FileSystem
import GraphModel
import Storage
import Testing

/// Members that live say what their graphs come to.
@Suite(.serialized, .timeLimit(.minutes(5))) struct GraphComparisonTests {
    @Test func membersAgreeWhileTheyWrite() async throws {
        let cluster = try await TestMembers()
        let master = try #require(cluster.master)
        let writers = cluster.all.map { member in
            Task {
                while !Task.isCancelled {
                    _ = try? await member.database.write { tx throws(GraphError) in
                        _ = try tx.createNode(labels: ["N"], properties: [("p", .integer(1))])
                    }
                }
            }
        }
        for _ in 0..<5 {
            let transaction = try await master.member.compareGraphs()
            await cluster.until {
                let comparison = master.database.status.graphComparison
                return comparison?.position.transactionID == transaction && comparison?.duration != nil
            }
            let comparison = try #require(master.database.status.graphComparison)
            #expect(comparison.missing == [] && comparison.differing == [], "\(comparison.summary)")
            #expect(comparison.checksums.count == 3)
        }
        for writer in writers { writer.cancel() }
        for writer in writers { await writer.value }
        #expect(cluster.slaves.allSatisfy { $0.database.status.graphComparison == nil })
        await #expect(throws: GraphError.self) { try await cluster.slaves[0].member.compareGraphs() }
        #expect(cluster.failures == [])
        await cluster.close()
    }

    @Test func whoIsGoneIsNamedAndNotWaitedForLong() async throws {
        let cluster = try await TestMembers()
        let master = try #require(cluster.master)
        let gone = try #require(cluster.slaves.first)
        await cluster.kill(gone)
        let transaction = try await master.member.compareGraphs()
        await cluster.until {
            let comparison = master.database.status.graphComparison
            return comparison?.position.transactionID == transaction && comparison?.duration != nil
        }
        let comparison = try #require(master.database.status.graphComparison)
        #expect(comparison.missing == [gone.id] && comparison.differing == [])
        await cluster.close()
    }
}
