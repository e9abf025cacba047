internal import Crypto
internal import FileSystem
// The dates of a certificate.
internal import FoundationEssentials
internal import Glibc
internal import GraphModel
internal import SwiftASN1
internal import Transport
internal import X509

/// A certificate that vouches for itself: it keeps listeners out, but a client cannot tell this server from another unless
/// it is given the file.
enum SelfSignedCertificate {
    private static let validSeconds: Double = 10 * 365 * 86400

    /// Makes a certificate and its key in files that are not there yet. Only their owner may read the key.
    /// - Parameter names: host names and addresses of this server, beside those of the loopback.
    /// - Throws: `.storageIO` when a file cannot be written.
    static func make(_ identity: TLSIdentity, names: [String], _ fileSystem: any FileSystem) throws(GraphError) {
        let (certificate, key): (String, String)
        do { (certificate, key) = try pem(names) } catch {
            throw GraphError(.storageIO, "a certificate for HTTPS cannot be made: \(error)")
        }
        do throws(FileError) {
            try fileSystem.createDirectory(parentDirectory(identity.keyPath))
            try fileSystem.createDirectory(parentDirectory(identity.certificatePath))
            try writePrivately(key, identity.keyPath)
            // Last: where a certificate is, there is its key.
            try fileSystem.replace(identity.certificatePath, with: Array(certificate.utf8))
        } catch { throw GraphError(error) }
    }

    private static func pem(_ names: [String]) throws -> (certificate: String, key: String) {
        let secret = P256.Signing.PrivateKey()
        let key = Certificate.PrivateKey(secret)
        let subject = try DistinguishedName { CommonName("Martlet, self-signed") }
        var alternatives: [GeneralName] = []
        for name in ["localhost", "127.0.0.1", "::1"] + names {
            let alternative = bytes(ofAddress: name).map { GeneralName.ipAddress(ASN1OctetString(contentBytes: $0[...])) }
                ?? .dnsName(name)
            if !alternatives.contains(alternative) { alternatives.append(alternative) }
        }
        let now = Date()
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: now - 3600, notValidAfter: now + validSeconds, issuer: subject, subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(alternatives)
            }, issuerPrivateKey: key)
        return (try certificate.serializeAsPEM().pemString + "\n", secret.pemRepresentation + "\n")
    }

    /// The 4 or 16 bytes of an IP address; nil for a name.
    private static func bytes(ofAddress text: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }

    private static func writePrivately(_ text: String, _ path: String) throws(FileError) {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError(errno: errno, operation: "create", path: path) }
        defer { Glibc.close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw FileError(errno: errno, operation: "write", path: path)
        }
    }
}
