import GraphModel
import ServerRuntime
import Testing

@Suite struct ScriptDocumentsTests {
    private let documents = ScriptDocuments(allowed: ["docs.example", "10.0.0.1:8080", "[::1]:80"])

    @Test(arguments: [
        ("http://docs.example/a/b.xml?x=1#part", "docs.example:80", "/a/b.xml?x=1"), ("http://DOCS.example:99", "DOCS.example:99", "/"),
        ("http://10.0.0.1:8080/", "10.0.0.1:8080", "/"), ("http://[::1]/x", "[::1]:80", "/x"),
    ])
    func whatIsNamedMayBeLoaded(_ address: String, _ server: String, _ path: String) throws {
        let target = try documents.target(of: address)
        #expect(target.server == server && target.path == path)
    }

    @Test(arguments: [
        "http://docs.example.evil.com/", "http://evil.com/docs.example", "http://docs.example@evil.com/", "http://evil.com\\@docs.example/",
        "http://10.0.0.1/", "http://10.0.0.1:8081/", "https://docs.example/", "file:///etc/passwd", "docs.example", "http://", "http://:80/",
        "http://docs.example/a b", "http://docs.example/\r\nX: y", "http://docs.example?x", "http://docs.example:0x50/", "",
    ])
    func nothingElse(_ address: String) {
        let error = #expect(throws: GraphError.self) { try documents.target(of: address) }
        #expect(error?.code == .scriptFailure)
    }
}
