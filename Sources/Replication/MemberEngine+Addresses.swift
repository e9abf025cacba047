internal import Coordination
public import FileSystem
internal import GraphModel

// The addresses of the others, kept beside the member's state. Nothing is decided by them.
extension MemberEngine {
    private var path: String { hardStatePath + ".addresses" }

    /// Whether there are files that only a member leaves beside its state.
    public static func hasTraces(hardStatePath: String, _ fileSystem: any FileSystem) -> Bool {
        let acknowledged = (try? AcknowledgedPosition.latest(hardStatePath + ".acknowledged", fileSystem)) ?? .zero
        return acknowledged > .zero || fileSystem.exists(hardStatePath + ".addresses")
    }

    func recallAddresses() {
        guard fileSystem.exists(path), let bytes = try? fileSystem.readAll(path) else { return }
        var reader = ByteReader(bytes)
        // A file that cannot be read is as good as none: the coordinators know, too.
        guard let register = try? ClusterRegister(&reader), register.clusterName == options.clusterName else { return }
        remember(register)
    }

    func rememberAddresses(_ register: ClusterRegister) {
        guard remember(register) else { return }
        var writer = ByteWriter()
        register.encode(into: &writer)
        do throws(FileError) { try fileSystem.replace(path, with: writer.bytes) } catch {
            host.note(.warning, "cannot keep the addresses of the other members: \(error)")
        }
    }

    @discardableResult
    private func remember(_ register: ClusterRegister) -> Bool {
        let addresses = Dictionary(register.members.map { ($0.id, $0.address) }) { _, last in last }
        defer { rememberedAddresses = addresses }
        return addresses != rememberedAddresses
    }
}
