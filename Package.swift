// swift-tools-version:6.2
import PackageDescription

// The module graph of docs/architecture.md: a target depends only on targets above it.
// MARTLET_CORE_ONLY=1 leaves out everything that needs a networking package, so that the core and its
// tests build in seconds.
let coreOnly = Context.environment["MARTLET_CORE_ONLY"] != nil
let warningsAsErrors = Context.environment["CI"] != nil || Context.environment["MARTLET_STRICT"] != nil

let swiftSettings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + (warningsAsErrors ? [.treatAllWarnings(as: .error)] : [])

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: swiftSettings)
}

var targets: [Target] = [
    module("GraphModel"),
    .target(name: "CCRC32C"),
    module("FileSystem", ["CCRC32C"]),
    module("Storage", ["GraphModel", "FileSystem"]),
    module("Cypher", ["GraphModel"]),
    module("QueryEngine", ["GraphModel", "Storage", "Cypher"]),
    module("Database", ["GraphModel", "FileSystem", "Storage", "Cypher", "QueryEngine"]),
    module("Coordination", ["GraphModel", "FileSystem"]),
    module("Replication", ["GraphModel", "FileSystem", "Storage", "Coordination"]),
    module("TestSupport", ["GraphModel", "FileSystem"]),
    module("Simulation", ["GraphModel", "FileSystem", "Storage", "Coordination", "Replication"]),
    tests("GraphModelTests", ["GraphModel"]),
    tests("FileSystemTests", ["FileSystem"]),
    tests("SimulationTests", ["Replication", "Simulation"]),
    tests("StorageTests", ["GraphModel", "FileSystem", "Storage"]),
]
var dependencies: [Package.Dependency] = []

if !coreOnly {
    dependencies = [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    ]
    targets += [
        module(
            "Transport",
            [
                "GraphModel", "FileSystem",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        module(
            "Backup",
            [
                "GraphModel", "FileSystem", "Storage", "Transport",
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
                "GraphModel",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
    ]
}

let package = Package(name: "Martlet", dependencies: dependencies, targets: targets)
