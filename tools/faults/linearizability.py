"""Whether the operations on one register can be put in an order that explains every answer: the search of Wing and
Gong, with Lowe's memory of the states that were tried in vain."""
from .history import OK, REFUSED, UNKNOWN


def explain(operations, start=0):
    """None when there is such an order, otherwise a text with the operations for which there is none."""
    steps = _steps(operations)
    return None if _is_linearizable(steps, start) else _describe(steps)


def _steps(operations):
    """(began, ended, kind, old, new): ended is infinite, and the step may be left out, when its outcome is unknown."""
    observed, misses = set(), False
    for operation in operations:
        if operation.outcome == OK and operation.result is not None:
            observed.add(operation.result)
        if operation.kind == "swap":
            observed.add(operation.arguments["old"])
            misses = misses or operation.outcome == OK and operation.result is None
    steps = []
    for operation in operations:
        if operation.outcome == REFUSED:
            continue
        new, old = operation.arguments.get("v"), operation.arguments.get("old")
        if operation.outcome == UNKNOWN:
            # What nobody saw may as well never have happened, unless it is why somebody missed a value.
            if operation.kind != "get" and (new in observed or misses):
                steps.append((operation.began, float("inf"), operation.kind, old, new))
        elif operation.kind == "get":
            steps.append((operation.began, operation.ended, "get", operation.result, None))
        elif operation.kind == "set":
            steps.append((operation.began, operation.ended, "set", None, new))
        elif operation.result is None:
            steps.append((operation.began, operation.ended, "miss", old, None))
        else:
            steps.append((operation.began, operation.ended, "swap", old, new))
    return sorted(steps, key=lambda step: step[0])


def _is_linearizable(steps, start):
    count = len(steps)
    certain = sum(1 << index for index, step in enumerate(steps) if step[1] != float("inf"))
    tried = set()
    stack = [(0, start)]
    while stack:
        done, value = stack.pop()
        if done & certain == certain:
            return True
        if (done, value) in tried:
            continue
        tried.add((done, value))
        # A step may come next when no other open step ended before it began.
        deadline = min(steps[index][1] for index in range(count) if not done >> index & 1)
        for index in range(count):
            if done >> index & 1:
                continue
            began, _, kind, old, new = steps[index]
            if began > deadline:
                break
            if kind == "set":
                stack.append((done | 1 << index, new))
            elif kind == "swap" and old == value:
                stack.append((done | 1 << index, new))
            elif (kind == "get" and old == value) or (kind == "miss" and old != value):
                stack.append((done | 1 << index, value))
    return False


def _describe(steps):
    origin = steps[0][0]
    lines = []
    for began, ended, kind, old, new in steps:
        until = "?" if ended == float("inf") else f"{ended - origin:.4f}"
        what = {"get": f"read {old}", "set": f"set {new}", "miss": f"no swap from {old}"}.get(kind, f"swap {old} to {new}")
        lines.append(f"{began - origin:.4f}..{until} {what}")
    return "; ".join(lines)
