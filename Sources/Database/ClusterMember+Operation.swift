public import GraphModel
internal import Replication

// What operators ask of a member, and what a server asks when it starts and stops.
extension ClusterMember {
    /// Returns once this member serves reads: it has a store and knows a master, or is it.
    public func untilServing() async {
        await wait { $0.hasJoined && !$0.isCopying && $0.hasStore }
    }

    /// Makes another member master, or, with nil, whichever is best; only the master can. Returns who it is once this
    /// member follows it.
    public func switchMaster(to target: MemberID?) async throws(GraphError) -> MemberID {
        guard snapshot.withLock({ $0.isMaster }) else {
            throw GraphError(
                .noMaster, "this member is not the master: ask the master to hand over")
        }
        let ownID = configuration.replication.member.id
        enqueue { engine, now in engine.handOver(to: target, now: now) }
        // A proposal whose outcome the coordinators do not tell leaves the mastership in the balance.
        let limit = Instant.now + Milliseconds(2 * configuration.replication.handoverTimeout.rawValue)
        await wait(deadline: limit) { !$0.isHandingOver && (!$0.isMaster || $0.handoverEnded) }
        // Deposed, it hears of the new master soon, if there is one.
        let soon = Instant.now + configuration.replication.leaseTime
        await wait(deadline: min(limit, soon)) { $0.isMaster || $0.master != nil }
        guard let master = snapshot.withLock({ $0.master }), master != ownID else {
            throw GraphError(
                .unavailable,
                "no switchover took place: \(target.map { "member \($0.rawValue) is not in the sync set, or did not catch up in time" } ?? "no other member can be master")")
        }
        return master
    }

    /// Takes a member out of the cluster for good; only the master can. Returns once the register says so. A process that
    /// still runs as that member ends; started again it joins anew.
    public func removeMember(_ target: MemberID) async throws(GraphError) {
        let before = snapshot.withLock { $0 }
        guard before.isMaster else {
            throw GraphError(.noMaster, "this member is not the master: ask the master to take a member out")
        }
        guard target != configuration.replication.member.id else {
            throw GraphError(.invalidRequest, "member \(target.rawValue) is the master: switch to another one first")
        }
        guard before.members.contains(where: { $0.id == target }) else {
            let known = before.members.map { "\($0.id.rawValue)" }.joined(separator: ", ")
            throw GraphError(.invalidRequest, "there is no member \(target.rawValue); there are \(known)")
        }
        enqueue { engine, now in engine.removeMember(target, now: now) }
        let limit = Instant.now + Milliseconds(2 * configuration.replication.handoverTimeout.rawValue)
        await wait(deadline: limit) { snapshot in !snapshot.members.contains { $0.id == target } || !snapshot.isMaster }
        guard snapshot.withLock({ snapshot in !snapshot.members.contains { $0.id == target } }) else {
            throw GraphError(
                .unavailable,
                "member \(target.rawValue) is still there: the other members have not everything that it acknowledged, or the coordinators do not answer")
        }
    }

    /// Fetches what the master has committed by now; returns once that is readable here. The manual's explicit update of a
    /// slave (25.4); only of use with `ha.pull_interval`.
    public func pullUpdates(timeout: Milliseconds) async throws(GraphError) {
        let arrived = await withCheckedContinuation { continuation in
            let accepted = enqueue { engine, now in
                engine.pullUpdates(deadline: now + timeout, now: now) { continuation.resume(returning: $0) }
            }
            if !accepted { continuation.resume(returning: false) }
        }
        if !arrived {
            throw GraphError(.unavailable, "no master sent its updates within \(timeout): try again")
        }
    }

    /// Has all members say what their graphs come to at one moment; only the master can. Returns the transaction that asks
    /// for it, of the comparison that goes on already if there is one. What comes of it is in the status.
    public func compareGraphs() async throws(GraphError) -> TransactionID {
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<TransactionID, GraphError>, Never>) in
            let accepted = enqueue { engine, now in
                continuation.resume(returning: Result { () throws(GraphError) -> TransactionID in
                    try engine.compareGraphs(now: now).transactionID
                })
            }
            if !accepted { continuation.resume(returning: .failure(Self.closed)) }
        }
        let transaction = try result.get()
        // Whoever looks at the status next is to find it there.
        await wait { !$0.isMaster || $0.graphComparison.map { $0.position.transactionID >= transaction } ?? false }
        return transaction
    }

    /// Returns once no comparison of graphs goes on here, after `limit` in any case.
    public func untilCompared(limit: Milliseconds) async {
        await wait(deadline: .now + limit) { !$0.isMaster || $0.graphComparison.map { $0.duration != nil } ?? true }
    }

    /// Lets another member take over while this one still serves; at once when it is not master or nobody can.
    public func handOver() async {
        guard snapshot.withLock({ $0.isMaster && !$0.hasFailed && $0.syncSet.count > 1 }),
            openStore.withLock({ $0?.failure == nil })
        else { return }
        do throws(GraphError) { note(.info, "member \(try await switchMaster(to: nil).rawValue) is master now") } catch {
            note(.warning, "stops without a switchover: \(error.message)")
        }
    }
}
