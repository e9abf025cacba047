import Database
import FileSystem
import GraphModel
import Testing

/// What members say of each other, and how long writes wait, when some are away.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ClusterStatusTests {
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

    /// Tried a few times: on a busy machine the master can notice before the write begins, and refuses it then.
    @Test func aWriteWithoutAQuorumEndsAfterTheTimeThatIsSet() async throws {
        var outcome = try await outcomeWithoutQuorum()
        for _ in 0..<9 where outcome.error?.code == .noQuorum {
            outcome = try await outcomeWithoutQuorum()
        }
        #expect(outcome.error?.code == .outcomeUnknown, "\(outcome)")
        #expect(outcome.error?.message.contains("within 600") ?? false, "\(outcome)")
        #expect((550...3000).contains(outcome.milliseconds), "\(outcome)")
    }

    /// What a write ends with, and when, if nobody acknowledges it.
    private func outcomeWithoutQuorum() async throws -> (error: GraphError?, milliseconds: UInt64) {
        let cluster = try await TestMembers { $0.writeTimeout = 600 }
        let master = try #require(cluster.master)
        for other in cluster.all where other !== master { cluster.cut(other) }
        let began = monotonicNanoseconds()
        var failure: GraphError?
        do throws(GraphError) { _ = try await master.database.write { tx throws(GraphError) in try tx.createNode() } } catch {
            failure = error
        }
        let milliseconds = (monotonicNanoseconds() - began) / 1_000_000
        await cluster.close()
        return (failure, milliseconds)
    }
}
