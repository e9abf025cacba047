internal import GraphModel
internal import Storage

/// JSON Lines as they come; only the last line is looked at, which says whether everything came.
struct LinesExport {
    private let file: ExportFile
    private var lineCount = 0
    /// From the last line on that has an end, and what follows it.
    private var last: [UInt8] = []

    init(_ path: String, isPacked: Bool) throws(GraphError) { file = try ExportFile(path, isPacked: isPacked) }

    /// Lines that came so far.
    var rowCount: Int { lineCount }

    mutating func take(_ piece: [UInt8]) throws(GraphError) {
        try file.write(piece)
        lineCount += piece.count { $0 == UInt8(ascii: "\n") }
        last += piece
        let newline = UInt8(ascii: "\n")
        if let end = last.lastIndex(of: newline), let start = last[..<end].lastIndex(of: newline) {
            last.removeFirst(start + 1)
        }
    }

    mutating func finish() throws(GraphError) -> (nodes: Int, relationships: Int, path: String, byteCount: UInt64) {
        if last.last == UInt8(ascii: "\n") { last.removeLast() }
        guard let map = try? JSONLinesSource.object(last), case .ending(let nodes, let relationships)? = try? GraphLine(map) else {
            throw GraphError(.network, "the export ended after \(lineCount) lines, before all was there: run it again")
        }
        try file.finish()
        return (nodes, relationships, file.path, file.byteCount)
    }

    mutating func discard() { file.discard() }
}
