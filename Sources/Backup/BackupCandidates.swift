package import GraphModel
package import Transport

/// Which member of a cluster to copy from.
package enum BackupCandidates {
    /// A slave that is further behind counts as lagging.
    package static let lagMaximum: Milliseconds = 1000

    /// Members in the order in which to try them: slaves that are up to date, which spares the master; the master;
    /// slaves that lag; what is cut off or electing. The one that has most comes first among equals. Members without a
    /// store are left out.
    ///
    /// Throws `.foreignStore` when the members have different stores: the hosts belong to more than one cluster.
    package static func order(
        _ statuses: [(host: HostPort, status: BackupStatus)]
    ) throws(GraphError) -> [(host: HostPort, status: BackupStatus)] {
        let available = statuses.filter { $0.status.isAvailable }
        if let first = available.first,
            let other = available.first(where: { $0.status.storeID != first.status.storeID })
        {
            throw GraphError(
                .foreignStore,
                "\(first.host) has store \(first.status.storeID), \(other.host) has store \(other.status.storeID): name members of one cluster"
            )
        }
        return available.enumerated().sorted { a, b in
            let (x, y) = (a.element.status, b.element.status)
            if rank(x) != rank(y) { return rank(x) < rank(y) }
            if x.applied.transactionID != y.applied.transactionID {
                return x.applied.transactionID > y.applied.transactionID
            }
            return a.offset < b.offset
        }.map(\.element)
    }

    private static func rank(_ status: BackupStatus) -> Int {
        switch status.role {
        case .slave: status.lag <= lagMaximum ? 0 : 2
        case .master: 1
        case .pending: 3
        }
    }
}
