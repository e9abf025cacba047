/// Texts as the language of expressions has them: counted in UTF-16 units, compared unit by unit.
extension String {
    /// Less than zero, zero, or more, as Java compares.
    func utf16Difference(from other: String) -> Int {
        var (a, b) = (utf16.makeIterator(), other.utf16.makeIterator())
        while let x = a.next() {
            guard let y = b.next() else { return 1 }
            if x != y { return Int(x) - Int(y) }
        }
        return b.next() == nil ? 0 : -1
    }

    /// The places, in UTF-8 bytes, at which a text is found, one behind the other; an empty one nowhere.
    func places(of wanted: String, limit: Int = .max) -> [Int] {
        let (text, wanted) = (Array(utf8), Array(wanted.utf8))
        guard !wanted.isEmpty, wanted.count <= text.count else { return [] }
        var found: [Int] = []
        var place = 0
        while place <= text.count - wanted.count, found.count < limit {
            if text[place] == wanted[0], text[place..<place + wanted.count].elementsEqual(wanted) {
                found.append(place)
                place += wanted.count
            } else {
                place += 1
            }
        }
        return found
    }

    func holds(_ wanted: String) -> Bool { wanted.isEmpty || !places(of: wanted, limit: 1).isEmpty }

    /// Whether it begins with a text, unit by unit.
    func begins(with start: String) -> Bool { utf8.starts(with: start.utf8) }
    /// The same of its end.
    func ends(with end: String) -> Bool { utf8.reversed().starts(with: end.utf8.reversed()) }

    /// The index, in UTF-16 units, at which a text is found first at or after one, or last at or before one; -1 for
    /// nowhere.
    func utf16Index(of wanted: String, from: Int, isLast: Bool) -> Int {
        let (text, wanted) = (Array(utf16), Array(wanted.utf16))
        let end = text.count - wanted.count
        if end < 0 { return -1 }
        func isAt(_ index: Int) -> Bool { text[index..<index + wanted.count].elementsEqual(wanted) }
        if isLast {
            return from < 0 ? -1 : (0...min(from, end)).last(where: isAt) ?? -1
        }
        return from > end ? -1 : (max(from, 0)...end).first(where: isAt) ?? -1
    }

    /// The text with every occurrence of another one replaced; nil when it would be longer than may be.
    func replacing(_ wanted: String, by new: String, byteCountMaximum: Int) -> String? {
        let places = places(of: wanted)
        let (change, overflow) = places.count.multipliedReportingOverflow(by: new.utf8.count)
        if overflow || utf8.count + change > byteCountMaximum { return nil }
        let text = Array(utf8)
        var result: [UInt8] = []
        var end = 0
        for place in places {
            result += text[end..<place]
            result += new.utf8
            end = place + wanted.utf8.count
        }
        return String(decoding: result + text[end...], as: UTF8.self)
    }

    /// Without what is not above a blank at both ends, as Java trims.
    var trimmed: String {
        var kept = unicodeScalars[...]
        while let first = kept.first, first.value <= 0x20 { kept.removeFirst() }
        while let last = kept.last, last.value <= 0x20 { kept.removeLast() }
        return String(kept)
    }
}
