// swift-tools-version:6.2
import PackageDescription

// The module graph of docs/architecture.md: a target depends only on targets above it.
// MARTLET_CORE_ONLY=1 leaves out everything that needs a networking package, so that the core and its
// tests build in seconds.
let coreOnly = Context.environment["MARTLET_CORE_ONLY"] != nil
// MARTLET_BENCH=1 adds the measuring program of tools/bench.
let withBenchmarks = Context.environment["MARTLET_BENCH"] != nil
// MARTLET_TSAN=1, with `swift build --sanitize=thread`: mutexes that the sanitizer sees; see tools/test.
let sanitizesThreads = Context.environment["MARTLET_TSAN"] != nil
let warningsAsErrors = Context.environment["CI"] != nil || Context.environment["MARTLET_STRICT"] != nil

let swiftSettings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + (sanitizesThreads ? [.define("MARTLET_TSAN")] : []) + (warningsAsErrors ? [.treatAllWarnings(as: .error)] : [])

func module(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: swiftSettings)
}

var targets: [Target] = [
    module("GraphModel"),
    .target(name: "CCRC32C"),
    .target(name: "CPrefetch"),
    .target(name: "CMalloc"),
    .target(name: "CBriefLock"),
    .target(name: "CByteSearch"),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    module("Gzip", ["CZlib"]),
    module("FileSystem", ["CBriefLock", "CByteSearch", "CMalloc", "CCRC32C"]),
    module("LuceneQuery", ["GraphModel"]),
    module("JSON", ["GraphModel"]),
    module("Storage", ["GraphModel", "FileSystem", "LuceneQuery", "Gzip", "JSON", "CPrefetch"]),
    module("Cypher", ["GraphModel"]),
    module("QueryEngine", ["GraphModel", "FileSystem", "LuceneQuery", "Storage", "Cypher"], exclude: ["DESIGN.md"]),
    module("Traversal", ["GraphModel", "Storage"], exclude: ["DESIGN.md"]),
    module("Gremlin", ["GraphModel", "LuceneQuery", "Storage"], exclude: ["DESIGN.md"]),
    module("Coordination", ["GraphModel", "FileSystem"]),
    module("EtcdCoordination", ["GraphModel", "FileSystem", "JSON", "Coordination"]),
    module("Replication", ["GraphModel", "FileSystem", "Storage", "Coordination"]),
    module(
        "Database",
        ["GraphModel", "FileSystem", "Storage", "Cypher", "QueryEngine", "Coordination", "Replication"]),
    module(
        "Martlet", ["GraphModel", "FileSystem", "LuceneQuery", "Storage", "Cypher", "QueryEngine", "Traversal", "Database"]),
    // Built with everything else, so that the pages that quote it stay true.
    .executableTarget(
        name: "EmbeddedExample",
        // What Martlet exports, too: or a change in there would not build this anew.
        dependencies: ["GraphModel", "LuceneQuery", "Storage", "Cypher", "QueryEngine", "Traversal", "Database", "Martlet"], path: "Examples/Embedded", swiftSettings: swiftSettings),
    module("TestSupport", ["GraphModel", "FileSystem", "Storage"]),
    module("Simulation", ["GraphModel", "FileSystem", "Storage", "Coordination", "Replication"]),
    tests("GraphModelTests", ["GraphModel"]),
    tests("FileSystemTests", ["FileSystem"]),
    tests("LuceneQueryTests", ["GraphModel", "LuceneQuery"]),
    tests("CoordinationTests", ["GraphModel", "Coordination"]),
    tests("EtcdCoordinationTests", ["GraphModel", "FileSystem", "JSON", "Coordination", "EtcdCoordination"]),
    tests("ReplicationTests", ["GraphModel", "FileSystem", "Storage", "Coordination", "Replication"]),
    tests("SimulationTests", ["FileSystem", "Replication", "Simulation"]),
    .executableTarget(
        name: "crash-writer", dependencies: ["GraphModel", "FileSystem", "Storage"], path: "Tests/CrashWriter",
        swiftSettings: swiftSettings),
    tests("StorageTests", ["GraphModel", "FileSystem", "LuceneQuery", "Storage", "CZlib", "crash-writer"]),
    tests(
        "DatabaseTests",
        ["GraphModel", "FileSystem", "Storage", "Cypher", "QueryEngine", "Coordination", "Replication", "Database"]),
    tests(
        "MartletTests",
        [
            "GraphModel", "FileSystem", "LuceneQuery", "Storage", "Cypher", "QueryEngine", "Traversal", "Database", "Martlet",
            "EmbeddedExample",
        ]),
    tests("CypherTests", ["GraphModel", "Cypher"]),
    tests("TraversalTests", ["GraphModel", "FileSystem", "Storage", "Traversal"]),
    tests("GremlinTests", ["GraphModel", "FileSystem", "Storage", "Gremlin"]),
    tests("QueryEngineTests", ["GraphModel", "FileSystem", "Storage", "Cypher", "QueryEngine"]),
]
var dependencies: [Package.Dependency] = []

