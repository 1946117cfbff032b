#!/usr/bin/python3
"""Who may do what: the claim, every route against every kind of session, guessing, and the audit log."""
import json
import re
import time

from protocol import (Connection, Laptop, Officer, Organisation, PERMISSIONS, ROOT, Server, Session, Signer, b64, check,
                      enrolled_laptop, new_id, sha256, unb64, verify)


def claim(server):
    org = Organisation(server)
    check("the claim text is told and kept", "holdfast-claim:" in server.said and
          (server.state / "claim").stat().st_mode & 0o777 == 0o600)
    check("before the claim nobody signs in", org.ada.session(server, org).refusal == "not-claimed")
    check("health without an enterprise",
          Connection(server).json("GET", "/v1/health") == (200, {"status": "ok", "enterprise": None}))
    check("a wrong secret: refused", org.claim(server, secret=b64(bytes(32)))[0] == 401)
    for why, status, change in (
            ("a server certificate for another key", 422,
             {"server": org.root.cert("server", org.enterprise, Signer().public, org.enterprise)}),
            ("an escrow certificate by another root", 422,
             {"escrow_help": Signer().cert("escrow-help", "default", org.help_public, org.enterprise)}),
            ("an officer of another enterprise", 422,
             {"officers": [Officer(org.root, "ada", new_id(), PERMISSIONS).object(), org.bob.object()]}),
            ("nobody who may add officers", 422, {"officers": [org.bob.object()], "recovery_sheet": {}}),
            ("one officer and no recovery sheet", 422, {"officers": [org.ada.object()]}),
            ("a policy by an officer without the permission", 422, {"policy": org.policy(1, org.bob.signer)}),
            ("a policy with an unknown setting", 422, {"policy": org.policy(1, colour=3)}),
            ("no enterprise", 400, {"enterprise": "x"})):
        got = org.claim(server, change=change)
        check(f"{why}: refused ({got[1]['error']['message']})", got[0] == status)
    check("a bundle that another key signed: refused", org.claim(server, signer=Signer())[0] == 422)
    check("the real one", org.claim(server) == (201, {"enterprise": org.enterprise}))
    check("a second one: refused", org.claim(server)[0] == 409)
    check("the claim file is gone", wait_for(lambda: not (server.state / "claim").exists()))
    return org


def wait_for(condition, seconds=5):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


# Route: what each kind of session gets. d: device, u: device with its user, o: officer without any
# permission, a: officer with all of them, r: the officer root. 0: anything but 401 and 403.
def matrix(laptop):
    device = "/v1/devices/" + laptop.id
    return [
        ("GET", "/v1/commands", {"d": 0, "u": 0, "o": 403, "a": 403, "r": 403}),
        ("POST", "/v1/events", {"d": 0, "u": 0, "o": 403, "a": 403, "r": 403}),
        ("POST", "/v1/escrow", {"d": 0, "u": 0, "o": 403, "a": 403, "r": 403}),
        ("GET", "/v1/time", {"d": 0, "u": 0, "o": 403, "a": 403, "r": 403}),
        ("GET", "/v1/policy", {"d": 403, "u": 0, "o": 403, "a": 403, "r": 403}),
        ("GET", "/v1/me", {"d": 403, "u": 403, "o": 0, "a": 0, "r": 403}),
        ("GET", "/v1/trust", {"d": 403, "u": 403, "o": 0, "a": 0, "r": 0}),
        ("GET", "/v1/devices", {"d": 403, "u": 403, "o": 0, "a": 0, "r": 403}),
        ("GET", device, {"d": 403, "u": 403, "o": 0, "a": 0, "r": 403}),
        ("GET", device + "/commands", {"d": 403, "u": 403, "o": 0, "a": 0, "r": 403}),
        ("GET", device + "/events", {"d": 403, "u": 403, "o": 0, "a": 0, "r": 403}),
        ("GET", device + "/escrow", {"d": 403, "u": 403, "o": 0, "a": 0, "r": 403}),
        ("POST", device + "/sync", {"d": 403, "u": 403, "o": 0, "a": 0, "r": 403}),
        ("POST", device + "/commands", {"d": 403, "u": 403, "o": 0, "a": 0, "r": 403}),
        ("GET", device + "/commands/" + new_id(), {"d": 403, "u": 403, "o": 0, "a": 0, "r": 403}),
        ("POST", device + "/escrow/" + new_id() + "/release", {"d": 403, "u": 403, "o": 0, "a": 0, "r": 403}),
        ("POST", "/v1/enrolment-tokens", {"d": 403, "u": 403, "o": 403, "a": 0, "r": 403}),
        ("GET", "/v1/officers", {"d": 403, "u": 403, "o": 403, "a": 0, "r": 0}),
        ("POST", "/v1/officers", {"d": 403, "u": 403, "o": 403, "a": 0, "r": 0}),
        ("GET", "/v1/policy-draft", {"d": 403, "u": 403, "o": 403, "a": 0, "r": 403}),
        ("PUT", "/v1/policies/default", {"d": 403, "u": 403, "o": 403, "a": 0, "r": 403}),
        ("GET", "/v1/audit", {"d": 403, "u": 403, "o": 403, "a": 0, "r": 403}),
    ]


