import FileSystem
import GraphModel
import Storage

// Writes to a store until it is killed, from several threads, with checkpoints all the while. Each commit is reported on
// standard output as `CLIENT NUMBER` once it was acknowledged, never before. `crash-writer STORE FIRST-NUMBER`.
let arguments = CommandLine.arguments
guard arguments.count == 3, let first = Int64(arguments[2]) else {
    throw GraphError(.argumentError, "usage: crash-writer STORE FIRST-NUMBER")
}
var options = Store.Options()
options.nodeRangeBits = 6
options.relationshipRangeBits = 7
options.logRotationByteCount = 32 << 10
options.logPreallocationByteCount = 8 << 10
options.logRetention = .none
options.indexChunkEntryCount = 64
let store = try Store.open(arguments[1], options: options)
let committer = try LocalCommitter(store)
if store.beginRead().schemaRules.isEmpty {
    let schema = committer.begin()
    try schema.createUniquenessConstraint(label: "Write", keys: ["key"])
    try committer.commitAndWait(schema)
    try committer.finishSchemaWork()
}
StandardStream.output.writeLine("ready")
let clients = (0..<4).map { client in
    DedicatedThread(name: "client-\(client)") {
        do {
            var last: NodeID?
            var lastRelationship: RelationshipID?
            for number in first... {
                let transaction = committer.begin()
                let node = try transaction.createNode(
                    labels: ["Write"],
                    properties: [
                        ("client", .integer(Int64(client))), ("number", .integer(number)),
                        ("key", .string("\(client)/\(number)")),
                    ])
                // A chain, cut behind: relationships come and go.
                if let lastRelationship { try transaction.deleteRelationship(lastRelationship) }
                lastRelationship = try last.map { try transaction.createRelationship(type: "NEXT", from: $0, to: node) }
                last = node
                try committer.commitAndWait(transaction)
                StandardStream.output.writeLine("\(client) \(number)")
            }
        } catch {
            StandardStream.output.writeLine("failed: \(error)")
        }
    }
}
while true {
    try store.checkpoint()
    pauseThread(nanoseconds: 3_000_000)
}
