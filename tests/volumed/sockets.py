"""The local sockets' messages, written down a second time, from docs/agent.md and agent/ipc_v1.inc."""
import os
import re
import socket
import struct

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OK, ERROR, NOTIFY = 0x100, 0x101, 0x102


def table():
    text = open(os.path.join(ROOT, "agent", "ipc_v1.inc")).read()
    lines = re.findall(r'^REQUEST\((\w+),\s*(\d+),\s*\w+,\s*"(\w*)",\s*"(\w*)"\)', text, re.M)
    return {name: (int(number), ask, answer) for name, number, ask, answer in lines}


TABLE = table()
ERRORS = ["OK", *re.findall(r"X\((ERR_\w+),", open(os.path.join(ROOT, "common", "err.h")).read())]


class Refused(Exception):
    """An ERROR answer: its name and what it was about."""

    def __init__(self, number, about):
        super().__init__(f"{ERRORS[number]}: {about}")
        self.name, self.about = ERRORS[number], about


def pack(shape, values):
    assert len(shape) == len(values)
    body = b""
    for kind, value in zip(shape, values):
        if kind == "s":
            value = value.encode() if isinstance(value, str) else value
            body += struct.pack("<I", len(value)) + value
        elif kind == "k":
            assert len(value) == 32
            body += value
        else:
            body += struct.pack("<I" if kind == "d" else "<Q", value)
    return body


def unpack(shape, body):
    values, at = [], 0
    for kind in shape:
        if kind == "s":
            (size,) = struct.unpack_from("<I", body, at)
            values.append(body[at + 4:at + 4 + size].decode())
            at += 4 + size
        elif kind == "k":
            values.append(body[at:at + 32])
            at += 32
        else:
            form = "<I" if kind == "d" else "<Q"
            values.append(struct.unpack_from(form, body, at)[0])
            at += struct.calcsize(form)
    assert at == len(body), "unread bytes"
    return values


class Client:
    def __init__(self, path, timeout=60):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(timeout)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 256 << 10)
        self.socket.connect(path)
        self.notified = 0

    def ask(self, name, *values):
        number, shape, answer = TABLE[name]
        body = pack(shape, values)
        self.socket.send(struct.pack("<HHI", number, 0, len(body)) + body)
        while True:
            packet = self.socket.recv(300 << 10)
            if not packet:
                raise ConnectionResetError("volumed closed the connection")
            kind, reserved, size = struct.unpack_from("<HHI", packet)
            assert reserved == 0 and size == len(packet) - 8
            if kind == NOTIFY:
                self.notified += 1
                continue
            if kind == ERROR:
                raise Refused(*unpack("ds", packet[8:]))
            assert kind == OK, kind
            values = unpack(answer, packet[8:])
            return values[0] if len(values) == 1 else values

    def close(self):
        self.socket.close()
