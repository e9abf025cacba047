import Backup
import FileSystem
import GraphModel
import TestSupport
import Testing

@Suite struct MessageTests {
    static let position = LogPosition(epoch: Epoch(3), transactionID: TransactionID(77), checksum: 0xDEAD_BEEF_0123)
    static let base = LogPosition(epoch: Epoch(2), transactionID: TransactionID(70), checksum: 5)

    static let answers: [BackupAnswer] = [
        .refusal(GraphError(.foreignStore, "wrong store")),
        .status(
            BackupStatus(
                storeID: StoreID(7), role: .slave, isAvailable: true, applied: position, lagTransactions: 4, lag: 120,
                clusterName: "martlet.ha")),
        .header(
            CopyHeader(
                storeID: StoreID(7), role: .master, manifest: [1, 2, 3],
                files: [
                    .init(name: "nodes.0.1.seg", byteCount: 10), .init(name: "relationships.0.1.seg", byteCount: 0),
                ],
                base: base, target: position)),
        .chunk(file: 1, offset: 1 << 33, bytes: [9, 8, 7]),
        .records([[1, 2, 3], [], [4]]),
        .end(position),
        .fingerprints([0, 7, .max]),
    ]

    @Test func answersSurviveTheJourney() throws {
        for answer in Self.answers {
            let decoded = try BackupAnswer(decoding: answer.encode())
            // A slice keeps the indices of what it is cut from.
            if case .chunk(let file, let offset, let bytes) = decoded {
                #expect(BackupAnswer.chunk(file: file, offset: offset, bytes: Array(bytes)[...]) == answer)
            } else {
                #expect(decoded == answer)
            }
        }
    }

    @Test func requestsSurviveTheJourney() throws {
        for request in [
            BackupRequest(kind: .status, clusterName: "", storeID: .none),
            BackupRequest(kind: .full, clusterName: "Märtlet", storeID: StoreID(.max)),
            BackupRequest(kind: .incremental, clusterName: "", storeID: StoreID(3), position: Self.position),
            BackupRequest(kind: .resumed, clusterName: "a", storeID: .none),
        ] {
            #expect(try BackupRequest(decoding: request.encode()) == request)
        }
    }

    @Test func contentMayComePacked() throws {
        var request = BackupRequest(kind: .full, clusterName: "c", storeID: StoreID(1))
        request.takesPacked = true
        request.yields = true
        #expect(try BackupRequest(decoding: request.encode()) == request)
        let records = BackupAnswer.records((0..<100).map { [UInt8](repeating: UInt8($0), count: 1000) })
        let packed = try #require(BackupAnswer.pack(records.encode()))
        #expect(packed.count < 5000)
        #expect(try BackupAnswer(decoding: packed) == records)
        // What would not become shorter goes as it is.
        var random = SeededGenerator(seed: 3)
        let noise = (0..<10_000).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        #expect(BackupAnswer.pack(BackupAnswer.records([noise]).encode()) == nil)
        // Cut, lengthened, damaged, packed twice, or claiming another length.
        for count in 0..<packed.count {
            #expect(throws: GraphError.self) { try BackupAnswer(decoding: Array(packed[..<count])) }
        }
        #expect(throws: GraphError.self) { try BackupAnswer(decoding: packed + [1]) }
        for index in 1..<packed.count {
            var damaged = packed
            damaged[index] ^= 0x10
            // Some bytes of a gzip header are free.
            if let decoded = try? BackupAnswer(decoding: damaged) { #expect(decoded == records, "byte \(index)") }
        }
        let twice = try #require(BackupAnswer.pack(packed + [UInt8](repeating: 0, count: 5000)))
        #expect(throws: GraphError.self) { try BackupAnswer(decoding: twice) }
        var endless = packed
        endless.replaceSubrange(1..<5, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(#expect(throws: GraphError.self) { try BackupAnswer(decoding: endless) }?.message.contains("4294967295") ?? false)
    }

    @Test func aRequestOfAnotherVersionIsToldApartFromGarbage() throws {
        var bytes = BackupRequest(kind: .full, clusterName: "", storeID: .none).encode()
        bytes[4] = 9
        let version = #expect(throws: GraphError.self) { try BackupRequest(decoding: bytes) }
        #expect(version?.code == .formatVersion)
        #expect(version?.message.contains("version 1") ?? false && version?.message.contains("version 9") ?? false)
        bytes[0] = 0
        #expect(#expect(throws: GraphError.self) { try BackupRequest(decoding: bytes) }?.code == .network)
        var unknown = BackupRequest(kind: .full, clusterName: "", storeID: .none).encode()
        unknown[6] = 77
        #expect(#expect(throws: GraphError.self) { try BackupRequest(decoding: unknown) }?.code == .invalidRequest)
    }

    @Test func cutOffOrLengthenedMessagesAreRefused() {
        for bytes in Self.answers.map({ $0.encode() }) where bytes[0] != 4 {
            for count in 0..<bytes.count {
                #expect(throws: GraphError.self) { try BackupAnswer(decoding: Array(bytes[..<count])) }
            }
            #expect(throws: GraphError.self) { try BackupAnswer(decoding: bytes + [0]) }
        }
        let request = BackupRequest(kind: .full, clusterName: "c", storeID: StoreID(1)).encode()
        for count in 0..<request.count {
            #expect(throws: GraphError.self) { try BackupRequest(decoding: Array(request[..<count])) }
        }
        #expect(throws: GraphError.self) { try BackupRequest(decoding: request + [0]) }
        // A part of a file is bounded at both ends.
        let chunk = BackupAnswer.chunk(file: 0, offset: 0, bytes: [UInt8](repeating: 1, count: (1 << 20) + 1)[...])
        #expect(throws: GraphError.self) { try BackupAnswer(decoding: chunk.encode()) }
        #expect(throws: GraphError.self) { try BackupAnswer(decoding: Array(chunk.encode()[..<13])) }
    }

    @Test func damagedMessagesNeverTrap() {
        var generator = SeededGenerator(seed: 42)
        let valid =
            Self.answers.map { $0.encode() } + [
                BackupRequest(kind: .full, clusterName: "c", storeID: StoreID(1)).encode(),
                BackupAnswer.pack(BackupAnswer.records([[UInt8](repeating: 7, count: 500)]).encode()) ?? [],
            ]
        for _ in 0..<20_000 {
            var bytes = valid[Int.random(in: 0..<valid.count, using: &generator)]
            for _ in 0...Int.random(in: 0...4, using: &generator) {
                switch Int.random(in: 0..<4, using: &generator) {
                case 0 where !bytes.isEmpty:
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                        in: .min ... .max, using: &generator)
                case 1 where !bytes.isEmpty: bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator))
                case 2: bytes.insert(0xFF, at: Int.random(in: 0...bytes.count, using: &generator))
                default: bytes.append(UInt8.random(in: .min ... .max, using: &generator))
                }
            }
            _ = try? BackupAnswer(decoding: bytes)
            _ = try? BackupRequest(decoding: bytes)
        }
        for seed in 0..<5000 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var bytes = (0..<Int.random(in: 0...64, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
            if !bytes.isEmpty { bytes[0] = UInt8.random(in: 0...8, using: &generator) }
            _ = try? BackupAnswer(decoding: bytes)
        }
    }
}
