"""The network between the processes of a cluster: a namespace per machine with this process as the router between
them, or plain loopback addresses where the kernel does not let us."""
import ctypes, os, shutil, subprocess, sys

INSIDE = "MARTLET_FAULTS_INSIDE"


def _run(*words):
    outcome = subprocess.run(words, capture_output=True, text=True)
    if outcome.returncode != 0:
        raise OSError(f"{' '.join(words)}: {outcome.stderr.strip() or outcome.returncode}")


def _unshare_words():
    words = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
    return words if os.geteuid() == 0 else words + ["--map-root-user"]


def enter_namespaces():
    """Starts this command again in namespaces of its own, and does not return; returns where that is not possible.

    Everything is private to them: interfaces, mounts, processes. When the command ends, however it ends, the kernel
    takes it all away.
    """
    os.environ["PATH"] += ":/usr/sbin:/sbin"  # where `ip` lies is not on everybody's path
    if os.environ.get(INSIDE):
        return
    if not all(shutil.which(tool) for tool in ("unshare", "nsenter", "ip")):
        return
    probe = "ip link add x type veth peer name y && mount -t tmpfs none /run && echo 1 > /proc/sys/net/ipv4/ip_forward"
    if subprocess.run(_unshare_words() + ["sh", "-c", probe], capture_output=True).returncode != 0:
        return
    os.environ[INSIDE] = "1"
    words = _unshare_words() + [sys.executable] + sys.argv
    os.execvp(words[0], words)


def are_namespaces_here():
    return bool(os.environ.get(INSIDE))


class Loopback:
    """Every machine is an address of the loopback interface. Nothing can be cut or slowed down."""
    can_cut = can_delay = can_mount = False

    def __init__(self):
        # Two drivers at a time must not meet.
        self.prefix = f"127.{os.getpid() >> 7 & 127 | 1}.{os.getpid() & 127}."

    def add(self, machine):
        pass

    def address(self, machine):
        return f"{self.prefix}{machine}"

    def words(self, machine):
        return []

    def heal(self):
        pass

    reset = heal


class Router:
    """A namespace per machine, joined by this process's own namespace, which drops or delays what it forwards.

    Dropped packets vanish without a word, as on a broken cable. What this process itself sends is not forwarded, so
    that the clients, which live in it, reach every machine whatever is cut between them.
    """
    can_cut = can_mount = True

    def __init__(self):
        self.can_delay = os.access("/dev/net/tun", os.W_OK)
        self.machines = []
        self.cuts = set()
        self.relay = None
        os.makedirs("/run/netns", exist_ok=True)
        _run("mount", "-t", "tmpfs", "none", "/run/netns")
        _run("ip", "link", "set", "lo", "up")
        for name, value in (("ip_forward", 1), ("conf/all/rp_filter", 0), ("conf/default/rp_filter", 0)):
            with open("/proc/sys/net/ipv4/" + name, "w") as file:
                file.write(str(value))

    def reset(self):
        """Takes every machine away."""
        self.heal()
        for machine in self.machines:
            _run("ip", "link", "del", f"v{machine}")
            _run("ip", "netns", "del", f"m{machine}")
        self.machines = []

    def add(self, machine):
        space, near = f"m{machine}", f"v{machine}"
        _run("ip", "netns", "add", space)
        _run("ip", "link", "add", near, "type", "veth", "peer", "name", "eth0", "netns", space)
        _run("ip", "addr", "add", f"10.77.{machine}.1/24", "dev", near)
        _run("ip", "link", "set", near, "up")
        _run("ip", "-n", space, "addr", "add", f"10.77.{machine}.2/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _run("ip", "-n", space, "link", "set", device, "up")
        _run("ip", "-n", space, "route", "add", "default", "via", f"10.77.{machine}.1")
        self.machines.append(machine)

    def address(self, machine):
        return f"10.77.{machine}.2"

    def words(self, machine):
        """What a command line begins with to run on that machine."""
        return ["nsenter", f"--net=/run/netns/m{machine}", "--"]

    def _rule(self, action, source, target, base, *what):
        _run("ip", "rule", action, "iif", f"v{source}", "to", f"10.77.{target}.0/24", "pref",
             str(base + 100 * source + target), *what)

    def cut(self, source, target):
        """Loses everything from one machine to another, in this direction alone."""
        if (source, target) not in self.cuts:
            self._rule("add", source, target, 10000, "blackhole")
            self.cuts.add((source, target))

    def join(self, source, target):
        if (source, target) in self.cuts:
            self._rule("del", source, target, 10000, "blackhole")
            self.cuts.discard((source, target))

    def isolate(self, group, others=None, directions="both"):
        """Cuts a group of machines off from the others; "out" loses what the group sends, "in" what is sent to it."""
        for a in group:
            for b in self.machines if others is None else others:
                if b not in group:
                    if directions != "in":
                        self.cut(a, b)
                    if directions != "out":
                        self.cut(b, a)

    def delay(self, pairs, milliseconds, loss):
        """Sends what goes between these machines through a detour that delays and loses packets."""
        self.stop_delay()
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "relay.py")
        self.relay = subprocess.Popen([sys.executable, script, "slow0", str(milliseconds), str(loss)],
                                      stdout=subprocess.PIPE)
        self.relay.stdout.readline()
        _run("ip", "link", "set", "slow0", "up")
        _run("ip", "route", "replace", "default", "dev", "slow0", "table", "77")
        self.delayed = list(pairs)
        for a, b in self.delayed:
            self._rule("add", a, b, 20000, "table", "77")

    def stop_delay(self):
        if self.relay:
            for a, b in self.delayed:
                self._rule("del", a, b, 20000, "table", "77")
            self.relay.kill()
            self.relay.wait()
            self.relay.stdout.close()
            self.relay = None

    def heal(self):
        for a, b in list(self.cuts):
            self.join(a, b)
        self.stop_delay()


def mount_small(path, byte_count):
    """A file system of its own for a member, which can be filled."""
    os.makedirs(path, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={byte_count}", "none", path)


def unmount(path):
    ctypes.CDLL(None).umount2(path.encode(), 2)
