"""The Dockerfile: its steps carried out in a directory for each stage."""
import json
import os
import re
import shlex
import shutil
import subprocess

from .common import HERE, REPOSITORY, Problem, say


def parse_dockerfile(path):
    """A list of (line number, instruction, rest)."""
    found, pending, start = [], "", 0
    with open(path) as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            start = start if pending else number
            if line.endswith("\\"):
                pending += line[:-1]
                continue
            instruction, _, rest = (pending + line).partition(" ")
            found.append((start, instruction.upper(), re.sub(r"\s+", " ", rest.strip())))
            pending = ""
    if pending:
        raise Problem(f"{path}: the last line is continued and ends")
    return found


class Stage:
    """An image: a directory that stands for its root, and what it says about its process."""

    def __init__(self, name, root):
        self.name, self.root = name, root
        self.workdir, self.user, self.env, self.volumes = "/", None, {}, []
        self.entrypoint, self.command, self.health = [], [], None
        self.users, self.exposed = {}, []
        os.makedirs(root)

    def path(self, path):
        """Where a path of the image lies here."""
        return self.root + os.path.normpath(os.path.join(self.workdir, path))


class Builder:
    def __init__(self, directory, binary):
        self.directory, self.binary = directory, binary
        self.stages, self.arguments = [], {}
        self.file = os.path.join(HERE, "Dockerfile")

    def build(self):
        for number, instruction, rest in parse_dockerfile(self.file):
            method = getattr(self, "do_" + instruction.lower(), None)
            if not method:
                raise Problem(f"{self.file}:{number}: this program does not know {instruction}")
            try:
                method(rest)
            except Problem as problem:
                raise Problem(f"{self.file}:{number}: {problem}")
        return self.stages[-1]

    @property
    def stage(self):
        return self.stages[-1]

    @property
    def is_passed_over(self):
        """What only serves to make the program, when that is there."""
        return self.binary and self.stage.name == "build"

    def do_arg(self, rest):
        name, _, value = rest.partition("=")
        self.arguments[name] = value

    def do_from(self, rest):
        match = re.fullmatch(r"(\S+)(?: AS (\w+))?", rest, re.IGNORECASE)
        if not match:
            raise Problem(f"cannot read FROM {rest}")
        image = re.sub(r"\$\{(\w+)\}", lambda name: self.arguments[name.group(1)], match.group(1))
        stage = Stage(match.group(2) or str(len(self.stages)), f"{self.directory}/image{len(self.stages)}")
        self.stages.append(stage)
        say(f"stage {stage.name}: {image}")
        if image.startswith("swift:") and not self.is_passed_over:
            wanted = image.split(":")[1].split("-")[0]
            version = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout
            if f"Swift version {wanted}" not in version:
                say(f"  this machine has another compiler: {version.splitlines()[:1]}")

    def do_run(self, rest):
        if self.is_passed_over:
            return say(f"  passed over: RUN {rest}")
        say(f"  RUN {rest}")
        for command in rest.split(" && "):
            self.run(shlex.split(command))

    def run(self, words):
        if words[0] == "apt-get":
            if "install" in words:
                packages = [word for word in words[words.index("install") + 1 :] if not word.startswith("-")]
                self.expect_packages(packages)
        elif words[:2] == ["rm", "-rf"] and all(word.startswith("/var/lib/apt/") for word in words[2:]):
            pass
        elif words[0] == "useradd":
            self.stage.users[words[-1]] = int(words[words.index("--uid") + 1])
        elif words[:2] == ["install", "-d"]:
            os.makedirs(self.stage.path(words[-1]), exist_ok=True)
        else:
            own = [self.stage.path(word) if word.startswith("/") else word for word in words]
            environment = {**os.environ, **self.stage.env}
            if subprocess.run(own, cwd=self.stage.path("."), env=environment).returncode != 0:
                raise Problem(f"this failed: {shlex.join(words)}")

    def expect_packages(self, packages):
        if not shutil.which("dpkg-query"):
            return say(f"    no Debian system: hopefully what {' '.join(packages)} hold is here")
        for package in packages:
            state = subprocess.run(
                ["dpkg-query", "-W", "-f", "${Status}", package], capture_output=True, text=True).stdout
            if "install ok installed" not in state:
                raise Problem(f"the package {package} is not installed on this machine: apt-get install {package}")

    def do_copy(self, rest):
        words = rest.split(" ")
        origin = REPOSITORY
        if words[0].startswith("--from="):
            name = words.pop(0)[len("--from=") :]
            other = next((stage for stage in self.stages[:-1] if stage.name == name), None)
            if not other:
                raise Problem(f"there is no stage {name}")
            origin = other.root
            if self.binary and name == "build":
                if len(words) != 2 or os.path.basename(words[0]) != "martlet":
                    raise Problem("with --binary only the program can come from the stage build")
                return self.copy(self.binary, words[1])
        if words[0].startswith("--"):
            raise Problem(f"this program does not know {words[0]}")
        for source in words[:-1]:
            if not os.path.exists(f"{origin}/{source}"):
                raise Problem(f"{source} does not exist")
            if not self.is_passed_over:
                self.copy(f"{origin}/{source}", words[-1])

    def copy(self, source, target):
        path = self.stage.path(target)
        if target.endswith("/") or os.path.isdir(path) and os.path.isfile(source):
            path = os.path.join(path, os.path.basename(source))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.isdir(source):
            shutil.copytree(source, path, dirs_exist_ok=True)
        else:
            shutil.copy2(source, path)

    def do_workdir(self, rest):
        self.stage.workdir = os.path.join(self.stage.workdir, rest)
        os.makedirs(self.stage.path("."), exist_ok=True)

    def do_env(self, rest):
        name, _, value = rest.partition("=")
        if " " in value:
            raise Problem("one variable a line, and no blanks in it")
        self.stage.env[name] = value

    def do_user(self, rest):
        if rest not in self.stage.users:
            raise Problem(f"no RUN useradd made the user {rest}")
        self.stage.user = rest

    def do_volume(self, rest):
        self.stage.volumes.append(rest)

    def do_expose(self, rest):
        self.stage.exposed += rest.split(" ")

    def do_entrypoint(self, rest):
        self.stage.entrypoint = json.loads(rest)

    def do_cmd(self, rest):
        self.stage.command = json.loads(rest)

    def do_healthcheck(self, rest):
        options, _, command = rest.partition("CMD ")
        times = dict(re.findall(r"--([\w-]+)=(\d+)s", options))
        self.stage.health = (json.loads(command), {name: int(value) for name, value in times.items()})
