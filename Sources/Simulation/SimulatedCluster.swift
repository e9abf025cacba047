import Coordination
import FileSystem
import GraphModel
import Replication
import Storage

/// A whole cluster in one thread: virtual clocks, a network that loses, doubles and reorders, disks that forget what was
/// not synced. A seed replays a run exactly. Stops at the first broken invariant.
package final class SimulatedCluster {
    package let schedule: Schedule
    var random: SeededRandom
    package private(set) var now: UInt64 = 0
    private var events = EventQueue()
    var network = VirtualNetwork()
    private(set) var nodes: [SimulatedNode] = []
    private var addresses: [String: Int] = [:]
    private(set) var coordinatorAddresses: [String] = []
    var invariants = Invariants()
    var clients: [SimulatedClient] = []
    let answers = Answers()
    var isCalm = false
    /// Clients ask for nothing.
    var isSilent = false
    /// The last lines of what happened, for reports.
    package private(set) var traceLines: [String] = []
    package var keepsTrace = false
    package private(set) var eventCount = 0
    package private(set) var messageCounts: [String: Int] = [:]
    package internal(set) var violation: String?
    /// Marks in stores that were set aside, and whether any was given up.
    var keptMarks: Set<UInt64> = []
    /// Of what coordinators knew that have crashed since.
    var newestRegister = ClusterRegister()
    package var branchCount = 0
    var hasLostBranches = false
    /// Nodes with a unique name at the end.
    package internal(set) var namedNodeCount = 0

    package init(_ schedule: Schedule) {
        self.schedule = schedule
        random = SeededRandom(seed: schedule.seed)
        for index in 0..<schedule.memberCount {
            let isSlaveOnly = index >= schedule.memberCount - schedule.slaveOnlyCount
            nodes.append(
                SimulatedNode(
                    index: index, memberID: MemberID(UInt32(index + 1)),
                    hostsCoordinator: index < schedule.embeddedCoordinatorCount, isSlaveOnly: isSlaveOnly, cluster: self))
        }
        for index in 0..<schedule.arbiterCount {
            nodes.append(
                SimulatedNode(
                    index: schedule.memberCount + index, memberID: nil, hostsCoordinator: true, isSlaveOnly: false,
                    cluster: self))
        }
        for node in nodes {
            if let address = node.memberAddress { addresses[address] = node.index }
            if let address = node.coordinatorAddress {
                addresses[address] = node.index
                coordinatorAddresses.append(address)
            }
        }
        for index in 0..<schedule.clientCount { clients.append(SimulatedClient(index: index)) }
    }

    func trace(_ line: @autoclosure () -> String) {
        guard keepsTrace else { return }
        traceLines.append("\(now / 1_000_000)ms \(line())")
    }

    // MARK: Running

    /// Runs the schedule. Returns the violated invariant, nil when all held.
    package func run() -> String? {
        scheduleBeginning()
        events.schedule(.fault, at: 1_500_000_000 + random.below(schedule.faultIntervalMilliseconds * 1_000_000))
        runUntil(schedule.faultyMilliseconds * 1_000_000)
        if violation != nil { return violation }
        converge()
        return violation
    }

    func scheduleBeginning() {
        for node in nodes {
            let isLate = node.memberID != nil && node.index >= schedule.memberCount - schedule.lateCount
            events.schedule(
                .start(node: node.index), at: random.below(isLate ? schedule.faultyMilliseconds * 1_000_000 : 300_000_000))
        }
        for client in clients { events.schedule(.client(client.index), at: 800_000_000 + random.below(200_000_000)) }
    }

    func runUntil(_ end: UInt64) {
        while violation == nil, let at = events.nextAt, at <= end, let entry = events.next() {
            now = max(now, entry.at)
            eventCount += 1
            handle(entry.event)
        }
        now = max(now, end)
    }

    private func handle(_ event: SimulationEvent) {
        switch event {
        case .deliver(let frame, let address, let source):
            guard let index = addresses[address] else { return }
            let node = nodes[index]
            if node.isPaused { return node.backlog.append(event) }
            guard node.isUp else {
                // The machine is there and the process is not.
                guard !network.isBlocked(index, source) else { return }
                return schedule(.connectionRefused(node: source, peerAddress: address), in: 100_000 + random.below(400_000))
            }
            guard let decoded = try? ClusterFrame(decoding: frame) else { return }
            if address == node.coordinatorAddress {
                withCoordinator(node) { coordinator throws(GraphError) in try coordinator.receive(decoded, now: node.now) }
            } else {
                node.engine?.receive(decoded, now: node.now)
            }
            settle(node)
        case .tick(let index, let incarnation):
            let node = nodes[index]
            // Another one, sooner, took its place: it would go on beside that for ever.
            guard node.incarnation == incarnation, node.isUp, node.scheduledTickAt == now else { return }
            node.scheduledTickAt = nil
            if node.isPaused { return node.backlog.append(event) }
            node.engine?.tick(now: node.now)
            withCoordinator(node) { coordinator throws(GraphError) in try coordinator.tick(now: node.now) }
            settle(node)
        case .diskSynced(let index, let incarnation):
            let node = nodes[index]
            guard node.incarnation == incarnation, let store = node.engine?.store else {
                if node.incarnation == incarnation { node.isSyncScheduled = false }
                return
            }
            if node.isPaused { return node.backlog.append(event) }
            node.isSyncScheduled = false
            store.flush()
            node.syncAcknowledged(now)
            node.engine?.durable(now: node.now)
            settle(node)
        case .linkDown(let index, let address):
            let node = nodes[index]
            guard node.isUp, !node.isPaused else { return }
            node.engine?.linkDown(address: address, now: node.now)
            settle(node)
        case .connectionRefused(let index, let address):
            let node = nodes[index]
            guard node.isUp, !node.isPaused else { return }
            node.engine?.connectionRefused(address: address, now: node.now)
            settle(node)
        case .start(let index): start(nodes[index])
        case .loseCoordinatorState(let index): loseCoordinatorState(nodes[index])
        case .resume(let index): resume(nodes[index])
        case .copyStore(let index, let incarnation, let source, let setAside):
            let node = nodes[index]
            guard node.incarnation == incarnation, node.isUp else { return }
            if node.isPaused { return node.backlog.append(event) }
            let reachable = nodes[source].isUp && !nodes[source].isPaused && !network.isBlocked(source, index)
                && !network.isBlocked(index, source)
            if reachable && schedule.commitMode == .optimistic { keepMarks(of: node, setAside: setAside) }
            let copy =
                reachable ? node.copyStore(of: nodes[source]) : .failure(GraphError(.network, "the source cannot be reached"))
            var former: Store?
            if case .failure = copy { former = node.openFormerStore() }
            node.engine?.storeCopied(copy, former: former, now: node.now)
            settle(node)
        case .operatorRestarts(let index, let incarnation):
            guard nodes[index].incarnation == incarnation, nodes[index].isUp else { return }
            crash(nodes[index])
            schedule(.start(node: index), in: (20 + random.below(schedule.downMilliseconds)) * 1_000_000)
        case .client(let index): runClient(index)
        case .fault: injectFault()
        case .heal(let kind, let index): heal(kind, index)
        }
    }

    private func withCoordinator(
        _ node: SimulatedNode, _ body: (CoordinatorEngine) throws(GraphError) -> Void
    ) {
        guard let coordinator = node.coordinator else { return }
        do throws(GraphError) { try body(coordinator) } catch { nodeFailed(node, error) }
    }

    /// After anything happened at a node: sends what is ready, plans its next wake-ups, checks the invariants.
    func settle(_ node: SimulatedNode) {
        node.doResumedWork()
        node.engine?.flush(now: node.now)
        collectAnswers(of: node)
        guard node.isUp else { return }
        if let store = node.engine?.store, store.durable != store.last, !node.isSyncScheduled {
            node.isSyncScheduled = true
            let delay = (30 + random.below(node.syncDelayMicroseconds)) * 1000
            events.schedule(.diskSynced(node: node.index, incarnation: node.incarnation), at: now + delay)
        }
        var due: Instant?
        if let engine = node.engine { due = engine.nextTickAt(now: node.now) }
        if let coordinator = node.coordinator { due = due.map { min($0, coordinator.nextTickAt) } ?? coordinator.nextTickAt }
        if let due {
            let at = now + max(500_000, node.realDelay(until: due))
            if node.scheduledTickAt.map({ at < $0 || $0 <= now }) ?? true {
                node.scheduledTickAt = at
                events.schedule(.tick(node: node.index, incarnation: node.incarnation), at: at)
            }
        }
        if violation == nil { violation = invariants.check(node, self) }
        if let violation { trace("VIOLATION \(violation)") }
    }

    func send(_ frame: [UInt8], from source: Int, to address: String) {
        guard let target = addresses[address] else { return }
        if keepsTrace, frame.count > 5 { messageCounts["\(frame[0]).\(frame[0] == 1 ? frame[6] : 0)", default: 0] += 1 }
        for delay in network.delays(source, target, &random) {
            events.schedule(.deliver(frame, to: address, from: source), at: now + delay)
        }
    }

    func schedule(_ event: SimulationEvent, in nanoseconds: UInt64) { events.schedule(event, at: now + nanoseconds) }

    // MARK: Nodes

    func start(_ node: SimulatedNode) {
        guard !node.isUp else { return }
        do throws(GraphError) {
            try node.start()
            trace("node \(node.index) starts, log ends at \(node.engine?.store?.last.description ?? "no store")")
        } catch {
            violation = "node \(node.index) cannot start: \(error)"
            return
        }
        settle(node)
    }

    func crash(_ node: SimulatedNode) {
        trace("node \(node.index) crashes")
        invariants.forget(node)
        let address = node.memberAddress
        node.crash()
        tellLinkDown(node, address)
    }

    func wipe(_ node: SimulatedNode) {
        trace("node \(node.index) is wiped")
        invariants.forget(node, disk: true)
        let address = node.memberAddress
        node.wipe()
        tellLinkDown(node, address)
    }

    private func tellLinkDown(_ node: SimulatedNode, _ address: String?) {
        guard let address else { return }
        for other in nodes where other.index != node.index && !network.isBlocked(node.index, other.index) {
            schedule(.linkDown(node: other.index, peerAddress: address), in: 300_000 + random.below(2_000_000))
        }
    }

    func nodeFailed(_ node: SimulatedNode, _ error: GraphError) {
        // Taken out by the operator, who starts it again.
        if error.code == .foreignStore, schedule.faults.contains(.removal) {
            return events.schedule(.operatorRestarts(node: node.index, incarnation: node.incarnation), at: now + 1)
        }
        // A cluster that never saw an old member speaks the new version, and the old one has to be upgraded to join.
        if error.code == .foreignStore, node.isOld {
            node.isUpgraded = true
            return events.schedule(.operatorRestarts(node: node.index, incarnation: node.incarnation), at: now + 1)
        }
        // On these disks only a crash fails; anything else is a bug of the protocol.
        violation = violation ?? "member \(node.memberID?.rawValue ?? 0) failed: \(error)"
    }

    func pause(_ node: SimulatedNode) {
        trace("node \(node.index) pauses")
        node.isPaused = true
    }

    func resume(_ node: SimulatedNode) {
        guard node.isPaused else { return }
        trace("node \(node.index) resumes")
        node.isPaused = false
        let backlog = node.backlog
        node.backlog = []
        for event in backlog { events.schedule(event, at: now + 1000) }
        if node.isUp { settle(node) }
    }

    /// A master found that members hold different graphs.
    func graphsDiffer(_ line: String) { violation = violation ?? "5: \(line)" }

    func startCopy(to node: SimulatedNode, from member: ClusterRegister.Member, setAside: Bool) {
        guard let source = addresses[member.address] else { return }
        schedule(
            .copyStore(node: node.index, incarnation: node.incarnation, from: source, setAside: setAside),
            in: 2_000_000 + random.below(40_000_000))
    }

    var members: [SimulatedNode] { nodes.filter { $0.memberID != nil } }
}

extension SimulatedCluster {
    /// Comparisons of graphs that masters made, without what their crashes took along.
    package var comparisonCount: Int { members.count { $0.engine?.graphComparison?.duration != nil } }

    /// Requests whose outcome was unknown, and which were sent again until they were committed.
    package var settledRequestCount: Int { clients.reduce(0) { $0 + $1.settledRequests } }

    /// How much a run exercised, in one line.
    package var summary: String {
        let refused = clients.reduce(0) { $0 + $1.refusedMarks.count }
        let epochs = members.compactMap { $0.engine?.core.hard.promised.rawValue }.max() ?? 0
        return "\(schedule.memberCount) members (\(schedule.slaveOnlyCount) slave-only), \(schedule.commitMode), \(branchCount) branches, \(eventCount) events, \(epochs) epochs, \(committedCount) commits, \(refused) refusals"
    }
}
