"""Clients: writers of marks, registers, counters, unique nodes and bank transfers, and readers, each a thread with a
member to talk to that changes now and then."""
import random, threading, time
from dataclasses import dataclass, field

from .client import Broken, Unreachable
from .cluster import wait_until
from .history import OK, REFUSED, UNKNOWN, History, Operation

ACCOUNTS, START_BALANCE, COUNTERS, REGISTERS, SESSIONS, NAMED_COUNTERS = 8, 100, 3, 400, 2, 2
# A register is left alone after so many operations, so that the search for an order stays short.
OPERATIONS_PER_REGISTER = 40

SET = "MATCH (n:R {key: {key}}) SET n.v = {v} RETURN n.v"
SWAP = "MATCH (n:R {key: {key}}) WHERE n.v = {old} SET n.v = {v} RETURN n.v"
GET = "MATCH (n:R {key: {key}}) RETURN n.v"
INCREMENT = "MATCH (n:Counter {key: {key}}) SET n.v = n.v + 1 RETURN n.v"
GET_COUNTER = "MATCH (n:Counter {key: {key}}) RETURN n.v"
TRANSFER = ("MATCH (a:Account {key: {a}}), (b:Account {key: {b}}) WHERE a.balance >= {amount} "
            "SET a.balance = a.balance - {amount}, b.balance = b.balance + {amount} RETURN a.balance")
TOTAL = "MATCH (a:Account) RETURN sum(a.balance), count(a)"
# The id of the node tells whether two clients got the same one.
UNIQUE = "MERGE (n:U {key: {key}}) RETURN id(n)"
MARK = "CREATE (n:W {key: {key}})"
LINEARIZABLE = {"X-HA-Read": "linearizable"}


def prepare(cluster):
    """Makes what the clients work on."""
    for query in ("CREATE CONSTRAINT ON (n:R) ASSERT n.key IS UNIQUE",
                  "CREATE CONSTRAINT ON (n:U) ASSERT n.key IS UNIQUE",
                  f"UNWIND range(0, {REGISTERS - 1}) AS k MERGE (n:R {{key: k}}) SET n.v = 0",
                  f"UNWIND range(0, {COUNTERS + SESSIONS + NAMED_COUNTERS - 1}) AS k MERGE (n:Counter {{key: k}}) SET n.v = 0",
                  f"UNWIND range(0, {ACCOUNTS - 1}) AS k MERGE (n:Account {{key: k}}) SET n.balance = {START_BALANCE}"):
        # On a busy machine a master may be lost without any fault.
        wait_until(f"this is done: {query}", lambda: _is_done(cluster, query), 60, 0.2)
    client = cluster.wait_for_master().client()
    # A constraint is in force a while after it has been made.
    wait_until("the constraints are in force", lambda: all(
        row[0] == "ONLINE" for row in client.cypher("SHOW INDEXES YIELD state RETURN state").rows))
    client.close()


def _is_done(cluster, query):
    client = cluster.wait_for_master().client()
    try:
        answer = client.cypher(query)
    except (Broken, Unreachable):
        return False
    finally:
        client.close()
    # The constraint may be there from a try whose answer got lost.
    return answer.status == 200 or b"has this name already" in answer.body


