import FileSystem
import Glibc
import GraphModel
import ServerRuntime
import Testing

extension EndToEnd {
    @Suite(.serialized) struct FailoverTests {
        /// Every acknowledged key is on every member.
        static func expectAllThere(_ cluster: TestCluster, _ keys: [Int64]) throws {
            try cluster.waitUntilEqual()
            for member in cluster.members {
                let rows = try cluster.client(member.httpPort).rows("MATCH (n:W) RETURN n.key")
                let there = Set(rows.compactMap { row -> Int64? in if case .integer(let key)? = row.first { key } else { nil } })
                let missing = keys.filter { !there.contains($0) }
                #expect(missing.isEmpty, "member \(member.id) misses \(missing.count) of \(keys.count) acknowledged writes, first \(missing.first ?? 0)")
                #expect(there.count == rows.count, "member \(member.id) holds a write twice")
            }
        }

        /// From the logs: each epoch had one master.
        static func expectOneMasterPerEpoch(_ lines: [(member: Int, line: String)]) {
            var masters: [String: Set<Int>] = [:]
            for (member, line) in lines {
                guard let range = line.firstRange(of: "server: master of epoch ") else { continue }
                let epoch = String(line[range.upperBound...].prefix { $0.isNumber })
                masters[epoch, default: []].insert(member)
            }
            #expect(!masters.isEmpty)
            for (epoch, members) in masters { #expect(members.count == 1, "epoch \(epoch) had masters \(members)") }
        }

        @Test func killedMastersLoseNoAcknowledgedWrite() async throws {
            let cluster = try await TestCluster("kill")
            var lines: [(member: Int, line: String)] = []
            do {
                let writers = WriteLoad(clients: 16, ports: [cluster.writePort])
                let readers = ReadLoad(clients: 4, port: cluster.readPort)
                var gaps: [Double] = []
                for round in 1...10 {
                    let loss = try cluster.loseMaster(under: writers, round: round)
                    lines += loss.lines
                    gaps.append(loss.seconds)
                }
                readers.stop()
                writers.stop()
                let sorted = gaps.sorted()
                print("failover after kill -9, seconds: \(gaps.map { "\(($0 * 1000).rounded() / 1000)" }.joined(separator: " ")); median \(sorted[sorted.count / 2])")
                print("writes: \(writers.summary); reads: \(readers.doneCount) done, \(readers.failures.count) failed")
                #expect(sorted[sorted.count / 2] <= 3)
                #expect(readers.failures.count <= readers.clientCount * 10, "\(readers.failures.prefix(3))")
                try Self.expectAllThere(cluster, writers.acknowledgedKeys)
                for member in cluster.members { lines += cluster.logLines(member).map { (member.id, $0) } }
                Self.expectOneMasterPerEpoch(lines)
                try await cluster.stopAndCompareStores()
            } catch {
                await cluster.stop(keep: true)
                throw error
            }
            await cluster.stop()
        }

        /// Clients that name their requests send them until somebody says that they are done, whatever happens in between:
        /// each is done once.
        @Test func namedWritesOverKilledMastersAreDoneOnce() async throws {
            let cluster = try await TestCluster("named")
            do {
                let writers = WriteLoad(
                    clients: 12, ports: [cluster.writePort] + cluster.members.map(\.httpPort), namesRequests: true)
                for round in 1...5 { _ = try cluster.loseMaster(under: writers, round: round) }
                writers.stop()
                print("named writes over five killed masters: \(writers.summary)")
                let keys = writers.acknowledgedKeys
                let unknown = writers.state.withLock { $0.unknown + $0.refused.values.reduce(0, +) }
                #expect(unknown > 0, "no write had to be sent again")
                // Every key that was begun is acknowledged, once.
                #expect(Set(keys).count == keys.count)
                try Self.expectAllThere(cluster, keys)
                let rows = try cluster.client(cluster.writePort).rows("MATCH (n:W) RETURN count(n)")
                #expect(rows == [[.integer(Int64(keys.count))]], "\(keys.count) writes were made")
                try await cluster.stopAndCompareStores()
            } catch {
                await cluster.stop(keep: true)
                throw error
            }
            await cluster.stop()
        }

        @Test func frozenMasterAcknowledgesNothingAfterItThaws() async throws {
            let cluster = try await TestCluster("freeze")
            let frozen = try cluster.master()
            // Half of the clients insist on the member that will freeze.
            let writers = WriteLoad(clients: 16, ports: [cluster.writePort, frozen.httpPort])
            try waitUntil("writes go on") { writers.acknowledgedCount > 500 }
            let frozenAt = monotonicNanoseconds()
            cluster.signal(frozen, SIGSTOP)
            let gap = try writers.secondsUntilWrite(after: frozenAt, underWayNanoseconds: 50_000_000)
            print("failover after SIGSTOP: \(gap) s")
            try waitUntil("ten seconds have passed") { monotonicNanoseconds() > frozenAt + 10_000_000_000 }
            let newEpoch = writers.state.withLock { $0.epochs.map(\.epoch).max() ?? 0 }
            let thawedAt = monotonicNanoseconds()
            cluster.signal(frozen, SIGCONT)
            try cluster.waitUntilWhole()
            let before = writers.acknowledgedCount
            try waitUntil("writes go on after the thaw") { writers.acknowledgedCount > before + 200 }
            writers.stop()
            let epochs = writers.state.withLock(\.epochs)
            let start = try #require(epochs.filter { $0.epoch == newEpoch }.map(\.transaction).min())
            // What was committed and on its way to the client when it froze may arrive; nothing else.
            let late = epochs.filter { $0.at > thawedAt && $0.port == frozen.httpPort && $0.epoch < newEpoch }
            #expect(late.allSatisfy { $0.began < frozenAt && $0.transaction < start }, "acknowledged after the thaw in an old epoch: \(late), the new one began before \(start)")
            #expect(gap <= 3)
            print("writes: \(writers.summary)")
            try Self.expectAllThere(cluster, writers.acknowledgedKeys)
            try await cluster.stopAndCompareStores()
            await cluster.stop()
        }

        @Test func plannedSwitchoverFailsNoRequest() async throws {
            let cluster = try await TestCluster("switch")
            let writers = WriteLoad(clients: 8, ports: [cluster.writePort])
            let readers = ReadLoad(clients: 2, port: cluster.readPort)
            try waitUntil("writes go on") { writers.acknowledgedCount > 200 }
            for _ in 0..<3 {
                let master = try cluster.master()
                let answer = try cluster.client(master.httpPort).request("POST", "/db/manage/server/ha/switch-master", body: "{}")
                #expect(answer.status == 200, "\(answer.text)")
                let before = writers.acknowledgedCount
                try waitUntil("writes go on after the switchover") { writers.acknowledgedCount > before + 200 }
                let next = try cluster.master()
                #expect(next.id != master.id)
            }
            readers.stop()
            writers.stop()
            print("writes over three switchovers: \(writers.summary); reads: \(readers.doneCount) done")
            #expect(writers.state.withLock { $0.refused.isEmpty && $0.unknown == 0 }, "\(writers.summary)")
            #expect(readers.failures == [])
            try await cluster.stopAndCompareStores()
            await cluster.stop()
        }
    }
}
