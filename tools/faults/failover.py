"""How long writes stand still when something is lost, on a cluster with default settings that lives through it all."""
import random, signal, time

from .cluster import Cluster, NotInTime, wait_until
from .probe import Probe
from .report import spread
from .watch import Watch

ONE_READ = "MATCH (n:W) RETURN n.key LIMIT 1"


class Figure:
    """`values` are seconds; `limits` are a median and a 95th percentile that they must not exceed, or None."""

    def __init__(self, name, limits=(None, None)):
        self.name, self.limits, self.values, self.failures, self.remarks = name, limits, [], [], []

    @property
    def median(self):
        return sorted(self.values)[len(self.values) // 2]

    @property
    def late(self):
        return sorted(self.values)[min(len(self.values) - 1, int(0.95 * len(self.values)))]

    @property
    def is_met(self):
        if self.failures or (not self.values and self.limits[0] is not None):
            return False
        return not self.values or ((self.limits[0] is None or self.median <= self.limits[0])
                                   and (self.limits[1] is None or self.late <= self.limits[1]))

    def line(self):
        words = f"{self.name}: "
        if self.values:
            words += f"{len(self.values)} runs, {spread(self.values)}"
        wanted = [f"{name} <= {limit:.2f} s" for name, limit in zip(("median", "p95"), self.limits) if limit is not None]
        if wanted:
            words += f" (wanted: {', '.join(wanted)})"
        words += "".join("; " + remark for remark in self.remarks)
        return words + (": met" if self.is_met else ": NOT MET") + "".join(f"\n    {text}" for text in self.failures[:5])


class Bench:
    """A cluster under a probe and a watch."""

    def __init__(self, net, program, directory, members=3, coordinators=0, seed=1):
        self.net, self.randomness = net, random.Random(seed)
        self.cluster = Cluster(directory, program, net, members, coordinators)
        self.cluster.start()
        self.master = self.cluster.wait_for_master()
        self.master.client().cypher("CREATE (n:W {key: 0})")
        self.begin()

    def begin(self, **options):
        self.probe, self.watch = Probe(self.cluster, **options), Watch(self.cluster, 0.015)

    def end(self):
        self.probe.stop()
        self.watch.stop()

    def again(self, **options):
        """Begins new notes, with everybody there."""
        self.end()
        self.cluster.heal()
        self.cluster.wait_until_whole()
        self.begin(**options)
        wait_until("writes go on", lambda: len(self.probe.acknowledged()) > 100)

    def close(self):
        self.end()
        self.cluster.close()
        self.net.reset()


def lose_master(bench, figure, how, runs):
    """Fault until the first write that the new master acknowledges."""
    cluster = bench.cluster
    for _ in range(runs):
        # Who waits for the old master's answer gives up soon and asks again: clients that come anew are measured.
        bench.again(timeout=0.3)
        time.sleep(bench.randomness.uniform(0.3, 0.8))
        master = cluster.wait_for_master()
        epoch = master.status()["epoch"]
        if how == "partition":
            began = time.monotonic()
            bench.net.isolate([master.number])
        else:
            began = time.monotonic()
            master.kill() if how == "kill" else master.freeze()
        found = []

        def look():
            found[:] = [bench.probe.first_of_epoch_above(epoch, began)]
            return found[0] is not None
        try:
            wait_until("a new master acknowledges", look, 20, 0.005)
            figure.values.append(found[0] - began)
        except NotInTime as error:
            figure.failures.append(str(error))
        time.sleep(0.2)
        figure.failures += bench.watch.violations()
        bench.net.heal()
        if how == "freeze":
            master.thaw()
    bench.again()


def lose_slave(bench, figure, how, runs):
    """The longest gap of acknowledgements at the master when a slave goes, and when it comes back."""
    cluster = bench.cluster
    for _ in range(runs):
        bench.again(timeout=2.0)
        master = cluster.wait_for_master()
        epoch = master.status()["epoch"]
        slave = bench.randomness.choice([member for member in cluster.members if member is not master])
        began = time.monotonic()
        if how == "partition":
            bench.net.isolate([slave.number])
        else:
            slave.kill() if how == "kill" else slave.freeze()
        time.sleep(2)
        bench.net.heal()
        if how == "kill":
            slave.start()
        elif how == "freeze":
            slave.thaw()
        cluster.wait_until_whole()
        time.sleep(0.5)
        figure.values.append(bench.probe.longest_gap(began, time.monotonic(), master.number))
        now = cluster.wait_for_master().status()["epoch"]
        if now != epoch:
            figure.failures.append(f"there was an election: epoch {epoch} before, {now} after")


def hand_over(bench, figure, runs):
    """The longest gap of acknowledgements, at any member, around a planned switchover."""
    for _ in range(runs):
        bench.again()
        master = bench.cluster.wait_for_master()
        began = time.monotonic()
        answer = master.client().request("POST", "/db/manage/server/ha/switch-master", b"{}")
        time.sleep(0.7)
        if answer.status != 200:
            figure.failures.append(f"the switchover was answered with {answer.status} {answer.body[:200]!r}")
        figure.values.append(bench.probe.longest_gap(began - 0.1, time.monotonic()))
        bad = [note for note in bench.probe.notes if note.status != 200 and note.ended > began]
        if bad:
            times = [(note.ended - began) * 1000 for note in bad]
            figure.failures.append(
                f"{len(bad)} writes failed when {master.name} handed over to {answer.body[:40]!r}, {min(times):.0f} to "
                f"{max(times):.0f} ms after the order, the first with {bad[0]}")


def lose_majority(bench, figure, runs):
    """Until writes are refused at whoever is left; reads go on there, and nobody is master."""
    cluster = bench.cluster
    for run in range(runs):
        bench.again(timeout=8.0)
        master = cluster.wait_for_master()
        others = [member for member in cluster.members if member is not master]
        left = master if run % 2 == 0 else bench.randomness.choice(others)
        began = time.monotonic()
        lost = [member for member in cluster.members if member is not left]
        for member in lost:
            member.signal(signal.SIGKILL)
        for member in lost:
            member.kill()
        reader, fresh = left.client(timeout=2), left.client(timeout=8)
        while time.monotonic() < began + 4:
            if reader.cypher(ONE_READ).status != 200:
                figure.failures.append("a read was refused")
            time.sleep(0.02)
        sent = time.monotonic()
        answer = fresh.cypher("CREATE (n:X {key: 1})")
        took = time.monotonic() - sent
        if answer.status != 503 or took > 0.5:
            figure.failures.append(f"a write sent 4 s later was answered with {answer.status} after {took:.2f} s")
        if left.client().request("GET", "/hastatus/master").status != 404:
            figure.failures.append(f"{left.name} says 200 at /hastatus/master without a quorum")
        claims = [look.sent for look in bench.watch.looks[left.number] if look.is_master and look.sent > began]
        figure.values.append(max(claims) - began if claims else 0.0)
        waited = [note for note in bench.probe.notes if note.member == left.number and note.began > began]
        first = [note.ended - note.began for note in waited if note.status == 503]
        if first and max(first) > 2:
            figure.failures.append(f"a write sent after the loss was refused only after {max(first):.2f} s")


def lose_coordinators(bench, figure, runs):
    """The longest gap at each member while all coordinators, which are apart, are gone."""
    cluster = bench.cluster
    for _ in range(runs):
        bench.again()
        began = time.monotonic()
        for coordinator in cluster.coordinators:
            coordinator.kill()
        readers = [member.client(timeout=2) for member in cluster.members]
        while time.monotonic() < began + 5:
            if any(reader.cypher(ONE_READ).status != 200 for reader in readers):
                figure.failures.append("a read was refused")
            time.sleep(0.05)
        ended = time.monotonic()
        for member in cluster.members:
            figure.values.append(bench.probe.longest_gap(began, ended, member.number))
        bad = [note for note in bench.probe.notes if note.status != 200 and began < note.began < ended]
        if bad:
            figure.failures.append(f"{len(bad)} writes failed, the first with {bad[0]}")


def lose_one_after_the_other(bench, figure, runs):
    """Kills the master again and again until one member is left; fault until the next acknowledgement."""
    cluster = bench.cluster
    for _ in range(runs):
        bench.again(timeout=0.3)
        alive = list(cluster.members)
        while len(alive) > 1:
            master = cluster.wait_for_master()
            epoch = master.status()["epoch"]
            began = time.monotonic()
            master.kill()
            alive.remove(master)
            found = []

            def look():
                found[:] = [bench.probe.first_of_epoch_above(epoch, began)]
                return found[0] is not None
            try:
                wait_until(f"a write succeeds with {len(alive)} members left", look, 30, 0.01)
            except NotInTime as error:
                figure.failures.append(str(error))
                return
            figure.values.append(found[0] - began)

            def narrowed():
                now = cluster.master()
                status = now and now.status()
                return bool(status) and len(status["sync_set"]) == len(alive)
            if len(alive) > 1:
                wait_until(f"the sync set has {len(alive)} members", narrowed, 30, 0.05)


def set_clocks(bench, figure, runs):
    """The wall clock of each member goes 400 days forward or back: nothing may happen."""
    cluster = bench.cluster
    bench.again()
    epoch = cluster.wait_for_master().status()["epoch"]
    for run in range(runs):
        member = cluster.members[run % len(cluster.members)]
        began = time.monotonic()
        member.set_wall_clock((400 if run // 3 % 2 == 0 else -400) * 86400)
        time.sleep(2.5)
        figure.values.append(bench.probe.longest_gap(began, time.monotonic()))
        member.set_wall_clock(0)
        time.sleep(0.5)
    now = cluster.wait_for_master().status()["epoch"]
    if now != epoch:
        figure.failures.append(f"there was an election: epoch {epoch} before, {now} after")
    bad = [note for note in bench.probe.notes if note.status != 200]
    if bad:
        figure.failures.append(f"{len(bad)} writes failed, the first with {bad[0]}")
