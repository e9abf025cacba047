/// Classes that a script may name. Each stands for something that is here; no other can be reached.
enum KnownType {
    static let packageRoots: Set<String> = ["java", "javax", "org", "com", "groovy"]

    private static let packages = [
        "java.util", "java.lang", "org.neo4j.graphdb", "org.neo4j.graphdb.index", "org.neo4j.index.lucene",
        "org.neo4j.kernel", "org.neo4j.helpers.collection", "org.apache.lucene.search", "com.tinkerpop",
    ]

    static let exceptions: Set<String> = [
        "Exception", "Throwable", "RuntimeException", "IllegalArgumentException", "IllegalStateException", "Error",
        "NullPointerException", "NotFoundException", "NoSuchElementException", "UnsupportedOperationException",
    ]

    private static let others: Set<String> = [
        "Vertex", "Edge", "Element", "Graph", "Node", "Relationship", "Direction", "DynamicRelationshipType", "RelationshipType",
        "TransactionalGraph", "Conclusion", "Neo4jTokens", "T", "Tokens", "Table", "Row", "Pipe", "Pipeline", "GremlinPipeline",
        "Math", "String", "Integer", "Long", "Short", "Byte", "Double", "Float", "Boolean", "Number", "Object", "BigDecimal",
        "BigInteger", "CharSequence", "GString",
        "List", "ArrayList", "LinkedList", "Map", "HashMap", "LinkedHashMap", "TreeMap", "Set", "HashSet", "LinkedHashSet",
        "Collection", "Iterable", "Iterator", "Closure", "QueryContext", "Sort", "SortField", "GraphMLWriter",
        "ByteArrayOutputStream", "Index", "IndexManager", "IndexHits", "GraphDatabaseService", "Transaction", "Neo4jGraph",
        "Neo4jVertex", "Neo4jEdge", "RelationshipIndex", "PropertyContainer", "MapUtil", "Collections", "Entry",
        "int", "long", "short", "byte", "float", "double", "boolean", "def",
    ]

    /// - Parameter names: of packages, and that of the class.
    static func isKnown(_ names: [String]) -> Bool {
        guard let name = names.last else { return false }
        return (others.contains(name) || exceptions.contains(name)) && isPackage(names.dropLast(), of: name)
    }

    static func isImportable(_ names: [String]) -> Bool {
        if names.last == "*" { return isPackage(names.dropLast(), of: "*") }
        return isKnown(names)
    }

    private static func isPackage(_ names: ArraySlice<String>, of type: String) -> Bool {
        if names.isEmpty { return type != "*" }
        let package = names.joined(separator: ".")
        if package == "java.io" { return type == "ByteArrayOutputStream" }
        return packages.contains { package == $0 || package.hasPrefix($0 + ".") }
    }
}
