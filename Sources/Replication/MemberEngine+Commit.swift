public import GraphModel
internal import Coordination
internal import Storage

// Commits and ids, from clients of this member and of the slaves.
extension MemberEngine {
    /// Orders a write set here or at the master. `done` is called once, on the thread that drives the engine: with the
    /// transaction once it is committed and readable on this member, or with an error whose code says whether anything
    /// may have been applied.
    ///
    /// `.requestCommitted` says that its request was carried out before, in a transaction that is readable here.
    ///
    /// - Parameter lockSession: the transaction's, when it has explicit locks; they must have held until now.
    public func commit(
        _ writeSet: [UInt8], lockSession: UInt64 = 0, now: Instant,
        done: @escaping @Sendable (Result<TransactionID, GraphError>) -> Void
    ) {
        if lockSession != 0 && !lockRequests.sessions.contains(lockSession) {
            return done(.failure(Self.lostLocks("this member follows another master, or lost touch with it")))
        }
        if core.register != nil, core.clusterVersion < 2, WriteSet.requestID(in: writeSet) != nil {
            return done(.failure(Self.requestIDUnsupported))
        }
        if core.isMaster { return order(writeSet, for: .local(done), now) }
        if core.expectsMaster(now: now) {
            return hold(
                now, { [unowned self] in commit(writeSet, lockSession: lockSession, now: $0, done: done) }, orElse: { done(.failure($0)) })
        }
        guard let master = core.knownMaster(now: now) else {
            return done(.failure(GraphError(.noMaster, "there is no master now: nothing was applied, try again")))
        }
        let id = waiters.makeID()
        waiters.forwarded[id] = .init(completion: done, deadline: now + options.writeTimeout)
        let writeSet = core.clusterVersion >= 2 ? writeSet : WriteSet.downgraded(writeSet)
        send(.commit(id: id, writeSet: writeSet, lockSession: lockSession, epoch: core.followedEpoch), to: master)
    }

    func order(_ writeSet: [UInt8], for owner: CommitWaiters.Owner, _ now: Instant) {
        if core.isMaster && core.expectsMaster(now: now) {
            return hold(
                now, { [unowned self] in orderOrForward(writeSet, for: owner, $0) },
                orElse: { [unowned self] in reply(owner, .failure($0)) })
        }
        if !core.isMaster, case .member = owner {
            return reply(
                owner, .failure(GraphError(.masterChanged, "member \(options.member.id.rawValue) is not the master any more: nothing was applied")))
        }
        if let refusal = core.refusalOfOrders(now: now) { return reply(owner, .failure(refusal)) }
        guard let store, let epoch = core.masterEpoch, var sequencer else {
            return reply(owner, .failure(GraphError(.noMaster, "member \(options.member.id.rawValue) is not the master")))
        }
        self.sequencer = nil
        defer { self.sequencer = sequencer }
        do throws(GraphError) {
            if core.isOptimistic { try WriteSet.requireHistory(in: writeSet) }
            let record = try sequencer.sequence(
                writeSet, epoch: epoch, commitPoint: core.commitPoint,
                wallClockMilliseconds: host.entryTimestamp())
            try store.append([record], wakesLog: false)
            isLogToBeWoken = true
            waiters.ordered.append(
                .init(transactionID: record.position.transactionID, owner: owner, deadline: now + options.writeTimeout))
            if case .member(let origin, _) = owner { step(.ordered(record.position.transactionID, for: origin), now) }
        } catch {
            guard let first = error.committedTransaction,
                first > store.applied.transactionID || waiters.awaitsAcknowledgement(of: first)
            else { return reply(owner, .failure(Self.refusal(for: error))) }
            waiters.join(first, owner, deadline: now + options.writeTimeout, repetition: error)
        }
    }

    /// A master whose disk has failed orders nothing, and is about to stop: another one will.
    package static func refusal(for error: GraphError) -> GraphError {
        guard error.code == .storageIO else { return error }
        return GraphError(.unavailable, "the master cannot write its log: nothing was applied, try again (\(error.message))")
    }

    private static let requestIDUnsupported = GraphError(
        .requestIDUnsupported,
        "not all members speak version 2 of the protocol yet, so a request id cannot be kept: upgrade them, or send the request without X-Request-Id")

    /// After a wait: this member may have become master, or ceased to be.
    private func orderOrForward(_ writeSet: [UInt8], for owner: CommitWaiters.Owner, _ now: Instant) {
        if !core.isMaster, case .local(let completion) = owner { return commit(writeSet, now: now, done: completion) }
        order(writeSet, for: owner, now)
    }

