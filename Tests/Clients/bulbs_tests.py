"""bulbs' own tests, against MARTLET_URL."""
import os
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
from bulbs.tests import EdgeProxyTestCase, GraphTestCase, GremlinTestCase, IndexTestCase, NodeTestCase, RelationshipTestCase  # noqa: F401
from bulbs.tests import VertexProxyTestCase, VertexTestCase  # noqa: F401

# Its tests of indexes begin by dropping these, and of Gremlin with more than five nodes.
for kind, name in (("node", "test_idxV"), ("relationship", "test_idxE")):
    requests.post(os.environ["NEO4J_URL"] + "index/" + kind, json={"name": name}).raise_for_status()
for _ in range(8):
    requests.post(os.environ["NEO4J_URL"] + "node", json={}).raise_for_status()