def rights(server, org, laptop, admin):
    nobody = Officer(org.root, "nobody", org.enterprise, [])
    helper = Officer(org.root, "helper", org.enterprise, ["escrow-help"])
    for officer in (nobody, helper):
        admin.ask("POST", "/v1/officers", officer.object({"help": 1}))
    check("a known name: refused", admin.code("POST", "/v1/officers", nobody.object()) == (409, "exists"))
    fake = Officer(Signer(), "fake", org.enterprise, PERMISSIONS)
    check("an officer by another root: refused", admin.code("POST", "/v1/officers", fake.object())[0] == 422)
    sessions = {"d": laptop.session(server), "u": laptop.session(server, user=True),
                "o": nobody.session(server, org), "a": admin, "r": root_session(server, org)}
    table = re.findall(r'^ROUTE\("(\w+)",\s+"([^"]+)",\s+(\w+)', (ROOT / "server/frontend/routes.inc").read_text(), re.M)
    listed = {(m, re.sub(r"[0-9a-f]{32}", "{}", p)) for m, p, _ in matrix(laptop)}
    check("the matrix names every route that needs a session",
          listed == {(m, p) for m, p, scope in table if scope not in ("NONE", "CONFIRM")})
    for method, path, want in matrix(laptop):
        for who, session in sessions.items():
            status, _, sealed = session.call(method, path, {} if method != "GET" else None)
            fits = status == want[who] if want[who] else status not in (401, 403)
            if not fits or not sealed:
                raise AssertionError(f"{who} {method} {path}: {status}, wanted {want[who]}, sealed {sealed}")
        status, body = Connection(server).json(method, path, {} if method != "GET" else None)
        if status != 401 or body["error"]["code"] != "no-session":
            raise AssertionError(f"without a session {method} {path}: {status}")
    check("every route against every kind of session, and without one", True)
    check("other methods: 405", Connection(server).json("DELETE", "/v1/devices")[0] == 405)
    check("other paths: 404", [Connection(server).json("GET", p)[0] for p in (
        "/", "/v1", "/v1/devices/", "/v1/devices/a/b", "/v1//me", "/v1/me/", "/v1/../v1/me", "/v1/%6de", "/V1/me",
        "/v1/devices/" + "a" * 65, "/" + "a" * 3000)] == [404] * 11)
    return nobody, helper


def root_session(server, org):
    s = Session(server, org.server_jwk, "officer:ROOT", org.root, [])
    s.confirm()
    return s


def root_signs_in(server, org, laptop):
    """Whoever holds the recovery sheet appoints an officer, and does nothing else."""
    forged = Session(server, org.server_jwk, "officer:ROOT", Signer(), [])
    check("another key is not the root", forged.refusal == "sign-in-refused")
    s = root_session(server, org)
    device = "/v1/devices/" + laptop.id
    lock, _ = org.command(laptop, "lock", 90, officer=org.root)
    for method, path, body in (("GET", "/v1/audit", None), ("GET", "/v1/policy-draft", None),
                               ("POST", "/v1/enrolment-tokens", {"expires_in": 60, "uses": 1}),
                               ("PUT", "/v1/policies/default", {"policy": org.policy(9)}),
                               ("POST", device + "/sync", {}), ("POST", device + "/commands", {"command": lock}),
                               ("GET", "/v1/commands", None)):
        if s.code(method, path, body) != (403, "not-allowed"):
            raise AssertionError(f"the root may {method} {path}")
    check("the root gives no orders", True)
    s.ask("POST", "/v1/officers", Officer(org.root, "sheet", org.enterprise, ["audit"]).object())
    check("it appoints an officer", True)


