"""The faults. Each is a function of the running schedule; it returns when the fault has ended. `rest(seconds)` waits,
but not beyond the end of the schedule."""
import json, os, shutil, signal, struct, subprocess


DAY = 86400


def kill(run, target, seconds):
    """kill -9, and a start again."""
    for process in run.pick(target):
        process.kill()
        run.rest(seconds)
        process.start()


def restart_all(run, target, seconds):
    """kill -9 of everybody at nearly the same time, and a start again in any order."""
    processes = run.cluster.coordinators + run.cluster.members
    run.randomness.shuffle(processes)
    for process in processes:
        process.kill()
        run.rest(run.randomness.choice((0, 0, 0.2)))
    run.rest(seconds / 4)
    run.randomness.shuffle(processes)
    for process in processes:
        process.start()
        run.rest(run.randomness.choice((0, 0.1, 0.5)))


def majority(run, target, seconds):
    """kill -9 of all members but one."""
    victims = run.randomness.sample(run.cluster.members, len(run.cluster.members) - 1)
    for member in victims:
        member.kill()
    run.rest(seconds)
    for member in victims:
        member.start()


def freeze(run, target, seconds):
    """SIGSTOP, and SIGCONT."""
    processes = run.pick(target)
    for process in processes:
        process.freeze()
    run.rest(seconds)
    for process in processes:
        process.thaw()


def stop(run, target, seconds):
    """TERM, which hands the mastership over, and a start again."""
    for process in run.pick(target):
        process.signal(signal.SIGTERM)
        try:
            process.process.wait(15)
        except Exception:
            run.violated(f"{process.name} does not stop within 15 s of TERM")
            process.kill()
        run.rest(seconds)
        process.start()


def switch(run, target, seconds):
    """A planned switchover, asked of the master."""
    master = run.cluster.master()
    if master:
        client = master.client(timeout=15)
        try:
            client.request("POST", "/db/manage/server/ha/switch-master", b"{}")
        except Exception:
            pass  # other faults may come in between
        client.close()
    run.rest(seconds)


def _isolate(run, target, seconds, directions):
    machines = [process.number for process in run.pick(target)]
    run.network.isolate(machines, directions=directions)
    run.rest(seconds)
    run.network.heal()


def partition(run, target, seconds):
    """Nothing goes in or out."""
    _isolate(run, target, seconds, "both")


def deaf(run, target, seconds):
    """Nothing goes in."""
    _isolate(run, target, seconds, "in")


def mute(run, target, seconds):
    """Nothing goes out."""
    _isolate(run, target, seconds, "out")


def halves(run, target, seconds):
    """Two groups that do not hear each other, drawn at random, coordinators apart included."""
    machines = [process.number for process in run.cluster.processes]
    group = run.randomness.sample(machines, run.randomness.randint(1, len(machines) - 1))
    run.network.isolate(group)
    run.rest(seconds)
    run.network.heal()


def link(run, target, seconds):
    """Two members do not hear each other, while both hear everybody else."""
    a, b = (member.number for member in run.randomness.sample(run.cluster.members, 2))
    run.network.isolate([a], [b])
    run.rest(seconds)
    run.network.heal()


def flap(run, target, seconds):
    """Cut and joined again and again."""
    machines = [process.number for process in run.pick(target)]
    ends = run.now() + seconds
    while run.now() < ends and not run.is_over:
        run.network.isolate(machines, directions=run.randomness.choice(("both", "in", "out")))
        run.rest(run.randomness.uniform(0.1, 1.5))
        run.network.heal()
        run.rest(run.randomness.uniform(0.1, 0.8))


def slow(run, target, seconds):
    """200 ms delay in each direction, with loss, between a member and the others, or between all."""
    everyone = [process.number for process in run.cluster.processes]
    chosen = [process.number for process in run.pick(target)]
    pairs = [(a, b) for a in everyone for b in everyone if a != b and (target == "all" or a in chosen or b in chosen)]
    run.network.delay(pairs, 200, run.randomness.choice((0.0, 0.01, 0.05)))
    run.rest(seconds)
    run.network.stop_delay()


