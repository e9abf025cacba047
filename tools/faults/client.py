"""A small HTTP client: one connection kept open, and every failure sorted into the three ways a write can end."""
import json, socket


class Unreachable(Exception):
    """The request was not sent: nothing was applied."""


class Broken(Exception):
    """The request was sent and no answer came: the outcome is unknown."""


class Answer:
    __slots__ = ("status", "headers", "body")

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def rows(self):
        return self.json["data"]

    @property
    def epoch(self):
        return int(self.headers.get("x-ha-epoch", 0))

    @property
    def transaction(self):
        return int(self.headers.get("x-ha-tx", 0))

    @property
    def code(self):
        return self.headers.get("x-error-code", "")


class Client:
    def __init__(self, address, port, timeout=12.0, connect_timeout=1.0):
        self.address, self.port = address, port
        self.timeout, self.connect_timeout = timeout, connect_timeout
        self.socket = None

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None

    def request(self, method, path, body=b"", headers=None):
        if not self.socket:
            try:
                self.socket = socket.create_connection((self.address, self.port), self.connect_timeout)
            except OSError as error:
                raise Unreachable(str(error)) from None
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.settimeout(self.timeout)
        text = f"{method} {path} HTTP/1.1\r\nHost: {self.address}\r\nContent-Length: {len(body)}\r\n"
        if body:
            text += "Content-Type: application/json\r\n"
        for name, value in (headers or {}).items():
            text += f"{name}: {value}\r\n"
        try:
            self.socket.sendall(text.encode() + b"\r\n" + body)
            return self._answer(method)
        except (OSError, ValueError, IndexError) as error:
            self.close()
            raise Broken(f"{type(error).__name__} {error}") from None

    def _answer(self, method):
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if method != "HEAD":
            if "chunked" in headers.get("transfer-encoding", ""):
                body = self._chunks(body)
            else:
                length = int(headers.get("content-length", 0))
                while len(body) < length:
                    body += self._more()
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, headers, body)

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        return data

    def _chunks(self, data):
        body = b""
        while True:
            while b"\r\n" not in data:
                data += self._more()
            line, _, data = data.partition(b"\r\n")
            length = int(line.split(b";")[0], 16)
            while len(data) < length + 2:
                data += self._more()
            if length == 0:
                return body
            body += data[:length]
            data = data[length + 2:]

    def cypher(self, query, parameters=None, headers=None):
        body = json.dumps({"query": query, "params": parameters or {}}).encode()
        return self.request("POST", "/db/data/cypher", body, headers)
