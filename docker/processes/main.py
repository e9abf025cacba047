"""The command line of as-processes."""
import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading

from .common import Problem, say
from .image import Builder
from .topology import Topology
from .trying import check


def until_asked_to_stop(topology):
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    while not asked.wait(1):
        for service in topology.services.values():
            service.expect_running()


def main(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["check", "up"])
    parser.add_argument("--binary", help="a martlet program that is built already; the build stage is passed over")
    parser.add_argument("--dir", help="an empty or new directory to lay everything out in; it stays")
    options = parser.parse_args()
    directory = options.dir and os.path.abspath(options.dir)
    if directory:
        os.makedirs(directory, exist_ok=True)
        if os.listdir(directory):
            raise Problem(f"{directory} is not empty")
    else:
        directory = tempfile.mkdtemp(prefix="martlet-processes.")
    # Other users run the services.
    os.chmod(directory, 0o755)
    topology = None
    try:
        image = Builder(directory, options.binary and os.path.abspath(options.binary)).build()
        topology = Topology(directory, image)
        topology.start()
        if options.action == "check":
            check(topology)
        else:
            proxy = topology.addresses["haproxy"]
            say(f"Writes at http://{proxy}:7480/, reads at http://{proxy}:7481/. Ctrl-C stops it.")
            until_asked_to_stop(topology)
        late = topology.stop()
        if late:
            raise Problem(f"these did not stop in order: {', '.join(late)}")
        say("all stopped in order")
    finally:
        if topology:
            topology.stop()
        if not options.dir:
            shutil.rmtree(directory, ignore_errors=True)


def run(description):
    """The exit code."""
    # Also when it is itself asked to stop, it leaves no process behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        main(description)
    except Problem as problem:
        print(f"docker/as-processes: {problem}", file=sys.stderr)
        return 1
    return 0
