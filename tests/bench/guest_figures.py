"""Figures of the virtual laptop: pre-boot's Argon2id and overhead, memory of the daemons beside another agent."""
import base64
import re
import statistics
import struct
import time

from hostlaptop import OUT
from laptop import Laptop
from organisation import Organisation

from figure import Figure

BOOTS = 3
KDF_RUNS = 5
IDLE_S = 10
CHUNK = 32 << 10
TOOL = "/root/bench_tool"
DAEMONS = ("holdfast-volumed", "holdfastd")
PEER = "zabbix_agent2"
# common/handoff_v1.inc
KDF_MS_AT, OVERHEAD_MS_AT = 144, 148


def upload(laptop, path, target):
    """A file into the guest, over its command channel."""
    content = path.read_bytes()
    laptop.run(f": >{target}; chmod 755 {target}")
    for at in range(0, len(content), CHUNK):
        part = base64.b64encode(content[at:at + CHUNK]).decode()
        laptop.run(f"echo {part} | base64 -d >>{target}")


def handoff_times(laptop):
    """(KDF, overhead) of the start that has just been, in ms, as pre-boot measured them."""
    handoff = base64.b64decode(laptop.run("base64 -w0 /run/holdfast/handoff"))
    return (struct.unpack_from("<I", handoff, at)[0] for at in (KDF_MS_AT, OVERHEAD_MS_AT))


def kdf_in_linux(laptop):
    """Median time of Argon2id over the same memory in the guest's user space, ms: by libsodium, which has one lane, and
    the very same by our own code on all processors. The first run is not counted: it loads the program."""
    for way, lanes in (("kdf", ""), ("lanes", 4)):
        times = laptop.run(f"{TOOL} {way} 65536 4 {KDF_RUNS + 1} {lanes}", seconds=300).split()
        yield statistics.median(float(t) for t in times[1:])


def pss_mib(laptop, *programs, line="Pss"):
    """Proportional memory of all processes of these programs together."""
    patterns = "|".join(f"*/{name}" for name in programs)
    text = laptop.run(f"for p in /proc/[0-9]*; do case \"$(readlink $p/exe)\" in {patterns}) "
                      f"grep ^{line}: $p/smaps_rollup;; esac; done")
    found = [int(n) for n in re.findall(rf"{line}:\s*(\d+) kB", text)]
    if len(found) < len(programs):
        raise RuntimeError(f"only {len(found)} of {programs} run in the guest")
    return sum(found) / 1024


def answering(status):
    return "policy" in status and "network" in status


def settled(status):
    return answering(status) and status["policy"]["state"] == "enforced"


def peer_start(laptop):
    """The distribution's other agent with the configuration that it comes with."""
    laptop.run("rm -f /etc/systemd/system/zabbix-agent2.service; systemctl daemon-reload; "
               "systemctl start zabbix-agent2", seconds=120)


def boot_measure(laptop, organisation, number):
    """One start: pre-boot's figures, then memory."""
    laptop.start()
    laptop.unlock()
    laptop.wait_control()
    laptop.wait_status(answering, "both daemons answer", seconds=150)
    kdf_ms, overhead_ms = handoff_times(laptop)
    if number == 0:
        upload(laptop, OUT / "host/tests/bench_tool", TOOL)
        laptop.run(f"holdfast enroll '{organisation.token()}'", seconds=150)
    laptop.wait_status(settled, "policy enforced", seconds=150)
    linux_ms, lanes_ms = kdf_in_linux(laptop)
    time.sleep(IDLE_S)
    alone = pss_mib(laptop, *DAEMONS)
    peer_start(laptop)
    time.sleep(IDLE_S)
    pss = {name: pss_mib(laptop, name) for name in (*DAEMONS, PEER)}
    anonymous = pss_mib(laptop, *DAEMONS, line="Pss_Anon")
    laptop.shutdown()
    return {"kdf_ms": kdf_ms, "overhead_ms": overhead_ms, "linux_ms": linux_ms, "lanes_ms": lanes_ms, "alone": alone,
            "anonymous": anonymous, **pss}


def guest_figures(progress):
    """The virtual laptop is started several times; all its figures come from the same starts."""
    starts = []
    with Organisation() as organisation, Laptop("bench") as laptop:
        for i in range(BOOTS):
            starts.append(boot_measure(laptop, organisation, i))
            progress("start {} of {}: Argon2id {kdf_ms} ms, in Linux {linux_ms:.0f} ms, overhead {overhead_ms} ms, "
                     "memory {alone:.1f} MiB".format(i + 1, BOOTS, **starts[-1]))
    of = {key: [start[key] for start in starts] for key in starts[0]}
    ratios = [efi / linux for efi, linux in zip(of["kdf_ms"], of["linux_ms"])]
    together = [sum(parts) for parts in zip(*(of[name] for name in DAEMONS))]
    return [
        Figure("preboot.argon2id", "ratio", ratios, 1.1, "libsodium in Linux user space, same virtual machine",
               [1.0] * BOOTS, {"in holdfast.efi, both cores, SSSE3, ms": of["kdf_ms"],
                               "in Linux, libsodium, one core, ms": of["linux_ms"],
                               "in Linux, our code, both cores, ms": of["lanes_ms"]}),
        Figure("preboot.overhead_s", "s", [ms / 1000 for ms in of["overhead_ms"]], 0.3),
        Figure("agent.pss_mib", "MiB", together, 8, "zabbix-agent2", of[PEER],
               {**{name: of[name] for name in DAEMONS}, "of both, not backed by a file": of["anonymous"],
                "both, before zabbix-agent2 was started": of["alone"]}),
    ]
