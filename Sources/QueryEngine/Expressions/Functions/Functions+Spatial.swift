internal import Glibc
internal import GraphModel

/// Points.
extension Function {
    static let spatialFunctions: [Function] = [
        Function(
            "point", .spatial, ["components": .map], .point,
            "The point of a map: {x, y} or {longitude, latitude}, with z or height where there are three dimensions.",
            .unary { value throws(GraphError) in
                switch value {
                case .map(let map): return try point(map)
                case .point: return value
                default: throw wrong("point", "a map of coordinates", value)
                }
            }),
        distance, distance.named("distance"),
        Function(
            "point.withinBBox", .spatial, ["point": .point, "lowerLeft": .point, "upperRight": .point], .boolean,
            "Whether a point lies in the box between two others, the edges included.",
            .strict { _, values throws(GraphError) in
                var points: [PointValue] = []
                for value in values {
                    guard case .point(let point) = value else { throw wrong("point.withinBBox", "points", value) }
                    points.append(point)
                }
                return isWithin(points[0], points[1], points[2])
            }),
    ]

    private static let distance = Function(
        "point.distance", .spatial, ["from": .any, "to": .any], .float,
        "How far two points of one coordinate system are apart: in its units, or in metres on the earth.",
        .binary { a, b in
            guard case .point(let x) = a, case .point(let y) = b, x.system == y.system else { return .null }
            return .float(metres(x, y))
        })

    private static let components: [String: Int] = [
        "x": 0, "y": 1, "z": 2, "longitude": 0, "latitude": 1, "height": 2,
    ]

    private static func point(_ map: MapValue) throws(GraphError) -> Value {
        var coordinates: [Double?] = [nil, nil, nil]
        var system: PointValue.System?
        var isGeographic = false
        for (key, value) in map.entries {
            // A point that lacks a part is none.
            if value.isNull { return .null }
            let name = key.lowercased()
            switch name {
            case "crs":
                let text = try text("point", value).lowercased()
                guard let named = PointValue.System.allCases.first(where: { $0.name == text }) else {
                    let names = PointValue.System.allCases.map(\.name).joined(separator: ", ")
                    throw GraphError(.argumentError, "'\(text)' is no coordinate system; there are \(names)")
                }
                system = named
            case "srid":
                let number = try integer("point", value)
                guard let named = UInt32(exactly: number).flatMap({ PointValue.System(rawValue: $0) }) else {
                    throw GraphError(.argumentError, "\(number) is no SRID; there are 7203, 9157, 4326 and 4979")
                }
                system = named
            default:
                guard let index = components[name] else {
                    throw GraphError(.argumentError, "a point has no component '\(key)'")
                }
                guard coordinates[index] == nil else {
                    throw GraphError(.argumentError, "'\(key)' is given twice, under two names")
                }
                coordinates[index] = try number("point", value)
                if name == "longitude" || name == "latitude" || name == "height" { isGeographic = true }
            }
        }
        guard let x = coordinates[0], let y = coordinates[1] else {
            throw GraphError(.argumentError, "a point needs x and y, or longitude and latitude")
        }
        var numbers = [x, y]
        if let z = coordinates[2] { numbers.append(z) }
        let natural: PointValue.System =
            numbers.count == 2 ? (isGeographic ? .wgs84 : .cartesian) : (isGeographic ? .wgs84With3D : .cartesian3D)
        let chosen = system ?? natural
        guard chosen.dimensionCount == numbers.count, !isGeographic || chosen.isGeographic else {
            throw GraphError(
                .argumentError,
                "\(numbers.count) coordinates\(isGeographic ? " on the earth" : "") are no point in \(chosen.name)")
        }
        // Around the earth once more is the same place.
        if chosen.isGeographic, numbers[0].isFinite, numbers[0].magnitude > 180 {
            numbers[0] = (numbers[0] + 180).truncatingRemainder(dividingBy: 360)
            numbers[0] += numbers[0] < 0 ? 180 : -180
        }
        guard let point = PointValue(chosen, numbers) else {
            throw GraphError(.argumentError, "a latitude is between -90 and 90 degrees, not \(y)")
        }
        return .point(point)
    }

    /// The radius that the original counts with.
    private static let earthRadiusMetres = 6_378_140.0

    private static func metres(_ a: PointValue, _ b: PointValue) -> Double {
        guard a.system.isGeographic else {
            let (x, y, z) = (a.x - b.x, a.y - b.y, a.z - b.z)
            return (x * x + y * y + z * z).squareRoot()
        }
        let radians = Double.pi / 180
        let (latitude, longitude) = (sin((b.y - a.y) * radians / 2), sin((b.x - a.x) * radians / 2))
        let haversine = latitude * latitude + cos(a.y * radians) * cos(b.y * radians) * longitude * longitude
        let angle = 2 * atan2(haversine.squareRoot(), (1 - haversine).squareRoot())
        let arc = (earthRadiusMetres + (a.z + b.z) / 2) * angle
        return a.z == b.z ? arc : (arc * arc + (a.z - b.z) * (a.z - b.z)).squareRoot()
    }

    private static func isWithin(_ point: PointValue, _ low: PointValue, _ high: PointValue) -> Value {
        guard point.system == low.system, point.system == high.system else { return .null }
        // A box may lie across the 180th meridian.
        let isAcross = point.system.isGeographic && low.x > high.x
        let isInX = isAcross ? point.x >= low.x || point.x <= high.x : point.x >= low.x && point.x <= high.x
        return .boolean(isInX && point.y >= low.y && point.y <= high.y && point.z >= low.z && point.z <= high.z)
    }
}
