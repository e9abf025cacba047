internal import HTTPTypes

/// Tells requests apart that came under one `X-Request-Id`: gateways hand the same one on to all that belongs to one request
/// of theirs.
///
/// FNV-1a (Fowler, Noll, Vo) over 64 bits of method, path and body. The host in URIs does not count: sent again to another
/// member it is another one.
enum RequestFingerprint {
    static func of(_ head: HTTPRequest, _ body: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for byte in head.method.rawValue.utf8 { add(byte) }
        add(0)
        for byte in (head.path ?? "").utf8 { add(byte) }
        add(0)
        let slash = UInt8(ascii: "/")
        var index = 0
        while index < body.count {
            add(body[index])
            // After "://" comes the host, up to the next slash or the end of the string.
            let isAuthority =
                index >= 2 && body[index] == slash && body[index - 1] == slash && body[index - 2] == UInt8(ascii: ":")
            index += 1
            guard isAuthority else { continue }
            while index < body.count, body[index] != slash, body[index] != UInt8(ascii: "\"") { index += 1 }
        }
        return hash
    }
}
