public import GraphModel

extension Transaction {
    // MARK: Counts

    /// Number of nodes. O(1).
    public func nodeCount() -> Int { state.counts.nodes + (writes?.nodeCountChange ?? 0) }

    /// Number of nodes with a label. O(1).
    public func nodeCount(label: TokenID) -> Int {
        state.counts.nodes(label: label) + (writes?.labelCountChanges[label] ?? 0)
    }

    /// Number of relationships. O(1).
    public func relationshipCount() -> Int { state.counts.relationships + (writes?.relationshipCountChange ?? 0) }

    /// Number of relationships of a type. O(1).
    public func relationshipCount(type: TokenID) -> Int {
        state.counts.relationships(type: type) + (writes?.typeCountChanges[type] ?? 0)
    }

    // MARK: Nodes

    public func nodeExists(_ id: NodeID) -> Bool {
        if !isReadOnly, let draft = writes?.nodes[id.rawValue] { return draft.exists }
        return view.nodeExists(id.rawValue, at: at)
    }

    /// The labels of a node; none when it does not exist.
    public func labels(of id: NodeID) -> [TokenID] {
        if !isReadOnly, let draft = writes?.nodes[id.rawValue] { return draft.labels }
        return view.labels(ofNode: id.rawValue, at: at)
    }

    public func hasLabel(_ label: TokenID, _ id: NodeID) -> Bool {
        if !isReadOnly, let draft = writes?.nodes[id.rawValue] { return draft.labels.contains(label) }
        return view.hasLabel(label, id.rawValue, at: at)
    }

    /// A property of a node; nil when it is not set or the node does not exist.
    public func property(_ key: TokenID, ofNode id: NodeID) -> Value? {
        if isReadOnly && !hasChangedNodes { return base.property(key, ofNode: id.rawValue) }
        if !isReadOnly, let draft = writes?.nodes[id.rawValue] { return draft.properties.value(key) }
        return view.property(key, ofNode: id.rawValue, at: at)
    }

    /// All properties of a node, ascending by key.
    public func properties(ofNode id: NodeID) -> [(key: TokenID, value: Value)] {
        let draft = isReadOnly ? nil : writes?.nodes[id.rawValue]?.properties
        let properties = draft ?? view.properties(ofNode: id.rawValue, at: at)
        return properties.map { ($0.key, $0.value) }
    }

    // MARK: Relationships

    /// Type and ends of a relationship; nil when it does not exist.
    public func relationship(_ id: RelationshipID) -> RelationshipRecord? {
        if !isReadOnly, let draft = writes?.relationships[id.rawValue] { return draft.exists ? draft.record : nil }
        return view.relationship(id.rawValue, at: at)
    }

    public func property(_ key: TokenID, ofRelationship id: RelationshipID) -> Value? {
        if !isReadOnly, let draft = writes?.relationships[id.rawValue] { return draft.properties.value(key) }
        return view.property(key, ofRelationship: id.rawValue, at: at)
    }

    /// All properties of a relationship, ascending by key.
    public func properties(ofRelationship id: RelationshipID) -> [(key: TokenID, value: Value)] {
        let draft = isReadOnly ? nil : writes?.relationships[id.rawValue]?.properties
        let properties = draft ?? view.properties(ofRelationship: id.rawValue, at: at)
        return properties.map { ($0.key, $0.value) }
    }

    // MARK: Expansion

    /// Appends the other ends and the ids of a node's relationships to two parallel buffers.
    ///
    /// `types` empty means all. A self-relationship appears once for each of `.outgoing` and `.incoming`, and once for
    /// `.both`. On unchanged parts of the graph this copies slices; it allocates nothing else.
    public func expand(
        _ node: NodeID, _ direction: Direction, types: [TokenID], neighbours: inout ContiguousArray<UInt64>,
        relationships: inout ContiguousArray<UInt64>
    ) {
        // The buffers need not be of one length when this begins: a caller may keep only one of them.
        let (start, neighbourStart) = (relationships.count, neighbours.count)
        view.expand(
            node.rawValue, direction, types: types, at: at, neighbours: &neighbours, relationships: &relationships)
        guard !isReadOnly, let writes else { return }
        if writes.nodesWithRemovals.contains(node.rawValue) {
            var kept = 0
            for index in 0..<relationships.count - start where !writes.removed.contains(relationships[start + index]) {
                relationships[start + kept] = relationships[start + index]
                neighbours[neighbourStart + kept] = neighbours[neighbourStart + index]
                kept += 1
            }
            relationships.removeLast(relationships.count - start - kept)
            neighbours.removeLast(neighbours.count - neighbourStart - kept)
        }
        for edge in writes.edges[node.rawValue] ?? [] {
            switch direction {
            case .outgoing: if !edge.isOutgoing { continue }
            case .incoming: if edge.isOutgoing { continue }
            case .both: if !edge.isOutgoing && edge.neighbour == node.rawValue { continue }
            }
            if !types.isEmpty && !types.contains(edge.type) { continue }
            if writes.relationships[edge.relationship]?.exists != true { continue }
            neighbours.append(edge.neighbour)
            relationships.append(edge.relationship)
        }
    }

