internal import Database
internal import GraphModel
internal import HTTPTypes

/// What load balancers, monitors and operators ask. All but a change of master is answered from memory, on the event
/// loop: a busy database does not slow it down.
struct StatusRoutes: Sendable {
    let database: Database
    let control: (any ClusterControl)?
    let isDraining: @Sendable () -> Bool

    func add(to table: inout RouteTable) {
        table.add("/hastatus", isStatus: true, [(.get, .own(everything))])
        table.add("/hastatus/master", isStatus: true, [(.get, .own(master))])
        table.add("/hastatus/slave", isStatus: true, [(.get, .own(slave))])
        table.add("/hastatus/read", isStatus: true, [(.get, .own(read))])
        table.add("/hastatus/available", isStatus: true, [(.get, .own(available))])
        table.add("/db/manage/server/ha/master", isStatus: true, [(.get, .own(master))])
        table.add("/db/manage/server/ha/slave", isStatus: true, [(.get, .own(slave))])
        table.add("/db/manage/server/ha/available", isStatus: true, [(.get, .own(laterAvailable))])
        table.add("/db/manage/server/ha/members", [(.get, .own(members))])
        table.add("/db/manage/server/ha/switch-master", [(.post, .own(switchMaster))])
        table.add("/db/manage/server/ha/remove-member", [(.post, .own(removeMember))])
        table.add("/db/manage/server/ha/update", [(.post, .own(pullUpdates))])
        table.add("/db/manage/server/ha/checksums", [(.get, .own(checksums)), (.post, .own(compareGraphs))])
        table.add("/db/manage/server/ha/branched-stores", [(.get, .own(branchedStores))])
        table.add("/health", isStatus: true, [(.get, .own(health))])
    }

    private func yes(_ isYes: Bool, otherwise: HTTPResponse.Status = .notFound) -> Answer {
        .text(isYes ? .ok : otherwise, isYes ? "true" : "false")
    }

    private var current: (status: DatabaseStatus, readiness: Readiness) {
        let status = database.status
        return (status, Readiness(status, isDraining: isDraining()))
    }

    private func master(_ call: Call) -> Answer { yes(current.readiness.isMaster) }

    private func slave(_ call: Call) throws(GraphError) -> Answer {
        let limit = try LagLimit(call.target)
        let (status, readiness) = current
        return yes(readiness.isSlave && limit.allows(status))
    }

    private func read(_ call: Call) throws(GraphError) -> Answer {
        let limit = try LagLimit(call.target)
        let (status, readiness) = current
        return yes(readiness.isReadable && limit.allows(status))
    }

    private func available(_ call: Call) -> Answer {
        yes(current.readiness.isReadable, otherwise: .serviceUnavailable)
    }

    private func laterAvailable(_ call: Call) -> Answer {
        let readiness = current.readiness
        return .text(readiness.isReadable ? .ok : .notFound, readiness.word)
    }

    private func everything(_ call: Call) -> Answer {
        let (status, readiness) = current
        return Answer(.ok, .json, .bytes(StatusJSON.everything(status, readiness, isDraining: isDraining())))
    }

    private func members(_ call: Call) -> Answer {
        Answer(.ok, .json, .bytes(StatusJSON.members(database.status)))
    }

    /// Whether the process is well, for supervisors that restart what is not: a member that waits for a master or
    /// copies a store is well.
    private func health(_ call: Call) -> Answer {
        let (status, readiness) = current
        let isDraining = status.isDraining || isDraining()
        let isBroken = status.mode == .single && !status.isReadable
        var json = JSONWriter(.manual)
        json.beginObject()
        json.key("status")
        json.string(
            isDraining
                ? "draining" : (readiness.isReadable ? (status.problem == nil ? "up" : "degraded") : "unavailable"))
        if let problem = status.problem {
            json.key("problem")
            json.string(problem)
        }
        json.endObject()
        return Answer(isDraining || isBroken ? .serviceUnavailable : .ok, .json, .bytes(json.bytes))
    }

    /// `{"to": id}`; without `to` the cluster chooses.
    private func switchMaster(_ call: Call) async throws(GraphError) -> Answer {
        let body = try await call.parsedMap()
        let member: MemberID?
        switch body["to"] {
        case nil, .null?: member = nil
        case .integer(let id)?:
            guard let raw = UInt32(exactly: id) else {
                throw GraphError(.invalidRequest, "\"to\" is \(id); it must be the ha.server_id of a member")
            }
            member = MemberID(raw)
        default: throw GraphError(.invalidRequest, "\"to\" must be the ha.server_id of a member")
        }
        let master = try await requireControl().switchMaster(to: member)
        var json = JSONWriter(.manual)
        json.beginObject()
        json.key("master")
        json.value(UInt64(master.rawValue))
        json.endObject()
        return Answer(.ok, .json, .bytes(json.bytes))
    }

    private func requireControl() throws(GraphError) -> any ClusterControl {
        if let control { return control }
        if database.status.mode == .single {
            throw GraphError(.notClustered, "this server stands alone: it is no member of a cluster")
        }
        throw GraphError(.notImplemented, "this server cannot be asked to change its cluster")
    }

    /// `{"id": id}`
    private func removeMember(_ call: Call) async throws(GraphError) -> Answer {
        guard case .integer(let id)? = try await call.parsedMap()["id"], let raw = UInt32(exactly: id) else {
            throw GraphError(.invalidRequest, "\"id\" must be the ha.server_id of a member")
        }
        try await requireControl().removeMember(MemberID(raw))
        return .noContent()
    }

    private func pullUpdates(_ call: Call) async throws(GraphError) -> Answer {
        try await requireControl().pullUpdates()
        return .noContent()
    }

    /// What the last comparison of graphs came to, as far as it has got; with `?wait=true`, once it has ended or 10 s later.
    private func checksums(_ call: Call) async throws(GraphError) -> Answer {
        if try call.target.parameter("wait") == "true" { await (try requireControl()).untilCompared() }
        var json = JSONWriter(.manual)
        StatusJSON.comparison(database.status.graphComparison, &json)
        return Answer(.ok, .json, .bytes(json.bytes))
    }

    private func compareGraphs(_ call: Call) async throws(GraphError) -> Answer {
        let transaction = try await requireControl().compareGraphs()
        var json = JSONWriter(.manual)
        json.beginObject()
        json.key("transaction")
        json.value(transaction.rawValue)
        json.endObject()
        return Answer(.accepted, .json, .bytes(json.bytes))
    }

    private func branchedStores(_ call: Call) async throws(GraphError) -> Answer {
        var json = JSONWriter(.manual)
        json.beginList()
        for branch in try requireControl().branchedStores() {
            json.beginObject()
            json.key("directory")
            json.string(branch.directory)
            json.key("creation_time")
            json.value(branch.time)
            json.key("store_id")
            json.string(branch.storeID.description)
            json.key("largest_tx")
            json.value(branch.last.transactionID.rawValue)
            json.key("epoch")
            json.value(branch.last.epoch.rawValue)
            json.key("master_id")
            json.value(UInt64(branch.master.rawValue))
            json.key("bytes")
            json.value(branch.byteCount)
            json.endObject()
        }
        json.endList()
        return Answer(.ok, .json, .bytes(json.bytes))
    }
}
