import Coordination
import EtcdCoordination
import GraphModel
import JSON
import Testing

/// etcd as its JSON gateway shows it, as far as the register needs it: one key-value store, logins, watches.
struct FakeEtcd {
    struct Answer {
        var status = 200
        var body: String
        var bytes: [UInt8] { Array(body.utf8) }
    }

    var revision: Int64 = 1
    var values: [String: String] = [:]
    var login: (user: String, password: String)?
    var tokens: Set<String> = []
    /// Every value that was ever under a key, oldest first.
    var history: [[UInt8]] = []

    mutating func answer(_ request: EtcdRegister.Request) -> Answer {
        guard case .map(let body)? = try? JSONParser.parse(Array(request.body.utf8)) else {
            return refusal(400, 3, "invalid character")
        }
        if request.path == "/v3/auth/authenticate" {
            guard let login, text(body["name"]) == login.user, text(body["password"]) == login.password else {
                return refusal(400, 3, "etcdserver: authentication failed, invalid user ID or password")
            }
            let token = "token\(tokens.count + 1)"
            tokens.insert(token)
            return Answer(body: "{\(header),\"token\":\"\(token)\"}")
        }
        if login != nil {
            guard let token = request.token else { return refusal(400, 3, "etcdserver: user name is empty") }
            guard tokens.contains(token) else { return refusal(401, 16, "etcdserver: invalid auth token") }
        }
        switch request.path {
        case "/v3/kv/range": return Answer(body: "{\(header)\(pairs(text(body["key"])))}")
        case "/v3/kv/txn": return transaction(body)
        default: return Answer(status: 404, body: "Not Found")
        }
    }

    private mutating func transaction(_ body: MapValue) -> Answer {
        guard case .list(let conditions)? = body["compare"], case .map(let condition)? = conditions.elements.first,
            let key = text(condition["key"]), case .list(let puts)? = body["success"],
            case .map(let success)? = puts.elements.first, case .map(let put)? = success["request_put"],
            text(put["key"]) == key, let value = text(put["value"]), let bytes = Base64.decode(value)
        else { return refusal(400, 3, "malformed") }
        let holds =
            text(condition["target"]) == "CREATE" ? values[key] == nil : values[key] != nil && values[key] == text(condition["value"])
        guard holds else {
            return Answer(body: "{\(header),\"responses\":[{\"response_range\":{\"header\":{\"revision\":\"\(revision)\"}\(pairs(key))}}]}")
        }
        revision += 1
        values[key] = value
        history.append(bytes)
        return Answer(body: "{\(header),\"succeeded\":true,\"responses\":[{\"response_put\":{\"header\":{\"revision\":\"\(revision)\"}}}]}")
    }

    /// The message by which a watch tells of the newest value of a key.
    func event(_ key: String) -> [UInt8] {
        Array(
            "{\"result\":{\(header),\"events\":[{\"kv\":{\"key\":\"\(key)\",\"create_revision\":\"2\",\"mod_revision\":\"\(revision)\",\"version\":\"1\",\"value\":\"\(values[key] ?? "")\"}}]}}\n"
                .utf8)
    }

    private var header: String {
        "\"header\":{\"cluster_id\":\"324952591200643719\",\"member_id\":\"3319814642761637952\",\"revision\":\"\(revision)\",\"raft_term\":\"2\"}"
    }

    private func pairs(_ key: String?) -> String {
        guard let key, let value = values[key] else { return "" }
        return ",\"kvs\":[{\"key\":\"\(key)\",\"create_revision\":\"2\",\"mod_revision\":\"\(revision)\",\"version\":\"1\",\"value\":\"\(value)\"}],\"count\":\"1\""
    }

    private func refusal(_ status: Int, _ code: Int, _ message: String) -> Answer {
        Answer(status: status, body: "{\"error\":\"\(message)\",\"message\":\"\(message)\",\"code\":\(code)}")
    }

    private func text(_ value: Value?) -> String? { if case .string(let string)? = value { string.text } else { nil } }
}

/// A register client of etcd on a table: the test carries its requests and answers around.
struct Bench {
    var register: EtcdRegister
    var now = Instant(nanoseconds: 1_000_000_000)
    var sent: [(request: EtcdRegister.Request, lane: EtcdRegister.Lane)] = []
    var replies: [RegisterReply] = []
    var notes: [String] = []
    var cuts: [EtcdRegister.Lane] = []
    private var requestID: UInt64 = 0

    init(_ endpoints: [String] = ["a:1"], options: EtcdRegister.Options = .init()) {
        register = EtcdRegister(endpoints: endpoints, clusterName: "x", options: options, seed: 0)
    }

    mutating func step(_ event: EtcdRegister.Event) {
        var actions: [EtcdRegister.Action] = []
        register.step(event, now: now, into: &actions)
        for action in actions {
            switch action {
            case .send(let request, let lane): sent.append((request, lane))
            case .cut(let lane):
                cuts.append(lane)
                sent.removeAll { $0.lane == lane }
            case .reply(let reply, _): replies.append(reply)
            case .note(let line): notes.append(line)
            }
        }
        // Whoever is driven by it would spin otherwise.
        if let next = register.nextTickAt { #expect(next > now, "a step left something that is due") }
    }

    @discardableResult
    mutating func ask(_ operation: RegisterRequest.Operation, from client: String = "m") -> UInt64 {
        requestID += 1
        step(.asked(RegisterRequest(id: requestID, operation: operation), from: client))
        return requestID
    }

    /// Lets time pass.
    mutating func wait(_ milliseconds: Milliseconds) {
        now = now + milliseconds
        step(.tick)
    }

    var question: EtcdRegister.Request? { sent.first { $0.lane == .questions }?.request }
    var watch: EtcdRegister.Request? { sent.first { $0.lane == .watch }?.request }

    /// Takes the question that is under way.
    mutating func takeQuestion() -> EtcdRegister.Request? {
        guard let index = sent.firstIndex(where: { $0.lane == .questions }) else { return nil }
        return sent.remove(at: index).request
    }

    /// Answers questions until there is none.
    mutating func serve(_ etcd: inout FakeEtcd) {
        while let request = takeQuestion() {
            let answer = etcd.answer(request)
            step(.answered(id: request.id, status: answer.status, body: answer.bytes))
        }
    }

    /// What came of asking.
    mutating func outcome(_ operation: RegisterRequest.Operation, _ etcd: inout FakeEtcd) -> RegisterReply.Outcome? {
        let id = ask(operation)
        serve(&etcd)
        return replies.last { $0.id == id }?.outcome
    }
}

extension ClusterRegister {
    static func sample(epoch: UInt64, revision: UInt64 = 0) -> ClusterRegister {
        var register = ClusterRegister()
        register.clusterName = "x"
        register.epoch = Epoch(epoch)
        register.revision = revision
        return register
    }
}
