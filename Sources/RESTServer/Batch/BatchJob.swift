internal import GraphModel
internal import HTTPTypes
internal import Storage

/// One job of a batch, as its client describes it (18.15).
struct BatchJob: Sendable {
    let method: HTTPRequest.Method
    /// A path below `/db/data`, with or without that, or a whole URI; `{n}` in it is where job n's entity is.
    let to: String
    let body: Value?
    /// The client's number for it.
    let id: Int64?

    /// - Parameter index: its place in the batch, for messages.
    init(_ value: Value, index: Int) throws(GraphError) {
        guard case .map(let map) = value else {
            throw GraphError(.invalidRequest, "job \(index) of the batch must be an object, not \(value.kindName)")
        }
        guard case .string(let method)? = map["method"], let known = Self.method(method.text) else {
            throw GraphError(
                .invalidRequest, "job \(index) of the batch: \"method\" must be GET, POST, PUT or DELETE")
        }
        guard case .string(let to)? = map["to"] else {
            throw GraphError(.invalidRequest, "job \(index) of the batch: \"to\" must be a path below /db/data")
        }
        switch map["id"] {
        case nil, .null?: id = nil
        case .integer(let number)?: id = number
        case let other?:
            throw GraphError(
                .invalidRequest, "job \(index) of the batch: \"id\" must be a whole number, not \(other.kindName)")
        }
        self.method = known
        self.to = to.text
        body = map["body"].flatMap { $0.isNull ? nil : $0 }
    }

    private static func method(_ text: String) -> HTTPRequest.Method? {
        switch text.uppercased() {
        case "GET": .get
        case "POST": .post
        case "PUT": .put
        case "DELETE": .delete
        default: nil
        }
    }
}

/// Where a job leads.
struct BatchRoute: Sendable {
    let work: Handler.Work
    let writes: Bool
    let target: Target
    let parameters: [String]

    /// Throws what a request of its own would be answered with, and `.invalidRequest` for what needs one.
    init(_ method: HTTPRequest.Method, _ to: String, _ table: RouteTable) throws(GraphError) {
        target = try Target(to)
        let isWhole = target.segments.count >= 2 && target.segments[0] == "db" && target.segments[1] == "data"
        guard let (index, parameters) = table.find(isWhole ? target.segments : ["db", "data"] + target.segments) else {
            throw GraphError(.noSuchResource, "there is nothing at \(to)")
        }
        let resource = table.resources[index]
        guard let handler = resource.handler(method) else {
            throw GraphError(
                .methodNotAllowed,
                "\(method.rawValue) is not possible at \(resource.pattern); possible are \(resource.allowed)")
        }
        guard let job = handler.job else {
            throw GraphError(
                .invalidRequest, "\(method.rawValue) \(resource.pattern) cannot be part of a batch: send it on its own")
        }
        (work, writes) = job
        self.parameters = parameters
    }
}
