import JSON
import RESTServer
import Testing

/// The server's description of itself.
@Suite struct DescriptionTests {
    @Test func everyOperationIsDescribedAndEveryReferenceLeadsSomewhere() async throws {
        try await withService(try FakePipeline(masterStatus())) { client, service async throws in
            #expect(service.undescribedOperations == [])
            let reply = try await client.get("/openapi.json")
            #expect(reply.status == 200 && reply["content-type"] == "application/json")
            guard case .map(let document) = try JSONParser.parse(reply.body), case .map(let paths)? = document["paths"],
                case .map(let components)? = document["components"], case .map(let schemas)? = components["schemas"]
            else {
                Issue.record("not an OpenAPI document: \(reply.text.prefix(200))")
                return
            }
            #expect(paths.entries.count > 40)
            var rest = reply.text[...]
            var referenceCount = 0
            while let start = rest.firstRange(of: "\"#/components/schemas/") {
                rest = rest[start.upperBound...]
                let name = String(rest.prefix { $0 != "\"" })
                #expect(schemas[name] != nil, "\(name)")
                referenceCount += 1
            }
            #expect(referenceCount > 100)
        }
    }
}
