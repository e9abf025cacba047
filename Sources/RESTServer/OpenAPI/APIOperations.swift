/// The operations of this server by method and path, as in the route table.
enum APIOperations {
    static let all: [String: APIOperation] = {
        var all = discovery
        for part in [
            entities, properties, labels, schema, indexes, automaticIndexes, queries, traversals, plugins, transactions, status,
            cluster,
        ] { all.merge(part) { $1 } }
        return all
    }()

    private static let discovery: [String: APIOperation] = [
        "GET /": APIOperation("Where the data and the management are", .json("Discovery"), .empty(303)),
        "GET /db": APIOperation("The same as /", .json("Discovery"), .empty(303)),
        "GET /db/data": APIOperation("The service root: where everything else is", .json("ServiceRoot")),
        "GET /db/manage": APIOperation("Where the management is", .json("Object")),
        "GET /openapi.json": APIOperation("This description", .json("Object")),
        "GET /webadmin": APIOperation("A page for people", .text(200, "text/html")),
        "GET /metrics": APIOperation("Counters in Prometheus' text format", .text(200)),
    ]

    private static let entities: [String: APIOperation] = [
        "POST /db/data/node": APIOperation(
            "Creates a node", body: "Properties", needsBody: false, .json("Node", 201)),
        "GET /db/data/node/{id}": APIOperation("A node", .json("Node")),
        "DELETE /db/data/node/{id}": APIOperation("Deletes a node that has no relationships", .empty()),
        "POST /db/data/node/{id}/relationships": APIOperation(
            "Creates a relationship from this node", body: "NewRelationship", .json("Relationship", 201)),
        "GET /db/data/node/{id}/relationships/{direction}": APIOperation(
            "The relationships of a node", .json("Relationships")),
        "GET /db/data/node/{id}/relationships/{direction}/{types}": APIOperation(
            "The relationships of a node with one of these types, which are parted by &", .json("Relationships")),
        "GET /db/data/relationship/types": APIOperation("All types of relationships", .json("Strings")),
        "GET /db/data/relationship/{id}": APIOperation("A relationship", .json("Relationship")),
        "DELETE /db/data/relationship/{id}": APIOperation("Deletes a relationship", .empty()),
    ]

    private static let properties: [String: APIOperation] = {
        var all: [String: APIOperation] = [:]
        for kind in ["node", "relationship"] {
            let path = "/db/data/\(kind)/{id}/properties"
            all["GET \(path)"] = APIOperation("All properties", .json("Properties"), .empty())
            all["PUT \(path)"] = APIOperation("Replaces all properties", body: "Properties", .empty())
            all["DELETE \(path)"] = APIOperation("Removes all properties", .empty())
            all["GET \(path)/{key}"] = APIOperation("One property", .json("PropertyValue"))
            all["PUT \(path)/{key}"] = APIOperation("Sets one property", body: "PropertyValue", .empty())
            all["DELETE \(path)/{key}"] = APIOperation("Removes one property", .empty())
        }
        return all
    }()

