#!/usr/bin/python3
"""holdfast-sign: keys, signatures, revocations, and what it says when something is wrong. No virtual machine."""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIGN, EFI = ROOT / "preboot/holdfast-sign", ROOT / "build/out/efi/holdfast.efi"


def sign(*arguments, status=0, environment=None):
    """Run without a terminal, so that it cannot ask; returns what it said."""
    done = subprocess.run([SIGN, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          start_new_session=True, env=environment)
    assert done.returncode == status, f"{arguments}: status {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def run(*command):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout


def made_keys(work):
    (work / "phrase").write_text("correct horse\n")
    sign("--new-keys", work / "three", "--name", "Example Organisation", "--passphrase-file", work / "phrase")
    sign("--new-keys", work / "one", "--name", "One", "--one-key", "--no-passphrase")
    for name in ("PK", "KEK", "db"):
        key = work / f"three/{name}.key"
        assert "ENCRYPTED" in key.read_text() and key.stat().st_mode & 0o077 == 0, "a key that others may read"
        assert "Example Organisation Secure Boot" in run("openssl", "x509", "-in", key.with_suffix(".pem"), "-subject")
        assert (work / f"one/{name}.cer").read_bytes() == (work / "one/PK.cer").read_bytes()
        listed = run("sig-list-to-certs", work / f"three/{name}.esl", work / f"out-{name}")
        assert (work / f"out-{name}-0.der").read_bytes() == key.with_suffix(".cer").read_bytes(), listed
    assert len({(work / f"three/{n}.cer").read_bytes() for n in ("PK", "KEK", "db")}) == 3
    print("keys: three, or one under three names; encrypted; efitools reads the lists back")


def signatures(work):
    phrase = ("--passphrase-file", work / "phrase")
    three = ("--key", work / "three/db.key", "--cert", work / "three/db.pem", *phrase)
    one = ("--key", work / "one/db.key", "--cert", work / "one/db.pem")
    signed, both, again = work / "signed.efi", work / "both.efi", work / "again.efi"
    sign(*three, "--output", signed, EFI)
    assert "is signed already" in sign(*three, signed, status=1)
    sign("--add", *one, "--output", both, signed)
    sign("--replace", *one, "--output", again, both)
    for path, names, want in ((signed, ("three",), 1), (both, ("three", "one"), 2), (again, ("one",), 1)):
        assert run("sbverify", "--list", path).count("image signature issuers") == want, path
        for name in names:
            run("sbverify", "--cert", work / name / "db.pem", path)
    in_place = work / "in-place.efi"
    in_place.write_bytes(EFI.read_bytes())
    sign(*one, in_place)
    run("sbverify", "--cert", work / "one/db.pem", in_place)
    sign("--revoke", "--key", work / "three/KEK.key", "--cert", work / "three/KEK.pem", *phrase,
         "--output", work / "dbx.auth", signed)
    digest = max(run("pesign", "-h", "-d", "sha256", "-i", EFI).split(), key=len)
    assert bytes.fromhex(digest) in (work / "dbx.auth").read_bytes(), "the update does not name the digest"
    print("signatures: one, a second beside it, replaced, in place; the update for dbx names the digest")


def refusals(work):
    (work / "wrong").write_text("battery staple\n")
    (work / "damaged.key").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    db, cert = work / "three/db.key", work / "three/db.pem"
    phrase = ("--passphrase-file", work / "phrase")
    tools = work / "tools"
    tools.mkdir()
    for tool in ("openssl", "bash"):
        (tools / tool).symlink_to(f"/usr/bin/{tool}")
    rows = [
        ("wrong passphrase", 1, ("--key", db, "--cert", cert, "--passphrase-file", work / "wrong", EFI)),
        ("wrong passphrase", 1, ("--key", db, "--cert", cert, EFI)),
        ("is not the certificate of the key", 1, ("--key", db, "--cert", work / "three/KEK.pem", *phrase, EFI)),
        ("holds no private key", 1, ("--key", cert, "--cert", cert, EFI)),
        ("damaged", 1, ("--key", work / "damaged.key", "--cert", cert, EFI)),
        ("no certificate", 1, ("--key", db, "--cert", db, *phrase, EFI)),
        ("no such file", 1, ("--key", work / "none", "--cert", cert, EFI)),
        ("no such file", 1, ("--key", db, "--cert", cert, work / "none")),
        ("no EFI program", 1, ("--key", db, "--cert", cert, "/etc/passwd")),
        ("--key is missing", 2, ("--cert", cert, EFI)),
        ("--cert is missing", 2, ("--key", db, EFI)),
        ("one file is wanted", 2, ()),
        ("one file is wanted", 2, (EFI, EFI)),
        ("unknown option --bogus", 2, ("--bogus",)),
        ("wants a value", 2, ("--key",)),
        ("--name is missing", 2, ("--new-keys", work / "new")),
        ("must not hold", 2, ("--new-keys", work / "new", "--name", "a/CN=b")),
        ("there already", 1, ("--new-keys", work / "three", "--name", "a")),
        ("--output is missing", 2, ("--revoke", EFI)),
    ]
    before = EFI.read_bytes()
    for words, status, arguments in rows:
        target = () if "--output" in words or not arguments else ("--output", work / "never")
        said = sign(*(target if EFI in arguments else ()), *arguments, status=status)
        assert words in said and said.startswith("holdfast-sign: "), f"{arguments}: {said}"
        assert "horse" not in said and "staple" not in said, "a passphrase is shown"
    said = sign("--key", db, "--cert", cert, EFI, status=1, environment={"PATH": str(tools)})
    assert "install the package sbsigntool" in said, said
    assert EFI.read_bytes() == before and not (work / "never").exists() and not list(work.glob("never*"))
    assert "--new-keys DIR" in sign("--help")
    print(f"refusals: {len(rows) + 1}, each with its reason; nothing was written")


def main():
    os.environ["PATH"] = f"/usr/bin:/usr/sbin:{os.environ['PATH']}"
    with tempfile.TemporaryDirectory(dir=ROOT / "build/out", prefix="sign-") as folder:
        work = pathlib.Path(folder)
        made_keys(work)
        signatures(work)
        refusals(work)
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
