#!/usr/bin/python3
"""What goes wrong around holdfast-volumed: peers that do not read, states that cannot be saved, firmware that keeps
nothing, orders that meet unfinished work, daemons that start anew."""
import os
import shutil
import socket
import struct
import time

from laptop import Laptop, enrolled_laptop, main
from organisation import Organisation
from sockets import Client, Refused

VARIABLE = "HoldfastGeneration-6a1f4c3e-6d0b-4f5e-9d61-0f6b1b6f8a21"


def refused(call, *args):
    try:
        call(*args)
    except Refused as r:
        return r.about
    raise AssertionError("was not refused")


def settle(laptop, version):
    """A new policy makes volumed look at everything that is left to do."""
    laptop.ask("POLICY", laptop.org.policy(version, {"one_time_codes": 2, "kdf_memory_kib": 32768,
                                                     "kdf_passes": 1}), laptop.org.certs())
    laptop.prove()


def deaf_peers(path, count):
    """Ask for the status again and again, and never read an answer."""
    ask, peers = struct.pack("<HHI", 1, 0, 0), []
    for _ in range(count):
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        peer.connect(path)
        peer.setblocking(False)
        try:
            for _ in range(400):
                peer.send(ask)
        except OSError:
            pass
        peers.append(peer)
    return peers


def test_deaf_peers():
    """local users who ask and never read hold up nobody: each cost volumed five seconds once, a kill waited"""
    laptop = enrolled_laptop()
    try:
        peers = deaf_peers(laptop.path("run", "volumed.sock"), 6)
        begun = time.time()
        for _ in range(400):
            laptop.status()
            if time.time() - begun > 20:
                break
        took = time.time() - begun
        assert took < 20, f"400 questions took more than {took:.0f} s"
        for peer in peers:
            peer.close()
    finally:
        laptop.remove()


def test_state_not_saved():
    """a policy that could not be saved is not in force, and is taken once it can be: it was refused as rolled back"""
    laptop = enrolled_laptop()
    try:
        hindrance = laptop.path("state", "state.json.new")
        os.mkdir(hindrance)
        policy = laptop.org.policy(2, {"one_time_codes": 2})
        refused(laptop.ask, "POLICY", policy, laptop.org.certs())
        assert laptop.status()["policy"]["version"] == 1
        os.rmdir(hindrance)
        laptop.ask("POLICY", policy, laptop.org.certs())
        assert laptop.status()["policy"]["version"] == 2
        laptop.restart()
        assert laptop.status()["policy"]["version"] == 2
    finally:
        laptop.remove()


def test_enrolment_not_saved():
    """an enrolment that could not be saved has not happened, and can be finished later"""
    laptop = Laptop()
    laptop.activate()
    laptop.boot()
    laptop.start()
    org = laptop.org = Organisation()
    try:
        request = laptop.ask("ENROL_BEGIN", org.token(), os.urandom(32))
        org.take_enrol(request)
        hindrance = laptop.path("state", "state.json.new")
        os.mkdir(hindrance)
        refused(laptop.ask, "ENROL_FINISH", org.enrolled(request, {"one_time_codes": 2}))
        assert not laptop.status()["enrolled"]
        os.rmdir(hindrance)
        laptop.ask("ENROL_FINISH", org.enrolled(request, {"one_time_codes": 2}))
        laptop.prove()
        assert laptop.restart().status()["policy"]["state"] == "enforced"
    finally:
        laptop.remove()


def test_firmware_full():
    """firmware that keeps no variable: a removed user is out at once all the same, and the status says what is missing
    The second copy of the store, and with it the old unlock key, once stayed as it was."""
    laptop = enrolled_laptop()
    try:
        laptop.ask("USER_ADD", "bob", "bob's password", 0)
        old = laptop.save_esp()
        variable = laptop.path("efivars", VARIABLE)
        os.remove(variable)
        os.mkdir(variable)
        laptop.ask("USER_REMOVE", "bob")
        assert "copies OK OK same-key 1" in laptop.show(), laptop.show()
        assert not laptop.opens(esp=old) and laptop.opens()
        settle(laptop, 2)
        status = laptop.status()
        assert not status["generation_variable"]
        assert any("firmware" in w["for"] for w in status["waiting"]), status["waiting"]
        os.rmdir(variable)
        settle(laptop, 3)
        status = laptop.status()
        assert status["generation_variable"] and status["waiting"] == [], status
        assert "generation-restored" in [e["kind"] for e in laptop.events]
    finally:
        laptop.remove()


def generation(laptop):
    with open(laptop.path("efivars", VARIABLE), "rb") as f:
        return struct.unpack("<IQ", f.read())[1]


