internal import FileSystem
internal import GraphModel

extension Transaction {
    /// Adds every rule and every index entry. An index that this member has not populated yet counts with the entries that
    /// it will have, so members agree whatever their indexes have come to.
    /// False when `isCancelled` said so meanwhile.
    func addSchema(to checksum: inout GraphChecksum, unless isCancelled: () -> Bool) -> Bool {
        for rule in schemaRules {
            var writer = ByteWriter()
            writer.write(UInt8(3))
            writer.write(string: rule.name)
            writer.write(rule.kind.rawValue)
            writer.write(rule.entity.rawValue)
            writer.write(string: name(rule.tokenKind, rule.token))
            for key in rule.keys { writer.write(string: name(.propertyKey, key)) }
            writer.write(rule.state.rawValue)
            writer.write(string: rule.failure)
            checksum.add(writer)
            if rule.hasIndex, !addEntries(of: rule, to: &checksum, unless: isCancelled) { return false }
        }
        for index in currentSchema.manualIndexes {
            if !addEntries(of: index, to: &checksum, unless: isCancelled) { return false }
        }
        for kind in [SchemaRule.EntityKind.node, .relationship] where autoIndexing(kind) != AutoIndexing() {
            var writer = ByteWriter()
            writer.write(UInt8(7))
            writer.write(kind.rawValue)
            autoIndexing(kind).encode(into: &writer)
            checksum.add(writer)
        }
        return true
    }

    /// The index itself, and what was added: how it is found by tokens and entities follows from that.
    private func addEntries(
        of index: ManualIndex, to checksum: inout GraphChecksum, unless isCancelled: () -> Bool
    ) -> Bool {
        var (count, goesOn) = (0, true)
        var writer = ByteWriter()
        writer.write(UInt8(5))
        index.encode(into: &writer)
        checksum.add(writer)
        reader(index).forEach(beginningWith: [ManualIndexKey.valueSection]) { key, id in
            writer.removeAll()
            writer.write(UInt8(6))
            writer.write(index.id.rawValue)
            writer.write(id)
            writer.write(raw: key)
            checksum.add(writer)
            count += 1
            goesOn = count % 4096 != 0 || !isCancelled()
            return goesOn
        }
        return goesOn
    }

    private func addEntries(
        of rule: SchemaRule, to checksum: inout GraphChecksum, unless isCancelled: () -> Bool
    ) -> Bool {
        var writer = ByteWriter()
        func add(_ key: UnsafeRawBufferPointer, _ id: UInt64) {
            writer.removeAll()
            writer.write(UInt8(4))
            writer.write(string: rule.name)
            writer.write(id)
            writer.write(raw: key)
            checksum.add(writer)
        }
        if let index = view.schema.index(rule.id), index.isComplete {
            var merge = merge(index, .all, .ascending)
            var count = 0
            while let entry = merge.next() {
                add(entry.key, entry.id)
                count += 1
                if count % 4096 == 0, isCancelled() { return false }
            }
            return true
        }
        var cursor: UInt64 = 0
        var ids: ContiguousArray<UInt64> = []
        var key: [UInt8] = []
        var more = true
        while more {
            if isCancelled() { return false }
            ids.removeAll(keepingCapacity: true)
            more = scan(rule, &cursor, limit: 4096, into: &ids)
            for id in ids {
                guard let content = content(rule.entity, id) else { continue }
                key.removeAll(keepingCapacity: true)
                if content.appendKey(of: rule, to: &key) { key.withUnsafeBytes { add($0, id) } }
            }
        }
        return true
    }
}