    func hold(
        _ now: Instant, _ resume: @escaping (Instant) -> Void, orElse fail: @escaping (GraphError) -> Void
    ) {
        waiters.held.append(.init(deadline: now + options.writeTimeout, resume: resume, fail: fail))
    }

    func reply(_ owner: CommitWaiters.Owner, _ result: Result<TransactionID, GraphError>) {
        switch owner {
        case .local(let completion): completion(result)
        case .member(let member, let id):
            let isMaybeOrdered = !maybeOrdered.isEmpty && maybeOrdered.remove(.init(member: member, number: id)) != nil
            let outcome: ReplicationMessage.CommitOutcome =
                switch result {
                case .failure(let error) where isMaybeOrdered && error.committedTransaction == nil:
                    .failed(
                        .outcomeUnknown,
                        message: "member \(options.member.id.rawValue) was started again and may have ordered the transaction before: it may or may not have been committed",
                        winner: nil)
                case .success(let transactionID): .committed(transactionID, core.masterEpoch ?? .zero)
                case .failure(let error):
                    .failed(.init(error.code), message: error.message, winner: error.conflictingTransaction)
                }
            send(.commitReply(id: id, outcome), to: member)
            lockHolders.commitEnded(.init(member: member, number: id))
        }
    }

    func forwardedCommitEnded(_ id: UInt64, _ outcome: ReplicationMessage.CommitOutcome) {
        guard let waiting = waiters.forwarded.removeValue(forKey: id) else { return }
        switch outcome {
        case .failed(.requestCommitted, let message, let first?):
            tellOnceApplied(first, waiting, .failure(GraphError(.requestCommitted, message, conflictingTransaction: first)))
        case .failed(let reason, let message, let winner):
            waiting.completion(.failure(GraphError(reason.code, message, conflictingTransaction: winner)))
        case .committed(let transactionID, _):
            tellOnceApplied(transactionID, waiting, .success(transactionID))
        }
    }

    /// Committed for good; the client is told once it can read it here.
    private func tellOnceApplied(
        _ transactionID: TransactionID, _ waiting: CommitWaiters.Forwarded, _ result: Result<TransactionID, GraphError>
    ) {
        let completion = waiting.completion
        waiters.applied.append(
            .init(transactionID: transactionID, deadline: waiting.deadline + options.writeTimeout) { arrived in
                completion(
                    arrived
                        ? result
                        : .failure(
                            GraphError(
                                .outcomeUnknown,
                                "\(transactionID) is committed, but this member has not received it yet")))
            })
    }

    /// A live old master still answers what it has: it gets the time of a lease for that.
    func shortenForwarded(_ now: Instant) {
        for id in waiters.forwarded.keys {
            guard let waiting = waiters.forwarded[id] else { continue }
            waiters.forwarded[id] = .init(
                completion: waiting.completion, deadline: min(waiting.deadline, now + options.leaseTime))
        }
    }

    func failForwarded(_ reason: String) {
        waiters.failForwarded(
            GraphError(.outcomeUnknown, "\(reason) before it answered: the transaction may or may not have been committed"))
    }

    // MARK: Ids

    /// Adds ids to the reserve, from the master.
    public func reserveIDs(
        nodes: Int, relationships: Int, now: Instant, done: @escaping @Sendable (GraphError?) -> Void
    ) {
        let nodes = max(nodes, Self.idBlockMinimum)
        let relationships = max(relationships, Self.idBlockMinimum)
        if core.expectsMaster(now: now) && !(core.isMaster && sequencer != nil && !core.isHandingOver) {
            return hold(
                now, { [unowned self] in reserveIDs(nodes: nodes, relationships: relationships, now: $0, done: done) },
                orElse: done)
        }
        if let epoch = core.masterEpoch {
            guard var sequencer else { return done(GraphError(.noMaster, "the mastership has not begun yet")) }
            reserve.add(
                nodes: sequencer.reserveNodeIDs(UInt64(nodes)),
                relationships: sequencer.reserveRelationshipIDs(UInt64(relationships)), epoch: epoch)
            self.sequencer = sequencer
            return done(nil)
        }
        guard let master = core.knownMaster(now: now) else {
            return done(GraphError(.noMaster, "there is no master now: nothing was applied, try again"))
        }
        let id = waiters.makeID()
        waiters.forwardedReserves[id] = (done, now + options.writeTimeout)
        send(
            .reserve(id: id, nodes: UInt32(clamping: nodes), relationships: UInt32(clamping: relationships)), to: master)
    }

