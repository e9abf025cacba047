internal import CMalloc
internal import Glibc

/// Standard output and standard error, written a whole line at a time and without a buffer in between, so that lines of
/// several threads do not mix and a reader behind a pipe sees them at once.
public enum StandardStream: Int32, Sendable {
    case output = 1
    case error = 2

    /// Whether a person is likely to be looking.
    public var isTerminal: Bool { isatty(rawValue) == 1 }

    /// Writes text as it is. Nothing can be done when nobody takes it.
    public func write(_ text: String) { _ = write(Array(text.utf8)) }

    /// Writes bytes as they are; false when nobody takes them.
    public func write(_ bytes: [UInt8]) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress! + done, bytes.count - done) }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return false }
            done += count
        }
        return true
    }

    public func writeLine(_ text: String) { write(text + "\n") }
}

/// What others write to this process.
public enum StandardInput {
    /// Fills the buffer; waits for what is still to come, and gives fewer bytes only at the end.
    public static func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        guard let start = buffer.baseAddress else { return 0 }
        var done = 0
        while done < buffer.count {
            let count = Glibc.read(0, start + done, buffer.count - done)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw FileError(.io, operation: "read", path: "standard input", detail: String(cString: strerror(errno))) }
            if count == 0 { break }
            done += count
        }
        return done
    }
}

/// The most memory that this process ever held, in bytes, pages of mapped files included.
public func peakResidentByteCount() -> UInt64 {
    var usage = rusage()
    guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
    return UInt64(max(usage.ru_maxrss, 0)) << 10
}

/// The environment variables of this process.
public func processEnvironment() -> [String: String] {
    var result: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
        let text = String(cString: entry)
        if let equals = text.firstIndex(of: "=") {
            result[String(text[..<equals])] = String(text[text.index(after: equals)...])
        }
        next += 1
    }
    return result
}

/// Gives memory that was freed back to the operating system, which the C library else keeps for itself. Takes some
/// milliseconds for each hundred MiB.
public func returnFreeMemory() { martlet_return_free_memory() }
