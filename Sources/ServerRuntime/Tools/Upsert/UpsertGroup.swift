internal import GraphModel
internal import RESTServer
internal import Storage

/// What the columns of some files mean for an upsert.
enum UpsertGroup {
    case nodes(NodeColumns)
    case relationships(RelationshipColumns)

    var keys: [UpsertRequest.Key] {
        switch self {
        case .nodes(let columns): [columns.key]
        case .relationships(let columns): columns.start.keys + columns.end.keys
        }
    }

    struct NodeColumns {
        let key: UpsertRequest.Key
        let space: String
        let idColumn: Int
        /// Given with the files, the key's label first; and columns with more.
        let labels: [String]
        let labelColumns: [Int]
        let properties: [(column: Int, name: String)]
    }

    /// Which nodes a column of ids names.
    enum End {
        case of(UpsertRequest.Key)
        /// Of one of several groups.
        case shared(space: String, keys: [UpsertRequest.Key])

        var keys: [UpsertRequest.Key] {
            switch self {
            case .of(let key): [key]
            case .shared(_, let keys): keys
            }
        }
    }

    struct RelationshipColumns {
        let start: End
        let end: End
        let startColumn: Int
        let endColumn: Int
        let type: String?
        let typeColumn: Int?
        let properties: [(column: Int, name: String)]
    }

    /// - Parameter keyProperty: the key where the :ID column has no name.
    /// - Throws: `.argumentError` for a header that leaves open what a row's entity is.
    static func nodes(
        _ columns: [ImportColumn], labels: [String], keyProperty: String?, path: String
    ) throws(GraphError) -> NodeColumns {
        guard let label = labels.first else {
            throw GraphError(.argumentError, "\(path): an upsert needs the label of the nodes, as in --nodes Person=\(path)")
        }
        var id: (column: Int, name: String, space: String)?
        var labelColumns: [Int] = []
        for (index, column) in columns.enumerated() {
            switch column.role {
            case .startID, .endID, .type:
                throw GraphError(.argumentError, "\(path): a file of nodes has no :START_ID, :END_ID or :TYPE column")
            case .id(let space):
                guard id == nil else { throw GraphError(.argumentError, "\(path): two columns are an :ID") }
                id = (index, column.name, space)
            case .label: labelColumns.append(index)
            case .ignore, .property: break
            }
        }
        guard let id, let property = id.name.isEmpty ? keyProperty : id.name else {
            throw GraphError(
                .argumentError,
                "\(path): an upsert needs an :ID column with the name of the property that is the key, as in id:ID, or --key with that name")
        }
        return NodeColumns(
            key: UpsertRequest.Key(label: label, property: property), space: id.space, idColumn: id.column, labels: labels,
            labelColumns: labelColumns, properties: try properties(columns, path))
    }

    /// - Parameter spaces: the nodes on the command line.
    static func relationships(
        _ columns: [ImportColumn], type: String?, spaces: SharedIDSpaces, path: String
    ) throws(GraphError) -> RelationshipColumns {
        var start: (column: Int, nodes: End)?
        var end: (column: Int, nodes: End)?
        var typeColumn: Int?
        func nodes(_ space: String, _ role: String) throws(GraphError) -> End {
            let keys = spaces.keys(of: space)
            if keys.count > 1 { return .shared(space: space, keys: keys) }
            if let key = keys.first ?? UpsertRequest.Key(space) { return .of(key) }
            throw GraphError(
                .argumentError,
                "\(path): no file of nodes has the ids of :\(role)(\(space)); name label and property of the key, as in :\(role)(Person.id)")
        }
        for (index, column) in columns.enumerated() {
            switch column.role {
            case .id, .label: throw GraphError(.argumentError, "\(path): a file of relationships has no :ID or :LABEL column")
            case .startID(let space): start = (index, try nodes(space, "START_ID"))
            case .endID(let space): end = (index, try nodes(space, "END_ID"))
            case .type: typeColumn = index
            case .ignore, .property: break
            }
        }
        guard let start, let end else {
            throw GraphError(.argumentError, "\(path): a file of relationships has a :START_ID and an :END_ID column")
        }
        guard type != nil || typeColumn != nil else {
            throw GraphError(.argumentError, "\(path): which type? Name it as in --relationships KNOWS=\(path), or in a :TYPE column")
        }
        return RelationshipColumns(
            start: start.nodes, end: end.nodes, startColumn: start.column, endColumn: end.column, type: type, typeColumn: typeColumn,
            properties: try properties(columns, path))
    }

    private static func properties(_ columns: [ImportColumn], _ path: String) throws(GraphError) -> [(column: Int, name: String)] {
        var result: [(column: Int, name: String)] = []
        for (index, column) in columns.enumerated() where column.role == .property {
            guard
                !result.contains(where: {
                    codeUnitsEqual($0.name, column.name) && codeUnitsEqual(columns[$0.column].typeName, column.typeName)
                })
            else { throw GraphError(.argumentError, "\(path): two columns have the name \"\(column.name)\" and one type") }
            // Columns of one name side by side: a row has a value in one of them.
            let place = result.lastIndex { codeUnitsEqual($0.name, column.name) }.map { $0 + 1 } ?? result.count
            result.insert((index, column.name), at: place)
        }
        return result
    }
}
