"""bulbs' own tests, against MARTLET_URL."""
import os
import random
import re

import bulbs.groovy
import requests

# Its reader of Gremlin scripts builds this expression out of parts of Python 2's `re` that were never public.
for item in vars(bulbs.groovy).values():
    if hasattr(item, "_get_group_pattern"):
        item._get_group_pattern = lambda self, flags: re.compile("|".join("(%s)" % phrase for phrase, _ in self.lexicon), flags)

import bulbs.neo4jserver

bulbs.neo4jserver.NEO4J_URI = os.environ["NEO4J_URL"]

from bulbs.neo4jserver.tests import bulbs_tests as _setup
from bulbs.tests.element_tests import EdgeProxyTestCase, VertexProxyTestCase, VertexTestCase  # noqa: F401
from bulbs.tests.graph_tests import GraphTestCase  # noqa: F401
from bulbs.tests.gremlin_tests import GremlinTestCase  # noqa: F401
from bulbs.tests.index_tests import IndexTestCase  # noqa: F401
from bulbs.tests.model_tests import NodeTestCase, RelationshipTestCase  # noqa: F401

# Its tests of indexes begin by dropping these, and of Gremlin with more than five nodes.
for kind, name in (("node", "test_idxV"), ("relationship", "test_idxE")):
    requests.post(os.environ["NEO4J_URL"] + "index/" + kind, json={"name": name}).raise_for_status()
for _ in range(8):
    requests.post(os.environ["NEO4J_URL"] + "node", json={}).raise_for_status()


class OwnUseTestCase(_setup.BulbsTestCase):
    """What its own tests leave out: queries of indexes, Cypher, batches."""

    def setUp(self):
        self.graph = _setup.Graph(_setup.config)

    def test_index_query(self):
        # The suite runs more than once against one cluster.
        mark = "run%d" % random.randrange(1 << 30)
        self.graph.vertices.create(name=mark + "Thomas", role="chosen" + mark)
        self.graph.vertices.create(name=mark + "Trinity", role="pilot" + mark)
        index = self.graph.vertices.index
        found = sorted(vertex.name for vertex in index.query("name", mark + "T*") or [])
        assert found == [mark + "Thomas", mark + "Trinity"], found
        assert index.get_unique("role", "pilot" + mark).name == mark + "Trinity"

    def test_cypher(self):
        one, other = self.graph.vertices.create(name="a"), self.graph.vertices.create(name="b")
        edge = self.graph.edges.create(one, "knows", other, {"since": 1999})
        rows = self.graph.cypher.table("START n=node({id}) MATCH n-[r]->m RETURN m.name, r.since", {"id": one._id})
        assert rows[1] == [["b", 1999]], rows
        found = list(self.graph.cypher.query("START r=relationship({id}) RETURN r", {"id": edge._id}))
        assert [each._id for each in found] == [edge._id]

    def test_batch(self):
        from bulbs.neo4jserver.batch import Neo4jBatchClient
        # Indexed vertices are made by scripts, whose results other jobs cannot refer to.
        config = _setup.Config(os.environ["NEO4J_URL"])
        config.autoindex = False
        batch = Neo4jBatchClient(config)
        first = batch.create_vertex({"name": "first"})
        second = batch.create_vertex({"name": "second"})
        batch.request.post(first + "/relationships", {"to": second, "type": "next"})
        # Its own `send` only adds one more message.
        response = self.graph.client.request.post("batch", batch.get_messages())
        bodies = [result["body"] for result in response.content]
        assert [body["data"] for body in bodies] == [{"name": "first"}, {"name": "second"}, {}]
        assert bodies[2]["start"] == bodies[0]["self"] and bodies[2]["end"] == bodies[1]["self"]
