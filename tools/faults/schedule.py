"""A schedule: a cluster, a workload and a list of faults with their times, all drawn from a seed, and its verdict."""
import os, random, shutil, subprocess, threading, time, traceback

from . import checks
from .cluster import Cluster, NotInTime, wait_until
from .faults import KINDS
from .watch import Watch
from .workload import Workload, prepare

SMALL_DISK = 96 << 20
# Small logs and early checkpoints, so that some members come back too late for the log and copy the store.
SMALL_LOGS = {"martlet.checkpoint.threshold": "256k", "logical_log_rotation_threshold": "64k",
              "keep_logical_logs": "64k size"}


class Step:
    """Faults that happen at the same time, after a pause; `settles`: everybody has everything before and after."""

    def __init__(self, pause, faults, settles):
        self.pause, self.faults, self.settles = pause, faults, settles

    def __str__(self):
        words = "+".join(f"{kind}({target},{seconds:.1f}s)" for kind, target, seconds in self.faults)
        return f"{self.pause:.1f}s {words}"


class Plan:
    def __init__(self, seed, net, kinds=None, seconds=11.0, shape=None, settings=None):
        choose = random.Random(f"plan {seed}")
        self.seed, self.seconds = seed, seconds
        drawn = choose.choices(
            [(3, 0), (3, 3), (5, 3), (5, 0), (2, 3)], [60, 14, 12, 7, 7])[0]
        self.members, self.coordinators = shape or drawn
        if kinds and "coordinators" in kinds:
            self.coordinators = 3
        self.settings = {"ha.read_timeout": "3"}
        if choose.random() < 0.35:
            self.settings.update(SMALL_LOGS)
        if choose.random() < 0.35:
            # Members leave the sync set and come back within a schedule.
            self.settings["ha.sync_timeout"] = "1500ms"
        self.settings.update(settings or {})
        # Then a fault may take back what was acknowledged; members must still agree, and say who was wrong.
        self.may_lose = self.settings.get("ha.commit_mode") == "optimistic"
        usable = {name: kind for name, kind in KINDS.items()
                  if (kind.weight > 0 if kinds is None else name in kinds) and self._is_usable(kind, net)}
        self.stops_in_order = choose.random() < 0.2
        self.steps, self.needs_small_disk = [], False
        if not usable:
            return
        length = 0.0
        names = list(usable)
        while length < seconds:
            name = choose.choices(names, [usable[name].weight or 1 for name in names])[0]
            faults = [self._draw(choose, name, usable[name])]
            settles = usable[name].alone
            if not settles and choose.random() < 0.3:
                other = choose.choice(names)
                # At most one that needs the network: ending one ends all cuts.
                if not usable[other].alone and bool(usable[other].needs in ("cut", "delay")) != bool(
                        usable[name].needs in ("cut", "delay")):
                    faults.append(self._draw(choose, other, usable[other]))
            step = Step(choose.uniform(0.3, 2.0), faults, settles)
            length += step.pause + max(fault[2] for fault in faults) + (2 if settles else 0)
            self.steps.append(step)
        self.needs_small_disk = any(fault[0] == "full-disk" for step in self.steps for fault in step.faults)

    @classmethod
    def of(cls, seed, net, faults):
        """Three members and these faults, one after the other: (kind, target, seconds)."""
        plan = cls(seed, net, [], shape=(3, 0))
        plan.steps = [Step(0.7, [fault], KINDS[fault[0]].alone) for fault in faults]
        plan.seconds = sum(step.pause + step.faults[0][2] for step in plan.steps)
        plan.needs_small_disk = any(fault[0] == "full-disk" for fault in faults)
        return plan

    def _draw(self, choose, name, kind):
        return name, choose.choice(kind.targets), choose.uniform(*kind.seconds)

    def _is_usable(self, kind, net):
        return {"": True, "cut": net.can_cut, "delay": net.can_delay, "mount": net.can_mount,
                "clock": shutil.which("cc") is not None, "coordinators": self.coordinators > 0}[kind.needs]

    def __str__(self):
        shape = f"{self.members} members" + (f" + {self.coordinators} coordinators" if self.coordinators else "")
        if "ha.sync_timeout" in self.settings:
            shape += ", short sync_timeout"
        if "keep_logical_logs" in self.settings:
            shape += ", small logs"
        return f"{shape}: " + "; ".join(map(str, self.steps))

    @property
    def kinds(self):
        return sorted({fault[0] for step in self.steps for fault in step.faults})


class Outcome:
    def __init__(self, plan):
        self.seed, self.plan, self.kinds = plan.seed, str(plan), plan.kinds
        self.violations, self.totals, self.refusals = [], {}, {}
        self.epochs, self.seconds, self.members, self.events = 0, 0.0, plan.members, []

    @property
    def holds(self):
        return not self.violations

    def line(self):
        verdict = "ok" if self.holds else "VIOLATED"
        totals = self.totals or {"ok": 0, "refused": 0, "unknown": 0}
        return (f"seed {self.seed}: {verdict}, {sum(totals.values())} operations, {totals['ok']} acknowledged, "
                f"{totals['refused']} refused, {totals['unknown']} unknown, {self.epochs} masters, {self.seconds:.0f} s | {self.plan}"
                + "".join(f"\n    {text}" for text in self.violations))


