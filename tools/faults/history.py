"""What clients asked for and what they were told."""
import threading, time

OK, REFUSED, UNKNOWN = "ok", "refused", "unknown"


class Operation:
    """One request: `outcome` is OK, REFUSED (nothing was applied, says the server) or UNKNOWN."""
    __slots__ = ("kind", "key", "arguments", "member", "began", "ended", "outcome", "result", "transaction", "epoch",
                 "incarnation", "note")

    def __init__(self, kind, key, arguments, member):
        self.kind, self.key, self.arguments = kind, key, arguments
        self.member, self.incarnation = member.number, member.incarnation
        self.began, self.ended = time.monotonic(), None
        self.outcome, self.result, self.transaction, self.epoch, self.note = None, None, 0, 0, ""


class History:
    def __init__(self):
        self.operations = []
        self.lock = threading.Lock()
        # Observations that no later check needs the details of: monotonic reads, totals.
        self.violations = []
        self.counts = {}

    def add(self, operation):
        with self.lock:
            self.operations.append(operation)

    def violated(self, text):
        with self.lock:
            self.violations.append(text)

    def count(self, name):
        with self.lock:
            self.counts[name] = self.counts.get(name, 0) + 1

    def of(self, *kinds):
        return [operation for operation in self.operations if operation.kind in kinds]

    def totals(self):
        found = {OK: 0, REFUSED: 0, UNKNOWN: 0}
        for operation in self.operations:
            found[operation.outcome] += 1
        return found
