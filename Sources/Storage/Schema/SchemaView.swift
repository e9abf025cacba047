internal import GraphModel

/// One index as a snapshot sees it: the run of the base, and what changed since, newest layer first.
final class IndexView: Sendable {
    let rule: SchemaRule
    /// What every look-up asks for, without a look at the rest of the rule.
    let id: SchemaRuleID
    let keyCount: Int
    /// Nil while the index is being populated: then `layers` hold all changes since it was made. A named index has none
    /// before its first checkpoint.
    let run: IndexRun?
    let layers: [IndexLayer]

    init(rule: SchemaRule, run: IndexRun?, layers: [IndexLayer]) {
        self.rule = rule
        id = rule.id
        keyCount = rule.keys.count
        self.run = run
        self.layers = layers
    }

    /// Whether it can be read.
    var isComplete: Bool { run != nil }

    /// Roughly how many entries it has.
    var entryCount: Int { max(0, layers.reduce(run?.entryCount ?? 0) { $0 + $1.netCount }) }

    /// Whether every entry is in the run.
    var isMerged: Bool { layers.allSatisfy { $0.count == 0 } }

    /// The same with another layer on top, for what comes after a freeze.
    func withFreshLayer() -> IndexView { IndexView(rule: rule, run: run, layers: [IndexLayer()] + layers) }
}

/// The schema and the indexes of one version of the store. Immutable; replaced as a whole.
final class SchemaView: Sendable {
    let schema: Schema
    /// One for each rule that has an index, ascending by id.
    let indexes: [IndexView]
    /// The entries of the named indexes, ascending by id.
    let manualIndexes: [IndexView]
    /// Whether any automatic index follows properties.
    let hasAutoIndexing: Bool
    /// Changes when an index can be read from now on, or is gone.
    let readableIndexesVersion: UInt64

    init(_ schema: Schema, _ indexes: [IndexView], manual: [IndexView]) {
        self.schema = schema
        self.indexes = indexes
        manualIndexes = manual
        hasAutoIndexing = schema.hasAutoIndexing
        readableIndexesVersion = indexes.reduce(indexes.count == 0 ? 0 : 1) { version, index in
            index.isComplete ? (version &+ UInt64(index.id.rawValue)) &* 0x9E37_79B9_7F4A_7C15 : version
        }
    }

    /// The indexes over what a base holds; those it does not hold have to be populated.
    convenience init(_ schema: Schema, runs: [SchemaRuleID: IndexRun]) {
        self.init(
            schema,
            schema.rules.filter(\.hasIndex).map { IndexView(rule: $0, run: runs[$0.id], layers: [IndexLayer()]) },
            manual: schema.manualIndexes.map { IndexView(rule: $0.rule, run: runs[$0.id], layers: [IndexLayer()]) })
    }

    /// The entries of a named index.
    func manualEntries(_ id: SchemaRuleID) -> IndexView? {
        for index in manualIndexes where index.id == id { return index }
        return nil
    }

    func index(_ id: SchemaRuleID) -> IndexView? {
        for index in indexes where index.id == id { return index }
        return nil
    }

    /// Bytes held by changes that a checkpoint would merge.
    var overlayByteCount: Int {
        (indexes.filter(\.isComplete) + manualIndexes).reduce(0) { sum, index in
            index.layers.reduce(sum) { $0 + ($1.count == 0 ? 0 : $1.byteCount) }
        }
    }

    /// After a change of the schema: known indexes go on, new ones begin empty, from now on.
    func changed(to schema: Schema) -> SchemaView {
        SchemaView(
            schema,
            schema.rules.filter(\.hasIndex).map { rule in
                let known = index(rule.id)
                return IndexView(rule: rule, run: known?.run, layers: known?.layers ?? [IndexLayer()])
            },
            manual: schema.manualIndexes.map { index in
                manualEntries(index.id) ?? IndexView(rule: index.rule, run: nil, layers: [IndexLayer()])
            })
    }

    /// A fresh layer on top of each index that a checkpoint merges, for what comes after its freeze.
    func withFreshLayers(installing populated: SchemaRuleID?) -> SchemaView {
        SchemaView(
            schema,
            indexes.map { index in
                guard index.isComplete || index.rule.id == populated else { return index }
                return index.withFreshLayer()
            }, manual: manualIndexes.map { $0.withFreshLayer() })
    }

    /// After a checkpoint: the layers that it merged are gone, the new base's runs are below the others. An index that
    /// is still being populated keeps them all.
    func merged(_ frozen: SchemaView, runs: [SchemaRuleID: IndexRun]) -> SchemaView {
        func merged(_ index: IndexView, _ below: IndexView?) -> IndexView {
            guard let run = runs[index.id], let below else { return index }
            let merged = below.layers.map(ObjectIdentifier.init)
            return IndexView(
                rule: index.rule, run: run, layers: index.layers.filter { !merged.contains(ObjectIdentifier($0)) })
        }
        return SchemaView(
            schema, indexes.map { merged($0, frozen.index($0.id)) },
            manual: manualIndexes.map { merged($0, frozen.manualEntries($0.id)) })
    }

    /// Whether a change of an entity of this kind can concern an index.
    func concerns(_ entity: SchemaRule.EntityKind) -> Bool { indexes.contains { $0.rule.entity == entity } }

    /// Calls `body` for each entry that a change of an entity puts into an index or takes out.
    static func forEachChange(
        _ indexes: [IndexView], _ entity: SchemaRule.EntityKind, from before: IndexedContent?,
        to after: IndexedContent?, _ body: (IndexView, _ isPresent: Bool, UnsafeRawBufferPointer) -> Void
    ) {
        for index in indexes where index.rule.entity == entity {
            var old: [UInt8] = []
            var new: [UInt8] = []
            let hasOld = before?.appendKey(of: index.rule, to: &old) ?? false
            let hasNew = after?.appendKey(of: index.rule, to: &new) ?? false
            if hasOld && hasNew && old == new { continue }
            if hasOld { old.withUnsafeBytes { body(index, false, $0) } }
            if hasNew { new.withUnsafeBytes { body(index, true, $0) } }
        }
    }
}
