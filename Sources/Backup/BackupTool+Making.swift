internal import FileSystem
internal import GraphModel
internal import Storage
internal import Transport

extension BackupTool {
    /// Copies everything from the first member that can be copied.
    func makeFull(
        at destination: BackupDestination, _ report: (Event) -> Void
    ) throws(GraphError) -> (Summary, checksums: [String: UInt32]) {
        let candidates = try candidates(report)
        var (summary, checksums) = try firstOf(candidates, report) { host throws(CopyFailure) in
            try copy(from: host, to: destination, report)
        }
        guard options.checksResult || summary.position.transactionID < candidates.required else {
            return (summary, checksums)
        }
        let store = try open(destination)
        defer { store.close() }
        guard store.applied == summary.position else {
            throw GraphError(.corrupt, "the copy opens at \(store.applied), not at \(summary.position)")
        }
        try catchUp(store, candidates, &summary, report)
        if options.checksResult { summary.check = Self.check(store, report) }
        return (summary, checksums)
    }

    /// Goes on from the backup that is there, in a store that shares its files.
    func makeIncremental(
        at destination: BackupDestination, _ report: (Event) -> Void
    ) throws(GraphError) -> (Summary, checksums: [String: UInt32]) {
        guard let previous = destination.previous else {
            throw GraphError(.general, "\(options.directory): there is no backup to go on from")
        }
        let listing = try BackupListing.read(previous, fileSystem: fileSystem)
        if options.checksResult, let listing { try listing.verify(previous, fileSystem) }
        let candidates = try candidates(report)
        var (summary, store) = try firstOf(candidates, report) { host throws(CopyFailure) in
            try copyLog(from: host, to: destination, report)
        }
        defer { store.close() }
        try catchUp(store, candidates, &summary, report)
        if options.checksResult { summary.check = Self.check(store, report) }
        // Of segments alone: they never change.
        let known = (listing?.files ?? []).filter { $0.name.hasSuffix(".seg") }.map { ($0.name, $0.checksum) }
        return (summary, Dictionary(known, uniquingKeysWith: { a, _ in a }))
    }

    // MARK: One member

    private func copy(
        from host: HostPort, to destination: BackupDestination, _ report: (Event) -> Void
    ) throws(CopyFailure) -> (Summary, checksums: [String: UInt32]) {
        var client = clientOptions
        client.resumes = true
        report(.note("copying the store of \(host)"))
        var meter = RateMeter(now: monotonicNanoseconds())
        let copied = try BackupClient.copy(
            from: host, into: destination.storeDirectory, client, fileSystem, cancellation: nil
        ) { received, files in
            report(.copying(meter.progress(received: received, files: files, now: monotonicNanoseconds())))
        }
        var summary = Summary(
            directory: destination.directory, host: host, role: copied.role, storeID: copied.storeID,
            position: copied.position, byteCount: copied.byteCount, copySeconds: copied.seconds, seconds: 0)
        summary.adoptedByteCount = copied.adoptedByteCount
        summary.transferredByteCount = copied.transferredByteCount
        let adopted =
            copied.adoptedByteCount == 0
            ? "" : ", \(BackupDisplay.bytes(Double(copied.adoptedByteCount))) were there from an earlier try"
        report(
            .note(
                "copied \(BackupDisplay.bytes(Double(copied.byteCount))) up to \(copied.position.transactionID) in \(BackupDisplay.oneDecimal(copied.seconds)) s\(adopted)"
            ))
        return (summary, copied.checksums)
    }

    private func copyLog(
        from host: HostPort, to destination: BackupDestination, _ report: (Event) -> Void
    ) throws(CopyFailure) -> (Summary, Store) {
        let store: Store
        do throws(GraphError) {
            try destination.stagePrevious()
            store = try open(destination)
        } catch {
            throw CopyFailure(error: error, isLocal: true)
        }
        let previous = store.applied
        report(.note("asking \(host) for what follows \(previous.transactionID)"))
        do throws(CopyFailure) {
            let copied = try copyLog(from: host, into: store, report)
            var summary = Summary(
                directory: destination.directory, host: host, role: copied.role, storeID: store.storeID,
                position: store.applied, byteCount: copied.byteCount, copySeconds: copied.seconds, seconds: 0)
            summary.kind = .incremental
            summary.previous = previous
            summary.transferredByteCount = copied.transferredByteCount
            return (summary, store)
        } catch {
            store.close()
            throw error
        }
    }

    private func copyLog(
        from host: HostPort, into store: Store, _ report: (Event) -> Void
    ) throws(CopyFailure) -> CopiedLog {
        var meter = RateMeter(now: monotonicNanoseconds())
        return try BackupClient.copyLog(from: host, into: store, clientOptions) { received, expected in
            report(.copying(meter.progress(received: received, files: expected, now: monotonicNanoseconds())))
        }
    }

    // MARK: The end

    /// Fetches what the member that was copied did not have yet and another one had when the backup began: all that was
    /// acknowledged before then is in the backup. Where commits are optimistic it may be gone with its master.
    private func catchUp(
        _ store: Store, _ candidates: Candidates, _ summary: inout Summary, _ report: (Event) -> Void
    ) throws(GraphError) {
        let clock = Monitor(())
        let deadline = monotonicNanoseconds() + options.catchUpTimeout.rawValue * 1_000_000
        while store.applied.transactionID < candidates.required {
            for host in candidates.hosts where store.applied.transactionID < candidates.required {
                do throws(CopyFailure) {
                    let copied = try copyLog(from: host, into: store, report)
                    summary.byteCount += copied.byteCount
                    summary.transferredByteCount += copied.transferredByteCount
                } catch {
                    // A stream that broke off has left entries that are not applied.
                    try store.truncate(after: store.applied.transactionID)
                    if error.isLocal { throw error.error }
                }
            }
            guard monotonicNanoseconds() < deadline else {
                report(.note("no member has \(candidates.required) any more, which one had; the backup ends before it"))
                break
            }
            if store.applied.transactionID < candidates.required {
                let _: Void? = clock.wait(untilNanoseconds: monotonicNanoseconds() + 200_000_000) { _ in nil }
            }
        }
        summary.position = store.applied
    }

    /// Opens the staged store as a server would, with files that suit small additions.
    private func open(_ destination: BackupDestination) throws(GraphError) -> Store {
        var storeOptions = Store.Options()
        storeOptions.usesLogThread = false
        storeOptions.appliesWholeLog = true
        storeOptions.logRotationByteCount = 8 << 20
        storeOptions.logPreallocationByteCount = 4096
        storeOptions.logRetention = .none
        do throws(GraphError) {
            return try Store.open(destination.storeDirectory, fileSystem: fileSystem, options: storeOptions)
        } catch {
            throw GraphError(error.code, "the copy cannot be opened: \(error.message)")
        }
    }

    /// Walks everything.
    static func check(_ store: Store, _ report: (Event) -> Void) -> Summary.Check {
        let found = store.check { report(.checking(part: $0)) }
        return Summary.Check(
            nodeCount: found.nodeCount, relationshipCount: found.relationshipCount,
            graphChecksum: found.checksum.description, problems: found.problems)
    }
}
