internal import GraphModel

/// Reading what a client sent as an object; a wrong kind is an `.invalidRequest` that names the key.
extension MapValue {
    /// A text, nil when it is missing or null.
    func text(_ key: String) throws(GraphError) -> String? {
        switch self[key] {
        case nil, .null?: return nil
        case .string(let text)?: return text.text
        case let other?: throw GraphError(.invalidRequest, "\"\(key)\" must be a string, not \(other.kindName)")
        }
    }

    /// A number, nil when it is missing or null.
    func number(_ key: String) throws(GraphError) -> Double? {
        switch self[key] {
        case nil, .null?: return nil
        case .integer(let number)?: return Double(number)
        case .float(let number)?: return number
        case let other?: throw GraphError(.invalidRequest, "\"\(key)\" must be a number, not \(other.kindName)")
        }
    }

    /// A whole number of at least `minimum`, nil when it is missing or null.
    func count(_ key: String, minimum: Int = 0) throws(GraphError) -> Int? {
        guard let number = try number(key) else { return nil }
        guard let count = Int(exactly: number), count >= minimum else {
            throw GraphError(.invalidRequest, "\"\(key)\" is \(number): it must be a whole number of at least \(minimum)")
        }
        return count
    }

    /// One of some words, whatever its case, with blanks for underscores as older clients write them; nil when it is
    /// missing or null.
    func word<Word: CaseIterable & RawRepresentable<String>>(_ key: String) throws(GraphError) -> Word? {
        guard let text = try text(key) else { return nil }
        let wanted = text.lowercased().map { $0 == " " ? "_" : $0 }
        guard let word = Word.allCases.first(where: { $0.rawValue.lowercased().elementsEqual(wanted) }) else {
            let allowed = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw GraphError(.invalidRequest, "\"\(key)\" is \"\(text)\": allowed are \(allowed)")
        }
        return word
    }

    /// The node that a URI names. The last segment of it is what counts, whatever host or proxy it came through.
    func nodeID(_ key: String, _ meaning: String) throws(GraphError) -> NodeID {
        guard case .string(let uri)? = self[key] else {
            throw GraphError(.invalidRequest, "\"\(key)\" must be \(meaning)")
        }
        let segment = uri.text.split(separator: "/", omittingEmptySubsequences: false).last
        guard let id = segment.flatMap({ UInt64($0) }) else {
            throw GraphError(.invalidRequest, "\"\(key)\" is \"\(uri.text)\", which is not the URI of a node")
        }
        return NodeID(id)
    }

    /// Objects in a list, or one without it; none when it is missing or null.
    func objects(_ key: String, countMaximum: Int) throws(GraphError) -> [MapValue] {
        let elements: [Value]
        switch self[key] {
        case nil, .null?: return []
        case .list(let list)?: elements = list.elements
        case let other?: elements = [other]
        }
        guard elements.count <= countMaximum else {
            throw GraphError(.invalidRequest, "\"\(key)\" has \(elements.count) elements: \(countMaximum) is the most")
        }
        var objects: [MapValue] = []
        for element in elements {
            guard case .map(let map) = element else {
                throw GraphError(.invalidRequest, "\"\(key)\" must be an object or a list of objects, not \(element.kindName)")
            }
            objects.append(map)
        }
        return objects
    }
}
