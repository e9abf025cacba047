/// What the API's description says of one method of one resource, beside what its path says.
struct APIOperation: Sendable {
    struct Query: Sendable {
        let name: String
        let meaning: String
        /// A schema in JSON.
        let schema: String
        let isRequired: Bool

        init(_ name: String, _ meaning: String, schema: String = #"{"type": "string"}"#, isRequired: Bool = false) {
            self.name = name
            self.meaning = meaning
            self.schema = schema
            self.isRequired = isRequired
        }
    }

    struct Body: Sendable {
        /// A name of ``APISchemas``.
        let schema: String
        let isRequired: Bool
    }

    let summary: String
    let query: [Query]
    let body: Body?
    /// By status, with the name of a schema of ``APISchemas`` where there is a body. What can go wrong is left out: every
    /// operation may answer 4XX, and 503 while the database cannot serve it.
    let answers: [Answer]

    struct Answer: Sendable {
        let status: Int
        let schema: String?
        var mediaType = "application/json"

        static func json(_ schema: String, _ status: Int = 200) -> Answer { Answer(status: status, schema: schema) }
        static func text(_ status: Int, _ mediaType: String = "text/plain") -> Answer {
            Answer(status: status, schema: "Text", mediaType: mediaType)
        }
        static func empty(_ status: Int = 204) -> Answer { Answer(status: status, schema: nil) }
    }

    init(_ summary: String, query: [Query] = [], body: String? = nil, needsBody: Bool = true, _ answers: Answer...) {
        self.summary = summary
        self.query = query
        self.body = body.map { Body(schema: $0, isRequired: needsBody) }
        self.answers = answers
    }
}
