#!/usr/bin/python3
"""Enrolment, and a server that is gone for a while: what the laptop has to tell waits in its queue, survives a
killed daemon, and arrives once and in order. Then a kill, whose proof is the last thing that the laptop says."""
import base64
import json
import signal
import sys
import time

from rig import rig, wait_until


def changed(token, **members):
    """The token with other members, as a liar would make it."""
    prefix, body = token.split(":")
    content = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    content.update(members)
    packed = base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
    return f"{prefix}:{packed}"


def refused(laptop, token, words):
    done = laptop.holdfast("enroll", "-", text=token + "\n")
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert words in done.stderr, f"{words!r} not in {done.stderr!r}"
    assert not (laptop.folder / "agent/enrolment.json").exists()
    print(f"refused: {done.stderr.strip()}")


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
    done = laptop.holdfast("enroll", "-", text=token + "\n")
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "PROTECTED" in done.stdout, done.stdout
    print(done.stdout, end="")
    print(f"enrolment to policy enforced: {time.monotonic() - begun:.2f} s")
    network = laptop.status()["network"]
    assert network["session"] == "user" and network["channel"] == "long-poll", network
    again = laptop.holdfast("enroll", "-", text=token + "\n")
    assert again.returncode == 1, again.stdout


def arrived(server):
    return [row[0] for row in server.rows("SELECT id FROM events ORDER BY n")]


def make_events(laptop, count):
    for i in range(count):
        done = laptop.holdfast("user", "add", f"user{i}", text="another password\n")
        assert done.returncode == 0, done.stderr


def outage(server, laptop):
    wait_until("the queue is empty", lambda: laptop.status()["network"]["queue"]["events"] == 0)
    before = arrived(server)
    server.stop()
    make_events(laptop, 3)
    network = wait_until("the laptop notices", lambda: (n := laptop.status()["network"])["problem"] and n)
    assert network["queue"]["events"] >= 3, network
    print(f"server stopped: {network['problem']}; {network['queue']['events']} events wait")
    assert "Problem" in laptop.holdfast("status").stdout
    assert laptop.holdfast("sync").returncode == 1
    laptop.holdfastd.end(signal.SIGKILL)
    waiting = laptop.queued()
    assert len(waiting) == len(set(waiting)) >= 3
    laptop.start_holdfastd()
    server.start()
    done = laptop.holdfast("sync")
    assert done.returncode == 0, done.stderr
    wait_until("the queue is empty", lambda: laptop.status()["network"]["queue"]["events"] == 0)
    new = [i for i in arrived(server) if i not in before]
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
    wait_until("the laptop switches itself off", lambda: "power off" in laptop.volumed.text())
    opened = laptop.run("cryptsetup", "open", "--test-passphrase", laptop.image, text=laptop.recovery_key)
    assert opened.returncode != 0


def main():
    with rig() as (server, laptop):
        bad_tokens(server, laptop)
        enrolment(server, laptop)
        outage(server, laptop)
        commands(server, laptop)
    return 0


sys.exit(main())
