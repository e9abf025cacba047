internal import GraphModel
internal import JSON

/// What the JSON gateway of etcd 3.4 is asked. Numbers of 64 bits are strings there, keys and values are base64.
enum EtcdQuestion {
    /// A linearizable read of one key: that is etcd's default.
    static func range(_ key: [UInt8]) -> String { "{\"key\":\"\(Base64.encode(key))\"}" }

    /// Sets a key if it has exactly the expected value, or, with nil, if it is not there; otherwise reads it.
    ///
    /// The whole value is compared, not a revision of etcd: that stays right when etcd is restored from a snapshot, after
    /// which its revisions are given out a second time.
    static func replace(_ key: [UInt8], expected: [UInt8]?, by value: [UInt8]) -> String {
        let key = "\"key\":\"\(Base64.encode(key))\""
        let condition =
            expected.map { "\"target\":\"VALUE\",\"value\":\"\(Base64.encode($0))\"" }
            ?? "\"target\":\"CREATE\",\"create_revision\":\"0\""
        return "{\"compare\":[{\(key),\"result\":\"EQUAL\",\(condition)}],"
            + "\"success\":[{\"request_put\":{\(key),\"value\":\"\(Base64.encode(value))\"}}],"
            + "\"failure\":[{\"request_range\":{\(key)}}]}"
    }

    /// Every change of a key from a revision of etcd on.
    static func watch(_ key: [UInt8], from revision: Int64) -> String {
        "{\"create_request\":{\"key\":\"\(Base64.encode(key))\",\"start_revision\":\"\(revision)\"}}"
    }

    static func authenticate(_ login: EtcdRegister.Login) -> String {
        "{\"name\":\(quoted(login.user)),\"password\":\(quoted(login.password))}"
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case ..<" ":
                let hex = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

/// An answer that is not what etcd says.
struct UnexpectedAnswer: Error, CustomStringConvertible {
    let description: String
}

/// What etcd answers, as far as it matters here.
enum EtcdAnswer {
    /// The value under the key, nil when there is none, and etcd's own revision then.
    struct Range {
        var value: [UInt8]?
        var revision: Int64
    }
    enum Replaced {
        case done(revision: Int64)
        case otherwise(Range)
    }
    /// One message of a watch.
    struct Change {
        /// The last value in it; nil when it tells of none.
        var value: [UInt8]?
        var isDeleted = false
        /// Why the watch is over.
        var end: String?
    }
    /// An error in the words of etcd.
    struct Refusal {
        var message: String
        /// The code of gRPC: 16 is "unauthenticated".
        var code: Int64

        /// Whether a new token may help. Without a token etcd says only that the name is missing.
        var asksForLogin: Bool {
            code == 16 || message.contains("user name is empty") || message.contains("invalid auth token")
        }
    }

    static func range(_ body: [UInt8]) throws(UnexpectedAnswer) -> Range {
        let answer = try parse(body)
        return Range(value: try value(in: answer), revision: try revision(of: answer))
    }

    static func replaced(_ body: [UInt8]) throws(UnexpectedAnswer) -> Replaced {
        let answer = try parse(body)
        let revision = try revision(of: answer)
        if case .boolean(true)? = answer["succeeded"] { return .done(revision: revision) }
        guard case .list(let responses)? = answer["responses"], case .map(let first)? = responses.elements.first,
            case .map(let range)? = first["response_range"]
        else { throw UnexpectedAnswer(description: "a transaction that failed without saying what is there") }
        return .otherwise(Range(value: try value(in: range), revision: revision))
    }

    static func token(_ body: [UInt8]) throws(UnexpectedAnswer) -> String {
        guard let token = text(try parse(body)["token"]), !token.isEmpty else {
            throw UnexpectedAnswer(description: "a login without a token")
        }
        return token
    }

    static func change(_ line: [UInt8]) throws(UnexpectedAnswer) -> Change {
        let message = try parse(line)
        if case .map(let error)? = message["error"] {
            return Change(end: text(error["message"]) ?? "an error without a message")
        }
        guard case .map(let result)? = message["result"] else {
            throw UnexpectedAnswer(description: "a message of a watch without a result")
        }
        var change = Change()
        if case .list(let events)? = result["events"] {
            for event in events.elements {
                guard case .map(let event) = event, case .map(let pair)? = event["kv"] else {
                    throw UnexpectedAnswer(description: "an event without a key")
                }
                change.isDeleted = text(event["type"]) == "DELETE"
                change.value = change.isDeleted ? nil : try bytes(pair["value"])
            }
        }
        if case .boolean(true)? = result["canceled"] {
            change.end = text(result["cancel_reason"]) ?? "etcd ended the watch"
        }
        return change
    }

    /// The error in the body of an answer that is not 200.
    static func refusal(status: Int, _ body: [UInt8]) -> Refusal {
        guard case .map(let map)? = try? JSONParser.parse(body) else {
            // Some refusals are plain text.
            let text = String(decoding: body.prefix(200), as: UTF8.self).filter { !$0.isNewline }
            return Refusal(message: "HTTP status \(status) \(text)", code: status == 401 ? 16 : 2)
        }
        return Refusal(
            message: text(map["error"]) ?? text(map["message"]) ?? "HTTP status \(status)",
            code: number(map["code"]) ?? (status == 401 ? 16 : 2))
    }

    // MARK: Parts

    private static func parse(_ body: [UInt8]) throws(UnexpectedAnswer) -> MapValue {
        do throws(JSONError) {
            if case .map(let map) = try JSONParser.parse(body) { return map }
        } catch {
            throw UnexpectedAnswer(description: "no JSON: \(error)")
        }
        throw UnexpectedAnswer(description: "JSON, but no object")
    }

    private static func value(in answer: MapValue) throws(UnexpectedAnswer) -> [UInt8]? {
        guard let pairs = answer["kvs"] else { return nil }
        guard case .list(let list) = pairs else { throw UnexpectedAnswer(description: "keys that are no list") }
        guard let first = list.elements.first else { return nil }
        guard case .map(let pair) = first else { throw UnexpectedAnswer(description: "a key that is no object") }
        return try bytes(pair["value"])
    }

    private static func revision(of answer: MapValue) throws(UnexpectedAnswer) -> Int64 {
        guard case .map(let header)? = answer["header"], let revision = number(header["revision"]) else {
            throw UnexpectedAnswer(description: "an answer without a revision")
        }
        return revision
    }

    private static func text(_ value: Value?) -> String? {
        if case .string(let string)? = value { string.text } else { nil }
    }

    private static func number(_ value: Value?) -> Int64? {
        switch value {
        case .string(let string)?: Int64(string.text)
        case .integer(let number)?: number
        default: nil
        }
    }

    /// An empty value is left out by etcd.
    private static func bytes(_ value: Value?) throws(UnexpectedAnswer) -> [UInt8] {
        guard let value else { return [] }
        guard let text = text(value), let bytes = Base64.decode(text) else {
            throw UnexpectedAnswer(description: "a value that is not base64")
        }
        return bytes
    }
}
