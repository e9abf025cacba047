internal import GraphModel
internal import Synchronization

/// Locks with a single holder that nobody else has asked for: nearly all. They stand here, in stripes with a mutex each,
/// and not in the one ``LockTable``, whose mutex every commit of every thread would take.
///
/// The first other session that asks moves the lock into the table and leaves a mark. While the mark stands the table
/// alone counts. Such locks need not be in the wait-for graph: nobody waits for them.
final class UncontendedLocks: Sendable {
    enum Claim {
        /// Held now, not before.
        case isNew
        case isHeld
        /// Somebody else holds it, or it is in the table.
        case isContended
    }

    struct Holder {
        let session: LockSessionID
        var mode: LockMode
    }

    /// nil is the mark: the lock is in the table.
    private typealias Places = [LockTable.Key: Holder?]

    private final class Stripe: Sendable {
        let places = Mutex(Places())
    }

    private let stripes: [Stripe]

    init() { stripes = (0..<64).map { _ in Stripe() } }

    private func withPlaces<R>(of key: LockTable.Key, _ body: (inout sending Places) -> sending R) -> R {
        stripes[key.stripe].places.withLock(body)
    }

    /// Takes a lock that is free or the session's own.
    func claim(_ key: LockTable.Key, _ mode: LockMode, for session: LockSessionID) -> Claim {
        withPlaces(of: key) { places in
            guard let place = places[key] else {
                places[key] = .some(Holder(session: session, mode: mode))
                return .isNew
            }
            guard let holder = place, holder.session == session else { return .isContended }
            let joined = holder.mode.joined(with: mode)
            if joined != holder.mode { places[key] = .some(Holder(session: session, mode: joined)) }
            return .isHeld
        }
    }

    /// Whether a lock is nobody's or the session's own; false when it is in the table.
    func isFree(_ key: LockTable.Key, for session: LockSessionID) -> Bool {
        withPlaces(of: key) { places in
            guard let place = places[key] else { return true }
            return place.map { $0.session == session } ?? false
        }
    }

    /// Releases a lock that is the session's own; false when it is in the table.
    func release(_ key: LockTable.Key, of session: LockSessionID) -> Bool {
        withPlaces(of: key) { places in
            guard let place = places[key] else { return true }
            guard let holder = place else { return false }
            if holder.session == session { places[key] = nil }
            return true
        }
    }

    // MARK: Within the table's mutex

    /// Marks a lock as one of the table's. Returns who held it, whom the table does not know yet.
    func mark(_ key: LockTable.Key) -> Holder? {
        withPlaces(of: key) { places in
            let holder = places[key] ?? nil
            places.updateValue(nil, forKey: key)
            return holder
        }
    }

    /// Takes the mark away, once the table does not have the lock any more.
    func unmark(_ key: LockTable.Key) {
        withPlaces(of: key) { places in
            if case .some(.none) = places[key] { places.removeValue(forKey: key) }
        }
    }

    /// Entities that are locked, here or in the table.
    var isEmpty: Bool { stripes.allSatisfy { $0.places.withLock { $0.isEmpty } } }
    var count: Int { stripes.reduce(0) { $0 + $1.places.withLock { $0.count } } }
}

extension LockTable.Key {
    /// 0 to 63, well mixed: neighbouring ids are often locked together.
    fileprivate var stripe: Int { Int(truncatingIfNeeded: (bits &* 0x9E37_79B9_7F4A_7C15) >> 58) }
}
