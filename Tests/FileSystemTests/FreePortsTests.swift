import FileSystem
import Glibc
import Testing

@Suite struct FreePortsTests {
    /// A listener of the loopback address; nil where the kernel refuses, which `errno` explains.
    private func listen(_ port: Int, reusing: Bool) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = reusing ? 1 : 0
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let isListening = withAddress(port) { bind(descriptor, $0, $1) } == 0 && Glibc.listen(descriptor, 8) == 0
        if isListening { return descriptor }
        close(descriptor)
        return nil
    }

    private func withAddress(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    @Test func aPortIsKeptForTheServerThatIsToListenThere() throws {
        let ports = try freePorts(20) + freePorts(20)
        #expect(Set(ports).count == 40)
        for port in ports {
            // Connections that go out choose like a socket without the option: the port is not theirs.
            #expect(listen(port, reusing: false) == nil)
            let server = try #require(listen(port, reusing: true), "port \(port): errno \(errno)")
            defer { close(server) }
            let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(client) }
            #expect(withAddress(port) { connect(client, $0, $1) } == 0)
            let accepted = accept(server, nil, nil)
            #expect(accepted >= 0)
            close(accepted)
        }
    }
}
