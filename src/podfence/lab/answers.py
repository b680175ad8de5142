"""What a listener says: pure functions from what arrived to what is sent back.

HTTP gets 200 with the pod's name and the path, or the body its annotation sets; anything else gets the pod's name on a line.
Next: `listeners` carries these over sockets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BODY, BANNER = "lab.podfence.dev/body.", "lab.podfence.dev/banner."
"""Annotations of a pod, each followed by a container port."""

_REQUEST = re.compile(rb"([A-Z]{3,10}) (\S{1,8000}) HTTP/1\.([01])\r?$")
_HEAD_LIMIT = 65536


@dataclass(frozen=True, slots=True)
class Speech:
    """Who speaks at a port, and what it was told to say: `body` to HTTP, `banner` to whoever connects."""

    name: str
    body: str | None = None
    banner: str | None = None

    @property
    def line(self) -> bytes:
        return f"{self.name}\n".encode(errors="backslashreplace")

    @property
    def greeting(self) -> bytes:
        """What comes first on a port with a banner: real servers end it with a line."""
        return b"" if self.banner is None else self.banner.encode(errors="backslashreplace") + b"\n"


@dataclass(frozen=True, slots=True)
class Reply:
    """`used` bytes of what arrived are answered with `content`; then the connection may go on, or ends."""

    used: int = 0
    content: bytes = b""
    ends: bool = False


def reply(speech: Speech, arrived: bytes) -> Reply:
    """The answer to what has arrived so far; an empty one waits for more."""
    first, newline, _ = arrived.partition(b"\n")
    if not newline and len(arrived) < _HEAD_LIMIT:
        return Reply()
    if not (request := _REQUEST.match(first)):
        return Reply(len(arrived), speech.line)
    head = re.search(rb"\r?\n\r?\n", arrived)
    if head is None:
        return Reply(ends=len(arrived) >= _HEAD_LIMIT)
    return _http(speech, request, arrived[: head.end()])


def _http(speech: Speech, request: re.Match[bytes], head: bytes) -> Reply:
    """A request with a body ends the connection: nobody here reads bodies."""
    method, path, minor = request.groups()
    carries = re.search(rb"(?im)^(content-length:\s*[1-9]|transfer-encoding:)", head)
    closes = minor == b"0" or carries is not None or re.search(rb"(?im)^connection:\s*close", head)
    body = speech.body if speech.body is not None else f"{speech.name} {path.decode(errors='replace')}"
    content = body.encode(errors="backslashreplace") + b"\n"
    lines = (
        "HTTP/1.1 200 OK",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(content)}",
        f"Connection: {'close' if closes else 'keep-alive'}",
    )
    sent = "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if method == b"HEAD" else content)
    return Reply(len(head), sent, ends=bool(closes))
