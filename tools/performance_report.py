"""The tables of docs/performance.md, from the series that tools/bench measured."""
import json
import os
import platform
import re
import statistics
import subprocess


def machine():
    model, memory = platform.machine(), 0
    with open("/proc/cpuinfo") as info:
        found = re.search(r"model name\s*:\s*(.*)", info.read())
        model = found.group(1) if found else model
    with open("/proc/meminfo") as info:
        memory = int(re.search(r"MemTotal:\s+(\d+)", info.read()).group(1)) // (1 << 20)
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    return f"{os.cpu_count()} cores ({model}), {memory} GiB, {system}, kernel {platform.release()}"


def command_line(command):
    try:
        output = subprocess.run(command, capture_output=True, text=True)
        return (output.stdout or output.stderr).splitlines()[0].strip()
    except (OSError, IndexError):
        return "unknown"


def number(value):
    if value >= 1e9:
        return f"{value / 1e9:.2f} G"
    if value >= 1e6:
        return f"{value / 1e6:.2f} M"
    if value >= 1e4:
        return f"{value / 1e3:.1f} k"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def cell(results, name):
    series = results.series.get(name)
    if series is None:
        return "-"
    values = series["values"]
    return f"{number(statistics.median(values))} [{number(min(values))}..{number(max(values))}]"


def ratio(results, name, limit):
    """Median of the rounds' own ratios: both sides of a round met the same machine."""
    if name not in results.series or limit not in results.series:
        return "-"
    pairs = zip(results.series[name]["values"], results.series[limit]["values"])
    return f"{statistics.median([mine / other for mine, other in pairs]):.2f}"


def tables(results):
    lines = ["### Expansion", "", "| | rate, edges/s | time per start, ns | of the CSR rate |", "|---|---|---|---|"]
    for hop in ("1-hop", "2-hop"):
        for way, text in (("csr", "plain CSR loop"), ("native", "`Transaction.expand`"), ("cypher", "cached Cypher query")):
            name = f"{hop} {way}"
            lines.append(f"| {hop}, {text} | {cell(results, name)} | {cell(results, name + ' (ns/start)')} | "
                         f"{ratio(results, name, hop + ' csr')} |")
    lines += ["", "### Durable writes", "",
              "| | writes/s | latency p50, us | latency p99, us | of the fdatasync rate | commits per sync |",
              "|---|---|---|---|---|---|",
              f"| append of 256 bytes and fdatasync | {cell(results, 'fdatasync')} | | | 1 | |"]
    for clients in (1, 32):
        name = f"embedded write {clients} clients"
        lines.append(f"| embedded, {clients} {'client' if clients == 1 else 'clients'} | {cell(results, name)} | "
                     f"{cell(results, name + ' p50')} | {cell(results, name + ' p99')} | "
                     f"{ratio(results, name, 'fdatasync')} | {cell(results, name + ' (commits/sync)')} |")
    for kind, text in (("single", "HTTP, one server"), ("cluster", "HTTP, three members")):
        for clients in (1, 32):
            name = f"http write {kind} {clients} clients"
            part = ratio(results, name, f"fdatasync beside {kind}")
            lines.append(f"| {text}, {clients} {'client' if clients == 1 else 'clients'} | {cell(results, name)} | "
                         f"{cell(results, name + ' p50')} | {cell(results, name + ' p99')} | {part} | |")
    lines += ["", "### Point reads over HTTP", "",
              "| | requests/s | latency p50, us | latency p99, us | of the bare handler |", "|---|---|---|---|---|"]
    for clients in (1, 32):
        for kind, text in (("bare", "bare Hummingbird handler"), ("martlet", "`GET /db/data/node/{id}`")):
            name = f"http read {kind} {clients} clients"
            lines.append(f"| {text}, {clients} {'connection' if clients == 1 else 'connections'} | {cell(results, name)} | "
                         f"{cell(results, name + ' p50')} | {cell(results, name + ' p99')} | "
                         f"{ratio(results, name, f'http read bare {clients} clients')} |")
    lines += ["", "### Import", "", "| rows/s | CSV, MB/s | store, MB |", "|---|---|---|",
              f"| {cell(results, 'import')} | {cell(results, 'import bytes')} | {cell(results, 'import store')} |"]
    return lines


def write_report(directory, results, facts):
    with open(os.path.join(directory, "performance.json"), "w") as out:
        json.dump({"facts": facts, "series": results.series}, out, indent=1)
        out.write("\n")
    head = [f"* {key}: {value}" for key, value in facts.items()]
    page = os.path.join(directory, "performance.md")
    with open(page) as source:
        text = source.read()
    begin, end = "<!-- figures -->", "<!-- end of figures -->"
    before, after = text[:text.index(begin) + len(begin)], text[text.index(end):]
    with open(page, "w") as out:
        out.write(before + "\n" + "\n".join(head + [""] + tables(results)) + "\n" + after)