def full_disk(run, target, seconds):
    """The member's file system has no byte left; then it has again, and who ended is started again."""
    for member in run.pick(target):
        filler = os.path.join(member.directory, "filler")
        file = os.open(filler, os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(file, bytes(1 << 16))
        except OSError:
            os.close(file)
        run.rest(seconds)
        os.remove(filler)
        run.rest(0.2)
        if not member.is_running:
            member.start()


def truncate(run, target, seconds):
    """kill -9, and the end of the transaction log is gone when it starts again."""
    for member in run.pick(target):
        member.kill()
        cut_log(run, member)
        run.rest(min(seconds, 1))
        member.start()
        run.rest(seconds)


def truncate_and_kill(run, target, seconds):
    """The same, and while the member comes back the master is killed: it must not vote as if it had everything."""
    master = run.cluster.master()
    if not master:
        return
    victim = run.randomness.choice([member for member in run.cluster.members if member is not master])
    victim.kill()
    cut_log(run, victim)
    master.kill()
    victim.start()
    run.rest(seconds)
    master.start()


def truncate_and_lag(run, target, seconds):
    """The same when the third member lags behind: of what was acknowledged last, only the killed master has all."""
    master = run.cluster.master()
    slaves = [member for member in run.cluster.members if member is not master]
    if not master or len(run.cluster.members) != 3:
        return
    victim, late = run.randomness.sample(slaves, 2)
    if run.network.can_cut:
        run.network.isolate([late.number])
    else:
        late.freeze()
    run.rest(run.randomness.uniform(0.2, 1.5))
    victim.kill()
    cut_log(run, victim)
    master.kill()
    run.network.heal()
    late.thaw()
    victim.start()
    run.rest(seconds)
    master.start()


def cut_log(run, member):
    """Takes the last bytes of the log's entries away, but none that the store files hold already: without those a
    store is damaged, and a new copy is an operator's affair."""
    with open(os.path.join(member.store, "manifest"), "rb") as file:
        checkpoint, = struct.unpack_from("<Q", file.read(32), 24)
    dump = subprocess.run([run.cluster.program, "log", "dump", member.store, "--json"], capture_output=True, text=True)
    entries = [json.loads(line) for line in dump.stdout.splitlines() if line.startswith("{\"tx\"")]
    entries = [entry for entry in entries if entry["tx"] > checkpoint and entry["file"] == entries[-1]["file"]]
    if not entries:
        return
    end = entries[-1]["offset"] + entries[-1]["bytes"]
    left = max(entries[0]["offset"], end - run.randomness.choice((1, 7, 100, 1000, 20000)))
    with open(os.path.join(member.store, entries[-1]["file"]), "r+b") as file:
        length = os.path.getsize(file.name)
        file.truncate(left)
        # Behind the entries is room that was reserved, all zero.
        if run.randomness.random() < 0.5:
            file.truncate(length)


def damage(run, target, seconds):
    """kill -9, and a file of the store has other bytes somewhere when it starts again."""
    for member in run.pick(target):
        member.kill()
        files = [os.path.join(member.store, name) for name in os.listdir(member.store)]
        path = run.randomness.choice(sorted(path for path in files if os.path.getsize(path) > 0))
        with open(path, "r+b") as file:
            data = file.read()
            place = run.randomness.randrange(len(data.rstrip(b"\0")))
            file.seek(place)
            file.write(bytes(byte ^ 0x5A for byte in data[place:place + 8]))
        member.start()
        run.rest(seconds)


def clock(run, target, seconds):
    """The wall clock is set 400 days forward or back."""
    for process in run.pick(target):
        process.set_wall_clock(run.randomness.choice((-400, 400)) * DAY)
    run.rest(seconds)
    if run.randomness.random() < 0.5:
        for process in run.pick(target):
            process.set_wall_clock(0)


def coordinators(run, target, seconds):
    """All coordinators, where they are apart, are killed. The master goes on, so long as nothing else happens."""
    for process in run.cluster.coordinators:
        process.kill()
    run.rest(seconds)
    for process in run.cluster.coordinators:
        process.start()


def wipe(run, target, seconds):
    """The member loses its store and all that it noted beside it; it keeps its coordinator's file."""
    for member in run.pick(target):
        member.kill()
        beside = os.path.dirname(member.store)
        for name in os.listdir(beside):
            path = os.path.join(beside, name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif not name.endswith(".coordinator"):
                os.remove(path)
        member.start()
        run.rest(seconds)


def roll_back(run, target, seconds):
    """Two members are put back to what they were a while ago, promises and all, and come up before the others: more
    than any cluster survives. It shows that the checks see what is lost."""
    members = run.cluster.members
    victims = run.randomness.sample(members, len(members) // 2 + 1)
    for member in victims:
        member.kill()
        shutil.copytree(member.directory, member.directory + ".before")
        member.start()
    run.cluster.wait_until_whole()
    run.rest(2)
    for process in run.cluster.processes:
        process.kill()
    for member in victims:
        shutil.rmtree(member.directory)
        os.rename(member.directory + ".before", member.directory)
    for process in run.cluster.coordinators + victims:
        process.start()
    run.rest(seconds)


class Kind:
    """`needs` what of the network; `alone`: data is lost, so that nothing else may happen before everybody has it."""

    def __init__(self, function, targets, seconds, needs="", alone=False, weight=2, ends=False):
        self.function, self.targets, self.seconds = function, targets, seconds
        self.needs, self.alone, self.weight, self.ends = needs, alone, weight, ends


KINDS = {
    "kill": Kind(kill, ("master", "slave", "any", "each"), (0.1, 3), weight=4),
    "freeze": Kind(freeze, ("master", "slave", "any", "all"), (0.5, 4), weight=4),
    "restart-all": Kind(restart_all, ("all",), (0.5, 3)),
    "majority": Kind(majority, ("all",), (1, 3)),
    "stop": Kind(stop, ("master", "any"), (0.1, 1)),
    "switch": Kind(switch, ("master",), (0.1, 0.5)),
    "partition": Kind(partition, ("master", "slave", "any"), (0.5, 5), "cut", weight=4),
    "deaf": Kind(deaf, ("master", "any"), (0.5, 5), "cut"),
    "mute": Kind(mute, ("master", "any"), (0.5, 5), "cut"),
    "halves": Kind(halves, ("all",), (0.5, 5), "cut", weight=3),
    "link": Kind(link, ("all",), (1, 5), "cut"),
    "flap": Kind(flap, ("master", "any"), (2, 5), "cut", weight=3),
    "slow": Kind(slow, ("master", "any", "all"), (2, 5), "delay", weight=3),
    "full-disk": Kind(full_disk, ("master", "slave"), (0.5, 2), "mount", ends=True),
    "truncate": Kind(truncate, ("slave", "master"), (0.5, 1), alone=True),
    "truncate+kill": Kind(truncate_and_kill, ("slave",), (1, 3), alone=True),
    "truncate+lag": Kind(truncate_and_lag, ("slave",), (2, 4), alone=True),
    "damage": Kind(damage, ("slave", "master"), (0.5, 1), alone=True, weight=0),
    "wipe": Kind(wipe, ("slave", "master"), (0.5, 1), alone=True),
    "clock": Kind(clock, ("master", "slave", "any", "all"), (0.5, 3), "clock"),
    "roll-back": Kind(roll_back, ("all",), (4, 4), alone=True, weight=0),
    "coordinators": Kind(coordinators, ("all",), (1, 4), "coordinators", weight=4),
}
