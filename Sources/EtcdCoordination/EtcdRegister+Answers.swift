internal import Coordination
internal import FileSystem
internal import GraphModel

extension EtcdRegister {
    /// The answer to the question that is under way.
    mutating func answered(_ status: Int, _ body: [UInt8], _ now: Instant, _ actions: inout [Action]) {
        guard let question else { return }
        let floor = question.floor
        guard status == 200 else {
            let refusal = EtcdAnswer.refusal(status: status, body)
            if refusal.asksForLogin, options.login != nil, token != nil, !hasJustLoggedIn {
                // The token has run out.
                self.question = nil
                token = nil
                return
            }
            let hint =
                refusal.asksForLogin && options.login == nil ? " (it wants a login: set ha.etcd.user and ha.etcd.password)" : ""
            return failed(refusal.message + hint, now, &actions)
        }
        do throws(UnexpectedAnswer) {
            switch question.step {
            case .login:
                token = try EtcdAnswer.token(body)
                hasJustLoggedIn = true
                self.question = nil
            case .read:
                let range = try EtcdAnswer.range(body)
                answerRead(range, floor, now, &actions)
            case .readBeforeWrite:
                let range = try EtcdAnswer.range(body)
                prepareWrite(range, floor, now, &actions)
            case .write(let register):
                let replaced = try EtcdAnswer.replaced(body)
                answerWrite(replaced, register, floor, now, &actions)
            }
        } catch {
            failed("an answer that etcd 3.4 or later would not give: \(error)", now, &actions)
        }
    }

    private mutating func answerRead(_ range: EtcdAnswer.Range, _ floor: UInt64, _ now: Instant, _ actions: inout [Action]) {
        question = nil
        succeeded(&actions)
        guard let (request, client) = waiting.first else { return }
        let register = learn(range, floor, now, &actions)
        reply(register.map { .value($0) } ?? .redirect(nil), request.id, client, &actions)
    }

    /// Now that the value is known, the write can be put; or it is clear that it comes too late.
    private mutating func prepareWrite(_ range: EtcdAnswer.Range, _ floor: UInt64, _ now: Instant, _ actions: inout [Action]) {
        question = nil
        succeeded(&actions)
        guard let (request, client) = waiting.first else { return }
        guard let register = learn(range, floor, now, &actions) else {
            return reply(.redirect(nil), request.id, client, &actions)
        }
        if case .compareAndSet(let expected, _) = request.operation, expected != register.revision {
            reply(.conflict(register), request.id, client, &actions)
        }
    }

    private mutating func answerWrite(
        _ replaced: EtcdAnswer.Replaced, _ written: ClusterRegister, _ floor: UInt64, _ now: Instant,
        _ actions: inout [Action]
    ) {
        question = nil
        succeeded(&actions)
        guard let (request, client) = waiting.first else { return }
        switch replaced {
        case .done(let revision):
            let range = EtcdAnswer.Range(value: RegisterBytes.encode(written), revision: revision)
            // The watch may have told of the next one already.
            let newest = learn(range, floor, now, &actions)
            let own = newest?.revision == written.revision ? newest : written
            reply(newest == nil ? .redirect(nil) : .written(own ?? written), request.id, client, &actions)
        case .otherwise(let range):
            let register = learn(range, floor, now, &actions)
            reply(register.map { .conflict($0) } ?? .redirect(nil), request.id, client, &actions)
        }
    }

    /// Takes in what lies under the key. Nil when it is not to be used: no register, or an older one than was there
    /// before. Somebody has then deleted the key, or restored etcd from a snapshot, and members that believed it could
    /// begin an epoch a second time.
    mutating func learn(
        _ range: EtcdAnswer.Range, _ floor: UInt64, _ now: Instant, _ actions: inout [Action]
    ) -> ClusterRegister? {
        let register: ClusterRegister
        do throws(MalformedBytes) { register = try RegisterBytes.decode(range.value) } catch {
            refuse("holds no register: \(error)", &actions)
            return nil
        }
        if let known {
            let isOlder = register.revision < floor
            let isAnother = register.revision == known.register.revision && range.value != known.bytes
            if isOlder || isAnother {
                let found = range.value == nil ? "is gone" : "holds \(isOlder ? "an older" : "another") register of revision \(register.revision)"
                refuse(
                    "\(found), revision \(known.register.revision) was there. Was it deleted, or etcd restored? Put it back, or, if that is not possible, restart all members",
                    &actions)
                return nil
            }
        }
        isRefusingValue = false
        // The watch was faster than the answer.
        if let known, register.revision < known.register.revision { return known.register }
        let isNews = register.revision > known?.register.revision ?? 0
        known = (range.value, register)
        noticeForWatch(revision: range.revision, isNews: isNews, now)
        return register
    }

    private mutating func refuse(_ what: String, _ actions: inout [Action]) {
        if !isRefusingValue { actions.append(.note("etcd: the key \(String(decoding: key, as: UTF8.self)) \(what)")) }
        isRefusingValue = true
    }
}
