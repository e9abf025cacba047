internal import FileSystem
internal import GraphModel
internal import Martlet

/// Queries with the parameters they are asked with and the answers they must give.
struct Questions {
    /// How an answer is written down to be compared.
    private enum Form: String {
        /// The only value.
        case single
        /// Number of rows and sum of the first column.
        case sum
        /// All values, `|` between columns and `~` between rows.
        case rows
        /// Sum over the rows (value, count) of value · count · (count mod 97).
        case histogram
    }

    private struct Query {
        let question: String
        let name: String
        let form: Form
        let text: String
    }

    private struct Asked {
        let parameters: [String: Value]
        let answer: String
    }

    private var queries: [Query] = []
    private var asked: [String: [Asked]] = [:]
    private let rounds: Int
    private let nanosecondsMaximum: UInt64

    /// `QUERIES PARAMETERS ROUNDS SECONDS [NAME]`: files of lines `question name form text` and `question a b answer`,
    /// tabs between; the queries of that name or question only.
    init(_ arguments: [String]) throws {
        let only = arguments.count > 4 ? arguments[4].split(separator: ",").map(String.init) : nil
        for line in try CypherBench.lines(arguments[0]) {
            guard let form = Form(rawValue: line[2]) else { throw GraphError(.argumentError, "\(line[2]) is no form") }
            if let only, !only.contains(line[0]), !only.contains(line[1]) { continue }
            queries.append(Query(question: line[0], name: line[1], form: form, text: line[3]))
        }
        for line in try CypherBench.lines(arguments[1]) {
            var parameters: [String: Value] = ["a": .integer(Int64(line[1]) ?? 0)]
            if let second = Int64(line[2]), second != 0 { parameters["b"] = .integer(second) }
            asked[line[0], default: []].append(Asked(parameters: parameters, answer: line[3]))
        }
        rounds = Int(arguments[2]) ?? 3
        nanosecondsMaximum = UInt64((Double(arguments[3]) ?? 1) * 1e9)
    }

    func explain(_ directory: String) throws {
        let database = try GraphDatabase.open(directory)
        defer { database.close() }
        for query in queries {
            let plan: String = try database.query("EXPLAIN " + query.text, asked[query.question]?.first?.parameters ?? [:]).single()
            print("\(query.name): \(query.text)\n\(plan)\n")
        }
    }

    /// Asks each query with all its parameters, in rounds; queries take turns. Prints `name p50 p99 mean count wrong`,
    /// times in microseconds, of the round with the median p50.
    func run(_ directory: String) throws {
        let database = try GraphDatabase.open(directory)
        defer { database.close() }
        var results = [[[UInt64]]](repeating: [], count: queries.count)
        var wrong = [Int](repeating: 0, count: queries.count)
        var failed: Set<Int> = []
        for round in 0...rounds {
            for (index, query) in queries.enumerated() where !failed.contains(index) {
                var times: [UInt64] = []
                do { times = try ask(query, database, &wrong[index]) } catch {
                    print("# \(query.name): \(error)")
                    failed.insert(index)
                }
                // The first round warms up.
                if round > 0 { results[index].append(times.sorted()) }
            }
        }
        for (index, query) in queries.enumerated() {
            let sorted = results[index].sorted { percentile($0, 0.5) < percentile($1, 0.5) }
            guard !sorted.isEmpty else { continue }
            let times = sorted[sorted.count / 2]
            let mean = Double(times.reduce(0, +)) / Double(max(times.count, 1))
            print(
                query.name, percentile(times, 0.5) / 1000, percentile(times, 0.99) / 1000, mean / 1000, times.count,
                wrong[index])
        }
    }

    private func ask(_ query: Query, _ database: GraphDatabase, _ wrong: inout Int) throws -> [UInt64] {
        let list = asked[query.question] ?? []
        var times: [UInt64] = []
        times.reserveCapacity(list.count)
        // What the question before left in the caches is not this one's.
        for item in list.prefix(max(3, list.count / 10)) { _ = try database.query(query.text, item.parameters) }
        let end = monotonicNanoseconds() + nanosecondsMaximum
        for item in list {
            let before = monotonicNanoseconds()
            let result = try database.query(query.text, item.parameters)
            var consumed = 0
            for row in result.rows {
                for column in 0..<row.count where !row[column].isNull { consumed += 1 }
            }
            let after = monotonicNanoseconds()
            times.append(after - before)
            let answer = Self.answer(result, query.form)
            if answer != item.answer || consumed < 0 {
                wrong += 1
                if wrong == 1 { print("# \(query.name) \(item.parameters): \(answer), not \(item.answer)") }
            }
            if after > end { break }
        }
        return times
    }

    private static func answer(_ result: QueryResult, _ form: Form) -> String {
        switch form {
        case .single: return result.rows.first.map { text($0[0]) } ?? "-1"
        case .sum:
            var sum: Int64 = 0
            for row in result.rows { if case .integer(let number) = row[0] { sum += number } }
            return "\(result.rows.count),\(sum)"
        case .rows: return result.rows.map { $0.values.map(text).joined(separator: "|") }.joined(separator: "~")
        case .histogram:
            var sum: Int64 = 0
            for row in result.rows {
                if case .integer(let value) = row[0], case .integer(let count) = row[1] { sum += value * count * (count % 97) }
            }
            return "\(sum)"
        }
    }

    private static func text(_ value: Value) -> String {
        switch value {
        case .null: "null"
        case .integer(let number): "\(number)"
        case .string(let text): text.text
        default: value.kindName
        }
    }
}

/// The value below which a part of the sorted values lies.
func percentile(_ sorted: [UInt64], _ part: Double) -> Double {
    guard !sorted.isEmpty else { return 0 }
    return Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))])
}
