"""What must hold after the faults have ended and every client has been told something."""
import json, subprocess

from . import workload as work
from .cluster import NotInTime, wait_until
from .history import OK, REFUSED, UNKNOWN, Operation
from .linearizability import explain


def settle(cluster, seconds=60):
    """Waits until every member has applied the same; returns that transaction."""
    cluster.wait_until_whole(seconds)
    seen = []

    def equal():
        seen[:] = [status["applied"]["tx"] if status else -1 for status in cluster.statuses()]
        return seen[0] >= 0 and len(set(seen)) == 1
    try:
        wait_until("all members have applied the same", equal, seconds)
    except NotInTime as error:
        raise NotInTime(f"{error}: {seen}") from None
    return seen[0]


def _rows(member, query):
    client = member.client(timeout=20)
    try:
        answer = client.cypher(query)
        if answer.status != 200:
            raise NotInTime(f"{member.name} answered a read after the faults with {answer.status} {answer.body[:200]!r}")
        return answer.rows
    finally:
        client.close()


def check_contents(cluster, history, may_lose=False):
    """Acknowledged writes are on every member, refused ones on none, and sums are right. `may_lose`: commits are
    optimistic, and only what no member may ever show is looked for."""
    found = []
    for member in cluster.members:
        found += [f"{member.name}: {text}" for text in _check_sums(member, history)]
        if not may_lose:
            found += [f"{member.name}: {text}" for text in _check_acknowledged(member, history)]
    return found


def _check_sums(member, history):
    found = []
    rows = [row[0] for row in _rows(member, "MATCH (n:W) RETURN n.key")]
    if len(rows) != len(set(rows)):
        found.append(f"{len(rows) - len(set(rows))} marks are there twice")
    refused = [one for one in history.of("mark") if one.outcome == REFUSED and one.key in set(rows)]
    if refused:
        found.append(f"{len(refused)} refused marks are there: " + ", ".join(_where(one) for one in refused[:3]))
    keys = [row[0] for row in _rows(member, "MATCH (n:U) RETURN n.key")]
    if len(keys) != len(set(keys)):
        found.append(f"{len(keys) - len(set(keys))} unique nodes are there twice")
    total, accounts = _rows(member, work.TOTAL)[0]
    if (total, accounts) != (work.ACCOUNTS * work.START_BALANCE, work.ACCOUNTS):
        found.append(f"the bank holds {total} in {accounts} accounts")
    return found


def _check_acknowledged(member, history):
    found = []
    there = {row[0] for row in _rows(member, "MATCH (n:W) RETURN n.key")}
    missing = [one for one in history.of("mark") if one.outcome == OK and one.key not in there]
    if missing:
        found.append(f"LOST {len(missing)} acknowledged marks: " + ", ".join(_where(one) for one in missing[:3]))
    nodes = dict(_rows(member, "MATCH (n:U) RETURN n.key, id(n)"))
    others = [one for one in history.of("unique") if one.outcome == OK and nodes.get(one.key) != one.result]
    if others:
        found.append(f"{len(others)} times a client got another unique node than is there now: key {others[0].key} was node "
                     f"{others[0].result}, is {nodes.get(others[0].key)}")
    counters = dict(_rows(member, "MATCH (n:Counter) RETURN n.key, n.v"))
    for key, value in counters.items():
        operations = [one for one in history.of("increment", "own", "named") if one.key == key]
        certain = [one for one in operations if one.outcome == OK]
        possible = len(certain) + sum(one.outcome == UNKNOWN for one in operations)
        if not len(certain) <= value <= possible:
            found.append(f"counter {key} is {value} after {len(certain)} to {possible} increments")
        # What is answered for a request that was done before has no result.
        results = [one.result for one in certain if one.result is not None]
        if len(results) != len(set(results)):
            twice = next(one for one in certain if results.count(one.result) > 1)
            found.append(f"two increments of counter {key} were both told {twice.result}")
    return found


def _where(operation):
    return (f"{operation.key} (member {operation.member}, epoch {operation.epoch}, tx {operation.transaction}, "
            f"{operation.note or operation.outcome})")


def check_registers(cluster, history):
    """The answers about each register can be put in an order; what every member holds now comes last."""
    keys = {}
    for operation in history.of("get", "set", "swap"):
        keys.setdefault(operation.key, []).append(operation)
    found = []
    for member in cluster.members:
        values = dict(_rows(member, "MATCH (n:R) RETURN n.key, n.v"))
        for key, operations in keys.items():
            last = Operation("get", key, {}, member)
            last.ended, last.outcome, last.result = last.began + 1e-6, OK, values[key]
            operations.append(last)
    count = 0
    for key, operations in keys.items():
        trouble = explain(operations)
        if trouble:
            count += 1
            if count <= 2:
                found.append(f"register {key} is not linearizable: {trouble}")
    if count > 2:
        found.append(f"{count - 2} more registers are not linearizable")
    return found


def check_stores(cluster):
    """Of a cluster that has been stopped: every store is sound, and the graphs are equal."""
    found, sums = [], {}
    for member in cluster.members:
        outcome = subprocess.run([cluster.program, "check", member.store, "--json"], capture_output=True, text=True,
                                 timeout=60)
        if outcome.returncode != 0:
            found.append(f"{member.name}: martlet check: {outcome.returncode} {outcome.stdout[-300:]} {outcome.stderr[-300:]}")
            continue
        report = json.loads(outcome.stdout)
        # Positions may differ by the beginning of an epoch, when a switchover was the last thing that happened.
        sums[member.name] = report["graph_checksum"]
    if len(set(sums.values())) > 1:
        found.append(f"the stores differ: {sums}")
    return found


def check_logs(cluster, allow_end=(), may_branch=False):
    """From the members' own words: one master an epoch, no branches, no error but those that a fault explains."""
    found, masters = [], {}
    for member in cluster.members:
        for line in member.log_lines():
            if "server: master of epoch " in line:
                epoch = line.split("master of epoch ")[1].split()[0].rstrip(",")
                masters.setdefault(epoch, set()).add(member.number)
            elif "BRANCHED" in line:
                if not may_branch:
                    found.append(f"{member.name}: {line}")
            elif "OutcomeUnknown" in line:
                continue  # what the client was told, for the operator
            elif " error " in line[:36] or " critical" in line[:36] or "Fatal error" in line or "SIGILL" in line:
                if not any(text in line for text in allow_end):
                    found.append(f"{member.name}: {line[:300]}")
    found += [f"epoch {epoch} had the masters {sorted(members)}" for epoch, members in masters.items() if len(members) > 1]
    return found


def epochs(cluster):
    count = 0
    for member in cluster.members:
        count += sum("server: master of epoch " in line for line in member.log_lines())
    return count
