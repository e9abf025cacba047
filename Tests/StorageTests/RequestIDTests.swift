import FileSystem
import GraphModel
import Storage
import Testing

/// A request that names itself is carried out once, whatever becomes of the store in between.
@Suite struct RequestIDTests {
    static var options: Store.Options {
        var options = Store.Options()
        options.usesLogThread = false
        options.logRotationByteCount = 512
        options.logPreallocationByteCount = 256
        options.logRetention = .none
        return options
    }

    private static func id(_ text: String) throws -> RequestID { try #require(RequestID(text)) }

    /// Creates a node under a name; the transaction that says it did so before.
    @discardableResult
    private static func create(_ committer: LocalCommitter, _ text: String?) throws -> TransactionID? {
        var options = WriteOptions()
        options.requestID = try text.map(id)
        let transaction = committer.begin(options: options)
        _ = try transaction.createNode(labels: ["N"])
        do throws(GraphError) { try committer.commitAndWait(transaction) } catch {
            guard let first = error.committedTransaction else { throw error }
            return first
        }
        return nil
    }

    @Test(arguments: ["a", "0123-abc", "!", "~", String(repeating: "x", count: 128)])
    func names(text: String) { #expect(RequestID(text)?.text == text) }

    @Test(arguments: ["", " ", "a b", "tab\t", "ä", "\u{7F}", "line\n", String(repeating: "x", count: 129)])
    func otherTextIsNoName(text: String) { #expect(RequestID(text) == nil) }

    @Test func aRepetitionHasNoEffectAndNamesTheTransaction() throws {
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: Self.options)
        let committer = try LocalCommitter(store)
        #expect(try Self.create(committer, "one") == nil)
        let first = store.applied.transactionID
        #expect(try Self.create(committer, "two") == nil)
        #expect(try Self.create(committer, "one") == first)
        #expect(try Self.create(committer, "two") == first.next)
        #expect(try Self.create(committer, nil) == nil)
        #expect(try Self.create(committer, nil) == nil)
        // With the reference node.
        #expect(store.nodeCount == 5)
        #expect(store.transaction(of: try Self.id("one")) == first)
        #expect(store.transaction(of: try Self.id("three")) == nil)
        #expect(store.check().problems == [])
    }

    /// What has lost, or changes nothing, leaves no trace: the same request may still be carried out.
    @Test func onlyWhatIsCommittedIsRemembered() throws {
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: Self.options)
        let committer = try LocalCommitter(store)
        var options = WriteOptions()
        options.requestID = try Self.id("late")
        let late = committer.begin(options: options)
        try late.setProperty("p", to: .integer(1), ofNode: NodeID(0))
        let other = committer.begin()
        try other.setProperty("p", to: .integer(2), ofNode: NodeID(0))
        try committer.commitAndWait(other)
        #expect(throws: GraphError.self) { try committer.commitAndWait(late) }
        #expect(store.committedRequests.isEmpty)
        let again = committer.begin(options: options)
        try again.setProperty("p", to: .integer(1), ofNode: NodeID(0))
        try committer.commitAndWait(again)
        #expect(store.committedRequests == [try Self.id("late"): store.applied.transactionID])
        // A conflict counts for less than having been carried out.
        let base = committer.begin(options: options)
        try base.setProperty("p", to: .integer(1), ofNode: NodeID(0))
        let writeSet = try base.finish()
        let newer = committer.begin()
        try newer.setProperty("p", to: .integer(3), ofNode: NodeID(0))
        try committer.commitAndWait(newer)
        do throws(GraphError) {
            try committer.commitAndWait(writeSet: writeSet)
            Issue.record("it was carried out twice")
        } catch { #expect(error.code == .requestCommitted) }
    }

    @Test(arguments: [false, true])
    func aReopenedStoreRemembers(checkpoint: Bool) throws {
        let disk = CrashableFileSystem()
        var known: [RequestID: TransactionID] = [:]
        do {
            let store = try Store.open("store", fileSystem: disk, options: Self.options)
            let committer = try LocalCommitter(store)
            for number in 0..<30 {
                try Self.create(committer, "request-\(number)")
                if checkpoint && number % 10 == 9 { try store.checkpoint() }
                if checkpoint && number == 25 { try store.checkpoint() }
            }
            known = store.committedRequests
            #expect(known.count == 30)
            // The entries of the first ones are gone from the log.
            if checkpoint { #expect(store.firstAvailable.rawValue > 10) }
            store.close()
        }
        for _ in 0..<2 {
            let store = try Store.open("store", fileSystem: disk, options: Self.options)
            #expect(store.committedRequests == known)
            let committer = try LocalCommitter(store)
            for number in 0..<30 {
                let id = try Self.id("request-\(number)")
                #expect(try Self.create(committer, "request-\(number)") == known[id])
            }
            #expect(store.nodeCount == 31)
            store.close()
        }
    }

    @Test func aCopyRemembers() throws {
        let disk = CrashableFileSystem()
        let store = try Store.open("store", fileSystem: disk, options: Self.options)
        let committer = try LocalCommitter(store)
        for number in 0..<10 {
            try Self.create(committer, "request-\(number)")
            if number == 4 { try store.checkpoint() }
        }
        let copy = store.beginCopy()
        let target = try StoreCopyTarget(directory: "copy", fileSystem: disk, manifest: copy.manifest)
        for (index, file) in copy.files.enumerated() {
            try target.write(file.name, try copy.read(index, from: 0, maximumByteCount: Int(file.byteCount)))
        }
        try target.append(try copy.records(after: copy.basePosition.transactionID, maximumByteCount: 1 << 20))
        try target.finish()
        let copied = try Store.open("copy", fileSystem: disk, options: Self.options)
        #expect(copied.committedRequests == store.committedRequests)
        #expect(copied.committedRequests.count == 10)
    }

    /// Who becomes master goes by its log: what is in it and not applied yet counts, what was cut off does not.
    @Test func whatIsCutOffIsForgottenAndWhatIsAppendedIsKnown() throws {
        var options = Self.options
        options.isClustered = true
        options.appliesWholeLog = false
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: options)
        var sequencer = try Sequencer(store)
        let reserve = IDReserve()
        reserve.add(nodes: sequencer.reserveNodeIDs(100), relationships: 0..<0, epoch: Epoch(1))
        func writeSet(_ text: String) throws -> [UInt8] {
            var options = WriteOptions()
            options.requestID = try Self.id(text)
            let transaction = store.beginWrite(reserve, options: options)
            _ = try transaction.createNode()
            return try transaction.finish()
        }
        func append(_ text: String, _ sequencer: inout Sequencer) throws -> LogPosition {
            let record = try sequencer.sequence(
                try writeSet(text), epoch: Epoch(1), commitPoint: .zero, wallClockMilliseconds: 0)
            try store.append([record])
            store.flush()
            return record.position
        }
        let kept = try append("kept", &sequencer)
        let cut = try append("cut", &sequencer)
        #expect(store.transaction(of: try Self.id("kept")) == nil)
        for (text, position) in [("kept", kept), ("cut", cut)] {
            // The same mastership, and the next one over the same log.
            for var sequencer in [sequencer, try Sequencer(store)] {
                do throws(GraphError) {
                    _ = try sequencer.sequence(
                        (try? writeSet(text)) ?? [], epoch: Epoch(1), commitPoint: .zero, wallClockMilliseconds: 0)
                    Issue.record("\(text) was ordered twice")
                } catch { #expect(error.committedTransaction == position.transactionID) }
            }
        }
        try store.truncate(after: kept.transactionID)
        try store.apply(upTo: kept.transactionID)
        var next = try Sequencer(store)
        reserve.removeAll()
        reserve.add(nodes: next.reserveNodeIDs(100), relationships: 0..<0, epoch: Epoch(1))
        #expect(try append("cut", &next).transactionID == cut.transactionID)
        try store.apply(upTo: cut.transactionID)
        #expect(store.committedRequests == [try Self.id("kept"): kept.transactionID, try Self.id("cut"): cut.transactionID])
    }

    @Test func theLatestOnesAreRememberedAndNoMore() throws {
        var options = Self.options
        options.logRotationByteCount = 16 << 20
        options.logPreallocationByteCount = 1 << 20
        let disk = CrashableFileSystem()
        let known = try Self.fill(disk, options, count: 65_536 + 100)
        #expect(known.count == 65_536)
        let (gone, oldest) = (try Self.id("request-99"), try Self.id("request-100"))
        #expect(known[gone] == nil && known[oldest] == TransactionID(101))
        let reopened = try Store.open("store", fileSystem: disk, options: options)
        #expect(reopened.committedRequests == known)
    }

    /// So many transactions, each with a request; what is remembered at the end.
    private static func fill(
        _ disk: CrashableFileSystem, _ options: Store.Options, count: Int
    ) throws -> [RequestID: TransactionID] {
        let store = try Store.open("store", fileSystem: disk, options: options)
        defer { store.close() }
        var sequencer = try Sequencer(store)
        let reserve = IDReserve()
        reserve.add(nodes: sequencer.reserveNodeIDs(UInt64(count)), relationships: 0..<0, epoch: Epoch(1))
        for number in 0..<count {
            var options = WriteOptions()
            options.requestID = try id("request-\(number)")
            let transaction = store.beginWrite(reserve, options: options)
            _ = try transaction.createNode()
            try store.append([try sequencer.sequence(
                try transaction.finish(), epoch: Epoch(1), commitPoint: .zero, wallClockMilliseconds: 0)])
            if number % 1000 == 999 || number == count - 1 {
                store.flush()
                try store.apply(upTo: store.last.transactionID)
            }
        }
        try store.checkpoint()
        return store.committedRequests
    }

    // MARK: Formats

    @Test func aWriteSetCarriesItsRequestAndOneWithoutIsAsBefore() throws {
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: Self.options)
        let committer = try LocalCommitter(store)
        func bytes(_ text: String?) throws -> [UInt8] {
            var options = WriteOptions()
            options.requestID = try text.map(Self.id)
            let transaction = committer.begin(options: options)
            try transaction.setProperty("p", to: .integer(1), ofNode: NodeID(0))
            return try transaction.finish()
        }
        let (named, plain) = (try bytes("name"), try bytes(nil))
        #expect(plain[0] == 3 && WriteSet.requestID(in: plain) == nil)
        #expect(named == [4, 4, 0, 0, 0] + Array("name".utf8) + plain[1...])
        #expect(WriteSet.requestID(in: named) == (try Self.id("name")))
        var malformed = named
        malformed[6] = 0x20
        #expect(WriteSet.requestID(in: malformed) == nil)
        do throws(GraphError) {
            try committer.commitAndWait(writeSet: malformed)
            Issue.record("a name with a space was taken")
        } catch { #expect(error.code == .invalidRequest) }
    }

    @Test func aManifestWithoutRequestsIsAsBefore() throws {
        let disk = CrashableFileSystem()
        let store = try Store.open("store", fileSystem: disk, options: Self.options)
        let committer = try LocalCommitter(store)
        try Self.create(committer, nil)
        try store.checkpoint()
        #expect(try disk.readAll("store/manifest")[4] == 3)
        try Self.create(committer, "one")
        try store.checkpoint()
        #expect(try disk.readAll("store/manifest")[4] == 4)
    }

    @Test func theLogShowsRequests() throws {
        let disk = CrashableFileSystem()
        let store = try Store.open("store", fileSystem: disk, options: Self.options)
        try Self.create(try LocalCommitter(store), "one")
        store.close()
        var options = LogDump.Options()
        options.withCommands = true
        var commands: [String] = []
        _ = try LogDump.run("store", fileSystem: disk, options: options) { commands += $0.commands }
        #expect(commands.contains("request \"one\""))
    }
}
