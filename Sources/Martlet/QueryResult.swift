internal import QueryEngine

/// The rows of a query, in memory.
public struct QueryResult: Sendable {
    /// The names of the columns, as the query names them.
    public let columns: [String]
    public private(set) var rows: [Row] = []
    /// What the query changed.
    public internal(set) var statistics = QueryStatistics()
    private let names: ColumnNames

    init(columns: [String]) {
        self.columns = columns
        names = ColumnNames(columns)
    }

    mutating func append(_ batch: ResultBatch) {
        rows.reserveCapacity(rows.count + batch.rowCount)
        for index in 0..<batch.rowCount { rows.append(Row(names, batch, index)) }
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
    private let names: ColumnNames
    private let batch: ResultBatch
    private let index: Int

    init(_ names: ColumnNames, _ batch: ResultBatch, _ index: Int) {
        self.names = names
        self.batch = batch
        self.index = index
    }

    public var count: Int { names.list.count }

    /// The value in a column, from 0.
    public subscript(column: Int) -> Value { batch.value(row: index, column: column) }

    /// All values, in the order of the columns.
    public var values: [Value] { (0..<count).map { self[$0] } }

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
                .typeError, "column \"\(names.list[column])\" holds a value of type \(self[column].kindName), not \(T.self)")
        }
        return decoded
    }

    private func position(_ column: String) throws(GraphError) -> Int {
        guard let position = names.list.firstIndex(where: { codeUnitsEqual($0, column) }) else {
            throw GraphError(
                .argumentError, "there is no column \"\(column)\": the result has \(names.list.joined(separator: ", "))")
        }
        return position
    }
}

/// The names of a result's columns, shared by its rows.
final class ColumnNames: Sendable {
    let list: [String]
    init(_ list: [String]) { self.list = list }
}
