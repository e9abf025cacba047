"""The seven short reads on the small social network with messages (W11), Martlet and SQLite in turns; for `bench_cypher`.

Data, questions, parameters and reference answers are those of `snb.py` of the shared benchmarks, whose SQLite driver is
the peer. It is not a benchmark result of the data's authors: dates and contents of messages are made up.
"""
import csv
import json
import os
import statistics
import subprocess
import sys
import time

TITLES = {
    "IS1": "a person and the city", "IS2": "ten newest messages of a person with their first posts",
    "IS3": "friends by date", "IS4": "a message", "IS5": "its author", "IS6": "its forum and moderator",
    "IS7": "its replies, their authors, whether these know each other",
}


def peer(bench):
    """The module with the questions and the SQLite driver."""
    sys.path.insert(0, bench)
    import snb
    return snb


def text(value):
    return "null" if value is None else str(value)


def answer(rows):
    return "~".join("|".join(text(value) for value in row) for row in rows)


def prepare(bench, directory, work):
    """Data, reference answers, and the files that the program reads; gives the reference answers."""
    snb = peer(bench)
    if not os.path.exists(f"{directory}/queries.json"):
        subprocess.run([sys.executable, os.path.join(bench, "snb.py"), "prepare", directory], check=True,
                       stdout=subprocess.DEVNULL)
    answers = json.load(open(f"{directory}/queries.json"))
    os.makedirs(work, exist_ok=True)
    specification = []

    for label, keys in snb.NODES.items():
        # The number stands in the file twice: once for the relationships, once as a property with a type.
        path = f"{work}/{label.lower()}.csv"
        with open(f"{directory}/{label.lower()}.csv", newline="") as source, open(path, "w", newline="") as target:
            rows, out = csv.reader(source), csv.writer(target)
            next(rows)
            out.writerow([f":ID({label})"] + [key + (":long" if key in snb.INTS else "") for key in keys])
            out.writerows([row[0]] + row for row in rows)
        specification.append(f"node\t{label}\t{path}")
        specification.append(f"unique\t{label}\tid")
    for name, start, end, file in snb.RELS:
        path = f"{work}/{file}.csv"
        with open(f"{directory}/{file}.csv") as source, open(path, "w") as target:
            next(source)
            properties = ",creationDate:long" if name == "KNOWS" else ""
            target.write(f":START_ID({start}),:END_ID({end}){properties}\n")
            target.writelines(source)
        specification.append(f"relationship\t{name}\t{path}")
    with open(f"{work}/import", "w") as file:
        file.write("\n".join(specification) + "\n")
    with open(f"{work}/queries", "w") as file:
        for name in TITLES:
            file.write(f"{name}\t{name}\trows\t{snb.CY[name]}\n")
    with open(f"{work}/parameters", "w") as file:
        for name in TITLES:
            for parameter, rows in answers[name]:
                file.write(f"{name}\t{parameter}\t0\t{answer(rows)}\n")
    return answers


def sqlite_round(ask, answers, seconds):
    found = {}
    for name in TITLES:
        items = answers[name]
        for parameter, _ in items[:30]:
            ask(name, parameter)
        times, stop = [], time.perf_counter() + seconds
        for parameter, expected in items:
            before = time.perf_counter_ns()
            rows = ask(name, parameter)
            times.append(time.perf_counter_ns() - before)
            if [list(row) for row in rows] != expected:
                raise SystemExit(f"SQLite gives {str(rows)[:100]} for {name} {parameter}, not {str(expected)[:100]}")
            if time.perf_counter() > stop:
                break
        found[name] = statistics.median(times) / 1000
    return found


def measure(bench, program, directory, work, rounds, seconds, output, say):
    """Per question p50 of Martlet, its p99, p50 of SQLite, the ratio, and the number of wrong answers."""
    answers = prepare(bench, directory, work)
    output(program, "import", f"{work}/store", f"{work}/import")
    os.makedirs(f"{work}/sqlite")
    load, ask, stop = peer(bench).engine("sqlite", directory, f"{work}/sqlite")
    load()
    found = {name: [] for name in TITLES}
    for _ in range(rounds):
        own = {}
        lines = output(program, "run", f"{work}/store", f"{work}/queries", f"{work}/parameters", "1", str(seconds))
        for line in lines.splitlines():
            if line.startswith("#"):
                say(line)
                continue
            words = line.split()
            own[words[0]] = (float(words[1]), float(words[2]), int(words[5]))
        other = sqlite_round(ask, answers, seconds)
        for name in TITLES:
            if name in own:
                found[name].append((*own[name], other[name]))
    stop()
    return {name: {
        "p50": statistics.median(item[0] for item in items), "p99": statistics.median(item[1] for item in items),
        "wrong": sum(item[2] for item in items), "sqlite": statistics.median(item[3] for item in items),
        "ratio": statistics.median(item[0] / item[3] for item in items)} for name, items in found.items() if items}


def table(found, number):
    lines = ["| short read | Martlet, us | p99 | SQLite, us | of SQLite |", "|---|---|---|---|---|"]
    for name, item in found.items():
        lines.append(f"| {name}: {TITLES[name]} | {number(item['p50'])} | {number(item['p99'])} "
                     f"| {number(item['sqlite'])} | {number(item['ratio'])} |")
    return lines