def test_generation_never_falls():
    """an older store copied back under a running system: told once, and the firmware's number does not follow it down"""
    laptop = enrolled_laptop()
    try:
        old = laptop.save_esp()
        laptop.ask("USER_ADD", "bob", "bob's password", 0)
        laptop.ask("USER_ADD", "carol", "carol's password", 0)
        high = generation(laptop)
        laptop.drain()
        for name in ("store.0", "store.1"):
            with open(os.path.join(old, "EFI", "holdfast", name), "rb") as f:
                content = f.read()
            with open(os.path.join(laptop.esp, "EFI", "holdfast", name), "wb") as f:
                f.write(content)
        for version in (2, 3, 4):
            settle(laptop, version)
        told = [e for e in laptop.events if e["kind"] == "store-rolled-back"]
        assert len(told) == 1, f"told {len(told)} times"
        laptop.ask("USER_ADD", "dora", "dora's password", 0)
        assert generation(laptop) > high, (generation(laptop), high)
        assert laptop.restart().status()["waiting"] == []
    finally:
        laptop.remove()


def test_lock_before_a_code_is_burnt():
    """lock while the code of this start waits to be burnt: it stays locked. Burning the code once ended the lock"""
    laptop = enrolled_laptop()
    try:
        laptop.stop()
        assert laptop.boot(code=laptop.secrets[1], number=1)[0] == 0
        os.rename(laptop.image, laptop.image + ".away")
        laptop.start()
        laptop.drain()
        assert laptop.status()["waiting"]
        assert laptop.command("lock", args={"restart": False})[0]["kind"] == "command-done"
        os.rename(laptop.image + ".away", laptop.image)
        assert not laptop.opens()
        settle(laptop, 2)
        assert "code-used" in [e["kind"] for e in laptop.events]
        assert not laptop.opens(), "the lock was ended by work that was older than it"
        assert laptop.status()["locked"]
        assert laptop.restart(code=laptop.secrets[2], number=2).opens(), "the next code ends it"
    finally:
        laptop.remove()


def test_lock_keeps_new_users_out():
    """while a laptop is locked nobody is added, who could then start it"""
    laptop = enrolled_laptop()
    try:
        laptop.command("lock", args={"restart": False})
        assert "locked" in refused(laptop.ask, "USER_ADD", "bob", "bob's password", 0)
        laptop.ask("USER_PASSWD", "alice", "a new one", 0)
        assert not laptop.opens(password="a new one")
    finally:
        laptop.remove()


def test_recovery_start_ends_any_lock():
    """a start by the recovery key ends a lock that had only taken the seals, and makes earlier ESPs useless"""
    laptop = enrolled_laptop()
    try:
        old = laptop.save_esp()
        laptop.stop()
        laptop.start()  # without any key
        laptop.command("lock")
        laptop.stop()
        assert laptop.boot(code=laptop.secrets["recovery"])[0] == 0
        laptop.start()
        laptop.prove()
        assert laptop.opens() and not laptop.opens(esp=old)
    finally:
        laptop.remove()


def test_rotation_after_an_unfinished_one():
    """rotate-recovery while a new key already waits for its receipt: done is told of a key made after the order"""
    laptop = enrolled_laptop()
    try:
        laptop.stop()
        assert laptop.boot(code=laptop.secrets["recovery"])[0] == 0
        laptop.start()
        first = laptop.drain()[1]
        kinds = [e["kind"] for e in laptop.command("rotate-recovery")]
        assert "command-done" not in kinds
        laptop.ask("RECEIPT", laptop.org.receipt(first))
        events, second = laptop.drain()
        assert "command-done" not in [e["kind"] for e in events], "that key is older than the order"
        assert [laptop.org.open_escrow(s)[0]["purpose"] for s in second] == ["recovery"]
        laptop.ask("RECEIPT", laptop.org.receipt(second))
        assert "command-done" in [e["kind"] for e in laptop.drain()[0]]
        assert laptop.opens_recovery(laptop.org.open_escrow(second[0])[1])
        assert not laptop.opens_recovery(laptop.org.open_escrow(first[0])[1])
    finally:
        laptop.remove()


def test_sync_cannot_use_up_numbers():
    """a taken-over server's sync with a huge number is refused: it would have been the last order ever obeyed"""
    laptop = enrolled_laptop()
    org = laptop.org
    try:
        server_cert = org.cert("server", org.enterprise, org.server)
        laptop.ask("COMMAND", org.command("sync", key=org.server, sequence=2**63 - 1),
                   org.certs(server_cert))
        events = laptop.drain()[0]
        assert [e["kind"] for e in events] == ["command-refused"], events
        assert laptop.command("lock", args={"restart": False}, sequence=2)[0]["kind"] == "command-done"
    finally:
        laptop.remove()


