internal import FileSystem
internal import GraphModel

/// Reads the files of one group on a thread of its own: disk, unpacking and cutting into rows go on beside the building.
///
/// At most ``waitingBatchCountMaximum`` batches wait; then the reading waits.
final class ImportReader: Sendable {
    struct Options: Sendable {
        let paths: [String]
        let separator: UInt8
        let quote: UInt8?
        /// What is read at a time, unless a row is longer.
        let blockByteCount: Int
        /// Bytes of the files of groups read before.
        let earlierByteCount: UInt64
    }
    private struct State {
        var batches: [CSVBatch] = []
        var failure: GraphError?
        var isAtEnd = false
        var isStopped = false
    }
    private enum Next {
        case rows(CSVBatch)
        case failure(GraphError)
        case end
    }
    private static let waitingBatchCountMaximum = 3
    /// Limit of one row; a missing closing quote would otherwise swallow the whole file.
    private static let rowByteCountMaximum = 256 << 20

    private let state: Monitor<State>
    private let thread: DedicatedThread

    init(_ options: Options, _ fileSystem: any FileSystem) {
        let state = Monitor(State())
        self.state = state
        thread = DedicatedThread(name: "import-read") {
            let failure = Self.read(options, fileSystem, state)
            state.withLock { state in
                state.isAtEnd = true
                state.failure = failure
            }
            state.signal()
        }
    }

    /// The next rows; nil after the last.
    func next() throws(GraphError) -> CSVBatch? {
        let next: Next? = state.wait { state -> Next? in
            if !state.batches.isEmpty { return .rows(state.batches.removeFirst()) }
            return state.isAtEnd ? state.failure.map(Next.failure) ?? .end : nil
        }
        state.signal()
        switch next {
        case .rows(let batch): return batch
        case .failure(let error): throw error
        case .end, nil: return nil
        }
    }

    /// The columns that the first row names, and the rows that were read with it, of which it is the first.
    func header(_ path: String) throws(GraphError) -> (first: CSVBatch, columns: [ImportColumn]) {
        guard let first = try next() else {
            throw GraphError(.argumentError, "\(path): the file is empty, a header is expected")
        }
        if let (row, what) = first.malformed.first, row == 0 { throw GraphError(.argumentError, "\(path):1: \(what)") }
        var names: [String] = []
        first.withBytes { bytes in
            for column in 0..<first.fieldCount(0) { names.append(first.field(0, column, bytes).text) }
        }
        return (first, try names.map { name throws(GraphError) in try ImportColumn(name, path: path) })
    }

    /// Ends the reading, whether or not all was taken.
    func stop() {
        state.withLock { $0.isStopped = true }
        state.signal()
        thread.join()
    }

    private static func read(
        _ options: Options, _ fileSystem: any FileSystem, _ state: Monitor<State>
    ) -> GraphError? {
        var earlier = options.earlierByteCount
        do throws(GraphError) {
            for (file, path) in options.paths.enumerated() {
                var source: ImportSource
                do throws(FileError) {
                    source = try ImportSource(path, fileSystem, blockByteCount: options.blockByteCount)
                } catch { throw GraphError(.argumentError, error.description) }
                guard try read(&source, file, path, earlier, options, state) else { return nil }
                earlier += source.byteCount
            }
        } catch { return error }
        return nil
    }

    /// False when nobody wants more.
    private static func read(
        _ source: inout ImportSource, _ file: Int, _ path: String, _ earlier: UInt64, _ options: Options,
        _ state: Monitor<State>
    ) throws(GraphError) -> Bool {
        var tokenizer = CSVTokenizer(separator: options.separator, quote: options.quote)
        var bytes: [UInt8] = []
        var isFirst = true
        var isAtEnd = false
        while !isAtEnd {
            // A row that fills more than a block doubles what is read, so that long rows are not looked at too often.
            let wanted = max(options.blockByteCount, bytes.count)
            let old = bytes.count
            guard old <= rowByteCountMaximum else {
                throw GraphError(
                    .argumentError, "\(path): a row is longer than 256 MiB; is a closing quote missing?")
            }
            bytes.reserveCapacity(old + wanted)
            bytes.append(contentsOf: repeatElement(0, count: wanted))
            var outcome: Result<Int, GraphError> = .success(0)
            bytes.withUnsafeMutableBytes { buffer in
                do throws(GraphError) {
                    outcome = .success(try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[old...])))
                } catch { outcome = .failure(error) }
            }
            let count = try outcome.get()
            bytes.removeLast(wanted - count)
            isAtEnd = count < wanted
            if isFirst, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
            isFirst = false
            var batch = tokenizer.rows(of: &bytes, file: file, isAtEnd: isAtEnd)
            batch.consumedByteCount = earlier + source.consumedByteCount
            if batch.rowCount == 0 { continue }
            let isWanted: Bool? = state.wait { state -> Bool? in
                if state.isStopped { return false }
                if state.batches.count >= waitingBatchCountMaximum { return nil }
                state.batches.append(batch)
                return true
            }
            state.signal()
            if isWanted != true { return false }
        }
        return true
    }
}