if !coreOnly {
    dependencies = [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.0.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.0.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "3.0.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    ]
    targets += [
        module(
            "Transport",
            [
                "GraphModel", "FileSystem",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        module(
            "Backup",
            [
                "GraphModel", "FileSystem", "Gzip", "Storage", "Transport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        tests(
            "TransportTests",
            [
                "GraphModel", "FileSystem", "Transport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        tests(
            "BackupTests",
            [
                "GraphModel", "FileSystem", "Storage", "Transport", "Backup",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        module(
            "RESTServer",
            [
                "GraphModel", "FileSystem", "JSON", "LuceneQuery", "Storage", "Cypher", "QueryEngine", "Traversal", "Gremlin",
                "Transport", "Database", "Gzip",
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ], exclude: ["DESIGN.md"]),
        module(
            "ServerRuntime",
            [
                "GraphModel", "FileSystem", "JSON", "Gzip", "Storage", "Coordination", "EtcdCoordination", "Replication",
                "Transport", "Database", "Backup", "RESTServer",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "X509", package: "swift-certificates"),
            ]),
        .executableTarget(
            name: "martlet",
            dependencies: [
                "GraphModel", "FileSystem", "Transport", "Backup", "RESTServer", "ServerRuntime",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: swiftSettings),
        tests(
            "EndToEndTests", ["GraphModel", "FileSystem", "JSON", "Storage", "Database", "RESTServer", "ServerRuntime", "martlet"]),
        tests(
            "RESTServerTests",
            [
                "GraphModel", "FileSystem", "JSON", "Storage", "Traversal", "Database", "Gzip", "RESTServer",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        tests(
            "ServerRuntimeTests",
            [
                "GraphModel", "FileSystem", "JSON", "Storage", "Database", "RESTServer", "ServerRuntime",
                .product(name: "Logging", package: "swift-log"),
            ]),
    ]
}

if withBenchmarks {
    targets.append(
        .executableTarget(
            name: "storage-bench", dependencies: ["GraphModel", "FileSystem", "LuceneQuery", "Storage", "Traversal"],
            path: "Benchmarks/Storage",
            swiftSettings: swiftSettings))
    targets.append(
        .executableTarget(
            name: "cypher-bench",
            dependencies: ["GraphModel", "FileSystem", "Storage", "Cypher", "QueryEngine", "Database", "Martlet"],
            path: "Benchmarks/Cypher", swiftSettings: swiftSettings))
}
if withBenchmarks && !coreOnly {
    targets.append(
        .executableTarget(
            name: "martlet-bench",
            dependencies: [
                "GraphModel", "FileSystem", "Storage", "QueryEngine", "Cypher", "Database",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Benchmarks", exclude: ["Storage", "Cypher"], swiftSettings: swiftSettings))
}

let package = Package(
    name: "Martlet",
    products: [.library(name: "Martlet", targets: ["Martlet"])]
        + (coreOnly ? [] : [.library(name: "MartletBackup", targets: ["Backup"])]),
    dependencies: dependencies, targets: targets)
