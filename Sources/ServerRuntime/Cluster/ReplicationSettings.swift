internal import Coordination
internal import GraphModel
internal import Replication

extension ReplicationOptions {
    /// What the configuration says about this member's part in its cluster.
    init(_ configuration: Configuration, address: String, clusterName: String) throws(GraphError) {
        let id = try configuration.required(Settings.serverID, because: "it is needed with \(Settings.mode.name)=HA")
        let isSlaveOnly = configuration.value(Settings.slaveOnly) ?? false || configuration.value(Settings.updateMode) == UpdateMode.none
        self.init(
            member: .init(
                id: MemberID(UInt32(id)), address: address, isSlaveOnly: isSlaveOnly,
                protocolVersion: UInt16(
                    configuration.value(Settings.protocolVersion) ?? Int(ReplicationMessage.protocolVersion))),
            clusterName: clusterName)
        if let value = configuration.value(Settings.heartbeatInterval) { heartbeatInterval = value }
        if let value = configuration.value(Settings.masterTimeout) { leaseTime = value }
        if let value = configuration.value(Settings.syncTimeout) { syncTimeout = value }
        if let value = configuration.value(Settings.writeTimeout) { writeTimeout = value }
        if let value = configuration.value(Settings.syncSetMinimum) { syncSetMinimum = value }
        if configuration.value(Settings.commitMode) == .optimistic { commitMode = .optimistic }
        if let value = configuration.value(Settings.pushFactor) { pushFactor = value }
        if let value = configuration.value(Settings.pushStrategy) { pushStrategy = value }
        if let value = configuration.value(Settings.pullInterval) { pullInterval = value }
        if let value = configuration.value(Settings.checksumInterval) { comparisonInterval = value }
        if let value = configuration.value(Settings.branchedDataPolicy) { branchedDataPolicy = value }
        guard leaseTime.rawValue >= 3 * heartbeatInterval.rawValue else {
            throw GraphError(
                .configuration,
                "\(Settings.masterTimeout.name)=\(leaseTime) is too short for \(Settings.heartbeatInterval.name)=\(heartbeatInterval): it must be three times as long at least")
        }
    }

    private typealias UpdateMode = Settings.UpdateMode
}
