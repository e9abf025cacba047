internal import GraphModel

/// One index as a snapshot sees it: the run of the base, and what changed since, newest layer first.
final class IndexView: Sendable {
    let rule: SchemaRule
    /// What every look-up asks for, without a look at the rest of the rule.
    let id: SchemaRuleID
    let keyCount: Int
    /// Nil while the index is being populated: then `layers` hold all changes since it was made.
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
}

/// The schema and the indexes of one version of the store. Immutable; replaced as a whole.
final class SchemaView: Sendable {
    let schema: Schema
    /// One for each rule that has an index, ascending by id.
    let indexes: [IndexView]
    /// Changes when an index can be read from now on, or is gone.
    let readableIndexesVersion: UInt64

    init(_ schema: Schema, _ indexes: [IndexView]) {
        self.schema = schema
        self.indexes = indexes
        readableIndexesVersion = indexes.reduce(indexes.count == 0 ? 0 : 1) { version, index in
            index.isComplete ? (version &+ UInt64(index.id.rawValue)) &* 0x9E37_79B9_7F4A_7C15 : version
        }
    }

    /// The indexes over what a base holds; those it does not hold have to be populated.
    convenience init(_ schema: Schema, runs: [SchemaRuleID: IndexRun]) {
        self.init(
            schema,
            schema.rules.filter(\.hasIndex).map { IndexView(rule: $0, run: runs[$0.id], layers: [IndexLayer()]) })
    }

    func index(_ id: SchemaRuleID) -> IndexView? {
        for index in indexes where index.id == id { return index }
        return nil
    }

    /// Bytes held by changes that a checkpoint would merge.
    var overlayByteCount: Int {
        indexes.reduce(0) { sum, index in
            index.isComplete ? index.layers.reduce(sum) { $0 + ($1.count == 0 ? 0 : $1.byteCount) } : sum
        }
    }

    /// After a change of the schema: known indexes go on, new ones begin empty, from now on.
    func changed(to schema: Schema) -> SchemaView {
        SchemaView(
            schema,
            schema.rules.filter(\.hasIndex).map { rule in
                let known = index(rule.id)
                return IndexView(rule: rule, run: known?.run, layers: known?.layers ?? [IndexLayer()])
            })
    }

    /// A fresh layer on top of each index that a checkpoint merges, for what comes after its freeze.
    func withFreshLayers(installing populated: SchemaRuleID?) -> SchemaView {
        SchemaView(
            schema,
            indexes.map { index in
                guard index.isComplete || index.rule.id == populated else { return index }
                return IndexView(rule: index.rule, run: index.run, layers: [IndexLayer()] + index.layers)
            })
    }

    /// After a checkpoint: the layers that it merged are gone, the new base's runs are below the others. An index that
    /// is still being populated keeps them all.
    func merged(_ frozen: SchemaView, runs: [SchemaRuleID: IndexRun]) -> SchemaView {
        SchemaView(
            schema,
            indexes.map { index in
                guard let run = runs[index.rule.id], let below = frozen.index(index.rule.id) else { return index }
                let merged = below.layers.map(ObjectIdentifier.init)
                return IndexView(
                    rule: index.rule, run: run, layers: index.layers.filter { !merged.contains(ObjectIdentifier($0)) })
            })
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
