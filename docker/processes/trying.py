"""Whether a started topology serves as it should."""
import json
import re
import time
import urllib.error
import urllib.request

from .common import Problem, say


def request(address, path, body=None, timeout=10):
    """Status and text of an answer; status 0 without one."""
    call = urllib.request.Request(f"http://{address}{path}", data=body and json.dumps(body).encode())
    call.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(call, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def until(what, holds, limit=60):
    deadline = time.monotonic() + limit
    while not holds():
        if time.monotonic() > deadline:
            raise Problem(f"waited {limit} s in vain until {what}")
        time.sleep(0.1)
    say(what)


def check(topology):
    proxy = topology.addresses["haproxy"]
    write = lambda name: request(f"{proxy}:7480", "/db/data/cypher", {
        "query": "CREATE (n:Checked {name: {name}})", "params": {"name": name}})[0] == 200
    count = lambda: request(f"{proxy}:7481", "/db/data/cypher", {
        "query": "MATCH (n:Checked) RETURN count(DISTINCT n.name)", "params": {}})[1]
    until("a write goes through HAProxy", lambda: write("one"))
    until("slaves have it", lambda: re.search(r"\[\s*1\s*\]", count()))
    members = [service for service in topology.services.values() if service.health]
    for service in members:
        with open(f"/proc/{service.process.pid}/status") as status:
            user = re.search(r"^Uid:\s+(\d+)", status.read(), re.MULTILINE).group(1)
        if service.user is not None and user != str(service.user):
            raise Problem(f"{service.name} runs as user {user}, not {service.user}")
        say(f"{service.name} runs as user {user}")
    is_master = lambda service: request(f"{service.address}:7474", "/hastatus/master")[0] == 200
    master = next((service for service in members if is_master(service)), None)
    if not master:
        raise Problem("no member says that it is master")
    code = master.stop()
    if code != 0:
        raise Problem(f"{master.name} ended with {code} after TERM")
    say(f"{master.name}, the master, has stopped in order")
    until("a write goes to another master", lambda: write("two"))
    master.start()
    master.until_healthy()
    until("the stopped member has both writes", lambda: re.search(r"\[\s*2\s*\]", request(
        f"{master.address}:7474", "/db/data/cypher",
        {"query": "MATCH (n:Checked) RETURN count(DISTINCT n.name)", "params": {}})[1]))
