import Coordination
import EtcdCoordination
import FileSystem
import GraphModel
import JSON
import Testing

@Suite struct EtcdRegisterTests {
    @Test func emptyKeyIsTheEmptyRegisterAndTakesTheFirstWrite() {
        var etcd = FakeEtcd()
        var bench = Bench()
        #expect(bench.outcome(.read, &etcd) == .value(ClusterRegister()))
        #expect(bench.outcome(.compareAndSet(expected: 0, .sample(epoch: 1)), &etcd) == .written(.sample(epoch: 1, revision: 1)))
        #expect(bench.outcome(.read, &etcd) == .value(.sample(epoch: 1, revision: 1)))
        #expect(bench.outcome(.compareAndSet(expected: 1, .sample(epoch: 2)), &etcd) == .written(.sample(epoch: 2, revision: 2)))
        #expect(etcd.history.count == 2)
    }

    @Test func whatEtcdIsAskedStandsWhereItReadsIt() throws {
        var bench = Bench()
        bench.ask(.read)
        let question = try #require(bench.question)
        // The key is /martlet/x/register; no word of "serializable": the read is linearizable.
        #expect(question.endpoint == "a:1" && question.path == "/v3/kv/range" && question.token == nil)
        #expect(question.body == "{\"key\":\"L21hcnRsZXQveC9yZWdpc3Rlcg==\"}")
        var etcd = FakeEtcd()
        bench.serve(&etcd)
        bench.ask(.compareAndSet(expected: 0, .sample(epoch: 1)))
        let write = try #require(bench.question)
        #expect(write.path == "/v3/kv/txn")
        #expect(write.body.hasPrefix("{\"compare\":[{\"key\":\"L21hcnRsZXQveC9yZWdpc3Rlcg==\",\"result\":\"EQUAL\",\"target\":\"CREATE\",\"create_revision\":\"0\"}],"))
        bench.serve(&etcd)
        bench.ask(.compareAndSet(expected: 1, .sample(epoch: 2)))
        #expect(bench.question?.body.contains("\"target\":\"VALUE\",\"value\":\"") ?? false)
    }

    @Test func lostRaceIsAConflictWithTheWinnersValue() {
        var etcd = FakeEtcd()
        var one = Bench()
        var other = Bench()
        _ = one.outcome(.read, &etcd)
        _ = other.outcome(.read, &etcd)
        #expect(one.outcome(.compareAndSet(expected: 0, .sample(epoch: 1)), &etcd) == .written(.sample(epoch: 1, revision: 1)))
        // Both an expectation that was right a moment ago, and one that the other side never learnt.
        #expect(other.outcome(.compareAndSet(expected: 0, .sample(epoch: 7)), &etcd) == .conflict(.sample(epoch: 1, revision: 1)))
        #expect(one.outcome(.compareAndSet(expected: 1, .sample(epoch: 2)), &etcd) == .written(.sample(epoch: 2, revision: 2)))
        #expect(other.outcome(.compareAndSet(expected: 2, .sample(epoch: 3)), &etcd) == .written(.sample(epoch: 3, revision: 3)))
        #expect(one.outcome(.compareAndSet(expected: 9, .sample(epoch: 9)), &etcd) == .conflict(.sample(epoch: 3, revision: 3)))
    }

    @Test func compareAndSetWhoseAnswerWasLostTakesEffectOnce() throws {
        var etcd = FakeEtcd()
        var bench = Bench(["a:1", "b:1"])
        _ = bench.outcome(.read, &etcd)
        bench.ask(.compareAndSet(expected: 0, .sample(epoch: 1)))
        // It reaches etcd, the answer does not come back.
        let writeTaken = bench.takeQuestion()
        let write = try #require(writeTaken)
        _ = etcd.answer(write)
        bench.wait(500)
        #expect(bench.question?.endpoint == "b:1")
        bench.serve(&etcd)
        #expect(bench.replies.last?.outcome == .conflict(.sample(epoch: 1, revision: 1)))
        #expect(etcd.history.count == 1)
        // An answer that comes after all belongs to nothing.
        bench.step(.answered(id: write.id, status: 200, body: []))
        #expect(bench.replies.count == 2)
    }

