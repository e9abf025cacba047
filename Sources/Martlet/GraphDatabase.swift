/// A graph database inside this program: a directory, opened.
///
/// ```swift
/// import Martlet
///
/// let db = try GraphDatabase.open("people.db")
/// try db.write { tx in
///     let ada = try tx.createNode("Person", properties: ["name": "Ada"])
///     let charles = try tx.createNode("Person", properties: ["name": "Charles"])
///     try ada.createRelationship("KNOWS", to: charles, properties: ["since": 1833])
/// }
/// for row in try db.query("MATCH (p:Person) RETURN p.name AS name").rows {
///     print(try row.get("name", as: String.self))
/// }
/// ```
///
/// Every call comes twice. The plain one works on the caller's thread, which blocks while it waits: for programs with
/// threads of their own. The `async` one works on the database's threads. One database is for any number of threads and
/// tasks at once; nothing needs to be locked around it.
public final class GraphDatabase: Sendable {
    public struct Options: Sendable {
        /// The store: sizes, checkpoints, what a new store begins with.
        public var store = Store.Options()
        /// Threads and time limits.
        public var database = Database.Options()
        /// Whether the store has to exist and nothing can be changed in it.
        public var isReadOnly = false
        public init() {}
    }

    /// The same object that the servers work with.
    public let database: Database

    /// Opens a directory, which becomes a new database when it is empty or missing, and recovers from whatever a crash
    /// left. One process at a time can have it open.
    ///
    /// - Throws: `.storeLocked`, `.foreignStore` when there is something else, `.formatVersion`, `.corrupt` with file and
    ///   offset, `.readOnly` when it is missing and nothing may be written.
    public static func open(_ path: String, options: Options = Options()) throws(GraphError) -> GraphDatabase {
        try GraphDatabase(path, options)
    }

    private init(_ path: String, _ options: Options) throws(GraphError) {
        var options = options
        options.store.isReadOnly = options.isReadOnly
        options.database.isReadOnly = options.isReadOnly
        let store = try Store.open(path, options: options.store)
        database = Database(try SingleDatabase(store), options: options.database)
    }

    /// Lets what runs finish, and closes the store. Later calls throw `.unavailable`.
    public func close() async { await database.close() }

    /// The same, blocking.
    @available(*, noasync, message: "blocks its thread: use the async close")
    public func close() { database.closeBlocking() }

    /// The last transaction that reads see. Grows with every commit.
    public var lastTransactionID: TransactionID { database.status.applied.transactionID }

    /// What transactions waited for so far, and the deadlocks that were averted.
    public var lockStatistics: LockManager.Statistics {
        get throws(GraphError) { try database.pipeline.readableStore().locks.statistics }
    }

    // MARK: Transaction events

    /// Lets a handler learn of every transaction that is about to be committed.
    @discardableResult
    public func register(_ handler: any TransactionEventHandler) -> TransactionEventRegistration {
        database.register(handler)
    }

    /// Takes a handler off; false when it was not registered.
    @discardableResult
    public func unregister(_ registration: TransactionEventRegistration) -> Bool { database.unregister(registration) }
}
