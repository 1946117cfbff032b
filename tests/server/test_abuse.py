#!/usr/bin/python3
"""What attackers and accidents do to the server: oversize and slow requests, a stolen state folder, kill -9,
a changed audit log."""
import os
import pathlib
import re
import signal
import socket
import sqlite3
import ssl
import time

from protocol import Connection, Server, b64, check, claimed_server, enrolled_laptop, unb64


def oversize(server, laptop):
    s = laptop.session(server)
    check("a body of 300 KiB: 413", Connection(server).send("POST", "/v1/enrol", b"x" * 300_000)[0] == 413)
    body = {"events": [laptop.event("status", {"text": "x" * 100_000})]}
    check("a large event is taken", s.code("POST", "/v1/events", body)[0] == 200)
    check("200 KiB of junk: 401", Connection(server).send("POST", "/v1/events", b"." * 200_000)[0] == 401)
    check("a NUL in the body: 400", Connection(server).send("POST", "/v1/enrol", b"a\0b")[0] == 400)
    for junk in ("", "a.b.c", "....", "e30.e30.e30", "{}", "\xff" * 9):
        if Connection(server).send("POST", "/v1/session", junk.encode("latin-1"))[0] not in (400, 401, 429):
            raise AssertionError("junk as a session: " + repr(junk))
    check("junk as a session: refused", True)
    check("deep JSON: 400", Connection(server).send("POST", "/v1/claim", "[" * 100_000)[0] == 400)


