"""A cluster of real processes: members, each with a coordinator inside, or coordinators apart, each on a machine of
its own in the driver's network."""
import json, os, shutil, signal, struct, subprocess, time

from . import network
from .client import Broken, Client, Unreachable

HTTP_PORT, REPLICATION_PORT, COORDINATOR_PORT, BACKUP_PORT = 7474, 6001, 5001, 6362


class NotInTime(Exception):
    """Something that should have come about did not."""


def wait_until(what, condition, seconds=30.0, pause=0.02):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise NotInTime(f"waited {seconds:.0f} s in vain until {what}")
        time.sleep(pause)


class Process:
    """A server or a coordinator alone, on its machine; may be started again and again."""
    kind = "server"

    def __init__(self, cluster, number):
        self.cluster, self.number = cluster, number
        self.name = f"{'member' if self.kind == 'server' else 'coordinator'}{number}"
        self.directory = os.path.join(cluster.directory, self.name)
        self.address = cluster.network.address(number)
        self.log_path = os.path.join(cluster.directory, self.name + ".log")
        self.process = None
        # Counts starts: what a member served before it was killed is no measure for what it serves after.
        self.incarnation = 0
        self.is_frozen = False

    @property
    def config_path(self):
        return os.path.join(self.cluster.directory, self.name + ".properties")

    def write_config(self, settings):
        with open(self.config_path, "w") as file:
            file.writelines(f"{key}={value}\n" for key, value in settings.items())

    def start(self):
        self.incarnation += 1
        os.makedirs(self.directory, exist_ok=True)
        environment = dict(os.environ, **self.cluster.clock_environment(self))
        words = self.cluster.network.words(self.number)
        words += [self.cluster.program, self.kind, "console", "--config", self.config_path]
        with open(self.log_path, "ab") as log:
            log.write(f"-- start {self.incarnation}\n".encode())
            log.flush()
            self.process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, env=environment,
                                            stdin=subprocess.DEVNULL)

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        if self.is_running:
            self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        if self.process:
            self.process.wait()
        self.is_frozen = False

    def freeze(self):
        self.is_frozen = True
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)
        self.is_frozen = False

    def set_wall_clock(self, seconds):
        with open(self.cluster.clock_path(self), "r+b") as file:
            file.write(struct.pack("q", seconds))

    def log_lines(self):
        try:
            with open(self.log_path, errors="replace") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []


class Coordinator(Process):
    kind = "coordinator"


class Member(Process):
    @property
    def id(self):
        return self.number

    @property
    def store(self):
        return os.path.join(self.directory, "data", "graph.db")

    def client(self, **options):
        return Client(self.address, HTTP_PORT, **options)

    def status(self, timeout=2.0):
        """Its status, or None when it does not answer."""
        client = self.client(timeout=timeout)
        try:
            return client.request("GET", "/hastatus").json
        except (Unreachable, Broken, ValueError):
            return None
        finally:
            client.close()


