"""The short form for every run of the tests: about a minute and a half."""
import os, shutil, tempfile

from . import schedule, selftest

SCHEDULES = [
    [("kill", "master", 0.5), ("truncate", "slave", 0.5), ("restart-all", "all", 1.0)],
    [("freeze", "master", 2.0), ("clock", "all", 1.0), ("switch", "master", 0.3), ("stop", "master", 0.3)],
]
WITH_NAMESPACES = [
    [("partition", "master", 2.0), ("mute", "master", 2.0), ("flap", "any", 2.0)],
    [("slow", "all", 2.5), ("full-disk", "slave", 1.0), ("halves", "all", 2.0)],
]
# Harm that no cluster survives: what is wrong is when nobody notices.
CONTROL = [("roll-back", "all", 4.0)]


def run(net, program):
    """Returns the number of failures; the last line is for tools/test."""
    passed, failed = selftest.main()
    planned = SCHEDULES + (WITH_NAMESPACES if net.can_cut else [])
    if not net.can_cut:
        print("cluster faults: no network namespaces here: partitions, delays and full disks are left out")
    directory = tempfile.mkdtemp(prefix="martlet-faults.")
    for seed, faults in enumerate(planned + [CONTROL], 1):
        net.reset()
        folder = os.path.join(directory, f"schedule{seed}")
        outcome = schedule.run(schedule.Plan.of(seed, net, faults), net, program, folder,
                               patience=15 if faults is CONTROL else 60)
        holds = outcome.holds
        if faults is CONTROL:
            holds = any("LOST" in text for text in outcome.violations)
            shutil.rmtree(folder, ignore_errors=True)
            print(f"seed {seed}: {'ok' if holds else 'VIOLATED'}, the loss of a quorum's data is noticed: {holds}")
        else:
            print(outcome.line(), flush=True)
        passed, failed = passed + holds, failed + (not holds)
    if failed:
        print(f"what they left is in {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    print(f"cluster faults: {passed} passed, {failed} failed")
    return min(failed, 100)
