internal import GraphModel

/// A pipe: where it begins, and its steps. Nothing is done before somebody asks for what comes out.
final class Pipe {
    enum Source {
        /// `_()`: what the pipe around it puts in.
        case anonymous
        case items([Item])
        case list(ListItem)
        case vertices
        case edges
        /// One from which something was taken already.
        case rest(of: Pipe)
    }
    let source: Source
    let steps: [NamedStep]
    private var running: Puller?
    private let memory: Memory
    /// Pipes and steps one behind the other.
    let depth: Int

    /// Most steps of a pipe.
    static let depthMaximum = 150

    init(_ memory: Memory, _ source: Source, _ steps: [NamedStep] = []) throws(GraphError) {
        (self.memory, self.source, self.steps) = (memory, source, steps)
        var depth = Self.depth(of: steps)
        if case .rest(let pipe) = source { depth += pipe.depth + 1 }
        self.depth = depth
        if depth > Self.depthMaximum {
            throw GraphError(.scriptFailure, "the script fails: a pipe has more than \(Self.depthMaximum) steps")
        }
    }

    /// What it read may refer to other pipes that were read.
    deinit { memory.bury(&running) }

    private static func depth(of steps: [NamedStep]) -> Int {
        var depth = steps.count
        for step in steps {
            switch step.step {
            case .loop(let inner, _, _), .back(let inner), .optional(let inner): depth += self.depth(of: inner)
            case .branches(let pipes, _), .tests(let pipes, _): depth += pipes.reduce(0) { max($0, $1.depth) }
            default: break
            }
        }
        return depth
    }

    /// The pipe with one more step. What was taken from this one does not come again.
    func adding(_ step: Step) throws(GraphError) -> Pipe {
        if running != nil { return try Pipe(memory, .rest(of: self), [NamedStep(step: step)]) }
        return try Pipe(memory, source, steps + [NamedStep(step: step)])
    }

    /// The pipe with other steps.
    func with(_ steps: [NamedStep]) throws(GraphError) -> Pipe {
        if running != nil { throw GraphError(.scriptFailure, "the script fails: something was taken from the pipe already") }
        return try Pipe(memory, source, steps)
    }

    func next(_ interpreter: Interpreter) throws(GraphError) -> Traveller? {
        if let running { return try running.next() }
        let puller = try interpreter.puller(steps, from: interpreter.puller(source))
        running = puller
        return try puller.next()
    }
}
