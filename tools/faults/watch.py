"""Asks every member for its status many times a second, and finds what may never be seen."""
import threading, time

from .client import Broken, Unreachable


class Look:
    """One answer of /hastatus: what was so at some moment between `sent` and `received`."""
    __slots__ = ("member", "incarnation", "sent", "received", "epoch", "is_master", "role", "applied", "is_readable")

    def __init__(self, member, incarnation, sent, received, status):
        self.member, self.incarnation, self.sent, self.received = member, incarnation, sent, received
        self.epoch, self.is_master, self.role = status["epoch"], status["master"], status["role"]
        self.applied = (status["applied"]["tx"], status["applied"]["epoch"], status["applied"]["checksum"])
        self.is_readable = status["readable"]


class Watch:
    def __init__(self, cluster, pause=0.025):
        self.cluster, self.pause = cluster, pause
        self.looks = {member.number: [] for member in cluster.members}
        self.is_over = False
        self.threads = [threading.Thread(target=self._run, args=(member,), daemon=True) for member in cluster.members]
        for thread in self.threads:
            thread.start()

    def _run(self, member):
        client = member.client(timeout=1.0, connect_timeout=0.5)
        while not self.is_over:
            incarnation, sent = member.incarnation, time.monotonic()
            try:
                status = client.request("GET", "/hastatus").json
                if incarnation == member.incarnation:
                    self.looks[member.number].append(
                        Look(member.number, incarnation, sent, time.monotonic(), status))
            except (Unreachable, Broken, ValueError):
                client.close()
            time.sleep(self.pause)
        client.close()

    def stop(self):
        self.is_over = True
        for thread in self.threads:
            thread.join(5)

    def masters(self):
        """(epoch, member) of every mastership seen, in order."""
        seen = []
        for look in sorted((look for looks in self.looks.values() for look in looks), key=lambda look: look.received):
            if look.is_master and (look.epoch, look.member) not in seen:
                seen.append((look.epoch, look.member))
        return seen

    def violations(self, may_lose=False):
        """What may never be seen; `may_lose`: commits are optimistic, so applied transactions may be taken back."""
        found = []
        owners, contents = {}, {}
        claims = []
        for member, looks in self.looks.items():
            last, newest_readable = None, 0
            for look in looks:
                if look.is_master:
                    owner = owners.setdefault(look.epoch, member)
                    if owner != member:
                        found.append(f"epoch {look.epoch} has two masters: members {owner} and {member}")
                    claims.append(look)
                transaction, epoch, checksum = look.applied
                first = contents.setdefault(transaction, (checksum, epoch, member))
                if not may_lose and transaction > 0 and first[:2] != (checksum, epoch):
                    found.append(f"member {member} applied another transaction {transaction} than member "
                                 f"{contents[transaction][2]}")
                if last and last.incarnation == look.incarnation:
                    if look.epoch < last.epoch:
                        found.append(f"member {member} went back from epoch {last.epoch} to {look.epoch}")
                    # Who copies a store serves nothing, and begins anew.
                    if look.is_readable and not may_lose and look.applied[0] < newest_readable:
                        found.append(f"member {member} went back from transaction {newest_readable} to {look.applied[0]}")
                else:
                    newest_readable = 0
                if look.is_readable:
                    newest_readable = max(newest_readable, look.applied[0])
                last = look
        if may_lose:
            return sorted(set(found))[:10]  # an optimistic master goes on until it hears of a newer one
        # Once a newer master has said 200, no older one may.
        claims.sort(key=lambda look: look.sent)
        newest = []
        for look in sorted(claims, key=lambda look: look.received):
            if not newest or look.epoch > newest[-1][1]:
                newest.append((look.received, look.epoch, look.member))
        for received, epoch, member in newest:
            for look in claims:
                if look.epoch < epoch and look.sent > received:
                    found.append(f"member {look.member} claims to be master of epoch {look.epoch} "
                                 f"{(look.sent - received) * 1000:.0f} ms after member {member} did of epoch {epoch}")
                    break
        return sorted(set(found))[:10]