class Workload:
    """`pause` is the mean rest of a client between two requests, in seconds."""

    def __init__(self, cluster, seed, pause=0.012):
        self.cluster, self.pause = cluster, pause
        self.history = History()
        self.is_over, self.began = False, time.monotonic()
        self.current_register, self.register_uses = 0, 0
        self.unique_uses = 0
        self.lock = threading.Lock()
        self.next_value = 0
        self.master_hint = None
        clients = [self._marks, self._marks, self._registers, self._registers, self._registers, self._registers,
                   self._counters, self._counters, self._bank, self._bank, self._totals, self._unique, self._unique]
        clients += [lambda talk, index=index: self._session(talk, index) for index in range(SESSIONS)]
        clients += [self._named, self._named]
        self.threads = [threading.Thread(target=self._run, args=(client, random.Random(f"{seed}/{number}")), daemon=True)
                        for number, client in enumerate(clients)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.is_over = True
        for thread in self.threads:
            thread.join(30)
        stuck = [thread for thread in self.threads if thread.is_alive()]
        if stuck:
            self.history.violated(f"{len(stuck)} clients got no answer within 30 s of the end")

    def _run(self, client, randomness):
        talk = Talk(self, randomness)
        try:
            while not self.is_over:
                client(talk)
                time.sleep(randomness.uniform(0, 2 * self.pause))
        except Exception as error:
            self.history.violated(f"a client failed: {type(error).__name__} {error}")
        talk.end_named()
        talk.close()

    def value(self):
        with self.lock:
            self.next_value += 1
            return self.next_value

    # What each client does, over and over.

    def _marks(self, talk):
        talk.write("mark", self.value(), MARK, {"key": None}, talk.any_member())

    def _registers(self, talk):
        with self.lock:
            self.register_uses += 1
            if self.register_uses > OPERATIONS_PER_REGISTER:
                self.register_uses = 0
                self.current_register = (self.current_register + 1) % REGISTERS
            key = self.current_register
        choice = talk.randomness.random()
        if choice < 0.4:
            # Only the master may answer such a read.
            talk.read("get", key, GET, {"key": key}, talk.probable_master(), LINEARIZABLE)
        elif choice < 0.75:
            talk.write("set", key, SET, {"key": key, "v": self.value()}, talk.any_member())
        else:
            talk.write("swap", key, SWAP, {"key": key, "old": talk.last_seen.get(key, 0), "v": self.value()},
                       talk.probable_master(), LINEARIZABLE)

    def _unique(self, talk):
        with self.lock:
            self.unique_uses += 1
            key = self.unique_uses // 4
        talk.write("unique", key, UNIQUE, {"key": key}, talk.any_member())

    def _counters(self, talk):
        key = talk.randomness.randrange(COUNTERS)
        talk.write("increment", key, INCREMENT, {"key": key}, talk.any_member())

    def _bank(self, talk):
        a, b = talk.randomness.sample(range(ACCOUNTS), 2)
        talk.write("transfer", None, TRANSFER, {"a": a, "b": b, "amount": talk.randomness.randint(1, 20)}, talk.any_member())

    def _totals(self, talk):
        operation = talk.read("total", None, TOTAL, {}, talk.any_member(), {})
        if operation.outcome == OK and operation.result not in ((ACCOUNTS * START_BALANCE, ACCOUNTS), None):
            self.history.violated(f"member {operation.member} shows a total of {operation.result} in the bank, "
                                  f"{operation.began - self.began:.2f} s after the load began")

    def _named(self, talk):
        """Names its requests, and sends each one, a try at a time, until it is done: then it is done once."""
        if talk.named is None:
            if talk.randomness.random() < 0.5:
                key = self.value()
                talk.named = Named("mark", key, MARK, {"key": key}, f"mark-{key}")
            else:
                key = COUNTERS + SESSIONS + talk.randomness.randrange(NAMED_COUNTERS)
                talk.named = Named("named", key, INCREMENT, {"key": key}, f"named-{self.value()}")
        talk.try_named()

    def _session(self, talk, index):
        """Reads its own writes and never goes back, at whatever member, as long as it brings its bookmark."""
        key = COUNTERS + index
        written = talk.write("own", key, INCREMENT, {"key": key}, talk.any_member())
        if written.outcome == OK:
            talk.least = max(talk.least, written.result or 0)
            talk.bookmark = max(talk.bookmark, written.transaction)
        for _ in range(2):
            headers = {"X-HA-Tx": talk.bookmark} if talk.bookmark else {}
            read = talk.read("own-read", key, GET_COUNTER, {"key": key}, talk.any_member(), headers)
            if read.outcome == OK and talk.bookmark and (read.result or 0) < talk.least:
                self.history.violated(f"a session that wrote {talk.least} in transaction {talk.bookmark} read "
                                      f"{read.result} at member {read.member}")
        # Without a bookmark: one member alone never goes back while its process lives.
        plain = talk.read("plain-read", key, GET_COUNTER, {"key": key}, talk.any_member(), {})
        if plain.outcome == OK:
            place = (plain.member, plain.incarnation)
            if plain.result < talk.seen_at.get(place, 0):
                self.history.violated(f"member {plain.member} showed {talk.seen_at[place]} and later {plain.result}")
            talk.seen_at[place] = max(plain.result, talk.seen_at.get(place, 0))


@dataclass
class Named:
    """A request that is sent until it is done."""
    kind: str
    key: int
    query: str
    parameters: dict
    name: str
    began: float = field(default_factory=time.monotonic)
    was_unknown: bool = False
    operation: Operation = None


class Talk:
    """One client's connections, and what it knows."""

    def __init__(self, workload, randomness):
        self.workload, self.randomness = workload, randomness
        self.clients = {}
        self.last_seen, self.seen_at = {}, {}
        self.least = self.bookmark = 0
        self.favourite = self.named = None

    def close(self):
        for client in self.clients.values():
            client.close()

    def any_member(self):
        """Mostly the same member, now and then another."""
        if self.favourite is None or self.randomness.random() < 0.1:
            self.favourite = self.randomness.choice(self.workload.cluster.members)
        return self.favourite

    def probable_master(self):
        return self.workload.master_hint or self.any_member()

    def _ask(self, operation, member, query, parameters, headers):
        client = self.clients.get(member.number)
        if client is None:
            client = self.clients[member.number] = member.client()
        operation.began = time.monotonic()
        try:
            answer = client.cypher(query, parameters, headers)
        except Unreachable as error:
            operation.ended, operation.outcome, operation.note = time.monotonic(), REFUSED, str(error)
            self.favourite = None
            return operation
        except Broken as error:
            operation.ended, operation.outcome, operation.note = time.monotonic(), UNKNOWN, str(error)
            self.favourite = None
            return operation
        operation.ended = time.monotonic()
        operation.epoch, operation.transaction = answer.epoch, answer.transaction
        if "x-request-replayed" in answer.headers:
            operation.outcome = OK
            self.workload.history.count(f"{operation.kind} done before")
        elif answer.status == 200:
            operation.outcome = OK
            rows = answer.rows
            if rows:
                operation.result = rows[0][0] if len(rows[0]) == 1 else tuple(rows[0])
        else:
            operation.outcome = REFUSED if answer.status in (503, 409, 404) else UNKNOWN
            operation.note = f"{answer.status} {answer.code}"
            self.workload.history.count(f"{operation.kind} {operation.note}")
            self.favourite = None
            if answer.status not in (503, 504):
                self.workload.history.violated(f"a {operation.kind} at {member.name} was answered with "
                                               f"{answer.status}: {answer.body[:200]!r}")
        return operation

    def _after(self, operation, member):
        if operation.outcome == OK:
            if operation.kind in ("get", "swap"):
                self.workload.master_hint = member
        else:
            if self.workload.master_hint is member:
                self.workload.master_hint = None
            time.sleep(0.01)
        self.workload.history.add(operation)
        return operation

    def write(self, kind, key, query, parameters, member, headers=None):
        if parameters.get("key", 0) is None:
            parameters["key"] = key
        operation = Operation(kind, key, parameters, member)
        self._ask(operation, member, query, parameters, headers)
        if operation.kind in ("set", "swap") and operation.outcome == OK and operation.result is not None:
            self.last_seen[key] = operation.result
        return self._after(operation, member)

    def try_named(self):
        """At any member, under the request's name; it is over once it is done."""
        named, member = self.named, self.any_member()
        named.operation = Operation(named.kind, named.key, named.parameters, member)
        self._ask(named.operation, member, named.query, named.parameters, {"X-Request-Id": named.name})
        named.was_unknown = named.was_unknown or named.operation.outcome == UNKNOWN
        if named.operation.outcome == OK:
            self.end_named()

    def end_named(self):
        """Refused is only what was never unknown."""
        if self.named is None:
            return
        operation = self.named.operation
        operation.began = self.named.began
        if operation.outcome == REFUSED and self.named.was_unknown:
            operation.outcome = UNKNOWN
        self.named = None
        self.workload.history.add(operation)

    def read(self, kind, key, query, parameters, member, headers):
        operation = Operation(kind, key, parameters, member)
        self._ask(operation, member, query, parameters, headers)
        if kind == "get" and operation.outcome == OK:
            self.last_seen[key] = operation.result
        return self._after(operation, member)
