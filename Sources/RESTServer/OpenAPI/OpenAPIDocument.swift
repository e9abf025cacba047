internal import FileSystem
internal import GraphModel

/// The server's description of itself for tools, in OpenAPI 3.1: what the route table has, with what
/// ``APIOperations`` says of it.
enum OpenAPIDocument {
    /// Adds the document itself, which has everything that is in the table by then.
    static func add(to table: inout RouteTable) {
        var described = table
        described.add("/openapi.json", [(.get, .own { _ in Answer(.ok) })])
        let bytes = Array(text(described).utf8)
        table.add("/openapi.json", [(.get, .own { _ in Answer(.ok, .json, .bytes(bytes)) })])
    }

    private static func text(_ table: RouteTable) -> String {
        var paths: [String] = []
        for resource in table.resources {
            let operations = resource.handlers.map { method, _ in
                let name = method.rawValue
                let operation = APIOperations.all["\(name) \(resource.pattern)"]
                return "\"\(name.lowercased())\": \(text(operation, name, resource))"
            }
            let parameters = parameterNames(resource.pattern).map(pathParameter).joined(separator: ", ")
            paths.append(
                "\"\(resource.pattern)\": {\"parameters\": [\(parameters)], \(operations.joined(separator: ", "))}")
        }
        let schemas = APISchemas.all.map { "\"\($0.name)\": \($0.schema)" }
        return """
            {"openapi": "3.1.0",
            "info": {"title": "Martlet", "version": "\(martletVersion)", "description": "A clustered graph database. \
            Below /db/data is the REST API of chapter 18 of the Neo4j Manual 1.8."},
            "paths": {
            \(paths.joined(separator: ",\n"))},
            "components": {"schemas": {
            \(schemas.joined(separator: ",\n"))}}}

            """
    }

    /// Methods and paths of the table that nobody has described, and descriptions of what is not there.
    static func differences(from table: RouteTable) -> [String] {
        let there = Set(table.resources.flatMap { resource in
            resource.handlers.map { "\($0.method.rawValue) \(resource.pattern)" }
        })
        return there.symmetricDifference(APIOperations.all.keys).sorted()
    }

    private static func parameterNames(_ pattern: String) -> [String] {
        pattern.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }

    private static func pathParameter(_ name: String) -> String {
        let schema =
            switch name {
            case "id": #"{"type": "integer", "minimum": 0}"#
            case "direction": #"{"enum": ["all", "in", "out"]}"#
            default: #"{"type": "string", "minLength": 1}"#
            }
        return #"{"name": "\#(name)", "in": "path", "required": true, "schema": \#(schema)}"#
    }

    private static func text(_ operation: APIOperation?, _ method: String, _ resource: Resource) -> String {
        var members = ["\"summary\": \(quoted(operation?.summary ?? ""))"]
        let query = (operation?.query ?? []).map { parameter in
            """
            {"name": "\(parameter.name)", "in": "query", "required": \(parameter.isRequired), "description": \
            \(quoted(parameter.meaning)), "schema": \(parameter.schema)}
            """
        }
        if !query.isEmpty { members.append("\"parameters\": [\(query.joined(separator: ", "))]") }
        if let body = operation?.body {
            members.append(
                """
                "requestBody": {"required": \(body.isRequired), "content": {"application/json": {"schema": \
                \(APISchemas.reference(body.schema))}}}
                """)
        }
        var answers: [(status: String, text: String)] = []
        for answer in operation?.answers ?? [] {
            let content =
                answer.schema.map { #", "content": {"\#(answer.mediaType)": {"schema": \#(APISchemas.reference($0))}}"# } ?? ""
            answers.append(("\(answer.status)", #"{"description": ""\#(content)}"#))
        }
        let error = #"{"description": "", "content": {"application/json": {"schema": \#(APISchemas.reference("Error"))}}}"#
        answers.append(("4XX", error))
        if !answers.contains(where: { $0.status == "503" }) { answers.append(("503", error)) }
        members.append("\"responses\": {" + answers.map { "\"\($0.status)\": \($0.text)" }.joined(separator: ", ") + "}")
        return "{" + members.joined(separator: ", ") + "}"
    }

    private static func quoted(_ text: String) -> String {
        var json = JSONWriter(.compact)
        json.string(text)
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
