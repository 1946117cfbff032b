#!/usr/bin/python3
"""libholdfast.so as another program meets it: compiled and linked by what pkg-config says and nothing else, against
messages made by jwcrypto; and it exports its documented functions only."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import interop

ROOT = interop.ROOT
LIB = ROOT / "build/out/host/lib"
WANT = """version: agrees
verify: ok
number: 7
another key: sealed for another key, or changed
code: untouched
open: ok
code: BCDEF-GHJKL-NPRST
receipt: ok
another message: two parts that belong together do not agree
wiped: yes
code: not the message, key or code that was expected
group: 1, code: untouched
unknown kind: not the message, key or code that was expected
challenge: not the message, key or code that was expected
typed so far: 0
certificate: ok
certified: {certified}
ended: the certificate has ended or not begun
role: of another type, or for another device or enrolment
message: ok
no key: not the message, key or code that was expected
"""


def install(where):
    """The files as a package would place them, under another root."""
    subprocess.run([ROOT / "build/install", where], check=True)


def compiled(where):
    folder = next(where.glob("usr/lib/*/pkgconfig"))
    config = subprocess.run(["pkg-config", "--cflags", "--libs", "holdfast"],
                            env={**os.environ, "PKG_CONFIG_PATH": str(folder), "PKG_CONFIG_SYSROOT_DIR": str(where),
                                 "PKG_CONFIG_ALLOW_SYSTEM_LIBS": "1", "PKG_CONFIG_ALLOW_SYSTEM_CFLAGS": "1"},
                            capture_output=True, text=True, check=True).stdout.split()
    program = where / "helpdesk"
    subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", ROOT / "tests/jose/helpdesk.c", "-o", program,
                    *config], check=True)
    return program


def messages():
    laptop, officer, server, root = (interop.Key() for _ in range(4))
    record = interop.good("escrow", laptop.bytes, interop.RECORD, interop.DEVICE, interop.ENROLMENT, 7,
                          officer.hex("agree"), data=interop.CODE)
    receipt = interop.good("receipt", server.bytes, interop.DEVICE, interop.ENROLMENT, interop.RECORD, data=record)
    cert = interop.sign(root, "holdfast-cert", {
        "role": "server", "subject": "00" * 16, "jwk": server.public["sign"], "enterprise": "00" * 16,
        "not_before": 1600000000, "not_after": 1800000000})
    jwk = [interop.json.dumps(k.public["sign"], separators=(",", ":")) for k in (laptop, server, root)]
    return [record, jwk[0], officer.bytes.hex(), receipt, jwk[1], cert, jwk[2]], jwk[1]


def test_program():
    """a program built through pkg-config opens an escrow record and checks receipt and certificate"""
    with tempfile.TemporaryDirectory() as folder:
        where = pathlib.Path(folder)
        install(where)
        program = compiled(where)
        arguments, certified = messages()
        out = subprocess.run([program, *arguments], env={"LD_LIBRARY_PATH": str(next(where.glob("usr/lib/*/libholdfast.so")).parent)},
                             capture_output=True, text=True, check=True).stdout
        assert out == WANT.format(certified=certified), out


def test_exports():
    """the library exports the functions of its header and nothing else"""
    out = subprocess.run(["nm", "-D", "--defined-only", "--format=posix", LIB / "libholdfast.so.0"],
                         capture_output=True, text=True, check=True).stdout
    exported = {line.split("@")[0].split()[0] for line in out.splitlines() if " T " in line}
    declared = set(re.findall(r"\b(holdfast_\w+)\(", (ROOT / "common/holdfast.h").read_text()))
    assert exported == declared, exported ^ declared


def main():
    if not (LIB / "libholdfast.so.0").exists():
        sys.exit("libholdfast.so.0 is missing: run make first")
    for test in (test_program, test_exports):
        test()
        print(f"ok: {test.__doc__}")


if __name__ == "__main__":
    main()
