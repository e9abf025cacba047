"""Which figures `tools/cluster_faults failover` takes, and what is wanted of them."""
import json, os, shutil

from . import failover
from .failover import Bench, Figure

# name, function and its arguments, median and 95th percentile wanted in seconds, members, coordinators apart, runs of
# 50, and what it needs of the network
TABLE = [
    ("master killed", failover.lose_master, ["kill"], (1.2, 2.0), 3, 0, 50, ""),
    ("master frozen", failover.lose_master, ["freeze"], (2.0, 4.0), 3, 0, 50, ""),
    ("master cut off", failover.lose_master, ["partition"], (2.0, 4.0), 3, 0, 50, "cut"),
    ("slave killed and back", failover.lose_slave, ["kill"], (0.5, 0.5), 3, 0, 5, ""),
    ("slave frozen and back", failover.lose_slave, ["freeze"], (0.5, 0.5), 3, 0, 5, ""),
    ("slave cut off and back", failover.lose_slave, ["partition"], (0.5, 0.5), 3, 0, 5, "cut"),
    ("planned switchover", failover.hand_over, [], (0.15, 0.15), 3, 0, 20, ""),
    ("majority lost: until nobody says 200 at /hastatus/master", failover.lose_majority, [], (2.0, 2.0), 3, 0, 6, ""),
    ("wall clock 400 days off", failover.set_clocks, [], (0.5, 0.5), 3, 0, 6, ""),
    ("all coordinators lost", failover.lose_coordinators, [], (0.5, 0.5), 3, 3, 3, ""),
    ("five members, four killed", failover.lose_one_after_the_other, [], (None, None), 5, 3, 1, ""),
]


def take(net, program, directory, runs, only, report):
    figures, benches = [], {}
    for name, function, arguments, limits, members, coordinators, of_fifty, needs in TABLE:
        if only and not any(word in name for word in only):
            continue
        figure = Figure(name, limits)
        if needs == "cut" and not net.can_cut:
            print(f"{name}: left out, nothing can be cut on loopback")
            continue
        shape = (members, coordinators)
        if shape not in benches:
            for bench in benches.values():
                bench.close()
            benches = {shape: Bench(net, program, _fresh(directory, shape), *shape)}
        try:
            function(benches[shape], figure, *arguments, max(1, runs * of_fifty // 50))
        except Exception as error:
            figure.failures.append(f"{type(error).__name__}: {error}")
            benches.pop(shape).close()
        figures.append(figure)
        print(figure.line(), flush=True)
    for bench in benches.values():
        bench.close()
    if report:
        with open(report, "w") as file:
            json.dump([dict(vars(figure), is_met=figure.is_met) for figure in figures], file, indent=1)
    return sum(not figure.is_met for figure in figures)


def _fresh(directory, shape):
    path = os.path.join(directory, f"members{shape[0]}-{shape[1]}")
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path
