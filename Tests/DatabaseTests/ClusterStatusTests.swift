import Database
import FileSystem
import GraphModel
import Testing

/// What members say of each other, and how long writes wait, when some are away.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ClusterStatusTests {
    @Test func aMemberThatIsNotHeardIsUnreachableAndNoSlave() async throws {
        let cluster = try await TestMembers()
        let master = try #require(cluster.master)
        let slave = try #require(cluster.slaves.first)
        @Sendable func view(of id: MemberID, by member: TestMembers.Member) -> DatabaseStatus.Member? {
            member.database.status.members.first { $0.id == id }
        }
        for other in cluster.all { #expect(view(of: other.id, by: master)?.unreachableSince == nil) }
        let before = wallClockMilliseconds()
        await cluster.kill(slave)
        await cluster.until { view(of: slave.id, by: master)?.unreachableSince != nil }
        let since = try #require(view(of: slave.id, by: master)?.unreachableSince)
        #expect(since > before - 1000 && since <= wallClockMilliseconds() - 900)
        // The master is the one that a slave hears itself.
        let other = try #require(cluster.all.first { $0 !== slave && $0 !== master })
        #expect(view(of: master.id, by: other)?.unreachableSince == nil)
        await cluster.close()
    }

    @Test func aWriteWithoutAQuorumEndsAfterTheTimeThatIsSet() async throws {
        let cluster = try await TestMembers { $0.writeTimeout = 600 }
        let master = try #require(cluster.master)
        for slave in cluster.slaves { cluster.cut(slave) }
        let began = monotonicNanoseconds()
        do throws(GraphError) {
            _ = try await master.database.write { tx throws(GraphError) in try tx.createNode() }
            Issue.record("a write without a quorum was acknowledged")
        } catch {
            #expect(error.code == .outcomeUnknown, "\(error)")
            #expect(error.message.contains("within 600"), "\(error)")
        }
        let milliseconds = (monotonicNanoseconds() - began) / 1_000_000
        #expect((550...3000).contains(milliseconds), "\(milliseconds) ms")
        await cluster.close()
    }
}
