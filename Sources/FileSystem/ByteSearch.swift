internal import CByteSearch

/// Where some bytes first stand in others, from an offset on; nil when they do not. Takes time linear in both.
package func firstOffset(
    of part: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer, from start: Int = 0
) -> Int? {
    guard start >= 0, start <= bytes.count, part.count <= bytes.count - start else { return nil }
    guard let partStart = part.baseAddress, let base = bytes.baseAddress, part.count > 0 else { return start }
    guard let found = martlet_find_bytes(base + start, bytes.count - start, partStart, part.count) else { return nil }
    return found - base
}

/// The same for the UTF-8 code units of texts, without copies of those that are stored as such.
package func firstOffset(of part: String, in text: String, from start: Int = 0) -> Int? {
    var (part, text) = (part, text)
    return text.withUTF8 { bytes in
        part.withUTF8 { firstOffset(of: UnsafeRawBufferPointer($0), in: UnsafeRawBufferPointer(bytes), from: start) }
    }
}
