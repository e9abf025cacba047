internal import FileSystem
internal import GraphModel

extension Base {
    /// The files of all indexes, in the order of the manifest.
    var indexFiles: [SegmentFile] { manifest.indexRuns.flatMap { indexRuns[$0.rule]?.files ?? [] } }

    /// Maps the chunks of every index, taking those that `previous` has mapped already.
    static func openIndexRuns(
        _ manifest: Manifest, directory: String, _ fileSystem: any FileSystem, damage: StoreDamage,
        reusing previous: Base?
    ) throws(GraphError) -> [SchemaRuleID: IndexRun] {
        var known: [String: SegmentFile] = [:]
        for run in previous.map({ Array($0.indexRuns.values) }) ?? [] {
            for file in run.files { known[file.name] = file }
        }
        var runs: [SchemaRuleID: IndexRun] = [:]
        for reference in manifest.indexRuns {
            if let run = previous?.indexRuns[reference.rule], run.files.map(\.name) == reference.chunks.map(\.name) {
                runs[reference.rule] = run
                continue
            }
            var files: [SegmentFile] = []
            for chunk in reference.chunks {
                let file =
                    if let file = known[chunk.name] { file } else {
                        try SegmentFile(directory: directory, name: chunk.name, fileSystem)
                    }
                guard UInt64(file.byteCount) == chunk.byteCount, file.kind == .index,
                    file.firstID == UInt64(reference.rule.rawValue)
                else { throw GraphError(.corrupt, "\(file.path): is not the segment that the manifest means") }
                files.append(file)
            }
            runs[reference.rule] = try IndexRun(reference.rule, files, damage: damage)
        }
        return runs
    }
}
