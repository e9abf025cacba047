"""compose.yaml: each container a process with a loopback address of its own."""
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from .common import HERE, REPOSITORY, Problem, say
from .yaml import parse_yaml


def seconds(text):
    match = re.fullmatch(r"(\d+)s", text)
    if not match:
        raise Problem(f"{text}: expected seconds like 40s")
    return int(match.group(1))


class Service:
    """A container of compose.yaml as a process."""

    KNOWN = {
        "image", "build", "restart", "stop_grace_period", "hostname", "environment", "volumes", "depends_on", "ports",
    }

    def __init__(self, topology, name, entry, address):
        for key in entry:
            if key not in self.KNOWN:
                raise Problem(f"compose.yaml: {name}: this program does not know {key}")
        self.topology, self.name, self.entry, self.address = topology, name, entry, address
        self.grace = seconds(entry.get("stop_grace_period") or "10s")
        self.process, self.log = None, f"{topology.directory}/{name}.log"
        # Paths of the container, and where they lie here.
        self.mounts = {}
        for volume in entry.get("volumes") or []:
            source, target = volume.split(":")[:2]
            if source.startswith("."):
                source = os.path.join(HERE, source)
                if not os.path.exists(source):
                    raise Problem(f"compose.yaml: {name}: {source} does not exist")
            else:
                if source not in topology.volumes:
                    raise Problem(f"compose.yaml: {name}: volume {source} is not declared")
                source = f"{topology.directory}/volumes/{source}"
                os.makedirs(source, exist_ok=True)
            self.mounts[target] = source

    def prepare(self):
        """Sets arguments, environment and user."""
        image = self.topology.image
        self.environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin")}
        self.user, self.health = None, None
        if "build" in self.entry:
            build = self.entry["build"]
            context = os.path.normpath(os.path.join(HERE, build["context"]))
            if context != REPOSITORY or os.path.join(context, build["dockerfile"]) != os.path.join(HERE, "Dockerfile"):
                raise Problem(f"compose.yaml: {self.name}: build does not lead to docker/Dockerfile")
            variables = {**image.env, **(self.entry.get("environment") or {})}
            self.environment.update({name: self.localised(value) for name, value in variables.items()})
            self.arguments = [image.path(image.entrypoint[0])] + image.entrypoint[1:] + image.command
            self.user, self.health = image.users.get(image.user), image.health
            for volume in image.volumes:
                if volume not in self.mounts:
                    raise Problem(f"compose.yaml: {self.name}: nothing is mounted at {volume}")
        elif self.entry["image"].split(":")[0] == "haproxy":
            self.prepare_proxy()
        else:
            raise Problem(f"compose.yaml: {self.name}: this program does not know the image {self.entry['image']}")
        if os.geteuid() != 0:
            self.user = None
        if self.user is not None:
            for path in self.mounts.values():
                os.chown(path, self.user, self.user)
            if not self.may_start():
                say(f"{self.name}: the user {self.user} cannot reach the program or its libraries here: runs as the caller")
                self.user = None

    def prepare_proxy(self):
        program = shutil.which("haproxy") or "/usr/sbin/haproxy"
        path = self.mounts.get("/usr/local/etc/haproxy/haproxy.cfg")
        if not path:
            raise Problem(f"compose.yaml: {self.name}: no configuration is mounted")
        with open(path) as file:
            text = file.read()
        bound = set(re.findall(r"^\s*bind :(\d+)$", text, re.MULTILINE))
        published = {port.split(":")[-1] for port in self.entry.get("ports") or []}
        if bound != published:
            raise Problem(f"{path} binds {sorted(bound)}, compose.yaml publishes {sorted(published)}")
        text = re.sub(r"bind :", f"bind {self.address}:", self.topology.with_addresses(text, "server"))
        own = f"{self.topology.directory}/haproxy.cfg"
        with open(own, "w") as file:
            file.write(text)
        self.arguments = [program, "-db", "-f", own]

    def localised(self, value):
        """A setting with addresses for names, and paths of this machine."""
        for target, source in self.mounts.items():
            if value == target or value.startswith(target + "/"):
                return source + value[len(target) :]
        return self.topology.with_addresses(value)

    def may_start(self):
        try:
            return subprocess.run(self.arguments[:1] + ["--version"], **self.identity, capture_output=True).returncode == 0
        except PermissionError:
            return False

    @property
    def identity(self):
        return {} if self.user is None else {"user": self.user, "group": self.user, "extra_groups": []}

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.arguments, env=self.environment, cwd=self.topology.directory, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True, **self.identity)

    def until_healthy(self):
        if not self.health:
            return
        command, times = self.health
        arguments = [self.topology.image.path(command[0])] + command[1:]
        deadline = time.monotonic() + times["start-period"] + 3 * times["interval"]
        while True:
            self.expect_running()
            done = subprocess.run(
                arguments, env=self.environment, capture_output=True, text=True, timeout=times["timeout"], **self.identity)
            if done.returncode == 0:
                return say(f"{self.name} is healthy: {done.stdout.strip()}")
            if time.monotonic() > deadline:
                raise Problem(f"{self.name} is not healthy: {done.stdout}{done.stderr}")
            time.sleep(0.2)

    def expect_running(self):
        if self.process.poll() is not None:
            with open(self.log) as log:
                tail = "".join(log.readlines()[-5:])
            raise Problem(f"{self.name} has ended with {self.process.returncode}:\n{tail}")

    def stop(self):
        """As an engine does: TERM, and KILL after the grace period. Returns the exit code."""
        if not self.process or self.process.poll() is not None:
            return self.process.returncode if self.process else 0
        self.process.terminate()
        try:
            return self.process.wait(self.grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return -signal.SIGKILL


class Topology:
    def __init__(self, directory, image):
        self.directory, self.image = directory, image
        path = os.path.join(HERE, "compose.yaml")
        with open(path) as file:
            compose = parse_yaml(file.read(), path)
        self.volumes = set(compose.get("volumes") or {})
        network = self.free_network(len(compose["services"]))
        self.addresses = {name: f"{network}.{index}" for index, name in enumerate(compose["services"], 1)}
        self.services = {
            name: Service(self, name, entry, self.addresses[name]) for name, entry in compose["services"].items()
        }
        for name, service in self.services.items():
            if service.entry.get("hostname", name) != name:
                raise Problem(f"compose.yaml: {name}: the host name is another one")
            service.prepare()

    def free_network(self, count):
        """A part of 127/8 where nothing listens: every service has the ports that it would have in a container."""
        for attempt in range(50):
            number = (os.getpid() * 50 + attempt) % (100 * 256)
            network = f"127.{100 + number // 256}.{number % 256}"
            try:
                for host in range(1, count + 1):
                    for port in [int(port) for port in self.image.exposed] + [7480, 7481]:
                        with socket.socket() as probe:
                            probe.bind((f"{network}.{host}", port))
                return network
            except OSError:
                continue
        raise Problem("no free loopback addresses")

    def with_addresses(self, text, line_start=None):
        """Names of services exchanged for their addresses, where a port follows or nothing else stands."""
        def exchange(part):
            for name, address in self.addresses.items():
                part = re.sub(rf"(?<![\w.-]){name}(?=:\d|$)", address, part)
            return part
        if not line_start:
            return exchange(text)
        return "\n".join(
            exchange(line) if line.strip().startswith(line_start) else line for line in text.split("\n"))

    def start(self):
        waiting = dict(self.services)
        while waiting:
            ready = [
                service for service in waiting.values() if not set(service.entry.get("depends_on") or {}) & set(waiting)
            ]
            if not ready:
                raise Problem("compose.yaml: the services wait for each other")
            for service in ready:
                service.start()
            for service in ready:
                service.until_healthy()
                del waiting[service.name]

    def stop(self):
        """Stops all; returns the names of those that did not end in order."""
        proxies = [service for service in self.services.values() if not service.health]
        members = [service for service in self.services.values() if service.health]
        for service in proxies:
            service.stop()
        return [service.name for service in members if service.stop() != 0]
