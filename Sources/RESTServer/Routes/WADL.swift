internal import GraphModel
internal import HTTPTypes

/// 18.16: the route table in the Web Application Description Language. For tools that want it; OpenAPI says more.
enum WADL {
    static let path = "/db/data/application.wadl"
    private static let namespace = "http://wadl.dev.java.net/2009/02"

    /// Adds the document, which has what is in the table by then.
    static func add(to table: inout RouteTable, isEnabled: Bool) {
        guard isEnabled else {
            return table.add(path, isStatus: true, [
                (.get, .own { _ throws(GraphError) in
                    throw GraphError(
                        .noSuchResource,
                        "this server generates no WADL: set unsupported_wadl_generation_enabled=true, or use /openapi.json")
                })
            ])
        }
        let resources = text(table.resources)
        table.add(path, isStatus: true, [
            (.get, .own { call in
                let document = """
                    <?xml version="1.0" encoding="UTF-8" standalone="yes"?>
                    <application xmlns="\(namespace)" xmlns:xs="http://www.w3.org/2001/XMLSchema">
                    <resources base="\(escaped(call.base.text))/">
                    \(resources)
                    </resources>
                    </application>

                    """
                return Answer(.ok, .wadl, .bytes(Array(document.utf8)))
            })
        ])
    }

    private static func text(_ resources: [Resource]) -> String {
        resources.map { resource in
            var lines = ["<resource path=\"\(escaped(String(resource.pattern.dropFirst())))\">"]
            for segment in resource.pattern.split(separator: "/") where segment.hasPrefix("{") {
                lines.append(
                    "<param name=\"\(escaped(String(segment.dropFirst().dropLast())))\" style=\"template\" type=\"xs:string\"/>")
            }
            for (method, _) in resource.handlers {
                let takesBody = method == .post || method == .put
                let representation = "<representation mediaType=\"application/json\"/>"
                let request = takesBody ? "<request>\(representation)</request>" : ""
                lines.append(
                    "<method name=\"\(method.rawValue)\">\(request)<response>\(representation)</response></method>")
            }
            return (lines + ["</resource>"]).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
    }
}