class Cluster:
    """`coordinators` = 0: each member hosts one; otherwise so many run alone, on machines of their own."""

    def __init__(self, directory, program, net, members=3, coordinators=0, settings=None, small_disks=0):
        self.directory, self.program, self.network = directory, program, net
        self.settings = settings or {}
        self.wall_clock_library = build_wall_clock(directory)
        self.mounts = []
        count = members + coordinators
        for machine in range(1, count + 1):
            net.add(machine)
        self.members = [Member(self, number) for number in range(1, members + 1)]
        self.coordinators = [Coordinator(self, members + number) for number in range(1, coordinators + 1)]
        voters = self.coordinators or self.members
        if not self.coordinators and members > 3:
            voters = self.members[:members - 1 + members % 2]
        addresses = ",".join(f"{voter.address}:{COORDINATOR_PORT}" for voter in voters)
        for process in self.processes:
            base = {"ha.coordinators": addresses,
                    "org.neo4j.server.database.location": os.path.join(process.directory, "data", "graph.db")}
            if process in voters:
                base["ha.coordinator"] = f"{process.address}:{COORDINATOR_PORT}"
            if process.kind == "server":
                base.update({
                    "org.neo4j.server.database.mode": "HA", "ha.server_id": process.number,
                    "org.neo4j.server.webserver.address": process.address,
                    "org.neo4j.server.webserver.port": HTTP_PORT, "ha.server": f"{process.address}:{REPLICATION_PORT}",
                    "online_backup_port": BACKUP_PORT})
                base.update(self.settings)
            process.write_config(base)
            if small_disks and process.kind == "server" and net.can_mount:
                network.mount_small(process.directory, small_disks)
                self.mounts.append(process.directory)
            with open(self.clock_path(process), "wb") as file:
                file.write(struct.pack("q", 0))

    @property
    def processes(self):
        return self.members + self.coordinators

    def clock_path(self, process):
        return os.path.join(self.directory, process.name + ".clock")

    def clock_environment(self, process):
        if not self.wall_clock_library:
            return {}
        return {"LD_PRELOAD": self.wall_clock_library, "WALL_CLOCK_OFFSET": self.clock_path(process)}

    def start(self, seconds=60):
        for process in self.coordinators + self.members:
            process.start()
        self.wait_until_whole(seconds)

    def statuses(self):
        return [member.status() for member in self.members]

    def master(self):
        """The member that may order writes now, or None."""
        for member in self.members:
            if member.is_running and not member.is_frozen:
                status = member.status(0.5)
                if status and status["master"]:
                    return member
        return None

    def wait_for_master(self, seconds=30):
        found = []

        def look():
            found[:] = [self.master()]
            return found[0] is not None
        wait_until("a member is master", look, seconds)
        return found[0]

    def is_whole(self):
        """Every member serves and hears one and the same master, and all of them are in the sync set."""
        statuses = self.statuses()
        for status in statuses:
            if not status or not status["readable"] or status["role"] == "pending" or status["lag_ms"] > 500:
                return False
            if len(status["sync_set"]) != len(self.members):
                return False
        return sum(status["master"] for status in statuses) == 1

    def revive(self):
        """Starts what has ended, as a supervisor does."""
        for process in self.coordinators + self.members:
            if not process.is_running:
                process.start()

    def wait_until_whole(self, seconds=60):
        """Waits until everybody is there, and starts those who end meanwhile; not for while a fault goes on."""
        def whole():
            self.revive()
            return self.is_whole()
        try:
            wait_until("all members are in the sync set", whole, seconds, 0.05)
        except NotInTime as error:
            state = [status and {key: status[key] for key in ("role", "master", "readable", "epoch", "sync_set", "problem")}
                     for status in self.statuses()]
            raise NotInTime(f"{error}: {json.dumps(state)}") from None

    def heal(self):
        """Ends every fault and starts what does not run."""
        self.network.heal()
        for process in self.processes:
            if process.is_frozen:
                process.thaw()
            filler = os.path.join(process.directory, "filler")
            if os.path.exists(filler):
                os.remove(filler)
        self.revive()

    def stop(self):
        """Asks everyone to end, members first; kills what does not within a while. Returns the names of the latter."""
        late = []
        for group in (self.members, self.coordinators):
            for process in group:
                if process.is_frozen:
                    process.thaw()
                process.signal(signal.SIGTERM)
            for process in group:
                if process.process:
                    try:
                        process.process.wait(20)
                    except subprocess.TimeoutExpired:
                        late.append(process.name)
                        process.kill()
        return late

    def close(self, keep=False):
        for process in self.processes:
            process.kill()
        for path in self.mounts:
            if keep:
                shutil.copytree(path, path + ".kept", dirs_exist_ok=True)
            network.unmount(path)
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)


def build_wall_clock(directory):
    """Compiles the library that moves wall clocks; None where there is no compiler."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wallclock.c")
    library = os.path.join(directory, "wallclock.so")
    for compiler in ("cc", "gcc", "clang"):
        if shutil.which(compiler):
            words = [compiler, "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"]
            if subprocess.run(words, capture_output=True).returncode == 0:
                return library
    return None
