internal import QueryEngine

/// The rows of a query, in memory.
public struct QueryResult: Sendable {
    public let rows: Rows
    /// What the query changed.
    public let statistics: QueryStatistics

    /// The names of the columns, as the query names them.
    public var columns: [String] { rows.storage.columns }

    init(_ storage: RowStorage, _ rowCount: Int, _ statistics: QueryStatistics) {
        rows = Rows(storage, count: rowCount)
        self.statistics = statistics
    }

    /// Rows in the order they came.
    public struct Rows: RandomAccessCollection, Sendable {
        fileprivate let storage: RowStorage
        public let count: Int
        public var startIndex: Int { 0 }
        public var endIndex: Int { count }

        fileprivate init(_ storage: RowStorage, count: Int) {
            self.storage = storage
            self.count = count
        }

        public subscript(position: Int) -> Row {
            precondition(position >= 0 && position < count, "row \(position) of \(count)")
            return Row(storage, position)
        }
    }

    /// The only value of a result with one row and one column, of a count for instance.
    ///
    /// - Throws: `.argumentError` when it has another form, `.typeError` when the value is of another kind.
    public func single<T: ValueDecodable>(as type: T.Type = T.self) throws(GraphError) -> T {
        guard rows.count == 1, columns.count == 1 else {
            throw GraphError(
                .argumentError, "one row of one column was expected, the result has \(rows.count) of \(columns.count)")
        }
        return try rows[0].get(0)
    }
}

/// One row of a result.
public struct Row: Sendable {
    private let storage: RowStorage
    private let start: Int

    init(_ storage: RowStorage, _ index: Int) {
        self.storage = storage
        start = index * storage.columns.count
    }

    public var count: Int { storage.columns.count }

    /// The value in a column, from 0.
    public subscript(column: Int) -> Value {
        precondition(column >= 0 && column < storage.columns.count, "column \(column) of \(storage.columns.count)")
        return storage.values[start + column]
    }

    /// All values, in the order of the columns.
    public var values: [Value] { Array(storage.values[start..<start + count]) }

    /// The value in a column by its name. Throws `.argumentError` when there is no such column.
    public func value(_ column: String) throws(GraphError) -> Value { self[try position(column)] }

    /// The value in a column as a Swift type. Throws `.argumentError` when there is no such column, `.typeError` when
    /// the value is of another kind: null, for instance, unless the type is an optional.
    public func get<T: ValueDecodable>(_ column: String, as type: T.Type = T.self) throws(GraphError) -> T {
        try get(try position(column))
    }

    public func get<T: ValueDecodable>(_ column: Int, as type: T.Type = T.self) throws(GraphError) -> T {
        guard column >= 0 && column < count else {
            throw GraphError(.argumentError, "there is no column \(column): the result has \(count), from 0")
        }
        guard let decoded = T.decode(self[column]) else {
            throw GraphError(
                .typeError, "column \"\(storage.columns[column])\" holds a value of type \(self[column].kindName), not \(T.self)")
        }
        return decoded
    }

    private func position(_ column: String) throws(GraphError) -> Int {
        guard let position = storage.columns.firstIndex(where: { codeUnitsEqual($0, column) }) else {
            throw GraphError(
                .argumentError, "there is no column \"\(column)\": the result has \(storage.columns.joined(separator: ", "))")
        }
        return position
    }
}

/// Values of rows, row after row, shared by the rows.
final class RowStorage: Sendable {
    let columns: [String]
    let values: ContiguousArray<Value>

    init(_ columns: [String], _ values: ContiguousArray<Value>) {
        self.columns = columns
        self.values = values
    }

    /// The rows of a batch.
    convenience init(_ columns: [String], _ batch: ResultBatch) {
        var values: ContiguousArray<Value> = []
        batch.append(to: &values)
        self.init(columns, values)
    }
}
