extension String {
    /// As Cypher has it for a name: within backticks.
    package var cypherName: String { "`\(replacing("`", with: "``"))`" }
}
