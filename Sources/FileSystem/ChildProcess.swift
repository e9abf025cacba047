internal import Glibc

/// A process that this one started.
public struct ChildProcess: Sendable {
    public let processID: Int32

    /// Starts a program with its output appended to a file.
    ///
    /// - Parameter detached: in a session of its own, so that it outlives this process and its terminal.
    public static func start(
        _ path: String, _ arguments: [String], outputPath: String, detached: Bool
    ) throws(FileError) -> ChildProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o640)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        closeInherited(&actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // POSIX_SPAWN_SETSID, which the C library has but this import does not.
        if detached { posix_spawnattr_setflags(&attributes, 0x80) }
        var processID: pid_t = 0
        var argv: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        argv.append(nil)
        defer { for argument in argv { free(argument) } }
        let code = posix_spawnp(&processID, path, &actions, &attributes, argv, environ)
        guard code == 0 else { throw FileError(errno: code, operation: "start", path: path) }
        return ChildProcess(processID: processID)
    }

    public init(processID: Int32) { self.processID = processID }

    /// Sockets of this process are nothing for another: it would hold their ports for as long as it runs.
    private static func closeInherited(_ actions: inout posix_spawn_file_actions_t) {
        typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
        // The C library has it from 2.34 on, but this import does not show it.
        guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else { return }
        _ = unsafeBitCast(symbol, to: CloseFrom.self)(&actions, 3)
    }

    /// Whether it runs. A child that has ended is buried on the way.
    public var isRunning: Bool {
        var status: Int32 = 0
        if waitpid(processID, &status, WNOHANG) == processID { return false }
        return kill(processID, 0) == 0
    }

    /// Asks it to stop in order.
    public func terminate() { _ = kill(processID, SIGTERM) }
    public func kill9() { _ = kill(processID, SIGKILL) }
}

/// The path of this program's file.
public func executablePath() -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard count > 0 else { return "martlet" }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The file of a program by the search path; nil when there is none.
public func findProgram(_ name: String) -> String? {
    let path = processEnvironment()["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    for directory in path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"] {
        let candidate = directory + "/" + name
        if access(candidate, X_OK) == 0 { return candidate }
    }
    return nil
}
