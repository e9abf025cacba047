"""Writers that measure: one for each member, that writes without a rest and remembers when it was told what."""
import threading, time

from .client import Broken, Unreachable

QUERY = "CREATE (n:W {key: {key}})"


class Note:
    __slots__ = ("member", "began", "ended", "status", "epoch", "code")

    def __init__(self, member, began, ended, status, epoch, code=""):
        self.member, self.began, self.ended = member, began, ended
        self.status, self.epoch, self.code = status, epoch, code

    def __str__(self):
        return f"{self.status} {self.code} from member {self.member} after {(self.ended - self.began) * 1000:.0f} ms"


class Probe:
    """`status` of a note is 0 when the connection broke or there was no answer in time."""

    def __init__(self, cluster, query=QUERY, timeout=8.0, pause=0.002):
        self.cluster, self.query, self.timeout, self.pause = cluster, query, timeout, pause
        self.notes = []
        self.is_over = False
        self.threads = [threading.Thread(target=self._run, args=(member,), daemon=True) for member in cluster.members]
        for thread in self.threads:
            thread.start()

    def _run(self, member):
        client = member.client(timeout=self.timeout, connect_timeout=0.3)
        count = 0
        while not self.is_over:
            count += 1
            began = time.monotonic()
            try:
                answer = client.cypher(self.query, {"key": member.number * 1_000_000_000 + count})
                self.notes.append(Note(member.number, began, time.monotonic(), answer.status, answer.epoch,
                                       answer.code))
                time.sleep(self.pause if answer.status == 200 else 0.005)
            except Unreachable:
                time.sleep(0.02)
            except Broken:
                self.notes.append(Note(member.number, began, time.monotonic(), 0, 0))
                time.sleep(0.005)
        client.close()

    def stop(self):
        self.is_over = True
        for thread in self.threads:
            thread.join(self.timeout + 1)

    def acknowledged(self, since=0.0, until=float("inf"), member=None):
        """When writes were acknowledged in that time, in order."""
        return sorted(note.ended for note in list(self.notes)
                      if note.status == 200 and since <= note.ended <= until and member in (None, note.member))

    def first_of_epoch_above(self, epoch, since):
        """When the first write was acknowledged in a later epoch; None when none was yet."""
        times = [note.ended for note in list(self.notes)
                 if note.status == 200 and note.epoch > epoch and note.ended > since]
        return min(times) if times else None

    def longest_gap(self, since, until, member=None):
        """The longest time without an acknowledgement between two moments."""
        times = [since] + self.acknowledged(since, until, member) + [until]
        return max(after - before for before, after in zip(times, times[1:]))
