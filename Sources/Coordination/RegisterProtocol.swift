public import FileSystem

/// What a member asks a coordinator.
public struct RegisterRequest: Sendable, Equatable {
    public enum Operation: Sendable, Equatable {
        /// The committed value, confirmed by a majority at the time of asking.
        case read
        /// Replace the value if it still has this revision; the new one gets the next.
        case compareAndSet(expected: UInt64, ClusterRegister)
    }
    /// Chosen by the asker; comes back with the answer.
    public let id: UInt64
    public let operation: Operation

    public init(id: UInt64, operation: Operation) {
        self.id = id
        self.operation = operation
    }

    public func encode(into writer: inout ByteWriter) {
        writer.write(id)
        switch operation {
        case .read: writer.write(UInt8(1))
        case .compareAndSet(let expected, let register):
            writer.write(UInt8(2))
            writer.write(expected)
            register.encode(into: &writer)
        }
    }

    public init(_ reader: inout ByteReader) throws(MalformedBytes) {
        id = try reader.read()
        let tag: UInt8 = try reader.read()
        switch tag {
        case 1: operation = .read
        case 2: operation = .compareAndSet(expected: try reader.read(), try ClusterRegister(&reader))
        default: throw MalformedBytes(offset: reader.offset - 1, detail: "\(tag) is no register operation")
        }
    }
}

/// What a coordinator answers.
public struct RegisterReply: Sendable, Equatable {
    public enum Outcome: Sendable, Equatable {
        /// The answer to a read.
        case value(ClusterRegister)
        /// The compare-and-set took effect; this is the new value.
        case written(ClusterRegister)
        /// The revision was another; this is the value now.
        case conflict(ClusterRegister)
        /// Ask this coordinator instead; nil while there is no leader.
        case redirect(String?)
        /// Not an answer: the value changed, and the coordinators tell every member.
        case changed(ClusterRegister)
    }
    public let id: UInt64
    public let outcome: Outcome

    public init(id: UInt64, outcome: Outcome) {
        self.id = id
        self.outcome = outcome
    }

    public func encode(into writer: inout ByteWriter) {
        writer.write(id)
        func register(_ tag: UInt8, _ register: ClusterRegister) {
            writer.write(tag)
            register.encode(into: &writer)
        }
        switch outcome {
        case .value(let value): register(1, value)
        case .written(let value): register(2, value)
        case .conflict(let value): register(3, value)
        case .redirect(let address):
            writer.write(UInt8(4))
            writer.write(string: address ?? "")
        case .changed(let value): register(5, value)
        }
    }

    public init(_ reader: inout ByteReader) throws(MalformedBytes) {
        id = try reader.read()
        let tag: UInt8 = try reader.read()
        switch tag {
        case 1: outcome = .value(try ClusterRegister(&reader))
        case 2: outcome = .written(try ClusterRegister(&reader))
        case 3: outcome = .conflict(try ClusterRegister(&reader))
        case 4:
            let address = try reader.readString()
            outcome = .redirect(address.isEmpty ? nil : address)
        case 5: outcome = .changed(try ClusterRegister(&reader))
        default: throw MalformedBytes(offset: reader.offset - 1, detail: "\(tag) is no register answer")
        }
    }
}
