"""The short form for every run of the tests: about a minute and a half."""
import os, shutil, tempfile

from . import schedule, selftest

# Seeds are as good as any: each run is another one in its timing anyway.
SCHEDULES = [(1, ["kill", "truncate"]), (2, ["freeze", "clock", "switch"])]
WITH_NAMESPACES = [(3, ["partition", "flap", "mute"]), (4, ["slow", "full-disk", "halves"])]


def run(net, program):
    """Returns the number of failures; the last line is for tools/test."""
    passed, failed = selftest.main()
    planned = SCHEDULES + (WITH_NAMESPACES if net.can_cut else [])
    if not net.can_cut:
        print("cluster faults: no network namespaces here: partitions, delays and full disks are left out")
    directory = tempfile.mkdtemp(prefix="martlet-faults.")
    for seed, kinds in planned + [(5, ["roll-back"])]:
        net.reset()
        plan = schedule.Plan(seed, net, kinds, seconds=7.0, shape=(3, 0))
        is_control = kinds == ["roll-back"]
        outcome = schedule.run(plan, net, program, os.path.join(directory, f"seed{seed}"),
                               patience=15 if is_control else 60)
        if is_control:
            # Harm that no cluster survives: what is wrong is when nobody notices.
            holds = any("LOST" in text for text in outcome.violations)
            shutil.rmtree(os.path.join(directory, f"seed{seed}"), ignore_errors=True)
            print(f"seed {seed}: {'ok' if holds else 'VIOLATED'}, the loss of a quorum's data is noticed: {holds}")
        else:
            holds = outcome.holds
            print(outcome.line(), flush=True)
        passed, failed = passed + holds, failed + (not holds)
    if failed:
        print(f"what they left is in {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    print(f"cluster faults: {passed} passed, {failed} failed")
    return min(failed, 100)
