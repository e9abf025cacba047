internal import GraphModel
internal import HTTPTypes

/// Errors that only this protocol knows. Their stable codes are the common ones; status and exception name are those of
/// the manual's chapter on the REST API.
extension ErrorCode {
    static let nodeNotFound = ErrorCode(
        ErrorCode.entityNotFound.name, httpStatus: 404, legacyException: "NodeNotFoundException")
    static let relationshipNotFound = ErrorCode(
        ErrorCode.entityNotFound.name, httpStatus: 404, legacyException: "RelationshipNotFoundException")
    static let startNodeNotFound = ErrorCode(
        ErrorCode.entityNotFound.name, httpStatus: 404, legacyException: "StartNodeNotFoundException")
    static let endNodeNotFound = ErrorCode(
        ErrorCode.entityNotFound.name, httpStatus: 400, legacyException: "EndNodeNotFoundException")
    static let noSuchProperty = ErrorCode(
        ErrorCode.propertyNotFound.name, httpStatus: 404, legacyException: "NoSuchPropertyException")
    static let propertyValue = ErrorCode(
        ErrorCode.typeError.name, httpStatus: 400, legacyException: "PropertyValueException")
    static let nodeHasRelationships = ErrorCode(
        ErrorCode.constraintViolation.name, httpStatus: 409, legacyException: "OperationFailureException")

    static let noSuchResource = ErrorCode(
        "Neo.ClientError.Request.NotFound", httpStatus: 404, legacyException: "NotFoundException")
    /// A search for one path found none.
    static let noSuchPath = ErrorCode(
        ErrorCode.entityNotFound.name, httpStatus: 404, legacyException: "NotFoundException")
    static let methodNotAllowed = ErrorCode(
        "Neo.ClientError.Request.MethodNotAllowed", httpStatus: 405, legacyException: "MethodNotAllowedException")
    static let notAcceptable = ErrorCode(
        "Neo.ClientError.Request.NotAcceptable", httpStatus: 406, legacyException: "NotAcceptableException")
    static let notClustered = ErrorCode(
        "Neo.ClientError.Cluster.NotAMember", httpStatus: 409, legacyException: "OperationFailureException")
    static let notImplemented = ErrorCode(
        "Neo.DatabaseError.General.NotImplemented", httpStatus: 501, legacyException: "UnsupportedOperationException")
    static let bodyTooLarge = ErrorCode(
        "Neo.ClientError.Request.TooLarge", httpStatus: 413, legacyException: "BadInputException")
    static let mediaType = ErrorCode(
        "Neo.ClientError.Request.UnsupportedMediaType", httpStatus: 415,
        legacyException: "MediaTypeNotSupportedException")
}

extension GraphError {
    static func nodeNotFound(_ id: String) -> GraphError {
        GraphError(.nodeNotFound, "Cannot find node with id [\(id)] in database.")
    }

    /// The manual shows this one without a message.
    static let relationshipNotFound = GraphError(.relationshipNotFound, "")

    static func noSuchProperty(_ key: String, of entity: EntityID) -> GraphError {
        GraphError(.noSuchProperty, "\(entity) does not have a property \"\(key)\"")
    }
}

extension Answer {
    /// The body of an error. Below `/db/data` it has exactly the manual's keys: `message` (left out when there is
    /// none), `exception`, `stacktrace`. Elsewhere it also has `code`. The code is a header of every error in any
    /// case.
    static func error(_ error: GraphError, request: String, isLegacy: Bool) -> Answer {
        var json = JSONWriter(.manual, capacity: 256)
        json.beginObject()
        if !error.message.isEmpty {
            json.key("message")
            json.string(error.message)
        }
        json.key("exception")
        json.string(error.code.legacyException)
        if !isLegacy {
            json.key("code")
            json.string(error.code.name)
        }
        // There is no Java stack to show; what a reader can use is the code and the request.
        json.key("stacktrace")
        json.beginList()
        json.string(error.code.name)
        json.string(request)
        json.endList()
        json.endObject()
        var answer = Answer(HTTPResponse.Status(code: error.code.httpStatus), .json, .bytes(json.bytes))
        answer.headers.append(HTTPField(name: .errorCode, value: error.code.name))
        if error.isRetryable { answer.headers.append(HTTPField(name: .retryAfter, value: "1")) }
        return answer
    }

    /// For a request that carries an id and was committed before. Its own answer is gone.
    static func repetition(of transactionID: TransactionID, _ message: String) -> Answer {
        var json = JSONWriter(.manual, capacity: 256)
        json.beginObject()
        json.key("replayed")
        json.value(true)
        json.key("transaction")
        json.value(transactionID.rawValue)
        json.key("message")
        json.string(message)
        json.endObject()
        var answer = Answer(.ok, .json, .bytes(json.bytes))
        answer.transactionID = transactionID
        answer.isRepetition = true
        return answer
    }
}
