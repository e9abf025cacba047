internal import Glibc
internal import Synchronization

/// Sockets that hold ports which were handed out, the oldest first.
private let heldSockets = Mutex<[Int32]>([])
/// Enough for all processes that a test or a local cluster starts.
private let heldSocketCountMaximum = 256

/// So many TCP ports of the loopback address that nothing uses, chosen by the kernel.
///
/// Their sockets stay bound, the last 256 until this process ends, or the kernel would give the same ports to connections
/// that go out before a server listens there. A server that sets `SO_REUSEADDR`, as they all do, can bind and listen beside
/// a socket that has it too and does not listen (socket(7)). Throws what the kernel refuses a socket for, too many open
/// files for one.
public func freePorts(_ count: Int) throws(FileError) -> [Int] {
    var sockets: [Int32] = []
    var ports: [Int] = []
    do throws(FileError) {
        for _ in 0..<count {
            let (descriptor, port) = try boundSocket()
            sockets.append(descriptor)
            ports.append(port)
        }
    } catch {
        for socket in sockets { close(socket) }
        throw error
    }
    heldSockets.withLock { held in
        held += sockets
        let surplus = max(0, held.count - heldSocketCountMaximum)
        for socket in held.prefix(surplus) { close(socket) }
        held.removeFirst(surplus)
    }
    return ports
}

private func boundSocket() throws(FileError) -> (descriptor: Int32, port: Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw FileError(errno: errno, operation: "socket", path: "127.0.0.1") }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    var code = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
        }
    }
    // Only once it has a port: sockets that have the option from the start may be given the same one.
    var yes: Int32 = 1
    if code == 0 { code = setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size)) }
    guard code == 0 else {
        let error = FileError(errno: errno, operation: "bind", path: "127.0.0.1")
        close(descriptor)
        throw error
    }
    return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
}
