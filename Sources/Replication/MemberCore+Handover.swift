internal import Coordination
internal import GraphModel

// A planned switchover, from the old master's side.
extension MemberCore {
    /// From the withdrawal of the lease to the proposal of another master.
    static let withdrawalTime: Milliseconds = 2

    func canHandOver(_ master: MasterReplication, to target: MemberID?, _ now: Instant) -> Bool {
        let others = master.syncSet.filter { other in
            guard other != id, let peer = master.peers[other], !peer.isCutOff, let contact = peer.lastContact else {
                return false
            }
            return now.milliseconds(since: contact) < options.leaseTime
        }
        return target.map(others.contains) ?? !others.isEmpty
    }

    mutating func handOver(to target: MemberID?, _ now: Instant, _ actions: inout [Action]) {
        guard case .master(var master) = role, master.handover == nil else { return }
        guard canHandOver(master, to: target, now) else {
            actions.append(
                .note(target.map { "member \($0.rawValue) is not in the sync set, or does not answer, and cannot be master" } ?? "no other member can be master"))
            return
        }
        master.handover = .init(target: target, deadline: now + options.handoverTimeout)
        role = .master(master)
        actions.append(.note("begins a switchover\(target.map { " to member \($0.rawValue)" } ?? "")"))
    }

    /// Once everything ordered is committed and the target has it all, the register names the new master. This one
    /// orders nothing any more, so nothing can come in between.
    mutating func continueHandover(_ log: any ReplicatedLog, _ now: Instant, _ actions: inout [Action]) {
        guard isHandingOver, case .master(var master) = role, var handover = master.handover, !handover.isProposed,
            master.proposal == nil, let register, register.epoch == master.epoch
        else { return }
        let last = log.last
        guard breaks(.handsOverTooEarly) || master.commitPoint == last.transactionID && log.durable == last else { return }
        let ready = master.syncSet.filter { member in
            guard member != id, let peer = master.peers[member], !peer.isCutOff, let contact = peer.lastContact else {
                return false
            }
            return (peer.acknowledged == last.transactionID || breaks(.handsOverTooEarly))
                && now.milliseconds(since: contact) < options.leaseTime
        }
        guard let next = handover.target.map({ ready.contains($0) ? $0 : nil }) ?? ready.max() else { return }
        guard let withdrawnAt = handover.withdrawnAt, now.milliseconds(since: withdrawnAt) >= Self.withdrawalTime else {
            handover.withdrawnAt = handover.withdrawnAt ?? now
            master.handover = handover
            role = .master(master)
            return
        }
        handover.isProposed = true
        master.handover = handover
        role = .master(master)
        var named = register
        let position = breaks(.handsOverTooEarly) ? log.knownPosition(of: master.acknowledged(next)) ?? last : last
        named.begin(max(master.epoch, hard.promised).next, master: next, at: position)
        actions.append(.note("hands over to member \(next.rawValue) at \(last)"))
        actions.append(.compareAndSet(expected: register.revision, named))
    }
}
