internal import GraphModel

// Following a master: taking entries, acknowledging what is on disk, applying what is committed.
extension MemberCore {
    mutating func accept(
        _ append: ReplicationMessage.Append, from sender: MemberID, _ log: any ReplicatedLog, _ now: Instant,
        _ actions: inout [Action]
    ) {
        guard isMemoryWhole else { return }
        let takesOld = breaks(.acceptsOlderEpoch)
        guard append.epoch >= hard.promised || takesOld, !isMaster || append.epoch > hard.promised else {
            reply(.stale, to: sender, append.sentAt, log, &actions)
            return
        }
        if isMaster { becomePending(now, &actions) }
        promise(append.epoch, &actions)
        follow(sender, append, log, now, &actions)
        guard case .slave(var slave) = role else { return }
        slave.lastHeardAt = now
        slave.isCutOff = false
        slave.sentAt = max(slave.sentAt, append.sentAt)
        role = .slave(slave)
        election = nil
        electionAt = now + options.leaseTime + jitter(Milliseconds(options.leaseTime.rawValue / 2))
        silentUntil = max(silentUntil, now + options.leaseTime)
        if breaks(.ignoresLease) {
            silentUntil = now
            electionAt = now + Milliseconds(options.leaseTime.rawValue / 4)
        }
        lastHeardMasterAt = now
        lastHeardMaster = sender
        let isPausing = copyAgainAt.map { now < $0 } ?? false
        if isCopying || isFounding || isPausing { return reply(.copying, to: sender, append.sentAt, log, &actions) }
        guard hasStore else {
            isCopying = true
            startCopy(from: sender, &actions)
            return reply(.copying, to: sender, append.sentAt, log, &actions)
        }
        take(append, from: sender, slave, log, now, &actions)
    }

    private mutating func follow(
        _ sender: MemberID, _ append: ReplicationMessage.Append, _ log: any ReplicatedLog, _ now: Instant,
        _ actions: inout [Action]
    ) {
        if case .slave(let slave) = role, slave.epoch == append.epoch { return }
        role = .slave(
            SlaveReplication(master: sender, epoch: append.epoch, lastHeardAt: now, sentAt: append.sentAt))
        actions.append(.following(sender, append.epoch))
        actions.append(.note("slave of member \(sender.rawValue), \(append.epoch), from \(log.last)"))
    }

    private mutating func take(
        _ append: ReplicationMessage.Append, from sender: MemberID, _ slave: SlaveReplication, _ log: any ReplicatedLog,
        _ now: Instant, _ actions: inout [Action]
    ) {
        var slave = slave
        receivedLogByteCount += append.records.reduce(0) { $0 + UInt64($1.bytes.count) }
        let applied = log.applied
        // Once what is applied is known to be the master's, too, what lies before it needs no look.
        var records = append.records[...]
        var previous = append.previous
        while let first = records.first, first.position.transactionID <= applied.transactionID {
            previous = first.position
            records.removeFirst()
        }
        let isBefore = previous.transactionID < applied.transactionID
        if !isBefore {
            let known = log.knownPosition(of: previous.transactionID)
            guard previous.transactionID <= log.last.transactionID && known?.checksum == previous.checksum
                || breaks(.skipsLogCheck)
            else {
                if previous.transactionID == applied.transactionID && previous.checksum != applied.checksum {
                    return branched(sender, applied, &actions)
                }
                return reply(.mismatch, to: sender, append.sentAt, log, &actions)
            }
            // Checksums are chained: what is the same here is the same before.
            slave.isVerified = true
            slave.verified = max(slave.verified, applied.transactionID)
        } else if !records.isEmpty || !slave.isVerified {
            return reply(.mismatch, to: sender, append.sentAt, log, &actions)
        }
        var durable = log.durable.transactionID
        // Entries that are here already stay; the first that differs takes the rest of the log with it.
        while let first = records.first, first.position.transactionID <= log.last.transactionID {
            guard log.knownPosition(of: first.position.transactionID)?.checksum == first.position.checksum else {
                guard let keep = previousTransaction(of: first) else { break }
                // What a master acknowledged alone may be among what would be cut.
                if hard.isOptimistic || isOptimistic { return branched(sender, log.last, &actions) }
                // What is cut was acknowledged in vain: this log does not miss it.
                if hard.acknowledged.transactionID > keep, let position = log.knownPosition(of: keep) {
                    hard.acknowledged = position
                    actions.append(.persist(hard))
                }
                actions.append(.truncate(after: keep))
                durable = min(durable, keep)
                actions.append(.note("cuts entries after \(keep) that never were committed"))
                break
            }
            previous = first.position
            records.removeFirst()
        }
        if !records.isEmpty { actions.append(.append(Array(records))) }
        slave.fetchedCount += UInt64(records.count)
        slave.fetchedByteCount += records.reduce(0) { $0 + UInt64($1.bytes.count) }
        let end = records.last?.position.transactionID ?? previous.transactionID
        slave.verified = max(slave.verified, end)
        slave.commitPoint = max(slave.commitPoint, append.commitPoint)
        role = .slave(slave)
        if end >= log.last.transactionID { noteMode(&actions) }
        // What was just appended is acknowledged once it is durable, what was there now.
        applyAndReply(log, durable: durable, isAwaitingDisk: !records.isEmpty, now, &actions)
    }

