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
    /// Pipes and steps one behind the other.
    let depth: Int

    /// Most steps of a pipe.
    static let depthMaximum = 150

    init(_ source: Source, _ steps: [NamedStep] = []) throws(GraphError) {
        (self.source, self.steps) = (source, steps)
        var depth = steps.count
        for step in steps {
            if case .loop(let inner, _, _) = step.step { depth += inner.count }
            if case .back(let inner) = step.step { depth += inner.count }
        }
        if case .rest(let pipe) = source { depth += pipe.depth + 1 }
        self.depth = depth
        if depth > Self.depthMaximum {
            throw GraphError(.scriptFailure, "the script fails: a pipe has more than \(Self.depthMaximum) steps")
        }
    }

    /// The pipe with one more step. What was taken from this one does not come again.
    func adding(_ step: Step) throws(GraphError) -> Pipe {
        if running != nil { return try Pipe(.rest(of: self), [NamedStep(step: step)]) }
        return try Pipe(source, steps + [NamedStep(step: step)])
    }

    /// The pipe with other steps.
    func with(_ steps: [NamedStep]) throws(GraphError) -> Pipe {
        if running != nil { throw GraphError(.scriptFailure, "the script fails: something was taken from the pipe already") }
        return try Pipe(source, steps)
    }

    func next(_ interpreter: Interpreter) throws(GraphError) -> Traveller? {
        if let running { return try running.next() }
        let puller = try interpreter.puller(steps, from: interpreter.puller(source))
        running = puller
        return try puller.next()
    }
}
