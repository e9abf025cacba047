internal import GraphModel

/// One statement as a client of the transactional endpoint sends it.
struct StatementInput: Sendable {
    enum Content: String, Sendable {
        case row, graph, rest
    }

    let text: String
    let parameters: [String: Value]
    let contents: [Content]
    let includesStatistics: Bool

    /// Most statements of one request.
    static let countMaximum = 100_000

    /// The statements of a body; no body is none.
    static func all(_ body: MapValue) throws(GraphError) -> [StatementInput] {
        switch body["statements"] {
        case nil, .null?: return []
        case .list(let list)?:
            guard list.elements.count <= countMaximum else {
                throw GraphError(
                    .bodyTooLarge, "the request has \(list.elements.count) statements; \(countMaximum) is the most: split it into several")
            }
            var statements: [StatementInput] = []
            statements.reserveCapacity(list.elements.count)
            for value in list.elements { statements.append(try StatementInput(value)) }
            return statements
        case let other?:
            throw GraphError(.invalidRequest, "\"statements\" must be a list, not \(other.kindName)")
        }
    }

    private init(_ value: Value) throws(GraphError) {
        guard case .map(let map) = value, case .string(let text)? = map["statement"] else {
            throw GraphError(.invalidRequest, "every statement must be an object with \"statement\", a string")
        }
        self.text = text.text
        switch map["parameters"] {
        case nil, .null?: parameters = [:]
        case .map(let map)?: parameters = Dictionary(map.entries.map { ($0.key, $0.value) }) { _, last in last }
        case let other?:
            throw GraphError(.invalidRequest, "\"parameters\" must be an object, not \(other.kindName)")
        }
        switch map["includeStats"] {
        case nil, .null?: includesStatistics = false
        case .boolean(let isWanted)?: includesStatistics = isWanted
        case let other?:
            throw GraphError(.invalidRequest, "\"includeStats\" must be true or false, not \(other.kindName)")
        }
        switch map["resultDataContents"] {
        case nil, .null?: contents = [.row]
        case .list(let list)?:
            var contents: [Content] = []
            for element in list.elements {
                guard case .string(let word) = element, let content = Content(rawValue: word.text.lowercased()) else {
                    throw GraphError(.invalidRequest, "\"resultDataContents\" may name row, graph and REST")
                }
                if !contents.contains(content) { contents.append(content) }
            }
            self.contents = contents.isEmpty ? [.row] : contents
        case let other?:
            throw GraphError(.invalidRequest, "\"resultDataContents\" must be a list, not \(other.kindName)")
        }
    }
}