    @Test func endpointsAreTriedInTurnAndThenRested() throws {
        var bench = Bench(["a:1", "b:1", "c:1"])
        bench.ask(.read)
        for name in ["a:1", "b:1", "c:1"] {
            let questionTaken = bench.takeQuestion()
            let question = try #require(questionTaken)
            #expect(question.endpoint == name)
            bench.step(.failed(id: question.id, reason: "connection refused"))
        }
        #expect(bench.question == nil)
        #expect(bench.notes.count == 2, "\(bench.notes)")
        #expect(bench.notes.first == "etcd a:1: connection refused")
        bench.wait(199)
        #expect(bench.question == nil)
        bench.wait(1)
        #expect(bench.question?.endpoint == "a:1")
        // Patience has doubled after a whole round.
        bench.wait(999)
        #expect(bench.question?.endpoint == "a:1")
        bench.wait(1)
        #expect(bench.question?.endpoint == "b:1")
        var etcd = FakeEtcd()
        bench.serve(&etcd)
        #expect(bench.replies.last?.outcome == .value(ClusterRegister()))
        #expect(bench.notes.last == "etcd b:1 answers again")
        bench.ask(.read)
        #expect(bench.question?.endpoint == "b:1", "the one that answers is kept")
        bench.wait(500)
        #expect(bench.question?.endpoint == "c:1")
    }

    @Test func patienceHasALimitAndNothingPilesUp() {
        var bench = Bench()
        for _ in 0..<1000 {
            for _ in 0..<3 { bench.ask(.read) }
            bench.wait(250)
        }
        #expect(bench.sent.count <= 1)
        let notesWhileAway = bench.notes.count
        #expect(notesWhileAway == 1, "\(bench.notes.prefix(3))")
        var etcd = FakeEtcd()
        bench.wait(4000)
        bench.wait(200)
        bench.serve(&etcd)
        // The one that was being asked, and the newest.
        #expect((1...2).contains(bench.replies.count))
    }

    @Test func questionsOfSeveralMembersGoOneAfterTheOther() {
        var etcd = FakeEtcd()
        var bench = Bench()
        let first = bench.ask(.read, from: "m1")
        let second = bench.ask(.compareAndSet(expected: 0, .sample(epoch: 1)), from: "m2")
        let third = bench.ask(.read, from: "m3")
        #expect(bench.sent.filter { $0.lane == .questions }.count == 1)
        bench.serve(&etcd)
        #expect(bench.replies.map(\.id) == [first, second, third])
        #expect(bench.replies.last?.outcome == .value(.sample(epoch: 1, revision: 1)))
    }

    // MARK: Login

    private var loginOptions: EtcdRegister.Options {
        var options = EtcdRegister.Options()
        options.login = .init(user: "mar\"tlet", password: "pass\\word\n")
        return options
    }

    @Test func tokenIsFetchedAndRenewed() {
        var etcd = FakeEtcd()
        etcd.login = ("mar\"tlet", "pass\\word\n")
        var bench = Bench(options: loginOptions)
        #expect(bench.outcome(.read, &etcd) == .value(ClusterRegister()))
        #expect(bench.watch?.token == "token1")
        // etcd was restarted: tokens are gone.
        etcd.tokens = []
        #expect(bench.outcome(.compareAndSet(expected: 0, .sample(epoch: 1)), &etcd) == .written(.sample(epoch: 1, revision: 1)))
        #expect(bench.notes == [])
    }

    @Test func wrongPasswordIsNamedOnceAndTriedAgain() {
        var etcd = FakeEtcd()
        etcd.login = ("mar\"tlet", "other")
        var bench = Bench(options: loginOptions)
        for _ in 0..<10 {
            bench.ask(.read)
            bench.serve(&etcd)
            bench.wait(250)
        }
        #expect(bench.notes.count == 1 && bench.notes[0].contains("invalid user ID or password"), "\(bench.notes)")
        etcd.login = ("mar\"tlet", "pass\\word\n")
        bench.wait(1000)
        bench.serve(&etcd)
        #expect(bench.replies.last?.outcome == .value(ClusterRegister()))
    }

