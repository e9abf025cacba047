internal import Database
internal import GraphModel
internal import HTTPTypes
internal import Storage

/// `/metrics` in the text format that Prometheus reads.
struct MetricsPage: Sendable {
    let database: Database
    let openTransactions: OpenTransactions
    let isDraining: @Sendable () -> Bool

    func text(_ requests: RequestMetrics) -> String {
        var page = Page()
        databaseMetrics(&page)
        requestMetrics(requests, &page)
        return page.text
    }

    private func databaseMetrics(_ page: inout Page) {
        let status = database.status
        let readiness = Readiness(status, isDraining: isDraining())
        page.gauge("martlet_last_transaction", "Last transaction in the log", status.last.transactionID.rawValue)
        page.gauge("martlet_applied_transaction", "Last readable transaction", status.applied.transactionID.rawValue)
        page.gauge("martlet_epoch", "Number of the mastership", status.epoch.rawValue)
        page.gauge("martlet_lag_transactions", "Committed transactions not readable here yet", status.lagTransactions)
        page.gauge("martlet_lag_milliseconds", "Time this member has known less than the master", status.lag.rawValue)
        page.head("martlet_role", "gauge", "1 for the role this member has")
        for role in [DatabaseStatus.Role.master, .slave, .pending] {
            page.line("martlet_role", "role=\"\(role.rawValue)\"", role == status.role ? 1 : 0)
        }
        page.gauge("martlet_writable_master", "Whether writes are ordered here now", readiness.isMaster ? 1 : 0)
        page.gauge("martlet_readable", "Whether reads are served here now", readiness.isReadable ? 1 : 0)
        page.gauge("martlet_members", "Members of the cluster", UInt64(status.members.count))
        page.gauge("martlet_sync_set_members", "Members whose acknowledgements count", UInt64(status.syncSet.count))
        if let fetched = status.fetched {
            page.counter(
                "martlet_received_log_bytes_total", "Bytes of log entries that came from masters", fetched.logByteCount)
            page.counter(
                "martlet_received_copy_bytes_total", "Bytes of store copies that came from other members",
                fetched.storeCopyByteCount)
        }
        let transactions = openTransactions.counts
        page.gauge("martlet_open_transactions", "Transactions that clients hold open", UInt64(transactions.open))
        page.counter(
            "martlet_open_transactions_expired_total", "Open transactions rolled back since nobody came back for them",
            UInt64(transactions.expired))
        guard let store = try? database.pipeline.readableStore() else { return }
        page.gauge("martlet_nodes", "Nodes", UInt64(store.nodeCount))
        page.gauge("martlet_relationships", "Relationships", UInt64(store.relationshipCount))
        page.gauge("martlet_overlay_bytes", "Recent changes in memory", UInt64(store.overlayByteCount))
        page.gauge("martlet_durable_transaction", "Last durable transaction", store.durable.transactionID.rawValue)
        page.gauge(
            "martlet_checkpointed_transaction", "Last transaction in the store files",
            store.checkpointed.transactionID.rawValue)
        page.counter("martlet_log_syncs_total", "Group syncs of the transaction log", store.logSyncCount)
        lockMetrics(store.locks.statistics, &page)
    }

    private func lockMetrics(_ locks: LockManager.Statistics, _ page: inout Page) {
        page.counter(
            "martlet_deadlocks_averted_total", "Lock requests refused because waiting would never have ended",
            locks.avertedDeadlockCount)
        page.counter("martlet_lock_waits_total", "Lock requests that had to wait", locks.waitCount)
        page.counter("martlet_lock_timeouts_total", "Lock requests that waited too long", locks.timeoutCount)
        page.head("martlet_lock_wait_seconds_total", "counter", "Time that lock requests waited")
        page.text += "martlet_lock_wait_seconds_total \(Double(locks.waitNanoseconds) / 1e9)\n"
        page.gauge("martlet_locked_entities", "Nodes and relationships that are locked", UInt64(locks.lockedCount))
        page.gauge("martlet_lock_waiters", "Transactions that wait for a lock", UInt64(locks.waitingCount))
    }

    private func requestMetrics(_ requests: RequestMetrics, _ page: inout Page) {
        page.counter(
            "martlet_http_writes_committed_total", "Transactions committed through this server",
            requests.committedWrites.value)
        page.gauge("martlet_http_requests_in_flight", "Requests under way", requests.inFlight.value)
        page.head("martlet_http_errors_total", "counter", "Errors by stable code")
        for (code, count) in requests.errorsByCode { page.line("martlet_http_errors_total", "code=\"\(code)\"", count) }
        let used = requests.routes.filter { route in route.byStatus.contains { $0.value > 0 } }
        page.head("martlet_http_requests_total", "counter", "Requests by route and status")
        for route in used {
            for (index, counter) in route.byStatus.enumerated() where counter.value > 0 {
                let status = index < RequestMetrics.statuses.count ? String(RequestMetrics.statuses[index]) : "other"
                page.line(
                    "martlet_http_requests_total", "route=\"\(route.pattern)\",status=\"\(status)\"", counter.value)
            }
        }
        page.head("martlet_http_request_seconds", "histogram", "Time from the request's head to the end of its answer")
        for route in used {
            var sum: UInt64 = 0
            for (index, bucket) in route.buckets.enumerated() {
                sum += bucket.value
                let bound =
                    index < RequestMetrics.boundsMicroseconds.count
                    ? (Double(RequestMetrics.boundsMicroseconds[index]) / 1_000_000).description : "+Inf"
                page.line("martlet_http_request_seconds_bucket", "route=\"\(route.pattern)\",le=\"\(bound)\"", sum)
            }
            page.text +=
                "martlet_http_request_seconds_sum{route=\"\(route.pattern)\"} \(Double(route.nanoseconds.value) / 1e9)\n"
            page.line("martlet_http_request_seconds_count", "route=\"\(route.pattern)\"", sum)
        }
    }

    private struct Page {
        var text = ""

        mutating func head(_ name: String, _ type: String, _ help: String) {
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        }

        mutating func line(_ name: String, _ labels: String, _ value: UInt64) {
            text += "\(name){\(labels)} \(value)\n"
        }

        mutating func gauge(_ name: String, _ help: String, _ value: UInt64) {
            head(name, "gauge", help)
            text += "\(name) \(value)\n"
        }

        mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
            head(name, "counter", help)
            text += "\(name) \(value)\n"
        }
    }
}
