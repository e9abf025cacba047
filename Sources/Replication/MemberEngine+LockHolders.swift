internal import Coordination
internal import GraphModel
internal import Storage

// Being master: the locks of transactions of other members.
extension MemberEngine {
    // MARK: Explicit locks

    func answerLock(
        _ id: UInt64, _ request: ReplicationMessage.LockRequest, from sender: MemberID, _ now: Instant
    ) {
        let key = LockHolders.Key(member: sender, number: request.session)
        func refuse(_ error: GraphError) { replyToLock(id, key, .failure(error)) }
        if core.isMaster && core.expectsMaster(now: now) {
            return hold(now, { [unowned self] in answerLock(id, request, from: sender, $0) }, orElse: refuse)
        }
        if let refusal = core.refusalOfCommits(now: now) { return refuse(refusal) }
        guard let store else { return refuse(GraphError(.noMaster, "member \(options.member.id.rawValue) is not the master")) }
        if lockHolders.transactions[key] == nil {
            // A request that was carried out before belongs to locks that are gone.
            guard request.isFirst, recentRequests.insert(id, from: sender) else { return refuse(Self.lostLocks("the master has released them")) }
            guard lockHolders.transactions.keys.count(where: { $0.member == sender }) < LockHolders.transactionCountMaximum
            else {
                return refuse(
                    GraphError(.overloaded, "\(LockHolders.transactionCountMaximum) transactions of member \(sender.rawValue) have explicit locks: try again later"))
            }
            lockHolders.transactions[key] = .init(
                session: store.locks.makeSession(.suspending, timeout: .endless), touchedAt: now, checkedAt: now)
        }
        lockHolders.transactions[key]?.touchedAt = now
        guard let holder = lockHolders.transactions[key], holder.lockCount < LockHolders.lockCountMaximum else {
            return refuse(
                GraphError(.overloaded, "one transaction cannot have more than \(LockHolders.lockCountMaximum) explicit locks in a cluster"))
        }
        // The same question again.
        if holder.waiting?.id == id { return }
        if holder.session.isSuspended { return refuse(Self.busy) }
        do throws(GraphError) {
            try holder.session.acquireExplicitly(LockTable.Key(request.entity), request.mode)
        } catch {
            guard holder.session.isSuspended else { return refuse(error) }
            lockHolders.transactions[key]?.waiting = .init(
                id: id, entity: request.entity, deadline: now + min(request.timeout, Self.lockWaitMaximum))
            let resume = host.resume
            return holder.session.whenLocked { error in
                resume { engine, now in engine.lockWaitEnded(id, key, error, now) }
            }
        }
        granted(id, key, request.entity)
    }

    private static let busy = GraphError(.invalidRequest, "the transaction waits for another lock already")
    private static let lockWaitMaximum: Milliseconds = 86_400_000

    private func granted(_ id: UInt64, _ key: LockHolders.Key, _ entity: EntityID) {
        lockHolders.transactions[key]?.lockCount += 1
        replyToLock(id, key, .success(sequencer?.lastChange(of: entity) ?? .zero))
    }

    private func lockWaitEnded(_ id: UInt64, _ key: LockHolders.Key, _ error: GraphError?, _ now: Instant) {
        guard let waiting = lockHolders.transactions[key]?.waiting, waiting.id == id else { return }
        lockHolders.transactions[key]?.waiting = nil
        if let error { replyToLock(id, key, .failure(error)) } else { granted(id, key, waiting.entity) }
    }

    private func replyToLock(_ id: UInt64, _ key: LockHolders.Key, _ result: Result<TransactionID, GraphError>) {
        let outcome: ReplicationMessage.LockOutcome =
            switch result {
            case .success(let lastChange): .granted(lastChange: lastChange)
            case .failure(let error): .failed(.init(error.code), message: error.message)
            }
        send(.lockReply(id: id, session: key.number, outcome), to: key.member)
    }

    func releaseLocks(ofTransaction key: LockHolders.Key) {
        lockHolders.transactions.removeValue(forKey: key)?.session.release()
    }

    // MARK: Write sets

    /// Orders a write set of another member's transaction once nobody else has an explicit lock on what it changes. What
    /// others have locked by writing is left to the check of the sequencer: to wait for it would be to lose for sure.
    func orderForwarded(
        _ writeSet: [UInt8], lockSession: UInt64, from sender: MemberID, id: UInt64, _ now: Instant
    ) {
        let owner = CommitWaiters.Owner.member(sender, id: id)
        if core.isMaster && core.expectsMaster(now: now) {
            return hold(
                now, { [unowned self] in orderForwarded(writeSet, lockSession: lockSession, from: sender, id: id, $0) },
                orElse: { [unowned self] in reply(owner, .failure($0)) })
        }
        // What cannot be ordered is refused there.
        guard core.refusalOfCommits(now: now) == nil, core.clusterVersion >= 2, let store else {
            return order(writeSet, for: owner, now)
        }
        let session: LockSession
        if lockSession != 0 {
            guard let holder = lockHolders.transactions[.init(member: sender, number: lockSession)] else {
                return reply(owner, .failure(Self.lostLocks("the master has released them")))
            }
            if holder.session.isSuspended { return reply(owner, .failure(Self.busy)) }
            session = holder.session
        } else {
            if !store.locks.hasExplicitLocks { return order(writeSet, for: owner, now) }
            session = store.locks.makeSession(.suspending, timeout: .endless)
        }
        guard let needed = store.locksNeeded(by: writeSet) else { return order(writeSet, for: owner, now) }
        let key = LockHolders.Key(member: sender, number: id)
        lockHolders.commits[key] = .init(
            writeSet: writeSet, session: session, isOfHolder: lockSession != 0, needed: needed,
            // Its member waits longer for the answer, and knows then that nothing was applied.
            deadline: now + Milliseconds(options.writeTimeout.rawValue * 4 / 5))
        continueCommit(key, now)
    }

