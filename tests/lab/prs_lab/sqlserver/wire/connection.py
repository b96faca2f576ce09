"""One client's connection: packets, the two ways of TLS, login; then requests, which run in a thread of the
connection's own.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import socket
import ssl
import struct
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Protocol

from ..errors import Cancelled, ConnectionKilled, SqlError
from . import tds
from .answer import Answer, Dropped
from .decode import Call, calls
from .items import Error, Info, Item
from .tds import DoneStatus, Encryption, Login, Packet, Token

__all__ = ["Connection", "Service", "WireSession"]

log = logging.getLogger(__name__)
_LARGEST_MESSAGE = 256 << 20


class WireSession(Protocol):
    """What the wire asks of a session. `cancel` and `lost` come from the loop's thread, the rest from the session's
    own.
    """

    spid: int
    database: str
    transaction_count: int
    connection: Connection

    def greeting(self) -> Iterator[bytes | Info]: ...
    def execute(self, text: str) -> Iterator[Item]: ...
    def call(self, call: Call) -> Iterator[Item]: ...
    def transaction(self, kind: int, body: bytes) -> Iterator[Item]: ...
    def reset(self, *, keep_transaction: bool) -> None: ...
    def cancel(self) -> None: ...
    def cancel_acknowledged(self) -> None: ...
    def close(self) -> None: ...


class Service(Protocol):
    """What the wire asks of an instance."""

    name: str
    version: tuple[int, int, int, int]
    force_encryption: bool
    tls: ssl.SSLContext
    strict_tls: ssl.SSLContext

    def open_session(self, login: Login, *, client: str, encrypted: bool) -> WireSession:
        """Raises SqlError: the login is refused with it and with those that follow it."""

    def defect(self, detail: str) -> None:
        """The twin broke on a request: the client sees its connection cut, and the record must show it."""


class _Malformed(Exception):
    """The client does not speak TDS as it should: the connection is cut."""


class Connection(asyncio.Protocol):
    """Lives in the loop's thread, except for the methods that say otherwise."""

    def __init__(self, service: Service, connections: set[Connection]) -> None:
        self.service = service
        self.worker: threading.Thread | None = None
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._first_status = 0
        self._phase: Callable[[int, int, bytes], None] | None = None
        self._tls: ssl.SSLObject | None = None
        self._handshake: ssl.SSLObject | None = None
        self._tls_in, self._tls_out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._strict = False
        self._encryption = Encryption.OFF
        self._packet_size, self._packet_number, self._spid = 4096, 1, 0
        self._session: WireSession | None = None
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(8)
        self._writable = threading.Event()
        self._writable.set()
        self._lost = False

    # ---- the transport's calls
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._connections.add(self)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._connections.discard(self)
        self._writable.set()
        if self._session:
            self._session.cancel()
        self._jobs.put(None)

    @property
    def is_closing(self) -> bool:
        """From any thread."""
        return self._lost or self._transport.is_closing()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        try:
            if self._tls is None:
                self._buffer += data
            else:
                self._decrypt(data)
            self._advance()
        except (_Malformed, ValueError, IndexError, struct.error, ssl.SSLError) as error:
            log.debug("%s: connection ends: %r", self.service.name, error)
            self.abort()

    def abort(self, how: str = "rst") -> None:
        """End the connection now, by reset or politely."""
        if how == "fin":
            self._transport.close()
            return
        if not self._lost and not self._transport.is_closing():
            self._transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        self._transport.abort()

    # ---- bytes in
    def _advance(self) -> None:
        if self._phase is None and self._buffer:
            self._phase = self._prelogin
            if self._buffer[0] == 0x16:
                self._strict = True
                self._handshake = self._wrap(self.service.strict_tls)
        if self._handshake is not None and self._strict and self._tls is None:
            self._tls_in.write(bytes(self._buffer))
            self._buffer.clear()
            if not self._shake_hands(self._transport.write):
                return
        while (packet := self._packet()) is not None:
            kind, status, body = packet
            if not self._parts:
                self._first_status = status
            self._parts.append(body)
            if sum(map(len, self._parts)) > _LARGEST_MESSAGE:
                raise _Malformed("message too large")
            if status & tds.EOM:
                whole, self._parts = b"".join(self._parts), []
                self._phase(kind, -1 if status & tds.IGNORE else self._first_status, whole)

    def _packet(self) -> tuple[int, int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 8:
            return None
        length = buffer[2] << 8 | buffer[3]
        if length < 8:
            raise _Malformed("packet shorter than its header")
        if len(buffer) < length:
            return None
        packet = buffer[0], buffer[1], bytes(buffer[8:length])
        del buffer[:length]
        return packet

    # ---- TLS
    def _wrap(self, context: ssl.SSLContext) -> ssl.SSLObject:
        return context.wrap_bio(self._tls_in, self._tls_out, server_side=True)

    def _shake_hands(self, write: Callable[[bytes], None]) -> bool:
        """One step of the handshake; True: it is done, and bytes are decrypted from now on."""
        try:
            self._handshake.do_handshake()
            finished = True
        except ssl.SSLWantReadError:
            finished = False
        answer = self._tls_out.read()
        if answer:
            write(answer)
        if finished:
            self._tls, self._handshake = self._handshake, None
            rest = bytes(self._buffer)
            self._buffer.clear()
            self._decrypt(rest)
        return finished

    def _decrypt(self, data: bytes) -> None:
        self._tls_in.write(data)
        while True:
            try:
                plain = self._tls.read(65536)
            except ssl.SSLWantReadError:
                return
            except ssl.SSLZeroReturnError as end:
                raise _Malformed("TLS was closed") from end
            if not plain:
                raise _Malformed("TLS ended")
            self._buffer += plain

    def _write_packets(self, kind: int, payload: bytes, last: bool) -> None:
        data, self._packet_number = tds.packets(
            kind, payload, size=self._packet_size, spid=self._spid, first=self._packet_number, last=last
        )
        if last:
            self._packet_number = 1
        if self._lost or not data:
            return
        if self._tls is not None:
            self._tls.write(data)
            data = self._tls_out.read()
        self._transport.write(data)

    # ---- the phases: prelogin, handshake, login, ready
    def _prelogin(self, kind: int, status: int, body: bytes) -> None:
        if kind != Packet.PRELOGIN:
            raise _Malformed(f"a packet of type {kind} before PRELOGIN")
        options = tds.parse_prelogin(body)
        wanted = Encryption(options.get(1, b"\2")[0] & 0x7F)
        if not self._strict:
            if self.service.force_encryption:
                self._encryption = Encryption.ON if wanted == Encryption.ON else Encryption.REQUIRED
            else:
                self._encryption = Encryption.ON if wanted == Encryption.REQUIRED else wanted
        major, minor, build, _ = self.service.version
        said = wanted if self._strict else self._encryption
        answer = {0: struct.pack(">BBHH", major, minor, build, 0), 1: bytes([said]), 2: b"\0", 3: b"", 4: b"\0"}
        if 6 in options:
            answer[6] = b"\0"
        self._write_packets(Packet.RESULT, tds.build_prelogin(answer), last=True)
        self._phase = self._login
        if not self._strict and self._encryption != Encryption.NOT_SUPPORTED:
            self._handshake = self._wrap(self.service.tls)
            self._phase = self._handshake_inside

    def _handshake_inside(self, kind: int, status: int, body: bytes) -> None:
        """TDS 7: the handshake travels in PRELOGIN packets."""
        if kind != Packet.PRELOGIN:
            raise _Malformed("TLS expected inside PRELOGIN")
        self._tls_in.write(body)
        self._phase = self._handshake_inside
        if self._shake_hands(lambda data: self._write_packets(Packet.PRELOGIN, data, last=True)):
            self._phase = self._login

    def _login(self, kind: int, status: int, body: bytes) -> None:
        if kind != Packet.LOGIN:
            raise _Malformed(f"a packet of type {kind} instead of LOGIN7")
        login = tds.parse_login(body)
        encrypted = self._strict or self._encryption in (Encryption.ON, Encryption.REQUIRED)
        if not encrypted:
            self._tls = None  # "login only": everything after LOGIN7 is clear text
        self._phase = self._ready
        self.worker = threading.Thread(target=self._work, name=f"{self.service.name} connection", daemon=True)
        self._jobs.put(lambda: self._log_in(login, encrypted))
        self.worker.start()

    def _ready(self, kind: int, status: int, body: bytes) -> None:
        if kind == Packet.ATTENTION:
            if self._session:
                self._session.cancel()
            self._jobs.put(self._acknowledge)
        elif status == -1:
            self._jobs.put(self._ignored)
        else:
            self._jobs.put(lambda: self._request(kind, status, body))

    # ---- the worker's thread
    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Dropped as drop:
                self._end(str(drop))
            except Exception:
                if not self._lost:
                    log.exception("%s: a request failed", self.service.name)
                    self.service.defect(traceback.format_exc())
                self._end("rst")
        if self._session:
            try:
                self._session.close()
            except Exception:
                log.exception("%s: closing a session failed", self.service.name)

    def _end(self, how: str) -> None:
        self._loop.call_soon_threadsafe(self.abort, how)

    def _send(self, payload: bytes, last: bool) -> None:
        """From the worker's thread: hand over a piece, and wait while the client does not read."""
        while not self._writable.wait(1):
            pass
        if self._lost:
            raise Cancelled
        self._room.acquire()
        self._loop.call_soon_threadsafe(self._send_here, payload, last)

    def _send_here(self, payload: bytes, last: bool) -> None:
        self._room.release()
        self._write_packets(Packet.RESULT, payload, last)

    def _answer(self) -> Answer:
        return Answer(
            server=self.service.name,
            send=self._send,
            in_transaction=lambda: bool(self._session and self._session.transaction_count),
        )

    def _log_in(self, login: Login, encrypted: bool) -> None:
        answer = self._answer()
        try:
            peer = self._transport.get_extra_info("peername") or ("", 0)
            session = self.service.open_session(login, client=peer[0], encrypted=encrypted)
        except SqlError as refusal:
            for item in refusal.items(1):
                answer.message(item)
            answer.raw(tds.done(Token.DONE, DoneStatus.ERROR))
            answer.flush(last=True)
            raise Dropped("fin") from None
        session.connection = self
        self._session, self._spid = session, session.spid
        if self._lost:
            return
        size = min(max(login.packet_size, 512), 32767)
        for item in session.greeting():
            if isinstance(item, bytes):
                answer.raw(item)
            else:
                answer.message(item)
        version = 0x08000000 if self._strict and login.version == 0x08000000 else min(login.version, 0x74000004)
        answer.raw(tds.login_ack(version, self.service.version[:3]))
        answer.raw(tds.environment(4, str(size), str(login.packet_size)))
        if login.wants_features:
            answer.raw(tds.feature_ack({0x0A: b"\1"} if 0x0A in login.features else {}))
        answer.raw(tds.done(Token.DONE, DoneStatus.FINAL))
        answer.flush(last=True)
        self._loop.call_soon_threadsafe(setattr, self, "_packet_size", size)

    def _acknowledge(self) -> None:
        self._session.cancel_acknowledged()
        answer = self._answer()
        answer.raw(tds.done(Token.DONE, DoneStatus.ATTENTION))
        answer.flush(last=True)

    def _ignored(self) -> None:
        answer = self._answer()
        answer.raw(tds.done(Token.DONE, DoneStatus.ERROR))
        answer.flush(last=True)

    def _request(self, kind: int, status: int, body: bytes) -> None:
        if self._session is None:
            return
        answer, session = self._answer(), self._session
        try:
            if status & (tds.RESET | tds.RESET_KEEP_TRANSACTION):
                session.reset(keep_transaction=bool(status & tds.RESET_KEEP_TRANSACTION))
                answer.raw(tds.environment(18, b"", b""))
            headers = struct.unpack_from("<I", body)[0] if kind != Packet.BULK else 0
            if kind == Packet.BATCH:
                answer.batch(session.execute(body[headers:].decode("utf-16-le", "surrogatepass")))
            elif kind == Packet.RPC:
                requested = calls(body)
                for number, call in enumerate(requested, 1):
                    answer.procedure(session.call(call), last=number == len(requested))
            elif kind == Packet.TRANSACTION:
                answer.batch(session.transaction(struct.unpack_from("<H", body, headers)[0], body[headers + 2 :]))
            else:
                raise ValueError(f"packet type {kind} is not known")
        except ConnectionKilled:
            answer.message(Error(596, "Cannot continue the execution because the session is in the kill state.", 1, 21))
            answer.raw(tds.done(Token.DONE, DoneStatus.ERROR))
            answer.flush(last=True)
            raise Dropped("fin") from None
        except Cancelled:
            answer.discard()
            if not self._lost:
                answer.raw(tds.done(Token.DONE, DoneStatus.ERROR))
                answer.flush(last=True)
        except SqlError as fatal:
            for item in fatal.items(1):
                answer.message(item)
            answer.raw(tds.done(Token.DONE, DoneStatus.ERROR))
            answer.flush(last=True)
            if fatal.fatal:
                raise Dropped("fin") from None