def tls(server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", server.port)))


def shakes_hands(server, version, ciphers):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(ciphers + ":@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    try:
        with context.wrap_socket(socket.create_connection(("127.0.0.1", server.port))) as s:
            return s.version() is not None
    except (ssl.SSLError, ConnectionError):
        return False


def old_tls(server):
    """TLS 1.2 and 1.3 with authenticated encryption and forward secrecy, nothing older or weaker."""
    v = ssl.TLSVersion
    check("TLS 1.2 and 1.3", shakes_hands(server, v.TLSv1_2, "ECDHE+AESGCM") and shakes_hands(server, v.TLSv1_3, "ALL"))
    for version, ciphers in ((v.TLSv1, "ALL"), (v.TLSv1_1, "ALL"), (v.TLSv1_2, "ECDHE-ECDSA-AES128-SHA"),
                             (v.TLSv1_2, "ECDHE-ECDSA-AES256-SHA384")):
        check(f"{version.name} {ciphers}: refused", not shakes_hands(server, version, ciphers))


def slow(server, org, laptop):
    """Many connections that hold still, or drip, do not keep others out, and are cut off."""
    idle = [tls(server) for _ in range(50)]
    for n, c in enumerate(idle):
        c.sendall(b"POST /v1/enrol HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx"[:20 + n])
    start = time.monotonic()
    check("healthy requests go on", laptop.session(server).code("GET", "/v1/commands")[0] == 200 and
          time.monotonic() - start < 2)
    plain = socket.create_connection(("127.0.0.1", server.port))
    plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
    check("without TLS there is no answer", not re.match(rb"HTTP", plain.recv(100)))
    dripping = idle[0]
    dripping.settimeout(0.2)
    closed = 0
    while time.monotonic() - start < 75 and not closed:
        try:
            dripping.sendall(b"a")
            closed = dripping.recv(1) == b""
        except (TimeoutError, socket.timeout):
            time.sleep(1)
        except OSError:
            closed = 1
    check(f"who drips is cut off after a minute ({time.monotonic() - start:.0f} s)", closed)


def waiting(server, org, laptop):
    s = laptop.session(server)
    start = time.monotonic()
    check("a long-poll ends by itself", s.ask("GET", "/v1/commands?wait=1")["commands"] == [] and
          0.9 < time.monotonic() - start < 3)
    check("a wait that is no number: 400", s.code("GET", "/v1/commands?wait=x")[0] == 400)
    gone = laptop.session(server, timeout=0.5)
    try:
        gone.call("GET", "/v1/commands?wait=30")
    except OSError:
        gone.http.close()
    admin = org.ada.session(server, org)
    admin.ask("POST", f"/v1/devices/{laptop.id}/sync", {})
    check("a client that went away while waiting harms nobody", s.code("GET", "/v1/commands")[0] == 200)


def stolen(server, org, laptop, secrets):
    """Everything in the state folder, searched for what must not be there."""
    files = {p: p.read_bytes() for p in server.state.rglob("*") if p.is_file()}
    check("the state folder has both databases", {"vault.db", "holdfast.db"} <= {p.name for p in files})
    for name, secret in secrets.items():
        for form in (secret, b64(secret).encode(), secret.hex().encode()):
            found = [p.name for p, data in files.items() if form in data]
            if found:
                raise AssertionError(f"{name} lies in {found}")
    check("no code, key, token or passphrase lies in it: " + ", ".join(secrets), True)
    rows = sqlite3.connect(f"file:{server.state}/vault/vault.db?mode=ro", uri=True).execute("SELECT jws FROM escrow")
    check("escrow records are there, sealed", rows.fetchone() is not None)
    for path, mode in (("vault/server.key", 0o600), ("vault", 0o700), ("frontend/tls.key", 0o600)):
        if (server.state / path).stat().st_mode & 0o777 != mode:
            raise AssertionError(f"mode of {path}")
    key = (server.state / "vault/server.key").read_bytes()
    copies = [p.name for p, data in files.items() if key in data]
    check("the server key lies in its own file only", copies == ["server.key"])


def crash(server, org, laptop):
    s = laptop.session(server)
    event = laptop.event("status", {"before": "crash"})
    receipt = s.ask("POST", "/v1/events", {"events": [event]})["receipt"]
    server.stop(signal.SIGKILL)
    time.sleep(0.5)
    server.start()
    fresh = laptop.session(server)
    check("an old session is refused after a restart", s_after(s, server) == 401)
    check("kill -9: what was receipted is still there, with the same receipt",
          fresh.ask("POST", "/v1/events", {"events": [event]})["receipt"] == receipt)


def s_after(s, server):
    text, _ = s.sealed("GET", "/v1/commands")
    return Connection(server).send("GET", "/v1/commands", None, {"Authorization": "Holdfast " + text})[0]


def children(server):
    return [int(p) for p in open(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read().split()]


def gone(pids, seconds=3):
    """Have all of them ended? (An orphan's zombie is its new parent's matter.)"""
    def lives(pid):
        try:
            return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False
    end = time.monotonic() + seconds
    while any(map(lives, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(map(lives, pids))


def one_dies(server, org, laptop):
    """Whichever of the three dies, and even when the others hang, none is left: an orphaned vault would keep the
    server key in memory, an orphaned frontend the port."""
    for which, name in enumerate(("vault", "frontend")):
        pids = children(server)
        check("two processes besides main", len(pids) == 2)
        os.kill(pids[which], signal.SIGKILL)
        check(f"without its {name} the server stops, so that its manager starts it anew",
              server.process.wait(5) != 0 and gone(pids))
        server.process.stdout.close()
        server.start()
    for how in ("at work", "while both hang"):
        pids = children(server)
        waiting = laptop.session(server)
        text, _ = waiting.sealed("GET", "/v1/commands?wait=40")
        waiting.http.request("GET", "/v1/commands?wait=40", None, {"Authorization": "Holdfast " + text})
        for pid in pids if how != "at work" else ():
            os.kill(pid, signal.SIGSTOP)
        server.stop(signal.SIGKILL)
        check(f"main killed {how}: nobody is left", gone(pids))
        server.start()


def accounts():
    """Started as root, the two processes are two accounts, and the frontend's cannot read the vault's files."""
    if os.geteuid():
        print("skip two accounts: not root")
        return
    server, org = claimed_server("--user", "64101", "--vault-user", "64102")
    with server:
        laptop, _ = enrolled_laptop(server, org)
        check("a laptop enrols", laptop.session(server).code("GET", "/v1/commands")[0] == 200)
        pids = children(server)
        status = [open(f"/proc/{p}/status").read() for p in pids]
        check("vault and frontend are two accounts", "64102\t64102" in status[0] and "64101\t64101" in status[1])
        check("the vault has given up the network by seccomp", "Seccomp:\t2" in status[0])
        owners = {p.name: p.stat().st_uid for p in server.state.rglob("*")}
        check("each owns its own folder", owners["vault.db"] == owners["server.key"] == owners["vault"] == 64102 and
              owners["holdfast.db"] == owners["tls.key"] == 64101)
        one_dies(server, org, laptop)
        planted_link(server)


def claim_secret_stays():
    """Before the claim, the frontend's memory has nothing that would let a stranger claim the server."""
    if os.geteuid():
        print("skip memory of the frontend: not root")
        return
    with Server() as server:
        text = (server.state / "claim").read_text().strip()
        secret = server.claim_text()["secret"]
        frontend, found = children(server)[1], []
        with open(f"/proc/{frontend}/maps") as maps, open(f"/proc/{frontend}/mem", "rb", 0) as memory:
            for line in maps:
                if " rw" not in line:
                    continue
                start, end = (int(x, 16) for x in line.split()[0].split("-"))
                memory.seek(start)
                data = memory.read(end - start)
                found += [n for n, s in (("text", text[60:100].encode()), ("secret", secret.encode()),
                                         ("bytes", unb64(secret))) if s in data]
        check(f"the frontend's memory does not hold the claim secret {found or ''}", not found)


def planted_link(server):
    """A frontend that was taken over links somebody else's file into its folder, for root to make it its own."""
    server.stop()
    other = pathlib.Path(server.folder.name) / "another"
    other.write_text("root's")
    os.link(other, server.state / "frontend/linked")
    server.start()
    check("root gives away no file that is linked into the frontend's folder", other.stat().st_uid == 0)


def forged_audit(server, org):
    server.stop()
    db = sqlite3.connect(server.state / "frontend/holdfast.db")
    n = db.execute("SELECT MAX(n) FROM audit").fetchone()[0]
    db.execute("DELETE FROM audit WHERE n > ?", (n - 3,))
    db.commit()
    db.close()
    server.start()
    admin = org.ada.session(server, org)
    got = admin.ask("GET", "/v1/audit")
    check("a log that was cut off gets no checkpoint", got["checkpoint"] is None and
          "no checkpoint" in server.log_text())
    server.stop()
    db = sqlite3.connect(server.state / "frontend/holdfast.db")
    db.execute("UPDATE audit SET entry = replace(entry, 'ada', 'eve') WHERE n = 3")
    db.commit()
    db.close()
    server.start()
    check("a changed entry is found at the next start", "does not hold from entry 3" in server.log_text())


def main():
    server, org = claimed_server()
    with server:
        claim_secret = unb64(org.secret)
        laptop, admin = enrolled_laptop(server, org)
        token = admin.ask("POST", "/v1/enrolment-tokens", {"expires_in": 3600, "uses": 5})
        code, key = b"BCDFGHJKLNPRSTX-ONE-TIME", b"XTSRPNLKJHGFDCB-RECOVERY"
        laptop.session(server).ask("POST", "/v1/escrow", {"records": [
            laptop.escrow(code.decode()), laptop.escrow(key.decode(), kind="recovery-key", number=0)]})
        session = laptop.session(server, user=True)
        oversize(server, laptop)
        old_tls(server)
        waiting(server, org, laptop)
        stolen(server, org, laptop, {
            "one-time code": code, "recovery key": key, "claim secret": claim_secret,
            "token secret": unb64(token["secret"]), "session key c2s": session.c2s, "session key s2c": session.s2c,
            "session token": session.token.encode()})
        crash(server, org, laptop)
        one_dies(server, org, laptop)
        slow(server, org, laptop)
        forged_audit(server, org)
    accounts()
    claim_secret_stays()


if __name__ == "__main__":
    main()
