internal import ArgumentParser
internal import FileSystem
internal import GraphModel
internal import ServerRuntime

/// `martlet cluster`: a cluster on this machine, and looking after one.
struct ClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Try a cluster on this machine; look after a running one.",
        subcommands: [
            Run.self, Stop.self, Status.self, SwitchMaster.self, RemoveMember.self, Checksums.self, Branches.self,
            AcceptLoss.self,
        ])

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Start a whole cluster on this machine.",
            discussion: """
                Each member is a process with a directory of its own. With HAProxy installed there is one address for \
                writes and one for reads. Without --detach it runs until TERM or INT and stops its members then.
                """)

        @Option(help: "Number of members, 1 to 9.")
        var members = 3

        @Option(help: "Directory of the cluster; what it holds already is used again.")
        var dir = "run/cluster"

        @Flag(help: "Let the kernel choose the ports.")
        var freePorts = false

        @Flag(help: "Leave the cluster running and return.")
        var detach = false

        @Flag(help: "Do not start HAProxy.")
        var noProxy = false

        @Option(
            help: ArgumentHelp(
                "Client addresses of an etcd that coordinates, with commas between; without it the members do.",
                valueName: "host:port,…"))
        var etcd: String?

        @Option(name: .customLong("set"), help: "key=value for every member. May be repeated.")
        var settings: [String] = []

        func run() async throws {
            var options = LocalCluster.Options()
            options.etcdEndpoints = etcd?.split(separator: ",").map(String.init) ?? []
            options.memberCount = members
            options.directory = dir
            options.usesFreePorts = freePorts
            options.isDetached = detach
            options.usesProxy = !noProxy
            options.settings = try settings.map { text in
                guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                    throw ValidationError("--set \(text): expected key=value")
                }
                return (String(text[..<equals]), String(text[text.index(after: equals)...]))
            }
            try await LocalClusterRunner.run(options) { StandardStream.output.writeLine($0) }
        }
    }

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Stop a cluster that run --detach left running.")

        @Option(help: "Directory of the cluster.")
        var dir = "run/cluster"

        func run() async throws { try await LocalCluster(existing: dir).stop() }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show every member of a cluster.")

        @Option(help: ArgumentHelp("HTTP address of any member, or several with commas between.", valueName: "host:port"))
        var from = "127.0.0.1:7474"

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let views = try await ClusterTool.view(from: from)
            StandardStream.output.writeLine(json ? ClusterTool.json(views) : ClusterTool.table(views))
        }
    }

    struct SwitchMaster: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "switch-master", abstract: "Make another member master; reads go on, writes wait.")

        @Option(help: ArgumentHelp("HTTP address of any member, or several with commas between.", valueName: "host:port"))
        var from = "127.0.0.1:7474"

        @Option(help: "ha.server_id of the new master; left out: whichever is best.")
        var to: Int?

        func run() async throws {
            StandardStream.output.writeLine(try await ClusterTool.switchMaster(from: from, to: to))
        }
    }

    struct RemoveMember: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove-member", abstract: "Take a member out for good.",
            discussion: """
                Stop it before: a process that still runs as that member ends. Its acknowledgements and its vote count no \
                more. Started again it joins anew.
                """)

        @Option(help: ArgumentHelp("HTTP address of any member, or several with commas between.", valueName: "host:port"))
        var from = "127.0.0.1:7474"

        @Argument(help: ArgumentHelp("ha.server_id of the member.", valueName: "id"))
        var member: Int

        func run() async throws {
            try await ClusterTool.removeMember(from: from, member)
            StandardStream.output.writeLine("member \(member) is out of the cluster")
        }
    }

    struct Checksums: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have all members work out what their graphs come to, and compare it.",
            discussion: "Reads and writes go on. Exit code 1 when a member's graph differs from the others'.")

        @Option(help: ArgumentHelp("HTTP address of any member, or several with commas between.", valueName: "host:port"))
        var from = "127.0.0.1:7474"

        func run() async throws {
            let (table, agree) = try await ChecksumTool.compare(from: from)
            StandardStream.output.writeLine(table)
            if !agree { throw ExitStatus.failure }
        }
    }

    struct Branches: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the stores that a member has set aside (ha.branched_data_policy).")

        @Option(help: ArgumentHelp("The member's configuration.", valueName: "file"))
        var config: String

        func run() throws {
            let configuration = try Configuration(file: config, environment: processEnvironment(), overrides: [])
            StandardStream.output.writeLine(try ClusterTool.branches(configuration))
        }
    }

    struct AcceptLoss: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "accept-loss", abstract: "Let a member count again that lost the end of its log for good.",
            discussion: """
                Only with the member stopped, and only when no other member has what it lost: one that has it brings this \
                one up to date when both run. Says what is lost; changes nothing without --yes.
                """)

        @Option(help: ArgumentHelp("The member's configuration.", valueName: "file"))
        var config: String

        @Flag(help: "Accept that what is lost stays lost.")
        var yes = false

        func run() throws {
            let configuration = try Configuration(file: config, environment: processEnvironment(), overrides: [])
            try ClusterTool.acceptLoss(configuration, isConfirmed: yes) { StandardStream.output.writeLine($0) }
        }
    }
}
