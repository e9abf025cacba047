internal import Coordination
internal import GraphModel

/// The watch makes changes known at once; without it members learn of them when they ask next.
extension EtcdRegister {
    /// A read or write has shown the key as of a revision of etcd: a watch may begin there, and one that is under way
    /// must know of it soon.
    mutating func noticeForWatch(revision: Int64, isNews: Bool, _ now: Instant) {
        guard watch != nil else {
            watchFrom = revision &+ 1
            return
        }
        if isNews, watchIsBehindSince == nil { watchIsBehindSince = now }
    }

    /// Whether only the time is missing. Not while questions fail: the endpoint is in doubt then.
    var wantsWatch: Bool {
        watch == nil && watchFrom != nil && failureCount == 0 && (options.login == nil || token != nil)
    }

    mutating func beginWatch(_ now: Instant, _ actions: inout [Action]) {
        if let since = watchIsBehindSince, now >= since + options.watchPatience { endWatch(now, &actions) }
        guard wantsWatch, let watchFrom else { return }
        if let watchMayBeginAt, now < watchMayBeginAt { return }
        watchMayBeginAt = nil
        nextID += 1
        watch = Watch(id: nextID, deadline: now + timeout)
        let request = Request(
            id: nextID, endpoint: endpoints[endpointIndex], path: "/v3/watch", token: token,
            body: EtcdQuestion.watch(key, from: watchFrom))
        actions.append(.send(request, over: .watch))
    }

    mutating func endWatch(_ now: Instant, _ actions: inout [Action]) {
        guard watch != nil else { return }
        watch = nil
        watchIsBehindSince = nil
        // The next read says where the next one begins: the revisions from here on may be gone by then.
        watchFrom = nil
        watchMayBeginAt = now + options.watchPause
        actions.append(.cut(.watch))
    }

    /// Messages of a watch stand one a line.
    mutating func watched(_ status: Int, _ part: [UInt8], _ now: Instant, _ actions: inout [Action]) {
        guard status == 200 else { return endWatch(now, &actions) }
        for byte in part {
            guard byte == UInt8(ascii: "\n") else {
                watch?.line.append(byte)
                continue
            }
            guard let line = watch?.line else { return }
            watch?.line = []
            if !line.isEmpty { message(line, now, &actions) }
        }
        if watch?.line.count ?? 0 > Self.watchLineByteCountMaximum { endWatch(now, &actions) }
    }

    private mutating func message(_ line: [UInt8], _ now: Instant, _ actions: inout [Action]) {
        guard let change = try? EtcdAnswer.change(line), change.end == nil else { return endWatch(now, &actions) }
        watch?.deadline = nil
        watchIsBehindSince = nil
        // A deleted key is for the next read to find.
        guard let value = change.value, let register = try? RegisterBytes.decode(value),
            register.revision > known?.register.revision ?? 0
        else { return }
        known = (value, register)
        for client in clients { actions.append(.reply(RegisterReply(id: 0, outcome: .changed(register)), to: client)) }
    }
}
