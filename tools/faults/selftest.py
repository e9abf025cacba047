"""Whether the checks see what they are there for, without any server."""
import itertools, random, types

from .history import OK, REFUSED, UNKNOWN, History, Operation
from .linearizability import explain
from .watch import Look, Watch

MEMBER = types.SimpleNamespace(number=1, incarnation=1)


def operation(kind, began, ended, result=None, outcome=OK, **arguments):
    made = Operation(kind, 1, arguments, MEMBER)
    made.began, made.ended, made.outcome, made.result = began, ended, outcome, result
    return made


def orders():
    """Histories of which it is known whether an order explains them."""
    yield "a read sees the write before it", True, [operation("set", 0, 1, 5, v=5), operation("get", 2, 3, 5)]
    yield "a read misses the write before it", False, [operation("set", 0, 1, 5, v=5), operation("get", 2, 3, 0)]
    yield "a read may miss a write beside it", True, [operation("set", 0, 3, 5, v=5), operation("get", 1, 2, 0)]
    yield "reads go back", False, [operation("set", 0, 9, 5, v=5), operation("get", 1, 2, 5), operation("get", 3, 4, 0)]
    yield "a refused write is seen", False, [operation("set", 0, 1, outcome=REFUSED, v=5), operation("get", 2, 3, 5)]
    yield "an unknown write is seen late", True, [operation("set", 0, 1, outcome=UNKNOWN, v=5), operation("get", 2, 3, 0),
                                                  operation("get", 4, 5, 5)]
    yield "an unknown write is seen and gone", False, [operation("set", 0, 1, outcome=UNKNOWN, v=5),
                                                       operation("get", 2, 3, 5), operation("get", 4, 5, 0)]
    yield "two swaps from one value", False, [operation("swap", 0, 2, 1, old=0, v=1), operation("swap", 1, 3, 2, old=0, v=2)]
    yield "swaps in a row", True, [operation("swap", 0, 5, 1, old=0, v=1), operation("swap", 0, 5, 2, old=1, v=2),
                                   operation("get", 6, 7, 2)]
    yield "a swap that should have hit", False, [operation("swap", 0, 1, None, old=0, v=1)]
    yield "an unknown write explains a missed swap", True, [
        operation("set", 0, 1, outcome=UNKNOWN, v=7), operation("swap", 2, 3, None, old=0, v=1), operation("set", 4, 5, 9, v=9),
        operation("get", 6, 7, 9)]
    yield "an acknowledged write is lost", False, [operation("set", 0, 1, 5, v=5), operation("set", 2, 3, 6, v=6),
                                                   operation("get", 4, 5, 5)]


def brute(operations):
    """The same by trying every order; for short histories without unknown outcomes."""
    for order in itertools.permutations(operations):
        if any(order[j].ended < order[i].began for i in range(len(order)) for j in range(i + 1, len(order))):
            continue
        value = 0
        for one in order:
            if one.kind == "get" and one.result != value:
                break
            if one.kind == "set":
                value = one.arguments["v"]
        else:
            return True
    return False


def agrees_with_brute(rounds=400):
    choose = random.Random(7)
    for _ in range(rounds):
        operations = []
        for number in range(choose.randint(1, 5)):
            began = choose.uniform(0, 10)
            ended = began + choose.uniform(0.1, 5)
            if choose.random() < 0.5:
                operations.append(operation("set", began, ended, number + 1, v=number + 1))
            else:
                operations.append(operation("get", began, ended, choose.randint(0, 4)))
        if (explain(operations) is None) != brute(operations):
            return False
    return True


def looks(*entries):
    """A watch that has seen (member, sent, received, epoch, is master, applied transaction, checksum)."""
    watch = Watch.__new__(Watch)
    watch.looks = {1: [], 2: []}
    for member, sent, received, epoch, is_master, transaction, checksum in entries:
        status = {"epoch": epoch, "master": is_master, "role": "", "readable": True,
                  "applied": {"tx": transaction, "epoch": 1, "checksum": checksum}}
        watch.looks[member].append(Look(member, 1, sent, received, status))
    return watch.violations()


def cases():
    for name, is_fine, operations in orders():
        yield name, (explain(operations) is None) == is_fine
    yield "the search agrees with trying every order", agrees_with_brute()
    yield "masters one after the other", not looks((1, 0, 1, 2, True, 5, "a"), (2, 3, 4, 3, True, 5, "a"))
    yield "two masters of one epoch", looks((1, 0, 1, 2, True, 5, "a"), (2, 3, 4, 2, True, 5, "a"))
    yield "an old master's claim after the new one's", looks((2, 0, 1, 3, True, 5, "a"), (1, 2, 3, 2, True, 5, "a"))
    yield "claims that may have been the other way round", not looks((2, 0, 3, 3, True, 5, "a"), (1, 2, 4, 2, True, 5, "a"))
    yield "an epoch goes back", looks((1, 0, 1, 3, False, 5, "a"), (1, 2, 3, 2, False, 5, "a"))
    yield "applied transactions go back", looks((1, 0, 1, 3, False, 5, "a"), (1, 2, 3, 3, False, 4, "b"))
    yield "two contents under one number", looks((1, 0, 1, 3, False, 5, "a"), (2, 2, 3, 3, False, 5, "b"))


def main():
    """Returns (passed, failed)."""
    outcomes = [(name, bool(holds)) for name, holds in cases()]
    for name, holds in outcomes:
        if not holds:
            print(f"cluster faults: the check of \"{name}\" is wrong")
    return sum(holds for _, holds in outcomes), sum(not holds for _, holds in outcomes)
