/// A place in one of four coordinate systems, named by their SRIDs. Coordinates keep every bit.
public final class PointValue: Sendable {
    public enum System: UInt32, Sendable, CaseIterable {
        case cartesian = 7203
        case cartesian3D = 9157
        /// Longitude and latitude in degrees.
        case wgs84 = 4326
        /// The same and a height in metres.
        case wgs84With3D = 4979

        public var dimensionCount: Int { self == .cartesian || self == .wgs84 ? 2 : 3 }
        public var isGeographic: Bool { self == .wgs84 || self == .wgs84With3D }

        /// `cartesian`, `cartesian-3d`, `wgs-84`, `wgs-84-3d`.
        public var name: String {
            switch self {
            case .cartesian: "cartesian"
            case .cartesian3D: "cartesian-3d"
            case .wgs84: "wgs-84"
            case .wgs84With3D: "wgs-84-3d"
            }
        }
    }

    public let system: System
    public let x: Double
    public let y: Double
    /// 0 where there are two dimensions.
    public let z: Double

    /// nil when the number of coordinates is not the system's, or a longitude is beyond ±180 or a latitude beyond ±90
    /// degrees or not a number.
    public init?(_ system: System, _ coordinates: [Double]) {
        guard coordinates.count == system.dimensionCount else { return nil }
        if system.isGeographic && !(abs(coordinates[0]) <= 180 && abs(coordinates[1]) <= 90) { return nil }
        self.system = system
        x = coordinates[0]
        y = coordinates[1]
        z = coordinates.count > 2 ? coordinates[2] : 0
    }

    public var coordinates: [Double] { system.dimensionCount == 2 ? [x, y] : [x, y, z] }

    /// By SRID, then coordinate by coordinate as numbers are ordered: -1, 0 or 1.
    func order(_ other: PointValue) -> Int {
        if system != other.system { return system.rawValue < other.system.rawValue ? -1 : 1 }
        for (a, b) in [(x, other.x), (y, other.y), (z, other.z)] {
            let order = Value.order(a, b)
            if order != 0 { return order }
        }
        return 0
    }
}

extension PointValue: CustomStringConvertible {
    /// `SRID=4326;POINT(12.5 -7.25)`, `SRID=9157;POINT Z(1 2 3)`: extended well-known text.
    public var description: String {
        let numbers = coordinates.map { number in
            let text = number.description
            return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
        }
        return "SRID=\(system.rawValue);POINT\(numbers.count == 3 ? " Z" : "")(\(numbers.joined(separator: " ")))"
    }

    /// Reads ``description`` (the SRID may be left out: 7203 or 9157 then), and the form of CSV imports,
    /// `{x: 1, y: 2}` or `{latitude: 1, longitude: 2, height: 3, crs: wgs-84-3d}`. nil for all else.
    public convenience init?(_ text: String) {
        var text = text[...].trimmed
        if text.hasPrefix("{") {
            guard text.hasSuffix("}") else { return nil }
            self.init(fields: text.dropFirst().dropLast())
            return
        }
        var system: System?
        if text.hasPrefix("SRID=") {
            guard let semicolon = text.firstIndex(of: ";"),
                let number = UInt32(text[..<semicolon].dropFirst(5)), let named = System(rawValue: number)
            else { return nil }
            system = named
            text = text[text.index(after: semicolon)...]
        }
        guard text.hasPrefix("POINT"), let open = text.firstIndex(of: "("), text.hasSuffix(")"),
            ["", "Z"].contains(text[..<open].dropFirst(5).trimmed)
        else { return nil }
        let parts = text[text.index(after: open)...].dropLast().split(separator: " ")
        let numbers = parts.compactMap { Double($0) }
        guard numbers.count == parts.count else { return nil }
        self.init(system ?? (numbers.count == 3 ? .cartesian3D : .cartesian), numbers)
    }

    private convenience init?(fields text: Substring) {
        var numbers: [String: Double] = [:]
        var system: System?
        for field in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let colon = field.firstIndex(of: ":") else { return nil }
            let key = field[..<colon].trimmed.lowercased()
            let value = field[field.index(after: colon)...].trimmed.filter { $0 != "'" && $0 != "\"" }
            switch key {
            case "x", "y", "z", "longitude", "latitude", "height":
                let place = ["longitude": "x", "latitude": "y", "height": "z"][key] ?? key
                guard let number = Double(value), numbers.updateValue(number, forKey: place) == nil else { return nil }
                if key == "longitude" || key == "latitude", system == nil { system = .wgs84 }
            case "crs":
                guard let named = System.allCases.first(where: { $0.name == value.lowercased() }) else { return nil }
                system = named
            case "srid":
                guard let number = UInt32(value), let named = System(rawValue: number) else { return nil }
                system = named
            default: return nil
            }
        }
        guard let x = numbers["x"], let y = numbers["y"] else { return nil }
        let coordinates = [x, y] + (numbers["z"].map { [$0] } ?? [])
        var chosen = system ?? .cartesian
        // A third coordinate makes the system of the same kind with three.
        if coordinates.count == 3, chosen.dimensionCount == 2 {
            chosen = chosen.isGeographic ? .wgs84With3D : .cartesian3D
        }
        self.init(chosen, coordinates)
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var rest = self
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return rest
    }
}
