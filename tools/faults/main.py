"""The command line of tools/cluster_faults."""
import argparse, os, signal, sys, tempfile

from . import ci, figures, network, report, schedule

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def _arguments(text):
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("run", "plan"):
        command = commands.add_parser(name)
        command.add_argument("--schedules", type=int, default=10)
        command.add_argument("--first", type=int, default=1, help="the first seed")
        command.add_argument("--seed", type=int, help="this seed alone")
        command.add_argument("--kinds", help="kinds of faults, with commas between: " + ", ".join(schedule.KINDS))
        command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                             help="a setting of every member, such as ha.commit_mode=optimistic; may be repeated")
        command.add_argument("--seconds", type=float, default=11.0, help="how long faults go on in a schedule")
        _common(command)
    _common(commands.add_parser("ci"))
    command = commands.add_parser("failover")
    command.add_argument("--runs", type=int, default=50, help="losses of a master of each kind; others are fewer")
    command.add_argument("--only", help="figures whose name holds one of these words, with commas between")
    _common(command)
    return parser.parse_args()


def _common(command):
    command.add_argument("--program", default=os.path.join(ROOT, ".build", "release", "martlet"))
    command.add_argument("--directory", help="where clusters live; one that violated something stays there")
    command.add_argument("--report", help="writes everything as JSON to this file")
    command.add_argument("--loopback", action="store_true", help="no namespaces even where they are possible")
    command.add_argument("--keep", action="store_true", help="keeps every cluster's directory")


def _program(options):
    if not os.access(options.program, os.X_OK):
        sys.exit(f"{options.program} is not there; build it, or name another with --program")
    return os.path.abspath(options.program)


def main(text):
    options = _arguments(text)
    if not options.loopback:
        network.enter_namespaces()
    # An order to end takes the servers along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    inside = network.are_namespaces_here() and not options.loopback
    net = network.Router() if inside else network.Loopback()
    if options.command == "ci":
        return ci.run(net, _program(options))
    if options.command == "failover":
        directory = options.directory or tempfile.mkdtemp(prefix="martlet-faults.")
        missed = figures.take(net, _program(options), directory, options.runs,
                              options.only.split(",") if options.only else [], options.report)
        return 1 if missed else 0
    seeds = [options.seed] if options.seed is not None else range(options.first, options.first + options.schedules)
    kinds = options.kinds.split(",") if options.kinds else None
    settings = dict(text.split("=", 1) for text in options.set)
    for kind in kinds or ():
        if kind not in schedule.KINDS:
            sys.exit(f"there is no fault {kind}; there are: {', '.join(schedule.KINDS)}")
    if options.command == "plan":
        for seed in seeds:
            print(f"seed {seed}: {schedule.Plan(seed, net, kinds, options.seconds, settings=settings)}")
        return 0
    program = _program(options)
    directory = options.directory or tempfile.mkdtemp(prefix="martlet-faults.")
    print(f"machines are {'network namespaces' if inside else 'loopback addresses: no partitions, delays or full disks'}")
    outcomes = []
    for seed in seeds:
        net.reset()
        plan = schedule.Plan(seed, net, kinds, options.seconds, settings=settings)
        outcome = schedule.run(plan, net, program, os.path.join(directory, f"seed{seed}"),
                               options.keep)
        outcomes.append(outcome)
        print(outcome.line(), flush=True)
    violated = report.summarise(outcomes, options.report)
    if violated or options.keep:
        print(f"what they left is in {directory}")
    else:
        os.rmdir(directory) if not os.listdir(directory) else None
    return 1 if violated else 0
