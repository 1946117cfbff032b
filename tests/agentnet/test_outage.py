#!/usr/bin/python3
"""Enrolment, and a server that is gone for a while: what the laptop has to tell waits in its queue, survives a
killed daemon, and arrives once and in order. Then a kill, whose proof is the last thing that the laptop says."""
import base64
import json
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from hostlaptop import HostLaptop, HostOrganisation, wait_until  # noqa: E402


def changed(token, **members):
    """The token with other members, as a liar would make it."""
    prefix, body = token.split(":")
    content = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    content.update(members)
    packed = base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
    return f"{prefix}:{packed}"


def refused(laptop, token, words):
    code, out, err = laptop.ask("enroll", "-", text=token + "\n")
    assert code == 1, (code, out, err)
    assert words in err, f"{words!r} not in {err!r}"
    assert not (laptop.folder / "agent/enrolment.json").exists()
    print(f"refused: {err.strip()}")


def bad_tokens(server, laptop):
    token = server.token()
    refused(laptop, token[:-9], "token")
    refused(laptop, changed(token, pin="sha256//" + "A" * 43 + "="), "TLS key")
    refused(laptop, changed(token, secret="A" * 43), "refuses")
    refused(laptop, changed(token, root="A" * 43), "")
    refused(laptop, changed(token, url="https://127.0.0.1:1"), "reached")


def enrolment(server, laptop):
    token = server.token()
    begun = time.monotonic()
    code, out, err = laptop.ask("enroll", "-", text=token + "\n")
    assert code == 0, (out, err)
    assert "PROTECTED" in out, out
    print(out, end="")
    print(f"enrolment to policy enforced: {time.monotonic() - begun:.2f} s")
    network = laptop.status()["network"]
    assert network["session"] == "user" and network["channel"] == "long-poll", network
    assert laptop.ask("enroll", "-", text=token + "\n")[0] == 1, "twice"


def arrived(server, laptop):
    return [e["id"] for e in server.events(laptop.name)]


def make_events(laptop, count):
    for i in range(count):
        code, _, err = laptop.ask("user", "add", f"user{i}", text="another password\n")
        assert code == 0, err


def outage(server, laptop):
    wait_until("the queue is empty", lambda: laptop.status()["network"]["queue"]["events"] == 0)
    before = arrived(server, laptop)
    server.stop()
    make_events(laptop, 3)
    network = wait_until("the laptop notices", lambda: (n := laptop.status()["network"])["problem"] and n)
    assert network["queue"]["events"] >= 3, network
    print(f"server stopped: {network['problem']}; {network['queue']['events']} events wait")
    assert "Problem" in laptop.ask("status")[1]
    assert laptop.ask("sync")[0] == 1
    laptop.end_holdfastd(signal.SIGKILL)
    waiting = laptop.queued()
    assert len(waiting) == len(set(waiting)) >= 3
    laptop.start_holdfastd()
    server.start()
    code, _, err = laptop.ask("sync")
    assert code == 0, err
    wait_until("the queue is empty", lambda: laptop.status()["network"]["queue"]["events"] == 0)
    new = [i for i in arrived(server, laptop) if i not in before]
    assert new[:len(waiting)] == waiting, (waiting, new)
    assert len(new) == len(set(new))
    wait_until("no problem is left", lambda: laptop.status()["network"]["problem"] is None)
    print(f"server back: {len(waiting)} events arrived once, in order")


def commands(server, laptop):
    wait_until("commands are waited for",
               lambda: laptop.status()["network"]["channel"] == "long-poll")
    print(server.ctl("device", "sync", laptop.name, "--wait", "20").strip())
    begun = time.monotonic()
    print(server.ctl("device", "kill", laptop.name, "--wait", "30", "--yes").strip())
    print(f"kill to signed proof, with the officer's sign-in: {time.monotonic() - begun:.2f} s")
    wait_until("the laptop switches itself off", lambda: "power off" in laptop.log("holdfast-volumed"))
    assert not laptop.opens(laptop.recovery_key.encode())


def main():
    with HostOrganisation() as server, HostLaptop() as laptop:
        laptop.start()
        bad_tokens(server, laptop)
        enrolment(server, laptop)
        outage(server, laptop)
        commands(server, laptop)
    return 0


sys.exit(main())
