public import Coordination
internal import FileSystem
public import GraphModel

/// Plays a coordinator to the members of this process, with the cluster register under one key of an etcd 3 ensemble,
/// through etcd's JSON gateway.
///
/// One question is under way at a time, at one endpoint; when that fails or takes too long, the same question goes to
/// the next endpoint. That is right for a compare-and-set, too: it compares the whole value, revision included, so it
/// takes effect once at most. A watch beside it tells members at once what others have changed.
///
/// A value without clock, I/O or threads.
public struct EtcdRegister: Sendable {
    public struct Login: Sendable, Equatable {
        public var user: String
        public var password: String
        public init(user: String, password: String) {
            self.user = user
            self.password = password
        }
    }

    public struct Options: Sendable {
        /// Time for an answer. It doubles whenever all endpoints have failed in turn, up to the longest, and shrinks back
        /// with the first answer: an ensemble that is slow gets its time, one dead machine costs little.
        public var shortestTimeout: Milliseconds = 500
        public var longestTimeout: Milliseconds = 4000
        /// Pause after all endpoints have failed in turn.
        public var retryPause: Milliseconds = 200
        /// Pause before a broken watch is begun again.
        public var watchPause: Milliseconds = 1000
        /// A watch that has not told for so long what reads have shown is begun again.
        public var watchPatience: Milliseconds = 2000
        public var login: Login?
        public init() {}
    }

    /// Questions and the watch have a connection each.
    public enum Lane: Sendable, Hashable { case questions, watch }

    /// A POST of JSON.
    public struct Request: Sendable, Equatable {
        public let id: UInt64
        /// `host:port`, one of those given.
        public let endpoint: String
        public let path: String
        /// For the header `Authorization`.
        public let token: String?
        public let body: String
    }

    public enum Event: Sendable {
        case tick
        /// A member asks; the text is where its answer goes.
        case asked(RegisterRequest, from: String)
        /// The whole answer to a question.
        case answered(id: UInt64, status: Int, body: [UInt8])
        /// A part of the endless answer to a watch.
        case watched(id: UInt64, status: Int, part: [UInt8])
        /// No answer, or no whole one, will come.
        case failed(id: UInt64, reason: String)
    }

    public enum Action: Sendable, Equatable {
        case send(Request, over: Lane)
        /// Close the lane's connection, whatever is under way there; nothing more is to be heard of it.
        case cut(Lane)
        case reply(RegisterReply, to: String)
        /// A line for the operator.
        case note(String)
    }

    struct Question {
        enum Step { case login, read, readBeforeWrite, write(ClusterRegister) }
        let id: UInt64
        let step: Step
        let deadline: Instant
        /// What was known when it was put; no answer may be older.
        let floor: UInt64
    }

    struct Watch {
        let id: UInt64
        /// Until when etcd must have said that it watches; nil once it has.
        var deadline: Instant?
        var line: [UInt8] = []
    }

    let options: Options
    let key: [UInt8]
    let endpoints: [String]
    var endpointIndex: Int
    var nextID: UInt64 = 0

    /// What members want to know, the newest of each, oldest member first. A member asks for one thing at a time.
    var waiting: [(request: RegisterRequest, client: String)] = []
    /// The first of `waiting` is what it is about.
    var question: Question?
    /// Failures since the last good answer.
    var failureCount = 0
    var pausedUntil: Instant?
    var token: String?
    /// Whether a token has been fetched since the last good answer.
    var hasJustLoggedIn = false

    /// The register as last seen, with its bytes; no bytes while there is no key.
    var known: (bytes: [UInt8]?, register: ClusterRegister)?
    /// Who is told of changes.
    var clients: [String] = []
    var watch: Watch?
    /// etcd's revision from which the next watch must tell; nil until a read has shown one.
    var watchFrom: Int64?
    var watchMayBeginAt: Instant?
    /// Since when reads have known more than the watch.
    var watchIsBehindSince: Instant?
    var isRefusingValue = false

    /// Members that may use it at once; the oldest is forgotten beyond it.
    static let clientCountMaximum = 16
    /// A longer message of a watch ends it.
    static let watchLineByteCountMaximum = 4 << 20

    /// - Parameters:
    ///   - endpoints: `host:port` of etcd's client ports; one at least.
    ///   - clusterName: each cluster has a key of its own, see ``keyName(clusterName:)``.
    ///   - seed: which endpoint is asked first; differs per process, so that they share the load.
    public init(endpoints: [String], clusterName: String, options: Options = Options(), seed: UInt64) {
        self.options = options
        self.endpoints = endpoints
        key = Array(Self.keyName(clusterName: clusterName).utf8)
        endpointIndex = endpoints.isEmpty ? 0 : Int(seed % UInt64(endpoints.count))
    }

    /// Where the register of a cluster lies.
    public static func keyName(clusterName: String) -> String { "/martlet/\(clusterName)/register" }

    /// When it wants to be told of the time; nil while it waits for nothing.
    public var nextTickAt: Instant? {
        var times: [Instant] = []
        if let question { times.append(question.deadline) }
        if question == nil, !waiting.isEmpty, let pausedUntil { times.append(pausedUntil) }
        if let deadline = watch?.deadline { times.append(deadline) }
        if wantsWatch, let watchMayBeginAt { times.append(watchMayBeginAt) }
        return times.min()
    }