    func answerReserve(_ id: UInt64, _ nodes: Int, _ relationships: Int, from sender: MemberID, _ now: Instant) {
        guard let epoch = core.masterEpoch, var sequencer else {
            return send(
                .reserveReply(id: id, .failed(.noMaster, message: "member \(options.member.id.rawValue) is not the master")),
                to: sender)
        }
        let outcome = ReplicationMessage.ReserveOutcome.reserved(
            epoch: epoch, nodes: sequencer.reserveNodeIDs(UInt64(nodes)),
            relationships: sequencer.reserveRelationshipIDs(UInt64(relationships)))
        self.sequencer = sequencer
        send(.reserveReply(id: id, outcome), to: sender)
    }

    func forwardedReserveEnded(_ id: UInt64, _ outcome: ReplicationMessage.ReserveOutcome) {
        guard let waiting = waiters.forwardedReserves.removeValue(forKey: id) else { return }
        switch outcome {
        case .failed(let reason, let message): waiting.completion(GraphError(reason.code, message))
        case .reserved(let epoch, let nodes, let relationships):
            reserve.add(nodes: nodes, relationships: relationships, epoch: epoch)
            waiting.completion(nil)
        }
    }

    // MARK: Pulling

    /// Fetches what the master has committed by now; `done` gets true once that is readable here. At once on the master
    /// itself; false without a master, or when it does not answer in time.
    public func pullUpdates(deadline: Instant, now: Instant, done: @escaping @Sendable (Bool) -> Void) {
        if core.isMaster { return done(true) }
        guard let master = core.knownMaster(now: now), core.clusterVersion >= 2 else { return done(false) }
        let id = waiters.makeID()
        waiters.pulls[id] = (done, deadline)
        send(.pull(id: id), to: master)
    }

    func pullAnswered(_ id: UInt64, _ commitPoint: TransactionID) {
        guard let pull = waiters.pulls.removeValue(forKey: id) else { return }
        waiters.applied.append(.init(transactionID: commitPoint, deadline: pull.deadline, completion: pull.done))
        fulfilAppliedWaits()
    }

    // MARK: Waiting

    /// Calls `done` with true once a transaction is readable here, with false at the deadline.
    public func waitUntilApplied(
        _ transactionID: TransactionID, deadline: Instant, done: @escaping @Sendable (Bool) -> Void
    ) {
        if let store, store.applied.transactionID >= transactionID { return done(true) }
        // Who polls would wait for its next turn.
        if core.pollsMaster, let master = core.followed { send(.pull(id: 0), to: master) }
        waiters.applied.append(.init(transactionID: transactionID, deadline: deadline, completion: done))
    }

    func fulfilAppliedWaits() {
        guard !waiters.applied.isEmpty, let applied = store?.applied.transactionID else { return }
        var ready: [CommitWaiters.Applied] = []
        waiters.applied.removeAll { wait in
            guard wait.transactionID <= applied else { return false }
            ready.append(wait)
            return true
        }
        for wait in ready { wait.completion(true) }
    }

    /// Once the mastership has begun, or is not to be expected any more, what waited goes on.
    func releaseHeldRequests(_ now: Instant) {
        guard !waiters.held.isEmpty, !core.expectsMaster(now: now) else { return }
        let held = waiters.held
        waiters.held = []
        for request in held { request.resume(now) }
    }

    func expire(_ now: Instant) {
        while let first = waiters.ordered.first, first.deadline <= now {
            waiters.ordered.removeFirst()
            reply(
                first.owner,
                .failure(
                    GraphError(
                        .outcomeUnknown,
                        "no quorum acknowledged \(first.transactionID) within \(options.writeTimeout): it may or may not be committed later")))
        }
        for id in waiters.forwarded.keys.sorted() {
            guard let waiting = waiters.forwarded[id], waiting.deadline <= now else { continue }
            waiters.forwarded[id] = nil
            waiting.completion(
                .failure(GraphError(.outcomeUnknown, "the master did not answer within \(options.writeTimeout): the transaction may or may not have been committed")))
        }
        for id in waiters.forwardedReserves.keys.sorted() {
            guard let waiting = waiters.forwardedReserves[id], waiting.deadline <= now else { continue }
            waiters.forwardedReserves[id] = nil
            waiting.completion(GraphError(.noMaster, "the master did not answer within \(options.writeTimeout): nothing was applied"))
        }
        for id in waiters.pulls.keys.sorted() {
            guard let pull = waiters.pulls[id], pull.deadline <= now else { continue }
            waiters.pulls[id] = nil
            pull.done(false)
        }
        let stale = waiters.held.filter { $0.deadline <= now }
        waiters.held.removeAll { $0.deadline <= now }
        for request in stale {
            request.fail(
                GraphError(.noQuorum, "no mastership began within \(options.writeTimeout): nothing was applied, try again"))
        }
        let late = waiters.applied.filter { $0.deadline <= now }
        waiters.applied.removeAll { $0.deadline <= now }
        for wait in late { wait.completion(false) }
    }
}
