import FileSystem
import ServerRuntime
import Testing

extension EndToEnd {
    /// `docker/`: the start steps of its files, with the program that is tested; there may be no container engine here.
    @Suite(.serialized) struct ContainerTests {
        @Test func dockerfileAndComposeFileRunAsProcesses() throws {
            let script = ConfigurationSet.repository + "/docker/as-processes"
            let python = try #require(findProgram("python3"))
            let outcome = try Program.run([script, "check", "--binary", TestCluster.program], program: python)
            #expect(outcome.status == 0, "\(outcome.output)")
            #expect(outcome.output.hasSuffix("all stopped in order\n"), "\(outcome.output)")
        }

        /// What the files say and the script does not know must not be passed over.
        @Test func scriptRefusesWhatItDoesNotKnow() throws {
            let python = try #require(findProgram("python3"))
            let text = """
                import sys
                sys.dont_write_bytecode = True
                sys.path.insert(0, "\(ConfigurationSet.repository)/docker")
                from processes.common import Problem
                from processes.yaml import parse_yaml as parse
                assert parse("a: &x\\n  b: 1\\nc:\\n  <<: *x\\n  d:\\n    - \\"e: f\\"\\n", "t") == {"a": {"b": "1"}, "c": {"b": "1", "d": ["e: f"]}}
                for wrong in ["a: {b: 1}", "a: [1]", "a: |", "? a", "a: 1\\na: 2", "b:\\n  <<: *x", "a: 1\\n  b: 2", "a: \\"b"]:
                    try:
                        parse(wrong, "t")
                    except Problem:
                        continue
                    raise SystemExit("taken: " + wrong)
                """
            let outcome = try Program.run(["-c", text], program: python)
            #expect(outcome.status == 0, "\(outcome.output)")
        }
    }
}
