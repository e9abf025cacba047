import GraphModel
import Replication

// Breaking and mending the simulated world.
extension SimulatedCluster {
    func injectFault() {
        guard !isCalm else { return }
        schedule(.fault, in: (50 + random.below(schedule.faultIntervalMilliseconds * 2)) * 1_000_000)
        let kinds = FaultKind.allCases.filter(schedule.faults.contains)
        guard !kinds.isEmpty else { return }
        let kind = random.pick(kinds)
        let node = random.pick(nodes)
        switch kind {
        case .crash:
            guard node.isUp else { return }
            crash(node)
            schedule(.start(node: node.index), in: (20 + random.below(schedule.downMilliseconds)) * 1_000_000)
        case .powerFailure:
            for node in nodes where node.isUp { crash(node) }
            for node in nodes { schedule(.start(node: node.index), in: (20 + random.below(400)) * 1_000_000) }
        case .wipe:
            // One at a time, and never so that no quorum is left that has everything.
            guard node.isUp, node.memberID != nil, mayWipe(node) else { return }
            wipe(node)
            schedule(.start(node: node.index), in: (20 + random.below(1500)) * 1_000_000)
        case .pause:
            guard node.isUp, !node.isPaused else { return }
            pause(node)
            schedule(.resume(node: node.index), in: (100 + random.below(schedule.outageMilliseconds)) * 1_000_000)
        case .partition:
            let side = nodes.map { _ in random.below(2) == 0 }
            trace("partition \(side)")
            for a in nodes.indices {
                for b in nodes.indices where side[a] != side[b] { network.block(a, b) }
            }
            schedule(.heal(.partition, 0), in: (100 + random.below(schedule.outageMilliseconds)) * 1_000_000)
        case .oneWayPartition:
            for other in nodes where other.index != node.index && random.below(2) == 0 {
                trace("messages from \(node.index) to \(other.index) get lost")
                network.block(node.index, other.index)
            }
            schedule(.heal(.partition, 0), in: (100 + random.below(schedule.outageMilliseconds)) * 1_000_000)
        case .badNetwork:
            network.lossPercent = random.below(20)
            network.duplicatePercent = random.below(20)
            network.delayMaximumMicroseconds = 500 + random.below(30_000)
            schedule(.heal(.badNetwork, 0), in: (100 + random.below(3000)) * 1_000_000)
        case .slowDisk:
            node.syncDelayMicroseconds = 1000 + random.below(400_000)
            schedule(.heal(.slowDisk, node.index), in: (100 + random.below(3000)) * 1_000_000)
        case .switchover:
            guard let engine = node.engine, !node.isPaused else { return }
            engine.handOver(to: nil, now: node.now)
            settle(node)
        case .clockDrift:
            node.setClockDrift(Int64(random.below(21)) - 10)
        case .clockJump: node.wallClockOffset += Int64(random.below(7_200_000)) - 3_600_000
        case .removal:
            guard let target = node.memberID, schedule.memberCount > 2 else { return }
            for other in members where other.engine?.core.leaseEnd(now: other.now) != nil && !other.isPaused {
                trace("member \(target.rawValue) is taken out")
                other.engine?.removeMember(target, now: other.now)
                settle(other)
            }
        case .coordinatorLoss:
            let victim = random.pick(nodes.filter { $0.coordinatorAddress != nil })
            guard mayLoseCoordinatorState(victim) else { return }
            let leader = nodes.first { $0.coordinator?.isLeader ?? false }
            guard random.below(2) == 0, let leader, leader.index != victim.index else {
                return schedule(.loseCoordinatorState(node: victim.index), in: 1)
            }
            crash(leader)
            schedule(.start(node: leader.index), in: (20 + random.below(1000)) * 1_000_000)
            schedule(.loseCoordinatorState(node: victim.index), in: (350 + random.below(600)) * 1_000_000)
        case .checkpoint:
            guard let store = node.engine?.store, !node.isPaused else { return }
            do throws(GraphError) { try store.checkpoint() } catch { violation = "checkpoint on node \(node.index): \(error)" }
        }
    }

    /// A wiped disk is a lost copy: a cluster of three survives one. Allowed while every other member of the sync set has
    /// everything it ever acknowledged on its disk, up or down.
    private func mayWipe(_ node: SimulatedNode) -> Bool {
        let register = nodes.compactMap { $0.coordinator?.newest }
            .reduce(newestRegister) { $0.revision < $1.revision ? $1 : $0 }
        guard schedule.memberCount >= 3, register.revision > 0,
            register.syncSet.count >= 3 || !register.syncSet.contains(where: { $0 == node.memberID })
        else { return false }
        guard mayLoseCoordinatorState(node) else { return false }
        // Who is founding a cluster, or was master of one whose register nobody up knows, may be all there is of it.
        if let state = node.stateOnDisk, state.founding != .none || state.mastered > .zero && register.syncSet.count < 3 {
            return false
        }
        // A master that has proposed a smaller sync set, or gave up after it did, may be all that the next register counts.
        if register.master == node.memberID,
            node.engine.map({ $0.core.leaseEnd(now: node.now) == nil || $0.core.hasProposal }) ?? true
        { return false }
        return members.allSatisfy { other in
            other.index == node.index || !register.syncSet.contains { $0 == other.memberID }
                || other.stateOnDisk?.isComplete ?? false
        }
    }

    /// A group of coordinators stands the loss of any state files, as long as a majority has what it had.
    private func mayLoseCoordinatorState(_ node: SimulatedNode) -> Bool {
        if node.coordinatorAddress == nil { return true }
        return nodes.count { $0.index != node.index && $0.hasCountingCoordinator } > coordinatorAddresses.count / 2
    }

    func loseCoordinatorState(_ node: SimulatedNode) {
        guard !isCalm, mayLoseCoordinatorState(node) else { return }
        trace("node \(node.index) loses its coordinator's state")
        if node.isUp { crash(node) }
        node.removeCoordinatorState()
        schedule(.start(node: node.index), in: (1 + random.below(300)) * 1_000_000)
    }

    func heal(_ kind: FaultKind, _ index: Int) {
        switch kind {
        case .partition:
            for a in nodes.indices {
                for b in nodes.indices { network.unblock(a, b) }
            }
        case .badNetwork:
            network.lossPercent = 0
            network.duplicatePercent = 0
            network.delayMaximumMicroseconds = 800
        case .slowDisk: nodes[index].syncDelayMicroseconds = 200
        default: break
        }
    }

    func becomeCalm() {
        trace("faults end")
        isCalm = true
        network.heal()
        for node in nodes {
            node.syncDelayMicroseconds = 200
            node.setClockDrift(0)
            if node.isPaused { resume(node) }
            if !node.isUp { schedule(.start(node: node.index), in: 1_000_000) }
        }
    }
}