    /// Waits for one lock after the other. What was free may have been taken meanwhile: after a wait all are looked at
    /// again, until none has to be waited for.
    private func continueCommit(_ key: LockHolders.Key, _ now: Instant) {
        guard var commit = lockHolders.commits[key] else { return }
        let owner = CommitWaiters.Owner.member(key.member, id: key.number)
        while commit.next < commit.needed.count {
            let (lock, mode) = commit.needed[commit.next]
            if !commit.session.manager.isFreeOfExplicitLocks(lock, for: commit.session) {
                do throws(GraphError) { try commit.session.acquire(lock, mode) } catch {
                    guard commit.session.isSuspended else { return reply(owner, .failure(error)) }
                    commit.isWaiting = true
                    commit.hasWaited = true
                    lockHolders.commits[key] = commit
                    let resume = host.resume
                    return commit.session.whenLocked { error in
                        resume { engine, now in engine.commitWaitEnded(key, error, now) }
                    }
                }
            }
            commit.next += 1
            if commit.next == commit.needed.count && commit.hasWaited {
                commit.hasWaited = false
                commit.next = 0
            }
        }
        let writeSet = commit.writeSet
        order(writeSet, for: owner, now)
    }

    private func commitWaitEnded(_ key: LockHolders.Key, _ error: GraphError?, _ now: Instant) {
        guard lockHolders.commits[key]?.isWaiting ?? false else { return }
        lockHolders.commits[key]?.isWaiting = false
        if let error { return reply(.member(key.member, id: key.number), .failure(error)) }
        lockHolders.commits[key]?.next = 0
        continueCommit(key, now)
    }

    // MARK: Their end

    /// The member is gone, or its connection is: nobody would release them.
    func releaseLocks(of member: MemberID) {
        for key in lockHolders.transactions.keys.sorted() where key.member == member {
            releaseLocks(ofTransaction: key)
        }
        for key in lockHolders.commits.keys.sorted() where key.member == member && lockHolders.commits[key]?.isWaiting ?? false {
            reply(.member(member, id: key.number), .failure(Self.lostLocks("the connection to the master broke")))
        }
    }

    /// This member is not master any more.
    func releaseAllLocks() {
        for key in lockHolders.commits.keys.sorted() {
            if lockHolders.commits[key]?.isWaiting ?? false {
                reply(.member(key.member, id: key.number), .failure(Self.lostLocks("the mastership has ended")))
            } else {
                lockHolders.commitEnded(key)
            }
        }
        let transactions = lockHolders.transactions
        lockHolders.transactions = [:]
        for key in transactions.keys.sorted() {
            guard let holder = transactions[key] else { continue }
            if let waiting = holder.waiting {
                replyToLock(waiting.id, key, .failure(Self.lostLocks("the mastership has ended")))
            }
            holder.session.release()
        }
    }

    func expireLocks(_ now: Instant) {
        expireLockRequests(now)
        if lockHolders.transactions.isEmpty && lockHolders.commits.isEmpty { return }
        for key in lockHolders.transactions.keys.sorted() {
            guard let holder = lockHolders.transactions[key], let waiting = holder.waiting, waiting.deadline <= now else {
                continue
            }
            holder.session.giveUpWaiting()
        }
        for key in lockHolders.commits.keys.sorted() {
            guard let commit = lockHolders.commits[key], commit.isWaiting, commit.deadline <= now else { continue }
            commit.session.giveUpWaiting()
        }
        checkLocks(now)
    }

    /// Whoever is cut off, or has ended, without a word keeps nobody waiting for ever.
    private func checkLocks(_ now: Instant) {
        let peers = core.peerStatus
        var questions: [MemberID: [UInt64]] = [:]
        for key in lockHolders.transactions.keys.sorted() {
            guard let holder = lockHolders.transactions[key] else { continue }
            let heardAt = max(holder.touchedAt, peers[key.member]?.lastContact ?? holder.touchedAt)
            if now.milliseconds(since: heardAt) >= options.syncTimeout {
                host.note(.warning, "releases locks of member \(key.member.rawValue), which has said nothing for \(options.syncTimeout)")
                releaseLocks(of: key.member)
            } else if now.milliseconds(since: max(holder.touchedAt, holder.checkedAt)) >= LockHolders.checkInterval {
                lockHolders.transactions[key]?.checkedAt = now
                questions[key.member, default: []].append(key.number)
            }
        }
        for member in questions.keys.sorted() { send(.lockCheck(sessions: questions[member] ?? []), to: member) }
    }
}

extension MemberEngine {
    /// Transactions of other members that have locks here, and write sets that wait for locks.
    package var lockHolderCount: Int { lockHolders.transactions.count + lockHolders.commits.count }
}

extension Milliseconds {
    /// The engine looks at its own clock.
    fileprivate static let endless = Milliseconds(.max)
}