    public mutating func step(_ event: Event, now: Instant, into actions: inout [Action]) {
        switch event {
        case .tick:
            if let question, now >= question.deadline {
                let waited = timeout
                failed("no answer within \(waited)", now, &actions)
            }
            if let deadline = watch?.deadline, now >= deadline { endWatch(now, &actions) }
        case .asked(let request, let client):
            enqueue(request, client)
        case .answered(let id, let status, let body):
            if id == question?.id { answered(status, body, now, &actions) }
        case .watched(let id, let status, let part):
            if id == watch?.id { watched(status, part, now, &actions) }
        case .failed(let id, let reason):
            if id == question?.id { failed(reason, now, &actions) }
            if id == watch?.id { endWatch(now, &actions) }
        }
        ask(now, &actions)
        beginWatch(now, &actions)
    }

    // MARK: Asking

    private mutating func enqueue(_ request: RegisterRequest, _ client: String) {
        if !clients.contains(client) {
            clients.append(client)
            if clients.count > Self.clientCountMaximum { clients.removeFirst() }
        }
        // The first one is being asked; its answer belongs to the question as it was put.
        let replaceable = waiting.indices.dropFirst(question == nil ? 0 : 1)
        if let index = replaceable.first(where: { waiting[$0].client == client }) {
            waiting[index].request = request
        } else if waiting.count < 2 * Self.clientCountMaximum {
            waiting.append((request, client))
        }
    }

    var timeout: Milliseconds {
        let rounds = min(failureCount / max(1, endpoints.count), 16)
        return Milliseconds(min(options.longestTimeout.rawValue, options.shortestTimeout.rawValue << UInt64(rounds)))
    }

    private mutating func ask(_ now: Instant, _ actions: inout [Action]) {
        guard question == nil, let (request, client) = waiting.first, !endpoints.isEmpty else { return }
        if let pausedUntil, now < pausedUntil { return }
        pausedUntil = nil
        if let login = options.login, token == nil {
            return ask(.login, "/v3/auth/authenticate", EtcdQuestion.authenticate(login), now, &actions)
        }
        guard case .compareAndSet(let expected, var register) = request.operation else {
            return ask(.read, "/v3/kv/range", EtcdQuestion.range(key), now, &actions)
        }
        guard let known, !isRefusingValue else {
            return ask(.readBeforeWrite, "/v3/kv/range", EtcdQuestion.range(key), now, &actions)
        }
        guard known.register.revision == expected else {
            // Older than what is known, or newer than it: the first is decided, for the second somebody has to look.
            if known.register.revision > expected {
                reply(.conflict(known.register), request.id, client, &actions)
                return ask(now, &actions)
            }
            return ask(.readBeforeWrite, "/v3/kv/range", EtcdQuestion.range(key), now, &actions)
        }
        register.revision = expected + 1
        let body = EtcdQuestion.replace(key, expected: known.bytes, by: RegisterBytes.encode(register))
        ask(.write(register), "/v3/kv/txn", body, now, &actions)
    }

    private mutating func ask(
        _ step: Question.Step, _ path: String, _ body: String, _ now: Instant, _ actions: inout [Action]
    ) {
        nextID += 1
        question = Question(id: nextID, step: step, deadline: now + timeout, floor: known?.register.revision ?? 0)
        let token = if case .login = step { String?.none } else { token }
        actions.append(
            .send(
                Request(id: nextID, endpoint: endpoints[endpointIndex], path: path, token: token, body: body),
                over: .questions))
    }

    /// Answers the first of those who wait.
    mutating func reply(
        _ outcome: RegisterReply.Outcome, _ id: UInt64, _ client: String, _ actions: inout [Action]
    ) {
        waiting.removeFirst()
        actions.append(.reply(RegisterReply(id: id, outcome: outcome), to: client))
    }

    // MARK: Failing

    /// The question got no good answer: the next endpoint is asked.
    mutating func failed(_ reason: String, _ now: Instant, _ actions: inout [Action]) {
        question = nil
        actions.append(.cut(.questions))
        let endpoint = endpoints[endpointIndex]
        failureCount += 1
        if failureCount == 1, endpoints.count > 1 { actions.append(.note("etcd \(endpoint): \(reason)")) }
        if failureCount == endpoints.count {
            actions.append(.note("etcd cannot be used, last \(endpoint): \(reason); elections and new members wait for it"))
        }
        if failureCount.isMultiple(of: endpoints.count) { pausedUntil = now + options.retryPause }
        endpointIndex = (endpointIndex + 1) % endpoints.count
        // What one endpoint does not do for questions it does not do for a watch either. Tokens may be of one endpoint.
        endWatch(now, &actions)
        token = nil
    }

    mutating func succeeded(_ actions: inout [Action]) {
        if failureCount >= endpoints.count {
            actions.append(.note("etcd \(endpoints[endpointIndex]) answers again"))
        }
        failureCount = 0
        hasJustLoggedIn = false
    }
}

/// The register as the value of a key.
enum RegisterBytes {
    static func encode(_ register: ClusterRegister) -> [UInt8] {
        var writer = ByteWriter(reservingByteCount: 512)
        register.encode(into: &writer)
        return writer.bytes
    }

    /// No bytes are the empty register.
    static func decode(_ bytes: [UInt8]?) throws(MalformedBytes) -> ClusterRegister {
        guard let bytes else { return ClusterRegister() }
        var reader = ByteReader(bytes)
        let register = try ClusterRegister(&reader)
        guard reader.isAtEnd else {
            throw MalformedBytes(offset: reader.offset, detail: "\(reader.remainingByteCount) bytes after the register")
        }
        guard register.revision < .max else { throw MalformedBytes(offset: 2, detail: "a revision that nothing can follow") }
        return register
    }
}
