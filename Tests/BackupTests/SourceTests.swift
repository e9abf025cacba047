import Backup
import GraphModel
import Testing
import Transport

@Suite struct SourceTests {
    @Test func hostsAndPortsAreReadAsWritten() throws {
        let cases: [(String, BackupSource.Mode, [HostPort])] = [
            ("single://192.168.1.34", .single, [HostPort(host: "192.168.1.34", port: 6362)]),
            ("single://192.168.1.34:9999", .single, [HostPort(host: "192.168.1.34", port: 9999)]),
            ("ha://a:2181,b", .ha, [HostPort(host: "a", port: 2181), HostPort(host: "b", port: 6362)]),
            ("HA://a,a,a:6362", .ha, [HostPort(host: "a", port: 6362)]),
            (
                "ha://[::1],[fe80::1%eth0]:7000", .ha,
                [HostPort(host: "::1", port: 6362), HostPort(host: "fe80::1%eth0", port: 7000)]
            ),
        ]
        for (text, mode, hosts) in cases {
            let source = try BackupSource(text)
            #expect(source.mode == mode && source.hosts == hosts, "\(text): \(source)")
            #expect(try BackupSource(source.description) == source)
        }
    }

    @Test func whatIsWrongIsNamed() {
        let cases: [(String, String)] = [
            ("", "the running mode is missing"),
            ("localhost:6362", "the running mode is missing"),
            ("://host", "\"\" is no running mode"),
            ("http://host", "\"http\" is no running mode"),
            ("single://", "a host is missing"),
            ("ha://a,,b", "a host is missing"),
            ("ha://a,", "a host is missing"),
            ("single://a,b", "single:// takes one host, not 2"),
            ("single://:6362", "the host before \":6362\" is missing"),
            ("single://host:", "\"\" is no port"),
            ("single://host:0", "\"0\" is no port"),
            ("single://host:65536", "\"65536\" is no port"),
            ("single://host:+80", "\"+80\" is no port"),
            ("single://host:9x", "\"9x\" is no port"),
            ("single://host/db", "\"/db\" follows the host \"host\""),
            ("single://::1", "put an IPv6 address in brackets"),
            ("single://[::1", "is not closed"),
            ("single://[::1]x", "\"x\" follows the address \"[::1]\""),
            ("single://a b", "\"a b\" is no host name"),
        ]
        for (text, part) in cases {
            let error = #expect(throws: GraphError.self, "\(text)") { try BackupSource(text) }
            #expect(error?.code == .configuration)
            #expect(error?.message.hasPrefix("-from \(text): ") ?? false)
            #expect(error?.message.contains(part) ?? false, "\(text): \(error?.message ?? "")")
            #expect(error?.message.contains("expected single://host[:port] or ha://host") ?? false)
        }
    }

    private func status(
        _ role: BackupRole, _ transaction: UInt64, lag: Milliseconds = 0, store: UInt64 = 1, isAvailable: Bool = true
    ) -> BackupStatus {
        BackupStatus(
            storeID: StoreID(store), role: role, isAvailable: isAvailable,
            applied: LogPosition(epoch: Epoch(1), transactionID: TransactionID(transaction), checksum: 0), lag: lag)
    }

    @Test func anUpToDateSlaveComesBeforeTheMaster() throws {
        func order(_ statuses: [BackupStatus]) throws -> [Int] {
            let members = statuses.enumerated().map { (host: HostPort(host: "h", port: $0.offset), status: $0.element) }
            return try BackupCandidates.order(members).map(\.host.port)
        }
        #expect(
            try order([
                status(.pending, 9), status(.slave, 5, lag: 5000), status(.master, 10), status(.slave, 9, lag: 20),
                status(.slave, 10), status(.slave, 10, isAvailable: false), status(.slave, 10),
            ]) == [4, 6, 3, 2, 1, 0])
        #expect(try order([]) == [])
        let error = #expect(throws: GraphError.self) {
            try order([
                status(.master, 1), status(.slave, 1, store: 2), status(.slave, 1, store: 3, isAvailable: false),
            ])
        }
        #expect(error?.code == .foreignStore)
    }
}
