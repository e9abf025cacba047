"""The closing lines, and everything as JSON."""
import json, statistics


def summarise(outcomes, path=None):
    """Prints one closing line, and returns how many schedules violated something."""
    violated = [outcome for outcome in outcomes if not outcome.holds]
    kinds = {}
    for outcome in outcomes:
        for kind in outcome.kinds:
            kinds[kind] = kinds.get(kind, 0) + 1
    total = {word: sum(outcome.totals.get(word, 0) for outcome in outcomes) for word in ("ok", "refused", "unknown")}
    print("schedules with " + ", ".join(f"{kind}: {count}" for kind, count in sorted(kinds.items())))
    print(f"{len(outcomes)} schedules, {len(outcomes) - len(violated)} hold, {len(violated)} violated"
          + (f" (seeds {', '.join(str(outcome.seed) for outcome in violated)})" if violated else "")
          + f"; {total['ok']} operations acknowledged, {total['refused']} refused, {total['unknown']} unknown, "
          f"{sum(outcome.epochs for outcome in outcomes)} masters")
    if path:
        with open(path, "w") as file:
            json.dump([vars(outcome) for outcome in outcomes], file, indent=1)
    return len(violated)


def spread(values):
    """median, 95th percentile and maximum, in milliseconds, as text."""
    values = sorted(values)
    late = values[min(len(values) - 1, int(0.95 * len(values)))]
    return (f"median {statistics.median(values) * 1000:.0f} ms, p95 {late * 1000:.0f} ms, "
            f"max {values[-1] * 1000:.0f} ms")
