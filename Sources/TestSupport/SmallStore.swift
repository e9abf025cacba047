internal import FileSystem
public import GraphModel
public import Storage

/// A new store in memory whose segments hold so little that a small graph has several. Ids are given from 0 on.
public func makeSmallStore() throws(GraphError) -> Store {
    var options = Store.Options()
    options.usesLogThread = false
    options.createsReferenceNode = false
    options.nodeRangeBits = 6
    options.relationshipRangeBits = 8
    options.logPreallocationByteCount = 4096
    return try Store.open("store", fileSystem: CrashableFileSystem(), options: options)
}
