import Backup
import FileSystem
import GraphModel
import Storage
import Testing

@Suite struct RestoreTests {
    @Test func whatIsThereIsKeptAsideAndOnlyWhenAsked() async throws {
        try await withTemporaryDirectory { directory in
            let member = try await TestMember(directory + "/store")
            try await onThread { try member.write(20) }
            let online = try OnlineBackup.from("127.0.0.1", port: member.address.port)
            let backup = directory + "/backup"
            let full = try await online.full(backup)
            try await onThread { try member.write(10, from: 20) }
            let later = try await online.incremental(backup)
            #expect(later.previous == full.position && later.transactionCount == 10)

            let data = directory + "/data"
            let target = data + "/graph.db"
            try POSIXFileSystem().createDirectory(data)
            try POSIXFileSystem().replace(target + ".member", with: [1])
            let member1 = try await failure {
                _ = try await onThread { try RestoreTool.run(.init(source: backup, target: target)) }
            }
            #expect(member1.message.contains("graph.db.member") && member1.message.contains("--force"))
            try POSIXFileSystem().remove(target + ".member")
            let first = try await onThread { try RestoreTool.run(.init(source: backup, target: target + "/")) }
            #expect(first.position == later.position && first.isConsistent && first.setAside.isEmpty)
            #expect(try list(data) == ["graph.db"])
            #expect(!(try list(target).contains(BackupListing.fileName)))
            #expect(try verify(target).applied == later.position)

            let again = RestoreTool.Options(source: backup, target: target)
            let refused = try await failure { _ = try await onThread { try RestoreTool.run(again) } }
            #expect(refused.code == .storageIO && refused.message.contains("--force"))
            var forced = again
            forced.replaces = true
            do {
                let store = try Store.open(target)
                defer { store.close() }
                let used = try await failure { [forced] in _ = try await onThread { try RestoreTool.run(forced) } }
                #expect(used.code == .storeLocked)
            }
            try POSIXFileSystem().replace(target + ".member", with: [1])
            let second = try await onThread { [forced] in try RestoreTool.run(forced) }
            #expect(second.setAside.map(\.from) == [target, target + ".member"])
            #expect(second.text.contains("set aside") && second.text.hasSuffix("consistent"))
            for (_, to) in second.setAside { #expect(exists(to)) }
            #expect(try verify(second.setAside[0].to).applied == later.position)
            #expect(try list(data).count == 3)

            let none = try await failure {
                _ = try await onThread { try RestoreTool.run(.init(source: data, target: directory + "/x")) }
            }
            #expect(none.code == .configuration && none.message.contains("holds no backup"))
            await member.close()
        }
    }

    @Test func aFullDiskDestroysNothing() async throws {
        let disk = CrashableFileSystem()
        var storeOptions = Store.Options()
        storeOptions.usesLogThread = false
        /// Opens and closes a store; its lock goes with it.
        func identity(_ path: String) throws -> StoreID {
            let store = try Store.open(path, fileSystem: disk, options: storeOptions)
            defer { store.close() }
            return store.storeID
        }
        let ids = [try identity("/b"), try identity("/t")]
        var options = RestoreTool.Options(source: "/b", target: "/new")
        disk.inject(.noSpace, at: disk.operationCount + 4)
        let error = try await failure { [options] in _ = try RestoreTool.run(options, fileSystem: disk) }
        #expect(error.code == .storageIO && error.message.contains("no space"), "\(error)")
        #expect(!disk.exists("/new") && !disk.exists("/new.restoring"))
        options.target = "/t"
        let refused = try await failure { [options] in _ = try RestoreTool.run(options, fileSystem: disk) }
        #expect(refused.message.contains("--force"))
        #expect([try identity("/b"), try identity("/t")] == ids)
    }
}
