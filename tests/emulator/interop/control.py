"""The emulator as a process: its addresses, its control API, and its two streams of events."""

import base64
import json
import os
import re
import socket
import struct
import subprocess
import threading
import urllib.error
import urllib.request
from urllib.parse import urlsplit


class Trouble(Exception):
    """The emulator did not do what the script needs: no scene is to blame."""


class Emulator:
    """One emulator on a free port. `events` holds (source, object) of everything that it tells."""

    def __init__(self, binary, settings, events):
        command = [binary, "--port", "0", "--lang", "en", "--wait", "1"]
        help_text = subprocess.run([binary, "--help"], stdout=subprocess.PIPE, text=True).stdout
        if "--no-bot" in help_text:
            command.append("--no-bot")
        if settings:
            command += ["--settings", settings]
        self.events = events
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        greeting = {}
        for line in self.process.stdout:
            word = re.match(r"\s+(\w+)\s+(\S+)$", line)
            if word:
                greeting[word[1]] = word[2]
            if "control" in greeting:
                break
        else:
            raise Trouble("the emulator did not start")
        self.app_id, self.secret = greeting["app_id"], greeting["app_secret"]
        self.api, self.token_url = greeting["api_base"], greeting["token_url"]
        self.control = greeting["control"]
        threading.Thread(target=self._drain, daemon=True).start()
        self._listen("said", "/events?from=0")
        self._listen("log", "/events?log=1&from=0")

    def _drain(self):
        for _ in self.process.stdout:
            pass

    def _listen(self, source, path):
        frames = frames_of(self.control + path)
        thread = threading.Thread(
            target=self._tell, args=(source, frames), daemon=True
        )
        thread.start()

    def _tell(self, source, frames):
        try:
            for text in frames:
                self.events.put((source, json.loads(text)))
        except OSError:
            pass  # the emulator has ended

    def call(self, method, path, body=None, raw=None):
        """One request to the control API."""
        data = raw if raw is not None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.control + path,
            data=None if method == "GET" else data,
            method=method,
            headers={"content-type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=20) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise Trouble(f"{method} {path}: {error.read().decode()}") from error
        return json.loads(text) if text else None

    def user(self, action, **what):
        """A user acts."""
        return self.call("POST", "/user", {"action": action, **what})

    def picture(self):
        """A picture that users can attach and bots can send, as the emulator hosts it."""
        return self.call("POST", "/files?name=dot.png", raw=PNG)

    def stop(self):
        self.process.kill()
        self.process.wait()


def frames_of(url):
    """Texts of a WebSocket, until it ends. Only what the control API sends is understood."""
    parts = urlsplit(url)
    stream = socket.create_connection((parts.hostname, parts.port))
    key = base64.b64encode(os.urandom(16)).decode()
    stream.sendall(
        f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    reader = stream.makefile("rb")
    if b" 101 " not in reader.readline():
        raise Trouble(f"{url} is no WebSocket")
    while reader.readline().strip():
        pass
    return _frames(stream, reader)


def _frames(stream, reader):
    text = b""
    while True:
        head = reader.read(2)
        if len(head) < 2:
            return
        length = head[1] & 127
        if length == 126:
            (length,) = struct.unpack(">H", reader.read(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", reader.read(8))
        payload = reader.read(length)
        kind = head[0] & 15
        if kind == 8:
            return
        if kind == 9:  # a ping wants a pong, masked with zeros
            stream.sendall(bytes([0x8A, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
        if kind in (0, 1):
            text += payload
            if head[0] & 128:
                yield text.decode()
                text = b""


# One transparent pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
