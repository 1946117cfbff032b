#!/usr/bin/python3 -B
"""Commands to a laptop that runs: sync, rotate-recovery, reset, lock. And a server that is away for a while."""
import time

import storefile
from laptop import CHALLENGE, Laptop, enforced
from organisation import Organisation
from story import check, main, show


def sync(laptop, organisation):
    """Sync: signed by the server, harmless."""
    organisation.device_command("laptop", "sync")
    event = organisation.wait_event("laptop", "command-done", having=lambda e: e["detail"]["command"] == "sync")
    show(f"ok  sync done, sequence {event['detail']['sequence']}")


def policy(laptop, organisation):
    """A new policy arrives by itself."""
    show(organisation.ctl("policy", "set", "one_time_codes=4").strip())
    organisation.wait_device("laptop", lambda d: d["policy_version"] == 2, "policy version 2 enforced")
    show("ok  the waiting laptop enforces the new policy")


def rotate_recovery(laptop, organisation):
    """A new recovery key is escrowed before the old one goes."""
    old = organisation.recovery_key("laptop")
    organisation.device_command("laptop", "rotate-recovery")
    organisation.wait_event("laptop", "command-done", having=lambda e: e["detail"]["command"] == "rotate-recovery")
    end = time.monotonic() + 60
    while organisation.recovery_key("laptop") == old and time.monotonic() < end:
        time.sleep(0.5)
    new = organisation.recovery_key("laptop")
    check(new != old, "the escrow holds another recovery key")
    laptop.wait_status(enforced, "settled after the rotation")
    return old, new


def server_away(laptop, organisation):
    """Events wait while the server is away, and all arrive once, in order."""
    before = len(organisation.events("laptop"))
    organisation.stop()
    for name in ("carol", "dave", "erin"):
        laptop.run(f"printf 'password of {name} 1\\n' | holdfast user add {name}", seconds=120)
    laptop.run("holdfast user remove dave", seconds=120)
    queue = laptop.agent_status()["network"]["queue"]
    check(queue["events"] + queue["escrow"] >= 4, f"without a server they wait in the laptop's queue: {queue}")
    laptop.run("old=$(systemctl show -P MainPID holdfastd); kill -KILL $old; for i in $(seq 60); do sleep 1;"
               " new=$(systemctl show -P MainPID holdfastd);"
               " [ $new != 0 ] && [ $new != $old ] && systemctl -q is-active holdfastd && exit 0; done; exit 1",
               seconds=120)
    show("ok  the network daemon was killed and started again meanwhile")
    organisation.start()
    organisation.wait_event("laptop", "user-removed", seconds=90)
    laptop.wait_status(lambda s: s["network"]["queue"]["events"] == 0, "queue empty", seconds=90)
    events = organisation.events("laptop")[before:]
    users = [(e["kind"], e["detail"].get("user")) for e in events if e["kind"] in ("user-added", "user-removed")]
    check(users == [("user-added", "carol"), ("user-added", "dave"), ("user-added", "erin"), ("user-removed", "dave")],
          "all arrived, in the order in which they happened")
    ids = [e["id"] for e in organisation.events("laptop")]
    check(len(ids) == len(set(ids)), "each of them once")


def reset(laptop, organisation):
    """Reset: the laptop restarts into pre-boot."""
    organisation.device_command("laptop", "reset")
    laptop.wait_off(90)
    check("reboot: Restarting system" in laptop.serial_text(), "reset restarted the laptop")
    laptop.start()
    laptop.expect("User name:")
    laptop.kill()


def lock(laptop, organisation):
    """Lock: passwords open nothing until a one-time code has."""
    laptop.boot()
    organisation.device_command("laptop", "lock")
    laptop.wait_off(90)
    disk = laptop.disk()
    store = storefile.of_disk(disk)
    check(not any(r["has_seal"] for r in store.records if r["kind"] == storefile.PASSWORD),
          "no password's record holds the unlock key any more")
    laptop.start()
    laptop.expect_text("This laptop is locked: passwords do not open it.")
    laptop.expect(CHALLENGE)
    challenge = laptop.serial.match.group(1)
    laptop.expect("Code:")
    laptop.type(organisation.remote_help(challenge).replace("-", ""))
    laptop.wait_agent()
    show("ok  the helpdesk's code opens the locked laptop")
    laptop.wait_status(enforced, "settled after the code")
    laptop.shutdown()
    laptop.boot()
    show("ok  the password works again after that")


def old_recovery_key(laptop, keys):
    """After the rotation the old recovery key opens nothing, the new one does."""
    disk = laptop.disk()
    check(not disk.opens(keys[0].encode()), "the old recovery key opens nothing")
    check(disk.opens(keys[1].encode()), "the new recovery key opens the disk")


def story():
    """One laptop and its officer."""
    with Organisation() as organisation, Laptop() as laptop:
        laptop.boot()
        laptop.enrol(organisation)
        sync(laptop, organisation)
        policy(laptop, organisation)
        keys = rotate_recovery(laptop, organisation)
        server_away(laptop, organisation)
        reset(laptop, organisation)
        old_recovery_key(laptop, keys)
        lock(laptop, organisation)


if __name__ == "__main__":
    main(story)