    /// The whole log is the master's: how commits are made now says what its end may hold from here on.
    private mutating func noteMode(_ actions: inout [Action]) {
        guard let register, hard.isOptimistic != isOptimistic, register.epoch >= hard.promised else { return }
        hard.isOptimistic = isOptimistic
        actions.append(.persist(hard))
    }

    private func previousTransaction(of record: LogRecord) -> TransactionID? {
        record.position.transactionID > .zero ? TransactionID(record.position.transactionID.rawValue - 1) : nil
    }

    private mutating func branched(_ master: MemberID, _ at: LogPosition, _ actions: inout [Action]) {
        guard !isCopying, !breaks(.keepsBranchedData) else { return }
        if options.branchedDataPolicy == .shutdown {
            actions.append(
                .refuse("this member has \(at), which is not in the log of master \(master.rawValue): its data is branched, and ha.branched_data_policy=shutdown leaves it as it is"))
            return
        }
        isCopying = true
        hard.isComplete = false
        actions.append(.persist(hard))
        isBranched = true
        let isKept = options.branchedDataPolicy != .keepNone
        actions.append(
            .note(.warning, "BRANCHED: entries up to \(at) are not in the log of master \(master.rawValue): this store is \(isKept ? "set aside" : "given up") (ha.branched_data_policy=\(options.branchedDataPolicy.rawValue))"))
        startCopy(from: master, &actions)
    }

    private func startCopy(from master: MemberID, _ actions: inout [Action]) {
        actions.append(.startStoreCopy(from: master, setAside: isBranched && options.branchedDataPolicy != .keepNone))
    }

    /// The log is on disk further than before.
    mutating func durable(_ log: any ReplicatedLog, _ now: Instant, _ actions: inout [Action]) {
        switch role {
        case .slave: if !isCopying { applyAndReply(log, durable: log.durable.transactionID, now, &actions) }
        case .master:
            guard var master = takeMaster() else { return }
            master.ownMovedAt = now
            master.ownDurable = log.durable.transactionID
            master.advanceCommitPoint()
            role = .master(master)
            applyCommitted(log, now, &actions)
        case .pending: break
        }
    }

    /// `onDisk` is the end of what is durable once the actions so far are carried out.
    private mutating func applyAndReply(
        _ log: any ReplicatedLog, durable onDisk: TransactionID, isAwaitingDisk: Bool = false, _ now: Instant,
        _ actions: inout [Action]
    ) {
        guard case .slave(var slave) = role else { return }
        let durable = min(onDisk, slave.verified)
        var ready = breaks(.appliesBeforeSync) ? min(slave.commitPoint, slave.verified) : min(slave.commitPoint, durable)
        if breaks(.appliesBeforeCommitPoint) { ready = durable }
        let applied = log.applied.transactionID
        if ready > applied { actions.append(.apply(upTo: ready)) }
        if slave.commitPoint > max(ready, applied) {
            slave.behindSince = slave.behindSince ?? now
        } else {
            slave.behindSince = nil
        }
        let acknowledged =
            breaks(.acknowledgesBeforeSync) ? slave.verified : durable
        let isRecent = slave.repliedAt.map { now.milliseconds(since: $0) < Milliseconds(options.heartbeatInterval.rawValue / 4) }
        let isNews = acknowledged > slave.acknowledged
        let saysNothing = !isNews && (isAwaitingDisk || isRecent ?? false)
        if !saysNothing {
            slave.acknowledged = acknowledged
            slave.repliedAt = now
        }
        if !slave.hasToldFetched, slave.isVerified, slave.commitPoint <= durable, slave.commitPoint > .zero {
            slave.hasToldFetched = true
            let what = slave.fetchedCount == 0 ? "nothing" : "\(slave.fetchedCount) transactions, \(slave.fetchedByteCount) bytes of log"
            actions.append(.note("up to date with member \(slave.master.rawValue) at \(slave.commitPoint): fetched \(what)"))
        }
        role = .slave(slave)
        completeWhenCaughtUp(slave, durable, log, &actions)
        if saysNothing { return }
        if isNews, let position = log.knownPosition(of: acknowledged) { noteAcknowledged(position, &actions) }
        reply(.accepted, to: slave.master, slave.sentAt, log, acknowledged: acknowledged, &actions)
    }

