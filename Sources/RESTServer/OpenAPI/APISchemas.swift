/// The shapes of bodies, as JSON Schema (2020-12, as OpenAPI 3.1 has it).
enum APISchemas {
    /// By name, each a schema in JSON.
    static let all: [(name: String, schema: String)] = [
        ("Object", #"{"type": "object"}"#),
        ("List", #"{"type": "array"}"#),
        ("Null", #"{"type": "null"}"#),
        ("Text", #"{"type": "string"}"#),
        ("Boolean", #"{"type": "boolean"}"#),
        ("Strings", #"{"type": "array", "items": {"type": "string"}}"#),
        ("PropertyName", #"{"type": "string", "minLength": 1}"#),
        (
            "Error",
            """
            {"type": "object", "required": ["exception", "stacktrace"], "properties": {"message": {"type": "string"}, \
            "exception": {"type": "string"}, "code": {"type": "string"}, "stacktrace": \(reference("Strings"))}}
            """
        ),
        ("EntityOrError", #"{"anyOf": [\#(reference("Node")), \#(reference("Relationship")), \#(reference("Error"))]}"#),
        ("Discovery", strings(["management", "data"])),
        (
            "ServiceRoot",
            strings([
                "node", "node_index", "relationship_index", "extensions_info", "relationship_types", "batch", "cypher",
                "neo4j_version",
            ])
        ),
        (
            "PropertyValue",
            """
            {"anyOf": [{"type": "boolean"}, {"type": "string"}, \(number), {"type": "array", "items": {"type": "boolean"}}, \
            {"type": "array", "items": {"type": "string"}}, {"type": "array", "items": \(number)}]}
            """
        ),
        ("Properties", #"{"type": "object", "additionalProperties": \#(reference("PropertyValue"))}"#),
        (
            "Node",
            entity([
                "self", "properties", "property", "create_relationship", "all_relationships", "incoming_relationships",
                "outgoing_relationships", "all_typed_relationships", "incoming_typed_relationships",
                "outgoing_typed_relationships", "traverse", "paged_traverse",
            ])
        ),
        ("Nodes", list(of: "Node")),
        ("Relationship", entity(["self", "start", "end", "type", "properties", "property"])),
        ("Relationships", list(of: "Relationship")),
        (
            "NewRelationship",
            """
            {"type": "object", "required": ["to", "type"], "properties": {"to": \(uri("node")), \
            "type": {"type": "string", "minLength": 1}, "data": \(reference("Properties"))}}
            """
        ),
        (
            "Path",
            """
            {"type": "object", "required": ["start", "nodes", "length", "relationships", "end"], "properties": \
            {"start": {"type": "string"}, "nodes": \(reference("Strings")), "length": {"type": "integer"}, \
            "relationships": \(reference("Strings")), "end": {"type": "string"}, "weight": \(number)}}
            """
        ),
        ("Paths", list(of: "Path")),
        (
            "TraversedType",
            """
            {"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "minLength": 1}, \
            "direction": {"enum": ["all", "in", "out"]}}}
            """
        ),
        (
            "TraversedTypes",
            #"{"anyOf": [\#(reference("TraversedType")), {"type": "array", "items": \#(reference("TraversedType"))}]}"#
        ),
        (
            "Traversal",
            """
            {"type": "object", "properties": {"order": {"enum": ["breadth_first", "depth_first"]}, \
            "relationships": \(reference("TraversedTypes")), "uniqueness": {"enum": ["none", "node_global", "node_path", \
            "relationship_global", "relationship_path"]}, "max_depth": {"type": "integer", "minimum": 0}, \
            "return_filter": {"type": "object", "required": ["language"], "properties": {"language": {"enum": ["builtin", \
            "javascript"]}, "name": {"enum": ["all", "all_but_start_node", "none"]}, "body": {"type": "string", "examples": \
            ["position.length() > 1", "position.endNode().hasProperty('name')"]}}}}}
            """
        ),
        (
            "PathSearch",
            """
            {"type": "object", "required": ["to"], "properties": {"to": \(uri("node")), "relationships": \
            \(reference("TraversedTypes")), "max_depth": {"type": "integer", "minimum": 0}, "algorithm": \
            {"enum": ["shortestPath", "allSimplePaths", "allPaths", "dijkstra"]}, "cost_property": {"type": "string"}, \
            "default_cost": {"type": "integer", "minimum": 0}}}
            """
        ),
        (
            "NewIndex",
            """
            {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}, "config": \
            {"type": "object", "properties": {"type": {"enum": ["exact", "fulltext"]}, "provider": {"enum": ["lucene"]}, \
            "to_lower_case": {"enum": ["true", "false"]}}}}}
            """
        ),
        ("Index", #"{"type": "object", "required": ["template"], "properties": {"template": {"type": "string"}}}"#),
        ("Indexes", #"{"type": "object", "additionalProperties": \#(reference("Index"))}"#),
        (
            "NodeEntry",
            """
            {"type": "object", "required": ["key", "value"], "properties": {"key": {"type": "string", "minLength": 1}, \
            "value": {"type": ["string", "number"]}, "uri": \(uri("node")), "properties": \(reference("Properties"))}}
            """
        ),
        (
            "RelationshipEntry",
            """
            {"type": "object", "required": ["key", "value"], "properties": {"key": {"type": "string", "minLength": 1}, \
            "value": {"type": ["string", "number"]}, "uri": \(uri("relationship")), "start": \(uri("node")), \
            "end": \(uri("node")), "type": {"type": "string", "minLength": 1}, "properties": \(reference("Properties"))}}
            """
        ),
        ("Any", "{}"),
        (
            "GremlinScript",
            """
            {"type": "object", "required": ["script"], "properties": {"script": {"type": "string", "examples": \
            ["g.v(0)", "g.v(id).out('knows').name"]}, "params": {"type": "object"}}}
            """
        ),
        (
            "CypherQuery",
            """
            {"type": "object", "required": ["query"], "properties": {"query": {"type": "string", "examples": \
            ["START n=node(0) RETURN n", "CREATE (n {name: {name}}) RETURN n"]}, "params": {"type": "object"}}}
            """
        ),
        (
            "CypherResult",
            """
            {"type": "object", "required": ["columns", "data"], "properties": {"columns": \(reference("Strings")), \
            "data": {"type": "array", "items": {"type": "array"}}}}
            """
        ),
        ("Count", #"{"type": "integer", "minimum": 0}"#),
        ("Names", #"{"type": "array", "items": {"type": "string", "minLength": 1}}"#),
        ("Labels", #"{"anyOf": [{"type": "string", "minLength": 1}, \#(reference("Names"))]}"#),
        (
            "SchemaKeys",
            """
            {"type": "object", "required": ["property_keys"], "properties": {"property_keys": {"type": "array", \
            "minItems": 1, "items": {"type": "string", "minLength": 1}}}}
            """
        ),
        (
            "NewSchemaIndex",
            """
            {"type": "object", "required": ["label", "property_keys"], "properties": {"label": {"type": "string", \
            "minLength": 1}, "property_keys": {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}}}
            """
        ),
        (
            "SchemaRule",
            """
            {"type": "object", "required": ["label", "property_keys"], "properties": {"label": {"type": "string"}, \
            "type": {"enum": ["UNIQUENESS", "NODE_PROPERTY_EXISTENCE"]}, "property_keys": \(reference("Strings"))}}
            """
        ),
        (
            "Batch",
            """
            {"type": "array", "items": {"type": "object", "required": ["method", "to"], "properties": {"method": \
            {"enum": ["GET", "POST", "PUT", "DELETE"]}, "to": {"type": "string", "examples": ["/node", "/node/0", "{0}"]}, \
            "id": {"type": "integer"}, "body": {}}}}
            """
        ),
        (
            "Statements",
            """
            {"type": "object", "properties": {"statements": {"type": "array", "items": {"type": "object", "required": \
            ["statement"], "properties": {"statement": {"type": "string", "examples": ["MATCH (n) RETURN n LIMIT 1", \
            "CREATE (n {p: 1}) RETURN n"]}, "parameters": {"type": "object"}, "includeStats": {"type": "boolean"}, \
            "resultDataContents": {"type": "array", "items": {"enum": ["row", "graph", "REST"]}}}}}}}
            """
        ),
        (
            "StatementResults",
            """
            {"type": "object", "required": ["results", "errors"], "properties": {"results": {"type": "array"}, "errors": \
            {"type": "array"}, "commit": {"type": "string"}, "transaction": {"type": "object"}}}
            """
        ),
        ("BeanPatterns", #"{"type": "array", "items": {"type": "string", "examples": ["org.neo4j:*"]}, "maxItems": 100}"#),
        ("SwitchMaster", #"{"type": "object", "properties": {"to": {"type": ["integer", "null"]}}}"#),
        ("RemoveMember", #"{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 0}}}"#),
    ]

    /// A number, or the name of one that JSON does not have.
    private static let number = #"{"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]}"#

    static func reference(_ name: String) -> String { ##"{"$ref": "#/components/schemas/\##(name)"}"## }

    private static func list(of name: String) -> String { #"{"type": "array", "items": \#(reference(name))}"# }

    private static func uri(_ kind: String) -> String {
        #"{"type": "string", "pattern": "/\#(kind)/[0-9]+$", "examples": ["/\#(kind)/0"]}"#
    }

    private static func names(_ names: [String]) -> String { names.map { "\"\($0)\"" }.joined(separator: ", ") }

    /// An object with these members at least, all of them strings.
    private static func strings(_ members: [String]) -> String {
        let properties = members.map { #""\#($0)": {"type": "string"}"# }.joined(separator: ", ")
        return #"{"type": "object", "required": [\#(names(members))], "properties": {\#(properties)}}"#
    }

    /// A node or relationship: links, and its own properties.
    private static func entity(_ links: [String]) -> String {
        let properties = links.map { #""\#($0)": {"type": "string"}"# }.joined(separator: ", ")
        return """
            {"type": "object", "required": [\(names(links + ["data", "extensions"]))], "properties": {\(properties), \
            "data": \(reference("Properties")), "extensions": {"type": "object"}, "indexed": {"type": "string"}, \
            "score": {"type": "number"}}}
            """
    }
}
