import Cypher
import FileSystem

/// How many short queries one core parses in a second.
enum Parsing {
    private static let queries: [(String, Dialect)] = [
        ("MATCH (u:User {id: $id}) RETURN u.name, u.age, u.gender, u.region", .cypher9),
        ("MATCH (u:User {id: $id})-[:FRIEND]->(f) RETURN f.id", .cypher9),
        ("MATCH (a:User {id: $a}), (b:User {id: $b}) MERGE (a)-[r:FRIEND]->(b) SET r.since = $since", .cypher9),
        ("MATCH (u:User) WHERE u.age > 30 AND u.region = 'x' RETURN u.age AS age, count(*) AS n ORDER BY n DESC LIMIT 10", .cypher9),
        ("START n=node({id}) MATCH n-[:KNOWS]->m WHERE m.age? > 30 RETURN m.name, count(*)", .cypher18),
        ("CREATE (n:Person {name: $name, born: 1964})", .cypher9),
    ]

    /// Prints `parse NAME RATE` with the median of some rounds.
    static func run(_ rounds: Int) throws {
        var rates: [Double] = []
        for _ in 0..<max(3, rounds) {
            let start = monotonicNanoseconds()
            let count = 20_000
            for _ in 0..<count {
                for (text, dialect) in queries { _ = try Parser.parse(text, dialect: dialect) }
            }
            rates.append(Double(count * queries.count) / (Double(monotonicNanoseconds() - start) / 1e9))
        }
        rates.sort()
        print("parse \(Int(rates[rates.count / 2])) queries/s")
    }
}