class Running:
    """What a fault sees of the schedule."""

    def __init__(self, cluster, net, ends, randomness, outcome):
        self.cluster, self.network, self.randomness = cluster, net, randomness
        self.ends, self.outcome = ends, outcome

    @staticmethod
    def now():
        return time.monotonic()

    @property
    def is_over(self):
        return self.now() >= self.ends

    def rest(self, seconds):
        time.sleep(max(0.0, min(seconds, self.ends - self.now())))

    def violated(self, text):
        self.outcome.violations.append(text)

    def pick(self, target):
        members = self.cluster.members
        if target == "all":
            return members
        if target == "each":
            return self.randomness.sample(members, len(members))
        if target == "any":
            return [self.randomness.choice(self.cluster.processes)]
        master = self.cluster.master()
        others = [member for member in members if member is not master]
        return [master] if target == "master" and master else [self.randomness.choice(others)]


def run(plan, net, program, directory, keep=False, patience=60):
    """Carries a plan out. The directory is kept when something was violated, or `keep` is given; `patience` is how
    many seconds the cluster may take to be whole again."""
    outcome = Outcome(plan)
    began = time.monotonic()
    cluster = watch = load = None
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)

    def note(text):
        outcome.events.append((round(time.monotonic() - began, 2), text))
    try:
        cluster = Cluster(directory, program, net, plan.members, plan.coordinators, plan.settings,
                          SMALL_DISK if plan.needs_small_disk else 0)
        cluster.start()
        prepare(cluster)
        # Slower members may not have it yet, and would show an empty bank.
        checks.settle(cluster)
        note("load begins")
        watch, load = Watch(cluster), Workload(cluster, plan.seed)
        load.start()
        _carry_out(plan, cluster, net, outcome, note)
        note("faults end")
        _expect_running(plan, cluster, outcome)
        cluster.heal()
        cluster.wait_until_whole(patience)
        note("whole again")
        load.stop()
        _settle(cluster, outcome, patience)
        note("all is applied")
        watch.stop()
        _check(plan, cluster, watch, load.history, outcome)
    except (NotInTime, OSError, RuntimeError, subprocess.SubprocessError) as error:
        outcome.violations.append(f"{type(error).__name__}: {error}")
        if not isinstance(error, NotInTime):
            outcome.violations.append(traceback.format_exc())
    finally:
        # Whoever still writes would write into the next cluster, which has the same addresses.
        if load:
            load.stop()
            outcome.totals = load.history.totals()
        if watch:
            watch.stop()
        if cluster:
            cluster.close(keep or not outcome.holds)
        net.heal()
    outcome.seconds = time.monotonic() - began
    return outcome


def _settle(cluster, outcome, patience):
    try:
        checks.settle(cluster, patience)
    except NotInTime as error:
        # The answers are worth a look all the same.
        outcome.violations.append(f"NotInTime: {error}")


def _check(plan, cluster, watch, history, outcome):
    outcome.refusals = history.counts
    if plan.may_lose:
        outcome.violations += watch.violations(may_lose=True) + checks.check_contents(cluster, history, may_lose=True)
    else:
        outcome.violations += history.violations[:10] + watch.violations() + checks.check_contents(cluster, history)
        outcome.violations += checks.check_registers(cluster, history)
    outcome.epochs = checks.epochs(cluster)
    if plan.stops_in_order:
        late = cluster.stop()
        outcome.violations += [f"{name} did not stop within 20 s of TERM" for name in late]
    else:
        for process in cluster.processes:
            process.kill()
    outcome.violations += checks.check_stores(cluster)
    explained = ("full", "No space", "cannot go on") if plan.needs_small_disk else ()
    if any(fault[0] == "damage" for step in plan.steps for fault in step.faults):
        explained += ("DAMAGED",)
    outcome.violations += checks.check_logs(cluster, explained, plan.may_lose)


def _carry_out(plan, cluster, net, outcome, note):
    started = time.monotonic()
    # A fault that waits for the cluster must not hold up the end for ever.
    ends = started + plan.seconds * 2
    for number, step in enumerate(plan.steps):
        time.sleep(step.pause)
        if step.settles:
            cluster.heal()
            _wait_until_complete(cluster)
            ends = max(ends, time.monotonic() + 15)
        threads = []
        for place, (name, target, seconds) in enumerate(step.faults):
            randomness = random.Random(f"fault {plan.seed}/{number}/{place}")
            running = Running(cluster, net, ends, randomness, outcome)
            note(f"{name} {target} {seconds:.1f}")
            threads.append(threading.Thread(target=_guarded, args=(KINDS[name].function, running, target, seconds)))
            threads[-1].start()
        for thread in threads:
            thread.join()
        if step.settles:
            cluster.heal()
            cluster.wait_until_whole(60)


def _wait_until_complete(cluster):
    """Everybody is there and has what the master had a moment ago: then one member may lose its data."""
    cluster.wait_until_whole(60)
    known = max(status["last"]["tx"] for status in cluster.statuses() if status)
    wait_until("everybody has what there was", lambda: all(
        status and status["applied"]["tx"] >= known for status in cluster.statuses()), 60, 0.05)
    # Who has copied a store says a heartbeat later that it is complete.
    time.sleep(0.3)


def _guarded(function, running, target, seconds):
    try:
        function(running, target, seconds)
    except Exception as error:
        running.violated(f"the fault {function.__name__} itself failed: {type(error).__name__} {error}")


def _expect_running(plan, cluster, outcome):
    """A process ends when a fault ends it, or when its disk is full, and never by itself."""
    for process in cluster.processes:
        code = process.process.poll()
        if code is not None and code != -9 and not plan.needs_small_disk:
            last = process.log_lines()[-3:]
            outcome.violations.append(f"{process.name} ended by itself with {code}: {last}")