    /// How many relationships a node has; a self-relationship counts once for `.both`. Costs what changed at the node,
    /// not its degree, except for `.both`, which looks for self-relationships.
    public func degree(_ node: NodeID, _ direction: Direction, types: [TokenID]) -> Int {
        let changed = writes.map {
            $0.nodesWithRemovals.contains(node.rawValue) || $0.edges[node.rawValue] != nil
        }
        guard changed ?? false else { return view.degree(node.rawValue, direction, types: types, at: at) }
        var neighbours: ContiguousArray<UInt64> = []
        var relationships: ContiguousArray<UInt64> = []
        expand(node, direction, types: types, neighbours: &neighbours, relationships: &relationships)
        return relationships.count
    }

    // MARK: Scans

    /// Appends up to `limit` node ids from `cursor` on, ascending, and moves the cursor on. Returns false once there are
    /// no more.
    public func scanNodes(
        label: TokenID?, cursor: inout UInt64, limit: Int, into ids: inout ContiguousArray<UInt64>
    ) -> Bool {
        let end = max(state.nextNodeID, writes?.createdNodes.max().map { $0 + 1 } ?? 0)
        var found = 0
        while cursor < end, found < limit {
            if isReadOnly, let unchanged = view.unchangedNodes(from: cursor, upTo: end) {
                found += scanBase(label: label, cursor: &cursor, end: unchanged, limit: limit - found, into: &ids)
                continue
            }
            let id = NodeID(cursor)
            cursor += 1
            if label.map({ hasLabel($0, id) }) ?? nodeExists(id) {
                ids.append(id.rawValue)
                found += 1
            }
        }
        return cursor < end
    }

    /// The same over a part of the base that no overlay has changed.
    private func scanBase(
        label: TokenID?, cursor: inout UInt64, end: UInt64, limit: Int, into ids: inout ContiguousArray<UInt64>
    ) -> Int {
        let rangeEnd = view.base.endOfNodeRange(cursor, upTo: end)
        guard let (segment, first) = view.base.node(cursor) else {
            cursor = rangeEnd
            return 0
        }
        let segmentEnd = min(rangeEnd, segment.file.firstID + UInt64(segment.slotCount))
        let wanted = label.map(segment.labelSetsContaining) ?? segment.labelSetsOfNodes
        let before = ids.count
        var found = 0
        var slot = first
        while cursor < segmentEnd, found < limit {
            // No more slots at once than there is room for nodes: whether one is wanted needs no branch then.
            let end = slot + min(limit - found, Int(segmentEnd - cursor))
            ids.append(contentsOf: repeatElement(0, count: max(0, before + found + end - slot - ids.count)))
            ids.withUnsafeMutableBufferPointer { ids in
                wanted.withUnsafeBufferPointer { wanted in
                    while slot < end {
                        ids[before + found] = cursor
                        found += wanted[segment.labelSetNumber(slot)] ? 1 : 0
                        cursor += 1
                        slot += 1
                    }
                }
            }
        }
        ids.removeLast(ids.count - before - found)
        return found
    }

    /// Appends up to `limit` relationship ids from `cursor` on, ascending, and moves the cursor on. Returns false once
    /// there are no more.
    public func scanRelationships(
        type: TokenID?, cursor: inout UInt64, limit: Int, into ids: inout ContiguousArray<UInt64>
    ) -> Bool {
        let end = max(state.nextRelationshipID, writes?.createdRelationships.max().map { $0 + 1 } ?? 0)
        var found = 0
        while cursor < end, found < limit {
            if isReadOnly, let unchanged = view.unchangedRelationships(from: cursor, upTo: end) {
                found += scanBase(type: type, cursor: &cursor, end: unchanged, limit: limit - found, into: &ids)
                continue
            }
            let id = RelationshipID(cursor)
            cursor += 1
            guard let actual = relationship(id)?.type, type == nil || actual == type else { continue }
            ids.append(id.rawValue)
            found += 1
        }
        return cursor < end
    }

    /// The same over a part of the base that no overlay has changed.
    private func scanBase(
        type: TokenID?, cursor: inout UInt64, end: UInt64, limit: Int, into ids: inout ContiguousArray<UInt64>
    ) -> Int {
        let rangeEnd = view.base.endOfRelationshipRange(cursor, upTo: end)
        guard let (segment, first) = view.base.relationship(cursor) else {
            cursor = rangeEnd
            return 0
        }
        let segmentEnd = min(rangeEnd, segment.file.firstID + UInt64(segment.slotCount))
        var found = 0
        var slot = first
        while cursor < segmentEnd, found < limit {
            if let actual = segment.type(slot), type == nil || actual == type {
                ids.append(cursor)
                found += 1
            }
            slot += 1
            cursor += 1
        }
        return found
    }
}
