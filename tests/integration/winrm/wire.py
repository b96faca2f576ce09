"""Listens to what travels over WinRM."""

from __future__ import annotations

import base64
import re

import pytest
from prs_lab.windows.wsman import WsMan

__all__ = ["Wire"]

STREAM = re.compile(rb"<rsp:Stream [^>]*>([^<]*)</rsp:Stream>")


class Wire:
    """Every envelope, as it is before it is sealed (which adds 16 bytes and a header)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bytes = 0
        self.envelopes = 0
        self.said = bytearray()
        answer = WsMan.answer

        def counted(wsman: WsMan, envelope: bytes, token: object) -> tuple[int, bytes]:
            status, reply = answer(wsman, envelope, token)  # type: ignore[arg-type]
            self.envelopes += 1
            self.bytes += len(envelope) + len(reply)
            for stream in STREAM.findall(envelope) + STREAM.findall(reply):
                self.said += base64.b64decode(stream)
            return status, reply

        monkeypatch.setattr(WsMan, "answer", counted)
