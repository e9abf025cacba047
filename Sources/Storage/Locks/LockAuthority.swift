public import GraphModel

/// Makes the explicit locks of one transaction hold beyond this process: in a cluster the master keeps them for all.
///
/// Asked after the lock is held here, so that those of this process take turns among themselves first.
public protocol LockAuthority: AnyObject, Sendable {
    /// Returns once the lock is held everywhere and what its last holder committed is readable here; blocks until then.
    /// At once when the transaction has it already.
    ///
    /// - Throws: `.deadlock`, `.lockTimeout`; `.masterChanged` when the locks it had are gone; `.noMaster` and other
    ///   errors of a cluster that takes no writes now.
    func acquire(_ entity: EntityID, _ mode: LockMode, timeout: Milliseconds) throws(GraphError)
    /// Gives up all of them. What is acquired after that begins anew.
    func release()
}
