"""What was measured on."""
import datetime
import os
import platform
import re

from machine import accelerator_once


def first(pattern, path):
    with open(path, encoding="utf-8") as text:
        found = re.search(pattern, text.read(), re.M)
    return found.group(1).strip() if found else "unknown"


def machine_facts():
    memory = first(r"^MemTotal:\s*(\d+) kB", "/proc/meminfo")
    return {"name": "machine", "cpu": first(r"^model name\s*:\s*(.*)$", "/proc/cpuinfo"), "cores": os.cpu_count(),
            "memory_gib": round(int(memory) / 2**20, 1), "kernel": platform.release(),
            "system": first(r'^PRETTY_NAME="?([^"\n]*)', "/etc/os-release"),
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "load": round(os.getloadavg()[0], 2), "emulation": "tcg" in accelerator_once()[1]}
