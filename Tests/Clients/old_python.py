"""Names that Python had when the client libraries were written. The libraries themselves are run as they were published."""
import collections
import collections.abc
import sre_parse

for name in ("Callable", "Iterable", "Mapping", "MutableMapping", "Sequence"):
    setattr(collections, name, getattr(collections.abc, name))


class Pattern(sre_parse.State):
    """The parser's state under its old name, when the number of groups could be set."""
    groups = 0


if not hasattr(sre_parse, "Pattern"):
    sre_parse.Pattern = Pattern