    @Test func anotherReasonDuringAnOutageIsToldOnce() throws {
        var bench = Bench()
        for round in 0..<20 {
            bench.ask(.read)
            if let question = bench.question {
                bench.step(.failed(id: question.id, reason: round < 3 ? "connection refused" : "wrong password"))
            }
            bench.wait(250)
        }
        #expect(bench.notes.count == 2 && bench.notes.last == "etcd a:1: wrong password", "\(bench.notes)")
    }

    @Test func refusalInPlainTextIsPassedOn() throws {
        var bench = Bench()
        bench.ask(.read)
        let question = try #require(bench.question)
        bench.step(.answered(id: question.id, status: 400, body: Array("CommonName will be ignored\n".utf8)))
        #expect(bench.notes.count == 1 && bench.notes[0].contains("HTTP status 400 CommonName will be ignored"), "\(bench.notes)")
    }

    @Test func missingLoginIsNamed() {
        var etcd = FakeEtcd()
        etcd.login = ("a", "b")
        var bench = Bench()
        bench.ask(.read)
        bench.serve(&etcd)
        #expect(bench.notes.count == 1 && bench.notes[0].contains("ha.etcd.user"), "\(bench.notes)")
        #expect(bench.replies == [])
    }

    // MARK: What must not be believed

    @Test func keyThatWentBackIsNotBelieved() {
        var etcd = FakeEtcd()
        var bench = Bench()
        _ = bench.outcome(.read, &etcd)
        _ = bench.outcome(.compareAndSet(expected: 0, .sample(epoch: 1)), &etcd)
        _ = bench.outcome(.compareAndSet(expected: 1, .sample(epoch: 2)), &etcd)
        let whole = etcd
        etcd.values = [:]
        #expect(bench.outcome(.read, &etcd) == .redirect(nil))
        #expect(bench.outcome(.compareAndSet(expected: 2, .sample(epoch: 3)), &etcd) == .redirect(nil))
        #expect(bench.outcome(.compareAndSet(expected: 0, .sample(epoch: 3)), &etcd) == .redirect(nil))
        #expect(etcd.values.isEmpty, "nothing is written over it")
        #expect(bench.notes.count == 1 && bench.notes[0].contains("/martlet/x/register is gone"), "\(bench.notes)")
        etcd = whole
        #expect(bench.outcome(.read, &etcd) == .value(.sample(epoch: 2, revision: 2)))
        #expect(bench.outcome(.compareAndSet(expected: 2, .sample(epoch: 3)), &etcd) == .written(.sample(epoch: 3, revision: 3)))
    }

    @Test func foreignValueIsNamedAndLeftAlone() throws {
        var etcd = FakeEtcd()
        etcd.values["L21hcnRsZXQveC9yZWdpc3Rlcg=="] = Base64.encode(Array("something else".utf8))
        var bench = Bench()
        #expect(bench.outcome(.read, &etcd) == .redirect(nil))
        #expect(bench.outcome(.compareAndSet(expected: 0, .sample(epoch: 3)), &etcd) == .redirect(nil))
        #expect(bench.notes.count == 1 && bench.notes[0].contains("holds no register"), "\(bench.notes)")
        #expect(etcd.history.isEmpty)
    }

    @Test(arguments: ["", "Not Found", "[]", "{}", "{\"header\":{}}", "{\"header\":{\"revision\":\"x\"}}", "{\"header\":{\"revision\":\"3\"},\"kvs\":7}",
        "{\"header\":{\"revision\":\"3\"},\"kvs\":[{\"value\":\"***\"}]}", "{\"header\":{\"revision\":\"3\"},\"kvs\":[1]}", "{\"token\":\"\"}"])
    func bodiesThatEtcdWouldNotSendAreFailures(_ body: String) throws {
        var bench = Bench()
        bench.ask(.read)
        let questionTaken = bench.takeQuestion()
        let question = try #require(questionTaken)
        bench.step(.answered(id: question.id, status: 200, body: Array(body.utf8)))
        #expect(bench.replies == [])
        #expect(bench.notes.count == 1, "\(bench.notes)")
        bench.wait(200)
        #expect(bench.question != nil, "it is asked again")
    }
}
