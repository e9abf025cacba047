public import GraphModel

/// A member's way to the coordinators: finds their leader, asks again when nothing comes, and reports every value of the
/// register it learns. The outcome of a compare-and-set shows in what is observed next: a revision beyond the expected one
/// is final, whatever happened to the answer.
///
/// A value without clock, I/O or threads.
public struct RegisterClient: Sendable {
    public struct Options: Sendable {
        /// Time without an answer after which the next coordinator is asked.
        public var requestTimeout: Milliseconds = 250
        /// Time between two reads while all is well; changes are pushed besides.
        public var pollInterval: Milliseconds = 500
        /// The same while there is no master.
        public var urgentPollInterval: Milliseconds = 100
        public init() {}
    }

    public enum Action: Sendable, Equatable {
        case send(RegisterRequest, to: String)
        case observed(ClusterRegister)
    }

    private let coordinators: [String]
    private let options: Options
    private var target = 0
    private var redirected: String?
    private var nextID: UInt64
    private var pending: (operation: RegisterRequest.Operation, ids: Set<UInt64>, askAgainAt: Instant)?
    private var pollAt: Instant
    private var highestRevision: UInt64 = 0
    /// Whether an own question has been answered. What comes before may be older than this process.
    private var isInformed = false
    /// Polls more often; set while there is no master.
    public var isUrgent = true

    /// - Parameter seed: where request ids begin; differs per start of the process.
    public init(coordinators: [String], options: Options = Options(), seed: UInt64, now: Instant) {
        self.coordinators = coordinators
        self.options = options
        nextID = seed
        target = coordinators.isEmpty ? 0 : Int(seed % UInt64(coordinators.count))
        pollAt = now
    }

    public var nextTickAt: Instant { pending?.askAgainAt ?? pollAt }

    /// Whether a compare-and-set is under way.
    public var isWriting: Bool {
        if case .compareAndSet = pending?.operation { return true }
        return false
    }

    /// Begins a compare-and-set; it is repeated until a later revision is observed. Replaces one that is under way.
    public mutating func compareAndSet(
        expected: UInt64, _ register: ClusterRegister, now: Instant, into actions: inout [Action]
    ) {
        pending = (.compareAndSet(expected: expected, register), [], now)
        ask(now, &actions)
    }

    public mutating func tick(now: Instant, into actions: inout [Action]) {
        if let pending {
            if now >= pending.askAgainAt {
                redirected = nil
                target += 1
                ask(now, &actions)
            }
        } else if now >= pollAt {
            pending = (.read, [], now)
            ask(now, &actions)
        }
    }

    private mutating func ask(_ now: Instant, _ actions: inout [Action]) {
        guard var pending, !coordinators.isEmpty else { return }
        nextID &+= 1
        // Only the latest few can still be answered.
        if pending.ids.count >= 64 { pending.ids.removeAll() }
        pending.ids.insert(nextID)
        pending.askAgainAt = now + options.requestTimeout
        self.pending = pending
        let address = redirected ?? coordinators[target % coordinators.count]
        actions.append(.send(RegisterRequest(id: nextID, operation: pending.operation), to: address))
    }

    public mutating func received(_ reply: RegisterReply, now: Instant, into actions: inout [Action]) {
        switch reply.outcome {
        case .changed(let register): if isInformed { observe(register, now, &actions) }
        case .redirect(let address):
            guard let pending, pending.ids.contains(reply.id) else { return }
            if let address, address != redirected {
                redirected = address
                ask(now, &actions)
            }
        // Without a leader the timeout asks the next one.
        case .value(let register), .written(let register), .conflict(let register):
            guard isInformed || pending?.ids.contains(reply.id) ?? false else { return }
            isInformed = true
            observe(register, now, &actions)
            guard let pending, pending.ids.contains(reply.id) else { return }
            if case .read = pending.operation { finish(now) }
            // A conflict below what was expected comes from a coordinator that is behind: go on asking.
        }
    }

    private mutating func observe(_ register: ClusterRegister, _ now: Instant, _ actions: inout [Action]) {
        if case .compareAndSet(let expected, _) = pending?.operation, register.revision > expected { finish(now) }
        // An empty register is worth knowing too: it says that there is no cluster yet.
        guard register.revision > highestRevision || register.revision == 0 && highestRevision == 0 else { return }
        highestRevision = register.revision
        actions.append(.observed(register))
    }

    private mutating func finish(_ now: Instant) {
        pending = nil
        pollAt = now + (isUrgent ? options.urgentPollInterval : options.pollInterval)
    }
}