    /// A member that had lost entries has everything again once it holds what this epoch committed.
    private mutating func completeWhenCaughtUp(
        _ slave: SlaveReplication, _ durable: TransactionID, _ log: any ReplicatedLog, _ actions: inout [Action]
    ) {
        guard !hard.isComplete, slave.commitPoint <= durable,
            log.knownPosition(of: slave.commitPoint)?.epoch == slave.epoch
        else { return }
        hard.becomeComplete()
        hard.acknowledged = log.durable
        actions.append(.persist(hard))
        actions.append(.note("has caught up with \(slave.epoch) at \(slave.commitPoint)"))
    }

    /// So has one whose log reaches again what it acknowledged: what is missing of that was acknowledged in vain, as when a
    /// log is cut.
    mutating func completeWhenRegained(_ log: any ReplicatedLog, _ actions: inout [Action]) {
        guard !hard.isComplete, hard.knowsAcknowledged, hasStore, !isCopying, log.durable >= hard.acknowledged else { return }
        hard.isComplete = true
        actions.append(.persist(hard))
        actions.append(.note("has all again that it acknowledged, up to \(hard.acknowledged)"))
    }

    private func reply(
        _ status: ReplicationMessage.AppendReply.Status, to master: MemberID, _ sentAt: Instant, _ log: any ReplicatedLog,
        acknowledged: TransactionID = .zero, _ actions: inout [Action]
    ) {
        var promised = hard.promised
        if breaks(.acceptsOlderEpoch), case .slave(let slave) = role { promised = slave.epoch }
        actions.append(
            .send(
                .appendReply(
                    .init(
                        status: status, promised: promised, acknowledged: acknowledged, last: log.last,
                        applied: log.applied, sentAt: sentAt, isPolling: options.pullInterval > 0)), to: master))
    }

    mutating func storeCopyNeeded(
        _ epoch: Epoch, isDiverged: Bool, from sender: MemberID, _ log: any ReplicatedLog, _ actions: inout [Action]
    ) {
        guard case .slave(let slave) = role, slave.epoch == epoch, slave.master == sender, !isCopying else { return }
        // What is merely old is replaced; what the cluster has not is kept as the operator wishes.
        let end = hard.isOptimistic || isOptimistic ? log.last : log.applied
        if end.transactionID > .zero, isDiverged || register?.leavesBehind(end) ?? false {
            return branched(sender, end, &actions)
        }
        isCopying = true
        hard.isComplete = false
        actions.append(.persist(hard))
        actions.append(.note(.warning, "is too far behind the log of member \(sender.rawValue): copies its store"))
        startCopy(from: sender, &actions)
    }

    /// A slave copies its master's store anew; a master lets another one rule first, if there is one.
    mutating func replaceDamagedStore(_ now: Instant, _ actions: inout [Action]) {
        switch role {
        case .slave(let slave):
            guard !isCopying else { return }
            isCopying = true
            hard.isComplete = false
            actions.append(.persist(hard))
            actions.append(.note(.error, "DAMAGED: its store cannot be read any more: copies that of member \(slave.master.rawValue)"))
            startCopy(from: slave.master, &actions)
        case .master(let master):
            if master.handover == nil && canHandOver(master, to: nil, now) { handOver(to: nil, now, &actions) }
        case .pending: break
        }
    }

    // MARK: Polling

    /// Whether this member asks its master for entries instead of getting them as they come.
    var pollsMaster: Bool {
        guard case .slave = role else { return false }
        return options.pullInterval > 0 && clusterVersion >= 2
    }

    mutating func pollMaster(_ now: Instant, _ actions: inout [Action]) {
        guard pollsMaster, now >= pullAt, case .slave(let slave) = role else { return }
        pullAt = now + options.pullInterval
        actions.append(.send(.pull(id: 0), to: slave.master))
    }
}