def test_kill_is_finished_without_a_state():
    """a kill that is finished after the state is gone: no proof can be signed, and the laptop is switched off"""
    laptop = enrolled_laptop()
    try:
        laptop.command("kill")
        laptop.stop(hard=True)
        open(laptop.path("stdout"), "w").close()
        laptop.start()
        assert laptop.status()["killed"]
        laptop.ask("SENT", "")
        time.sleep(0.3)
        assert laptop.status()["killed"], "an empty id ends nothing early"
        assert open(laptop.path("stdout")).read() == ""
    finally:
        laptop.remove()


def test_planted_handoff():
    """a hand-off that another user than root planted: nobody is taken for signed in, and it names no volume to a kill"""
    laptop = enrolled_laptop()
    try:
        laptop.stop()
        assert laptop.boot()[0] == 0
        os.chown(laptop.path("handoff"), 65534, 65534)
        laptop.start()
        assert laptop.status()["booted_by"] is None
        refused(laptop.ask, "USER_PROOF", bytes(32))
        for copy in ("store.0", "store.1"):
            os.truncate(os.path.join(laptop.esp, "EFI", "holdfast", copy), 0)
        laptop.drain()
        assert [e["kind"] for e in laptop.command("kill")] == ["command-refused"]
        assert laptop.opens_recovery(laptop.secrets["recovery"])
    finally:
        laptop.remove()


def test_agent_leaves_room_for_root():
    """a taken-over holdfastd that opens connections without end leaves root some"""
    laptop = Laptop()
    laptop.activate()
    laptop.boot()
    laptop.start(options=("--agent-user", "nobody"))
    try:
        os.chmod(laptop.at, 0o755)
        os.chmod(laptop.path("run"), 0o755)
        peers = []
        os.seteuid(65534)
        try:
            for _ in range(64):
                peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                peer.connect(laptop.path("run", "volumed.sock"))
                peers.append(peer)
                time.sleep(0.005)
        finally:
            os.seteuid(0)
        assert Client(laptop.path("run", "volumed.sock"), timeout=5).ask("STATUS")
    finally:
        laptop.remove()


def test_boot_without_key():
    """started without pre-boot: boot and self-test report are looked after all the same; nothing was done without a key"""
    laptop = enrolled_laptop()
    try:
        laptop.stop()
        report = laptop.path("esp", "EFI", "holdfast", "selftest.report")
        with open(report, "wb") as f:
            f.write(b"a report, though a damaged one")
        if os.path.exists(laptop.path("handoff")):
            os.unlink(laptop.path("handoff"))
        # A folder whose key is in no keyring: only --handoff FILE keeps keys in memory.
        laptop.start()
        status = laptop.status()
        assert status["booted_by"] is None and status["loader"]["started_by"] == "?", status
        assert not os.path.exists(report), "the report was not looked at"
    finally:
        laptop.remove()


def test_boot_files_of_others():
    """another program's BOOTX64.EFI is left alone by activation, and the person is told; it was overwritten"""
    for foreign in (True, False):
        laptop = Laptop()
        boot = laptop.path("esp", "EFI", "BOOT")
        os.makedirs(boot)
        try:
            shutil.copy("/usr/lib/shim/shimx64.efi" if foreign else "/bin/true", os.path.join(boot, "BOOTX64.EFI"))
            with open(os.path.join(boot, "BOOTX64.EFI"), "rb") as f:
                before = f.read()
            with open(laptop.path("fresh.efi"), "wb") as f:
                f.write(b"a new holdfast.efi")
            err = laptop.activate(options=("--efi", laptop.path("fresh.efi")))
            with open(os.path.join(boot, "BOOTX64.EFI"), "rb") as f:
                after = f.read()
            assert after == (before if foreign else b"a new holdfast.efi"), foreign
            assert ("another program's" in err) == foreign, err
        finally:
            laptop.remove()


if __name__ == "__main__":
    main([test_boot_without_key, test_boot_files_of_others, test_deaf_peers, test_state_not_saved, test_enrolment_not_saved, test_firmware_full,
          test_generation_never_falls, test_lock_before_a_code_is_burnt, test_lock_keeps_new_users_out,
          test_recovery_start_ends_any_lock, test_rotation_after_an_unfinished_one,
          test_sync_cannot_use_up_numbers, test_kill_is_finished_without_a_state,
          test_planted_handoff, test_agent_leaves_room_for_root])