    private static let search = [
        APIOperation.Query("query", "A query in Lucene's syntax", isRequired: true),
        APIOperation.Query(
            "order", "The order of the hits, which then have scores", schema: #"{"enum": ["index", "relevance", "score"]}"#),
    ]

    private static let indexes: [String: APIOperation] = {
        var all: [String: APIOperation] = [:]
        for (kind, one, many, unique) in [
            ("node", "Node", "Nodes", "NodeEntry"), ("relationship", "Relationship", "Relationships", "RelationshipEntry"),
        ] {
            let path = "/db/data/index/\(kind)"
            all["GET \(path)"] = APIOperation("All indexes of \(kind)s", .json("Indexes"), .empty())
            all["POST \(path)"] = APIOperation("Creates an index", body: "NewIndex", .json("Index", 201))
            all["GET \(path)/{name}"] = APIOperation("Searches an index", query: search, .json(many))
            all["POST \(path)/{name}"] = APIOperation(
                "Adds an entry; with unique an entity comes to be if there is none with the entry, or 409 has the one there is",
                query: [
                    APIOperation.Query("unique", "Without a value, as the older clients have it: get_or_create"),
                    APIOperation.Query(
                        "uniqueness", "What happens to a second one",
                        schema: #"{"enum": ["get_or_create", "create_or_fail"]}"#),
                ], body: unique, .json(one), .json(one, 201), .json("EntityOrError", 409))
            all["DELETE \(path)/{name}"] = APIOperation("Drops an index", .empty())
            all["GET \(path)/{name}/{key}"] = APIOperation(
                "Searches an index, with this key where the query names none", query: search, .json(many))
            all["DELETE \(path)/{name}/{key}"] = APIOperation(
                "Removes all entries of an entity, whose id takes the place of the key", .empty())
            all["GET \(path)/{name}/{key}/{value}"] = APIOperation("Finds entities by an exact value", .json(many))
            all["DELETE \(path)/{name}/{key}/{value}"] = APIOperation(
                "Removes the entries of an entity with this key; its id takes the place of the value", .empty())
            all["GET \(path)/{name}/{key}/{value}/{id}"] = APIOperation("One entry", .json(one))
            all["DELETE \(path)/{name}/{key}/{value}/{id}"] = APIOperation("Removes one entry", .empty())
        }
        return all
    }()

    private static let automaticIndexes: [String: APIOperation] = {
        var all: [String: APIOperation] = [:]
        for (kind, many) in [("node", "Nodes"), ("relationship", "Relationships")] {
            let path = "/db/data/index/auto/\(kind)"
            all["GET \(path)"] = APIOperation("Searches the automatic index", query: search, .json(many))
            all["GET \(path)/{key}/{value}"] = APIOperation("Finds entities by an exact value", .json(many))
            all["GET \(path)/status"] = APIOperation("Whether the automatic index is on", .json("Boolean"))
            all["PUT \(path)/status"] = APIOperation("Switches the automatic index", body: "Boolean", .empty())
            all["GET \(path)/status/{value}"] = APIOperation("Finds entities by the key \"status\"", .json(many))
            all["GET \(path)/properties"] = APIOperation("The properties that it follows", .json("Strings"))
            all["POST \(path)/properties"] = APIOperation("Follows a further property", body: "PropertyName", .empty())
            all["GET \(path)/properties/{name}"] = APIOperation("Finds entities by the key \"properties\"", .json(many))
            all["DELETE \(path)/properties/{name}"] = APIOperation("Follows a property no longer", .empty())
        }
        return all
    }()

    private static let queries: [String: APIOperation] = [
        "POST /db/data/cypher": APIOperation("Runs a Cypher query", body: "CypherQuery", .json("CypherResult")),
        "POST /db/data/batch": APIOperation(
            "Carries out many requests in one transaction; 500 when one of them fails, and nothing is done", body: "Batch",
            .json("List"), .json("Error", 500)),
    ]

    private static let traversals: [String: APIOperation] = {
        let path = "/db/data/node/{id}"
        func pages(_ name: String, _ meaning: String, _ maximum: Int) -> APIOperation.Query {
            APIOperation.Query(
                name, meaning, schema: #"{"type": "integer", "minimum": 1, "maximum": \#(maximum)}"#)
        }
        return [
            "POST \(path)/traverse/{returnType}": APIOperation(
                "Traverses the graph from this node", body: "Traversal", needsBody: false, .json("List")),
            "POST \(path)/paged/traverse/{returnType}": APIOperation(
                "Begins a traversal whose results are taken page by page, and gives the first page",
                query: [
                    pages("pageSize", "How many results a page has, 50 unless it is said", 10_000),
                    pages("leaseTime", "How long it waits for the next page, in seconds, 60 unless it is said", 3600),
                ], body: "Traversal", needsBody: false, .json("List", 201)),
            "GET \(path)/paged/traverse/{returnType}/{token}": APIOperation("The next page of a traversal", .json("List")),
            "POST \(path)/path": APIOperation("Finds one path to another node", body: "PathSearch", .json("Path")),
            "POST \(path)/paths": APIOperation("Finds all paths to another node", body: "PathSearch", .json("Paths")),
        ]
    }()

    private static let plugins: [String: APIOperation] = [
        "GET /db/data/ext": APIOperation("The plugins", .json("Object")),
        "GET /db/data/ext/CypherPlugin": APIOperation("The methods of the plugin", .json("Object")),
        "GET /db/data/ext/GremlinPlugin": APIOperation("The methods of the plugin", .json("Object")),
        "POST /db/data/ext/CypherPlugin/graphdb/execute_query": APIOperation(
            "Runs a Cypher query, under the name it had as a plugin", body: "CypherQuery", .json("CypherResult")),
        "GET /db/data/ext/CypherPlugin/graphdb/execute_query": APIOperation(
            "What the plugin says of itself", .json("Object")),
        "POST /db/data/ext/GremlinPlugin/graphdb/execute_script": APIOperation(
            "Runs a Gremlin script in one transaction; no other code is run", body: "GremlinScript", .json("Any")),
        "GET /db/data/ext/GremlinPlugin/graphdb/execute_script": APIOperation(
            "What the plugin says of itself", .json("Object")),
        "GET /db/data/application.wadl": APIOperation("This API in WADL, where that is enabled", .text(200, "application/vnd.sun.wadl+xml")),
    ]

    private static let labels: [String: APIOperation] = [
        "GET /db/data/labels": APIOperation("All labels", .json("Strings")),
        "GET /db/data/propertykeys": APIOperation("All names of properties", .json("Strings")),
        "GET /db/data/node/{id}/labels": APIOperation("The labels of a node", .json("Strings")),
        "POST /db/data/node/{id}/labels": APIOperation("Adds labels to a node", body: "Labels", .empty()),
        "PUT /db/data/node/{id}/labels": APIOperation("Replaces the labels of a node", body: "Names", .empty()),
        "DELETE /db/data/node/{id}/labels/{label}": APIOperation("Removes a label from a node", .empty()),
        "GET /db/data/label/{label}/nodes": APIOperation(
            "The nodes with a label; with one query parameter, a property's name, those whose property has its value, in JSON",
            .json("Nodes")),
        "GET /db/data/node/{id}/degree/{direction}": APIOperation("How many relationships a node has", .json("Count")),
        "GET /db/data/node/{id}/degree/{direction}/{types}": APIOperation(
            "How many relationships a node has of these types, which are parted by &", .json("Count")),
    ]

    private static let schema: [String: APIOperation] = {
        var all: [String: APIOperation] = [
            "GET /db/data/schema/index": APIOperation("All indexes of the schema", .json("List")),
            "POST /db/data/schema/index": APIOperation("Creates an index", body: "NewSchemaIndex", .json("SchemaRule")),
            "GET /db/data/schema/index/{label}": APIOperation("The indexes of a label", .json("List")),
            "POST /db/data/schema/index/{label}": APIOperation(
                "Creates an index", body: "SchemaKeys", .json("SchemaRule")),
            "DELETE /db/data/schema/index/{label}/{keys}": APIOperation("Drops an index", .empty()),
            "GET /db/data/schema/constraint": APIOperation("All constraints", .json("List")),
            "GET /db/data/schema/constraint/{label}": APIOperation("The constraints of a label", .json("List")),
        ]
        let path = "/db/data/schema/constraint/{label}/{kind}"
        all["GET \(path)"] = APIOperation("The constraints of a label of one kind", .json("List"))
        all["POST \(path)"] = APIOperation("Creates a constraint", body: "SchemaKeys", .json("SchemaRule"))
        all["GET \(path)/{keys}"] = APIOperation("One constraint, in a list", .json("List"))
        all["DELETE \(path)/{keys}"] = APIOperation("Drops a constraint", .empty())
        return all
    }()

    private static let transactions: [String: APIOperation] = {
        var all: [String: APIOperation] = [:]
        for path in ["/db/data/transaction", "/db/data/tx", "/db/{name}/tx"] {
            func operation(_ summary: String, _ statuses: Int...) -> APIOperation {
                APIOperation(
                    summary, body: "Statements", needsBody: false, .json("StatementResults", statuses[0]),
                    .json("StatementResults"))
            }
            all["POST \(path)"] = operation("Begins a transaction and runs statements in it", 201)
            all["POST \(path)/commit"] = operation("Runs statements in a transaction of their own", 200)
            all["POST \(path)/{id}"] = operation("Runs statements in an open transaction; it lives on", 200)
            all["POST \(path)/{id}/commit"] = operation("Runs last statements and commits", 200)
            all["DELETE \(path)/{id}"] = APIOperation("Rolls back", .json("StatementResults"))
        }
        all["GET /db/{name}/export"] = APIOperation(
            "The whole graph, as one transaction sees it, as JSON Lines: for martlet export", .text(200, "application/x-ndjson"))
        all["POST /db/{name}/upsert"] = APIOperation(
            "Adds and updates entities by their keys, for martlet import --upsert, in whose own format the body is", .json("Object"))
        return all
    }()

    private static let lag = [
        ("max_lag_tx", "Not ready when more transactions than that are missing"),
        ("max_lag_ms", "Not ready when it is further behind than that, in milliseconds"),
    ].map { APIOperation.Query($0, $1, schema: #"{"type": "integer", "minimum": 0}"#) }

    private static let status: [String: APIOperation] = [
        "GET /hastatus": APIOperation("Everything about this member", .json("Object")),
        "GET /hastatus/master": APIOperation("Whether this is a master that takes writes", .text(200), .text(404)),
        "GET /hastatus/slave": APIOperation("Whether this is a slave that serves", query: lag, .text(200), .text(404)),
        "GET /hastatus/read": APIOperation("Whether this member serves reads", query: lag, .text(200), .text(404)),
        "GET /hastatus/available": APIOperation("Whether this member serves anything", .text(200), .text(503)),
        "GET /db/manage/server/jmx": APIOperation("Where the management beans are", .json("Object")),
        "POST /db/manage/server/jmx/query": APIOperation(
            "The management beans whose names fit one of some patterns", body: "BeanPatterns", .json("List")),
        "GET /db/manage/server/jmx/domain": APIOperation("The domains of the management beans", .json("Strings")),
        "GET /db/manage/server/jmx/domain/{domain}": APIOperation("The beans of a domain", .json("Object")),
        "GET /db/manage/server/jmx/domain/{domain}/{bean}": APIOperation("One bean, in a list", .json("List")),
        "GET /health": APIOperation("Whether the process is well", .json("Object"), .json("Object", 503)),
        "GET /db/manage/server/ha/master": APIOperation("Whether this is a master that takes writes", .text(200), .text(404)),
        "GET /db/manage/server/ha/slave": APIOperation(
            "Whether this is a slave that serves", query: lag, .text(200), .text(404)),
        "GET /db/manage/server/ha/available": APIOperation("master, slave, or UNKNOWN", .text(200), .text(404)),
    ]

    private static let cluster: [String: APIOperation] = [
        "GET /db/manage/server/ha/members": APIOperation("The members of the cluster", .json("List")),
        "POST /db/manage/server/ha/switch-master": APIOperation(
            "Makes a member, or the best one, the master", body: "SwitchMaster", needsBody: false, .json("Object")),
        "POST /db/manage/server/ha/remove-member": APIOperation(
            "Takes a member that is gone out of the cluster", body: "RemoveMember", .empty()),
        "POST /db/manage/server/ha/update": APIOperation("Fetches what the master has, now", .empty()),
        "GET /db/manage/server/ha/checksums": APIOperation(
            "What the last comparison of the members' graphs came to",
            query: [APIOperation.Query("wait", "With true, once it has ended or 10 s later")], .json("Object"), .json("Null")),
        "POST /db/manage/server/ha/checksums": APIOperation("Compares the members' graphs", .json("Object", 202)),
        "GET /db/manage/server/ha/branched-stores": APIOperation("Stores that were set aside", .json("List")),
    ]
}
