internal import Database
internal import GraphModel
internal import Storage

/// The status of a member as JSON, for people and scripts.
enum StatusJSON {
    /// Everything in one object.
    static func everything(_ status: DatabaseStatus, _ readiness: Readiness, isDraining: Bool) -> [UInt8] {
        var json = JSONWriter(.manual, capacity: 1024)
        json.beginObject()
        json.key("mode")
        json.string(status.mode.rawValue)
        json.key("role")
        json.string(status.role.rawValue)
        json.key("since")
        optional(status.roleSince.map(timestampText), &json)
        json.key("master")
        json.value(readiness.isMaster)
        json.key("slave")
        json.value(readiness.isSlave)
        json.key("readable")
        json.value(readiness.isReadable)
        json.key("draining")
        json.value(status.isDraining || isDraining)
        json.key("server_id")
        optional(status.serverID.map { UInt64($0.rawValue) }, &json)
        json.key("cluster_name")
        optional(status.clusterName, &json)
        json.key("store_id")
        optional(status.storeID?.description, &json)
        json.key("epoch")
        json.value(status.epoch.rawValue)
        json.key("master_id")
        optional(status.masterID.map { UInt64($0.rawValue) }, &json)
        json.key("last")
        position(status.last, &json)
        json.key("applied")
        position(status.applied, &json)
        json.key("lag_tx")
        json.value(status.lagTransactions)
        json.key("lag_ms")
        json.value(status.lag.rawValue)
        json.key("last_update")
        optional(status.lastUpdate.map(timestampText), &json)
        fetched(status.fetched, &json)
        json.key("version")
        json.string(martletVersion)
        json.key("protocol_version")
        optional(status.protocolVersion.map { UInt64($0) }, &json)
        json.key("cluster_version")
        optional(status.clusterVersion.map { UInt64($0) }, &json)
        json.key("sync_set")
        json.beginList()
        for member in status.syncSet { json.value(UInt64(member.rawValue)) }
        json.endList()
        json.key("members")
        members(status, &json)
        json.key("graph_comparison")
        comparison(status.graphComparison, &json)
        json.key("problem")
        optional(status.problem, &json)
        json.endObject()
        return json.bytes
    }

    static func members(_ status: DatabaseStatus) -> [UInt8] {
        var json = JSONWriter(.manual, capacity: 512)
        members(status, &json)
        return json.bytes
    }

    private static func members(_ status: DatabaseStatus, _ json: inout JSONWriter) {
        json.beginList()
        for member in status.members {
            json.beginObject()
            json.key("id")
            json.value(UInt64(member.id.rawValue))
            json.key("role")
            json.string(member.unreachableSince == nil ? member.role.rawValue : "unreachable")
            json.key("unreachable_since")
            optional(member.unreachableSince.map(timestampText), &json)
            json.key("address")
            json.string(member.address)
            json.key("http_address")
            json.string(member.httpAddress)
            json.key("backup_address")
            json.string(member.backupAddress)
            json.key("slave_only")
            json.value(member.isSlaveOnly)
            json.key("in_sync_set")
            json.value(member.isInSyncSet)
            json.key("acknowledged_tx")
            optional(member.acknowledged?.rawValue, &json)
            json.key("silence_ms")
            optional(member.silence?.rawValue, &json)
            json.key("protocol_version")
            json.value(UInt64(member.protocolVersion))
            json.endObject()
        }
        json.endList()
    }

    /// A comparison of graphs; null when there was none.
    static func comparison(_ comparison: GraphComparison?, _ json: inout JSONWriter) {
        guard let comparison else { return json.null() }
        json.beginObject()
        json.key("transaction")
        json.value(comparison.position.transactionID.rawValue)
        json.key("started")
        json.string(timestampText(comparison.startedAt))
        json.key("running")
        json.value(comparison.duration == nil)
        json.key("duration_ms")
        optional(comparison.duration?.rawValue, &json)
        json.key("checksum")
        optional(comparison.agreed?.description, &json)
        json.key("members")
        json.beginList()
        for member in comparison.members {
            json.beginObject()
            json.key("id")
            json.value(UInt64(member.rawValue))
            json.key("checksum")
            optional(comparison.checksums[member]?.description, &json)
            json.key("differs")
            json.value(comparison.differing.contains(member))
            json.endObject()
        }
        json.endList()
        json.endObject()
    }

    private static func position(_ position: LogPosition, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("tx")
        json.value(position.transactionID.rawValue)
        json.key("epoch")
        json.value(position.epoch.rawValue)
        // In hexadecimal: JSON readers round integers of this length.
        json.key("checksum")
        json.string(String(position.checksum, radix: 16))
        json.endObject()
    }

    private static func fetched(_ fetched: DatabaseStatus.Fetched?, _ json: inout JSONWriter) {
        json.key("fetched")
        guard let fetched else {
            json.null()
            return
        }
        json.beginObject()
        json.key("log_bytes")
        json.value(fetched.logByteCount)
        json.key("copy_bytes")
        json.value(fetched.storeCopyByteCount)
        json.endObject()
    }

    private static func optional(_ number: UInt64?, _ json: inout JSONWriter) {
        if let number { json.value(number) } else { json.null() }
    }

    private static func optional(_ text: String?, _ json: inout JSONWriter) {
        if let text { json.string(text) } else { json.null() }
    }
}
