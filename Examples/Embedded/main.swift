import Martlet

// Opens a database in the directory that is given, writes a few people, and asks about them.
let path = CommandLine.arguments.dropFirst().first ?? "people.db"
let db = try GraphDatabase.open(path)

// One transaction: all of it is on disk when `write` returns, or nothing of it.
try db.write { tx in
    let ada = try tx.createNode("Person", properties: ["name": "Ada", "born": 1815])
    let charles = try tx.createNode("Person", properties: ["name": "Charles", "born": 1791])
    let mary = try tx.createNode("Person", properties: ["name": "Mary", "born": 1780])
    try ada.createRelationship("KNOWS", to: charles, properties: ["since": 1833])
    try mary.createRelationship("TAUGHT", to: ada)
}

// Cypher, with parameters and typed columns.
let known = try db.query(
    "MATCH (a:Person {name: $name})-[k:KNOWS]->(b) RETURN b.name AS name, k.since AS since", ["name": "Ada"])
for row in known.rows {
    print("Ada knows", try row.get("name", as: String.self), "since", try row.get("since", as: Int.self))
}

// Reading without Cypher: a snapshot, and handles of nodes and relationships.
try db.read { tx in
    try tx.forEachNode(label: "Person") { person in
        let name = try person.property("name", default: "?")
        for relationship in try person.relationships(.outgoing) {
            let other = try relationship.end().property("name", default: "?")
            print(name, try relationship.type(), other)
        }
    }
}

// By hand: begin, work, mark as successful, finish.
let work = try db.beginTransaction()
try work.graph.referenceNode().setProperty("visits", to: 1)
work.success()
try work.finish()

print("last transaction:", db.lastTransactionID.rawValue)
db.close()
