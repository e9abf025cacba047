internal import GraphModel
internal import Logging

extension Logger {
    /// Takes a line from below, where there is no logger.
    func note(_ level: NoteLevel, _ line: String) {
        switch level {
        case .info: info("\(line)")
        case .warning: warning("\(line)")
        case .error: error("\(line)")
        }
    }
}
