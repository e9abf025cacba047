import GraphModel
import Gremlin
import Testing

@Suite struct GraphMLTests {
    private static let address = "http://docs/graph.xml"
    private static let load = "g.loadGraphML('\(address)'); "

    private func run(_ script: String, _ document: String, in graph: TestGraph) throws(GraphError) -> String {
        try graph.run(script, documents: [Self.address: Array(document.utf8)])
    }

    private static func document(keys: String = "", _ content: String) -> String {
        "<graphml><key id=\"n\" for=\"node\" attr.name=\"name\" attr.type=\"string\"/>\(keys)<graph>\(content)</graph></graphml>"
    }

    /// 18.18.2: the manual's document.
    @Test func theManualsGraphIsLoaded() throws {
        let graph = try TestGraph()
        let document = """
            <?xml version="1.0" ?><graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="name" for="node" \
            attr.name="name" attr.type="string"></key><graph id="G" edgedefault="directed"><node id="1"><data \
            key="name">you</data></node><node id="2"><data key="name">him</data></node><node id="3"><data key="name">I</data>\
            </node><edge id="1" source="3" target="1" label="know"></edge><edge id="2" source="3" target="2" label="know">\
            </edge></graph></graphml>
            """
        #expect(try run(Self.load + "g.V.has('name', 'I').out('know').name.toList().sort()", document, in: graph) == #"["him", "you"]"#)
    }

    @Test func whatIsWrittenCanBeLoaded() throws {
        let write = "out = new ByteArrayOutputStream(); new GraphMLWriter(g).outputGraph(out); out.toString()"
        let first = try TestGraph.tinker()
        _ = try first.run("g.v(0).note = 'a<b>&\"c\" \\u00e9\\n'; g.v(0).ok = true; null")
        let counts = "[g.V.count(), g.E.count(), g.V.filter{ it.age != null }.age.sum(), g.E.weight.max(), g.v(0).note, g.v(0).ok]"
        let expected = try first.run(counts)
        var output = try first.run(write)
        output = String(output.dropFirst().dropLast())
        let second = try TestGraph()
        _ = try run(Self.load + "null", output, in: second)
        #expect(try second.run(counts) == expected)
    }

    @Test func valuesHaveTheTypesOfTheirKeys() throws {
        let keys = ["boolean", "int", "long", "float", "double"].map {
            "<key id=\"\($0)\" for=\"node\" attr.name=\"\($0)\" attr.type=\"\($0)\"><default>\($0 == "boolean" ? "true" : "7")</default></key>"
        }.joined()
        let document = Self.document(
            keys: keys,
            """
            <!-- <node> --><desc>of two</desc>
            <edge source="b" target="a" label="x&#x41;&amp;"/>
            <node id='a'><data key="int"> -3 </data><data key="double">2.5</data><data key="boolean">False</data></node>
            <node id="b"><data key="n"><![CDATA[<&]]>&lt;</data></node>
            """)
        let graph = try TestGraph()
        let script = "a = g.v(0); [a.int, a.double, a.boolean, a.long, g.v(1).name, g.v(1).outE.label.next()]"
        #expect(try run(Self.load + script, document, in: graph) == #"[-3, 2.5, false, 7, "<&<", "xA&"]"#)
    }

    @Test(arguments: [
        ("", "there is no element"), ("<graphml>", "is not closed"), ("<graph/>", "not <graphml>"), ("<graphml/>x", "text outside"),
        ("<graphml/><graphml/>", "after the first"), ("<graphml></graph>", "closes"), ("<graphml a='1' a='2'/>", "twice"),
        ("<graphml a=1/>", "not in quotes"), ("<!DOCTYPE x [<!ENTITY a 'b'>]><graphml/>", "document types"),
        ("<graphml>&a;</graphml>", "not known"), ("<graphml>& </graphml>", "no entity"), ("<graphml><!-- </graphml>", "has no end"),
        (String(repeating: "<graphml>", count: 65), "one inside the other"),
        (document("<node/>"), "without \"id\""), (document("<node id='1'/><node id='1'/>"), "there twice"),
        (document("<node id='1'><data key='x'>1</data></node>"), "declares"),
        (document("<node id='1'><graph/></node>"), "cannot be kept"), (document("<hyperedge/>"), "hyperedges"),
        (document("<node id='1'/><edge source='1' target='2' label='x'/>"), "ends at the node \"2\""),
        (document("<node id='1'/><edge source='1' target='1'/>"), "without \"label\""),
        (document(keys: "<key id='i' for='node' attr.name='i' attr.type='int'/>", "<node id='1'><data key='i'>a</data></node>"), "is no int"),
        (document(keys: "<key id='i' for='node' attr.name='i' attr.type='date'/>", "<node id='1'><data key='i'>a</data></node>"), "no type"),
    ])
    func badDocumentsAreRefused(_ document: String, _ why: String) throws {
        let graph = try TestGraph()
        let error = #expect(throws: GraphError.self) { try run(Self.load, document, in: graph) }
        #expect(error?.code == .scriptFailure && error?.message.contains(why) == true, "\(String(describing: error))")
        #expect(try graph.run("g.V.count()") == "0")
    }

    @Test func onlyWhatStandsInTheScriptIsLoaded() throws {
        #expect(try GremlinScript("g.loadGraphML('a'); [1].each{ g.loadGraphML('b') }; g.loadGraphML(x); g.loadGraphML(\"c${x}\")").documents == ["a", "b"])
        let graph = try TestGraph()
        let error = #expect(throws: GraphError.self) {
            try graph.run("g.loadGraphML(x)", [("x", .string("http://other/"))], documents: [Self.address: []])
        }
        #expect(error?.message.contains("must stand in the script") == true)
    }
}
