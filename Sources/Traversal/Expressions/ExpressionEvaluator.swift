internal import GraphModel
internal import Storage

/// Evaluates an expression at one position of a traversal.
struct ExpressionEvaluator {
    private let tree: ExpressionTree
    let position: TraversalPosition
    /// Bytes of texts that one evaluation may still make.
    private var byteCountLeft = 16 << 20

    init(_ tree: ExpressionTree, at position: TraversalPosition) {
        self.tree = tree
        self.position = position
    }

    func failure(_ part: Int, _ code: ErrorCode, _ message: String) -> GraphError {
        GraphError(code, "\(message) (character \(tree.positions[part]) of the expression)")
    }

    /// A text that was made, if there is room for it.
    mutating func made(_ text: String?, _ part: Int) throws(GraphError) -> ExpressionValue {
        byteCountLeft -= text?.utf8.count ?? .max / 2
        guard let text, byteCountLeft >= 0 else {
            throw failure(part, .argumentError, "the texts that the expression makes are too long")
        }
        return .string(text)
    }

    /// Longest text that may be made now.
    var textByteCountMaximum: Int { byteCountLeft }

    mutating func evaluate(_ part: Int) throws(GraphError) -> ExpressionValue {
        switch tree.parts[part] {
        case .literal(let value): return value
        case .position: return .path
        case .unary(let operation, let operand): return try unary(operation, try evaluate(operand), part)
        case .binary(.or, let left, let right):
            return .boolean(try isTrue(left, of: part) ? true : try isTrue(right, of: part))
        case .binary(.and, let left, let right):
            return .boolean(try isTrue(left, of: part) ? try isTrue(right, of: part) : false)
        case .binary(let operation, let left, let right):
            return try binary(operation, try evaluate(left), try evaluate(right), part)
        case .conditional(let condition, let first, let second):
            return try evaluate(try isTrue(condition, of: part) ? first : second)
        case .call(let method, let receiver, let arguments):
            let value = try evaluate(receiver)
            var values: [ExpressionValue] = []
            for argument in arguments { values.append(try evaluate(argument)) }
            return try call(method, value, values, part)
        case .element(let list, let place):
            guard case .list(let elements) = try evaluate(list) else {
                throw failure(part, .typeError, "only a list has elements")
            }
            guard case .integer(let index) = try evaluate(place), index >= 0, index < elements.count else {
                throw failure(part, .argumentError, "the list has \(elements.count) elements, from 0")
            }
            return ExpressionValue(elements[Int(index)])
        }
    }

    /// Whether a part is true. Only a boolean is true or false: a text or a number in its place is a mistake.
    private mutating func isTrue(_ operand: Int, of part: Int) throws(GraphError) -> Bool {
        let value = try evaluate(operand)
        guard case .boolean(let flag) = value else {
            throw failure(part, .typeError, "\(value.kindName) stands where true or false is needed")
        }
        return flag
    }

    private func unary(
        _ operation: ExpressionTree.Unary, _ value: ExpressionValue, _ part: Int
    ) throws(GraphError) -> ExpressionValue {
        switch (operation, value) {
        case (.not, .boolean(let flag)): return .boolean(!flag)
        case (.plus, .integer), (.plus, .float): return value
        case (.minus, .integer(let number)):
            return number == .min ? .float(-Double(number)) : .integer(-number)
        case (.minus, .float(let number)): return .float(-number)
        default:
            let wanted = operation == .not ? "true or false" : "a number"
            throw failure(part, .typeError, "\(value.kindName) stands where \(wanted) is needed")
        }
    }

    private mutating func binary(
        _ operation: ExpressionTree.Binary, _ a: ExpressionValue, _ b: ExpressionValue, _ part: Int
    ) throws(GraphError) -> ExpressionValue {
        switch operation {
        case .equal: return .boolean(a.equals(b))
        case .notEqual: return .boolean(!a.equals(b))
        case .less, .lessOrEqual, .greater, .greaterOrEqual: return .boolean(try compare(operation, a, b, part))
        case .add:
            if case .string = a { return try joined(a, b, part) }
            if case .string = b { return try joined(a, b, part) }
            return try calculate(operation, a, b, part)
        case .subtract, .multiply, .divide, .remainder: return try calculate(operation, a, b, part)
        case .or, .and: preconditionFailure("\(operation) is evaluated by its parts")
        }
    }

    private mutating func joined(
        _ a: ExpressionValue, _ b: ExpressionValue, _ part: Int
    ) throws(GraphError) -> ExpressionValue {
        guard let first = a.text, let second = b.text else {
            throw failure(part, .typeError, "\(a.kindName) and \(b.kindName) cannot be joined")
        }
        return try made(first + second, part)
    }

    private func compare(
        _ operation: ExpressionTree.Binary, _ a: ExpressionValue, _ b: ExpressionValue, _ part: Int
    ) throws(GraphError) -> Bool {
        guard let order = a.order(b) else {
            throw failure(part, .typeError, "\(a.kindName) and \(b.kindName) cannot be compared")
        }
        if a.number?.isNaN ?? false || b.number?.isNaN ?? false { return false }
        return switch operation {
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        default: order >= 0
        }
    }

    /// Whole numbers stay whole as long as they fit; everything else is doubles, as in JavaScript.
    private func calculate(
        _ operation: ExpressionTree.Binary, _ a: ExpressionValue, _ b: ExpressionValue, _ part: Int
    ) throws(GraphError) -> ExpressionValue {
        guard let x = a.number, let y = b.number else {
            throw failure(part, .typeError, "\(a.kindName) and \(b.kindName) cannot be calculated with")
        }
        if case .integer(let x) = a, case .integer(let y) = b {
            let whole: (partialValue: Int64, overflow: Bool)? =
                switch operation {
                case .add: x.addingReportingOverflow(y)
                case .subtract: x.subtractingReportingOverflow(y)
                case .multiply: x.multipliedReportingOverflow(by: y)
                case .remainder where y != 0: x.remainderReportingOverflow(dividingBy: y)
                case .divide where y != 0 && y != -1 && x % y == 0: (x / y, false)
                default: nil
                }
            if let whole, !whole.overflow { return .integer(whole.partialValue) }
        }
        return switch operation {
        case .add: .float(x + y)
        case .subtract: .float(x - y)
        case .multiply: .float(x * y)
        case .divide: .float(x / y)
        default: .float(x.truncatingRemainder(dividingBy: y))
        }
    }
}