def release(server, org, laptop, admin, helper):
    s = laptop.session(server)
    code, key = laptop.escrow("CODE"), laptop.escrow("KEY", kind="recovery-key", number=0)
    s.ask("POST", "/v1/escrow", {"records": [code, key]})
    ids = {r["purpose"]: r["id"] for r in admin.ask("GET", f"/v1/devices/{laptop.id}/escrow")["records"]}
    path = f"/v1/devices/{laptop.id}/escrow/"
    h = helper.session(server, org)
    check("helpdesk gets a code", h.ask("POST", path + ids["help"] + "/release", {"reason": "r"})["record"] == code)
    status, error, _ = h.call("POST", path + ids["recovery"] + "/release", {"reason": "r"})
    check("helpdesk gets no recovery key", (status, error["code"]) == (403, "not-allowed") and
          "escrow-recovery" in error["message"])
    other, _ = enrolled_laptop(server, org, "other")
    check("a record through another device: not found",
          admin.code("POST", f"/v1/devices/{other.id}/escrow/{ids['help']}/release", {"reason": "r"})[0] == 404)
    check("an unknown record: not found", admin.code("POST", path + new_id() + "/release", {"reason": "r"})[0] == 404)
    twin, _ = enrolled_laptop(server, org, "other")
    check("a name that two devices have: ambiguous", admin.code("GET", "/v1/devices/other") == (409, "ambiguous"))
    check("the tag finds one", admin.ask("GET", "/v1/devices/" + twin.id[:8])["device"] == twin.id)
    lock, _ = org.command(laptop, "lock", 50, officer=helper.signer)
    check("helpdesk may not lock", h.code("POST", f"/v1/devices/{laptop.id}/commands", {"command": lock}) ==
          (403, "not-allowed"))


def me(server, org, admin):
    mine = admin.ask("GET", "/v1/me")
    check("own keys come back as they were sent", mine["cert"] == org.ada.cert and
          set(mine["wrapped_escrow_keys"]) == {"help", "recovery"} and "opaque" in mine["wrapped_keys"])
    trust = admin.ask("GET", "/v1/trust")
    check("trust", trust["root"] == org.root.public and trust["escrow_recovery"] == org.certs["escrow_recovery"] and
          trust["recovery_sheet"] is None)
    check("officers are listed", [o["name"] for o in admin.ask("GET", "/v1/officers")["officers"]] ==
          ["ada", "bob", "helper", "nobody", "sheet"])


def audit(server, org):
    got = org.bob.session(server, org).ask("GET", "/v1/audit")
    previous = bytes(32)
    for n, e in enumerate(got["entries"], 1):
        previous = sha256(previous + e["entry"].encode())
        if e["n"] != n or b64(previous) != e["hash"] or json.loads(e["entry"])["n"] != n:
            raise AssertionError(f"the chain does not hold at {n}")
    check("the hash chain holds", len(got["entries"]) > 20)
    point = verify(got["checkpoint"], org.server_jwk, "holdfast-checkpoint")
    check("the checkpoint signs its head", point["hash"] == got["entries"][point["n"] - 1]["hash"])
    entries = [json.loads(e["entry"]) for e in got["entries"]]
    denials = [e for e in entries if e["outcome"] in ("not-allowed", "user-needed")]
    check("denials are on record", {"policy", "release", "audit", "token"} <= {e["action"] for e in denials})
    check("so are sign-ins, tokens, enrolments and wrong claims",
          {"sign-in", "token", "enrol", "claim"} <= {e["action"] for e in entries})


def guessing(server, org):
    eve = Officer(org.root, "ada", org.enterprise, PERMISSIONS)
    codes = [eve.session(server, org).refusal for _ in range(14)]
    check("guessing at a name is slowed down", codes[0] == "sign-in-refused" and codes[-1] == "slow-down")
    status, _, answer = Connection(server).send("POST", "/v1/session", eve.session(server, org).open)
    check("… and says for how long", status == 429 and int(answer.headers["Retry-After"]) > 0)
    check("another name is not", org.bob.session(server, org).refusal is None)
    check("nor is the officer herself, at her own machine",
          org.ada.session(server, org, address="127.0.0.2").refusal is None)
    for n in range(60):
        strangers = Laptop(org).session(server, address="127.0.0.3")
    check("many laptops that are refused behind one proxy lock nobody out behind it",
          strangers.refusal == "sign-in-refused" and
          org.ada.session(server, org, address="127.0.0.3").refusal is None)
    entries = [json.loads(e["entry"]) for e in org.bob.session(server, org).ask("GET", "/v1/audit?after=20")["entries"]]
    check("a flood of failures is on record, but not all of it",
          25 <= len([e for e in entries if e["actor"] == "address:127.0.0.3"]) <= 40)
    salts = [Connection(server).json("GET", f"/v1/officers/{n}/sign-in")[1] for n in ("zoe", "zoe", "bob")]
    check("an unknown name has a salt that stays, of a known one's shape",
          salts[0] == salts[1] != salts[2] and salts[0].keys() == salts[2].keys() and
          len(unb64(salts[0]["salt"])) == len(unb64(salts[2]["salt"])) and
          salts[0]["kdf_memory_kib"] == salts[2]["kdf_memory_kib"])


def main():
    with Server() as server:
        org = claim(server)
        laptop, admin = enrolled_laptop(server, org)
        nobody, helper = rights(server, org, laptop, admin)
        root_signs_in(server, org, laptop)
        release(server, org, laptop, admin, helper)
        me(server, org, admin)
        audit(server, org)
        guessing(server, org)
        check("the log holds no failure of the server's own", "failed" not in server.log_text())


if __name__ == "__main__":
    main()
