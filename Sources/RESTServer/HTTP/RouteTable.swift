internal import GraphModel
internal import HTTPTypes

/// A path with what can be done there.
struct Resource: Sendable {
    /// As in `/db/data/node/{id}`; also the label in the metrics.
    let pattern: String
    let handlers: [(method: HTTPRequest.Method, handler: Handler)]

    /// Text for load balancers: any `Accept` will do, and OPTIONS is answered like GET.
    var isStatus = false
    /// Whether a body of any type reaches the handler.
    var takesAnyBody = false

    func handler(_ method: HTTPRequest.Method) -> Handler? {
        let wanted: HTTPRequest.Method = method == .head || (isStatus && method == .options) ? .get : method
        return handlers.first { $0.method == wanted }?.handler
    }

    /// The value of an `Allow` header.
    var allowed: String {
        var names = handlers.map(\.method.rawValue)
        if handlers.contains(where: { $0.method == .get }) { names.append("HEAD") }
        names.append("OPTIONS")
        return names.joined(separator: ", ")
    }
}

/// Finds the resource of a path. Literal segments win over `{parameters}`.
struct RouteTable: Sendable {
    private struct Node {
        var literals: [(text: String, node: Int)] = []
        var parameter: Int?
        var resource: Int?
    }
    private var nodes = [Node()]
    private(set) var resources: [Resource] = []

    mutating func add(
        _ pattern: String, isStatus: Bool = false, takesAnyBody: Bool = false,
        _ handlers: [(method: HTTPRequest.Method, handler: Handler)]
    ) {
        var current = 0
        for segment in pattern.split(separator: "/") {
            if segment.hasPrefix("{") {
                if nodes[current].parameter == nil {
                    nodes[current].parameter = nodes.count
                    nodes.append(Node())
                }
                current = nodes[current].parameter ?? current
            } else if let known = nodes[current].literals.first(where: { codeUnitsEqual($0.text, String(segment)) }) {
                current = known.node
            } else {
                nodes[current].literals.append((String(segment), nodes.count))
                current = nodes.count
                nodes.append(Node())
            }
        }
        nodes[current].resource = resources.count
        resources.append(Resource(pattern: pattern, handlers: handlers, isStatus: isStatus, takesAnyBody: takesAnyBody))
    }

    /// The index of the resource and the values of its parameters; nil when there is none.
    func find(_ segments: [String]) -> (resource: Int, parameters: [String])? {
        var current = 0
        var parameters: [String] = []
        for segment in segments {
            if let literal = nodes[current].literals.first(where: { codeUnitsEqual($0.text, segment) }) {
                current = literal.node
            } else if let parameter = nodes[current].parameter {
                parameters.append(segment)
                current = parameter
            } else {
                return nil
            }
        }
        return nodes[current].resource.map { ($0, parameters) }
    }
}
