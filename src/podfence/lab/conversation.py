"""One connection to a listener: who speaks first, and what is answered. Next: `answers` has the words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from podfence.lab.answers import Speech, reply

SILENCE = 1.0
"""Seconds after which a listener speaks first, so that whoever waits for it does not wait for ever."""

Answer = Callable[[bytes, bool], bytes | None]
"""A question in (True: it came over a stream), an answer out. None says nothing."""


class Conversation(asyncio.Protocol):
    """One accepted connection. `connections`: where it is known while it lasts. `names`: it is asked for names."""

    def __init__(self, speech: Speech, connections: set[asyncio.Transport], names: Answer | None) -> None:
        self._connections = connections
        self._speech = speech
        self._names = names
        self._arrived = b""
        self._greeted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self._transport)
        if self._speech.banner is not None:
            self._say(self._speech.greeting)
        elif self._names is None:
            self._patience = asyncio.get_running_loop().call_later(SILENCE, self._greet)

    def connection_lost(self, _: Exception | None) -> None:
        self._connections.discard(self._transport)
        self._greeted = True

    def data_received(self, data: bytes) -> None:
        self._arrived += data
        if self._names:
            self._answer_names(self._names)
        else:
            self._answer()

    def eof_received(self) -> bool:
        if not self._greeted and self._names is None:
            self._say(self._speech.line)
        return False

    def _greet(self) -> None:
        """To whoever waits for us to speak first."""
        if not self._greeted and not self._arrived:
            self._say(self._speech.line)

    def _say(self, content: bytes) -> None:
        self._greeted = True
        if not self._transport.is_closing():
            self._transport.write(content)

    def _answer(self) -> None:
        while self._arrived:
            said = reply(self._speech, self._arrived)
            self._arrived = self._arrived[said.used :]
            if said.content:
                self._say(said.content)
            if said.ends:
                self._transport.close()
            if said.ends or not said.used:
                return

    def _answer_names(self, names: Answer) -> None:
        """Over TCP each message comes behind its length in two bytes (RFC 1035 4.2.2)."""
        while len(self._arrived) >= 2:
            end = 2 + int.from_bytes(self._arrived[:2], "big")
            if len(self._arrived) < end:
                return
            answer = names(self._arrived[2:end], True)
            self._arrived = self._arrived[end:]
            if answer is not None:
                self._say(len(answer).to_bytes(2, "big") + answer)
