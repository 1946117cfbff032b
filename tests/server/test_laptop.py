#!/usr/bin/python3
"""A laptop's life at the server, played by an independent client: enrolment, sessions, escrow with receipts,
events, commands, policy, and a restart in between."""
import json
import threading
import time

from jwcrypto import jwe

from protocol import (Connection, Laptop, Signer, b64, check, claimed_server, enrolled_laptop, ident_of, new_id,
                      sha256, verify)


def receipt_covers(receipt, org, laptop, messages):
    r = verify(receipt, org.server_jwk, "holdfast-receipt")
    want = [{"id": ident_of(m), "digest": b64(sha256(m))} for m in messages]
    return r["items"] == want and r["device"] == laptop.id and r["enrolment"] == laptop.enrolment


def enrolment(server, org):
    admin = org.ada.session(server, org)
    token = admin.ask("POST", "/v1/enrolment-tokens", {"expires_in": 3600, "uses": 2})
    check("a token names the enterprise", token["enterprise"] == org.enterprise)
    laptop = Laptop(org)
    wrong = dict(token, secret=b64(bytes(32)))
    check("another token secret: refused", laptop.enrol(server, wrong) == (401, "proof-refused"))
    request = laptop.enrol_request(token)
    laptop.request = request
    first = Connection(server).send("POST", "/v1/enrol", request)[1]
    again = Connection(server).send("POST", "/v1/enrol", request)[1]
    check("a repeated request gets the same answer", first == again)
    laptop.enrolled = verify(first, org.server_jwk, "holdfast-enrolled")
    laptop.enrolment = laptop.enrolled["enrolment"]
    check("enrolled carries root and certificates", laptop.enrolled["root"] == org.root.public and
          verify(laptop.enrolled["server"], org.root.public, "holdfast-cert")["jwk"] == org.server_jwk and
          laptop.enrolled["escrow_help"] == org.certs["escrow_help"])
    check("the bootstrap policy comes with its signer's certificate",
          verify(laptop.enrolled["policy"], verify(laptop.enrolled["officer"], org.root.public,
                                                   "holdfast-cert")["jwk"], "holdfast-policy")["version"] == 1)
    thief = Laptop(org)
    thief.id = laptop.id
    thief.session_cert = thief.attestation.cert("session", thief.id, thief.session_key.public)
    check("the same id with another key: refused", thief.enrol(server, token) == (409, "exists"))
    twin = Laptop(org)
    twin.id = laptop.id[:8] + new_id()[8:]
    twin.session_cert = twin.attestation.cert("session", twin.id, twin.session_key.public)
    check("another device's tag: refused", twin.enrol(server, token) == (409, "tag-taken"))
    check("that cost no use of the token", Laptop(org, "second").enrol(server, token)[0] == 200)
    check("a token that is used up: refused", Laptop(org).enrol(server, token) == (401, "proof-refused"))
    return laptop, admin


def sessions(server, org, laptop):
    s = laptop.session(server, confirm=False)
    check("before confirm everything is 401", s.code("GET", "/v1/commands") == (401, "not-confirmed"))
    check("a confirmation by another key: refused",
          s.code("POST", "/v1/session/confirm", {"confirm": Signer().sign(
              "holdfast-session-confirm", {"transcript": b64(s.transcript)}), "policy_version": 0}) ==
          (401, "proof-refused"))
    s.confirm()
    check("a device's scope", s.scope == "device")
    check("a wrong token: refused", s.code("GET", "/v1/commands", token="x" * 43) == (401, "token-wrong"))
    text, counter = s.sealed("GET", "/v1/commands")
    status, answer, _ = s.raw("GET", "/v1/commands", text)
    check("a good request", status == 200 and s.unseal(answer, counter, 200))
    status, answer, _ = s.raw("GET", "/v1/commands", text)
    check("the same again: refused, in the clear", status == 401 and json.loads(answer)["error"]["code"] == "no-session")
    text, _ = s.sealed("GET", "/v1/commands")
    status, answer, _ = s.raw("GET", "/v1/policy", text)
    check("sealed for another path: refused", status == 401)
    text, _ = s.sealed("GET", "/v1/commands?after=0")
    check("sealed for another query: refused", s.raw("GET", "/v1/commands?after=9", text)[0] == 401)
    text, _ = s.sealed("POST", "/v1/events", {"events": []})
    check("one bit changed: refused", s.raw("POST", "/v1/events", text[:-2] + ("AA" if text[-2:] != "AA" else "BB"))[0]
          == 401)
    s.counter += 100
    check("gaps are legal", s.code("GET", "/v1/commands")[0] == 200)
    check("older than the window: refused", s.code("GET", "/v1/commands", counter=3)[0] == 401)
    check("late, but inside the window", s.code("GET", "/v1/commands", counter=s.counter - 5)[0] == 200)
    check("no session at all", Connection(server).json("GET", "/v1/commands")[1]["error"]["code"] == "no-session")
    stranger = Laptop(org)
    check("an unknown device: refused", stranger.session(server).refusal == "sign-in-refused")
    forged = Laptop(org)
    forged.id = laptop.id
    forged.session_cert = forged.attestation.cert("session", laptop.id, forged.session_key.public)
    check("a session key that another key certified: refused", forged.session(server).refusal == "sign-in-refused")
    status = Connection(server).send("POST", "/v1/session", s.open)[0]
    check("an opening message that is replayed gives a session that its sender cannot use", status == 200)
    check("… and does not disturb the real one", s.code("GET", "/v1/commands")[0] == 200)


def policy(server, org, laptop, admin):
    s = laptop.session(server)
    check("policy without a user: denied", s.code("GET", "/v1/policy") == (403, "user-needed"))
    for why, proof in (("by another key", laptop.proof(s, key=Signer())),
                       ("for another device", laptop.proof(s, device=new_id())),
                       ("for another user", laptop.proof(s, user="eve")),
                       ("with another method", laptop.proof(s, method="recovery-key")),
                       ("for an unknown credential", laptop.proof(s, credential=new_id())),
                       ("over another transcript", laptop.proof(s, transcript=b64(bytes(32))))):
        s.confirm(proof, want=401)
        check(f"a proof {why}: refused", s.code("GET", "/v1/policy") == (403, "user-needed"))
    check("with the user's proof", s.confirm(laptop.proof(s))["scope"] == "user")
    got = s.ask("GET", "/v1/policy")
    check("the policy and its certificate", got["version"] == 1 and got["certs"] == [org.ada.cert])
    status, error, _ = admin.call("PUT", "/v1/policies/default", {"policy": org.policy(1)})
    check("the same version again: refused", (status, error["code"]) == (409, "version-taken"))
    status, error, _ = admin.call("PUT", "/v1/policies/default", {"policy": org.policy(2, signer=org.bob.signer)})
    check("signed by an officer without the permission: refused", (status, error["code"]) == (422, "refused"))
    status, error, _ = admin.call("PUT", "/v1/policies/default", {"policy": org.policy(2, one_time_codes=1)})
    check("a setting out of bounds: refused, and named", status == 422 and "one_time_codes" in error["message"])
    waiting = laptop.session(server)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(waiting.ask("GET", "/v1/commands?wait=20&policy=1")))
    thread.start()
    time.sleep(0.3)
    check("a greater version", admin.ask("PUT", "/v1/policies/default", {"policy": org.policy(2, one_time_codes=5)}) ==
          {"version": 2})
    thread.join(5)
    check("the waiting laptop hears of it", answers == [{"commands": [], "policy_version": 2}])
    check("the old token: outdated", s.code("GET", "/v1/policy") == (401, "token-outdated"))
    s.confirm(laptop.proof(s), policy_version=1)
    check("confirmed again", s.ask("GET", "/v1/policy")["version"] == 2)
    check("the draft", admin.ask("GET", "/v1/policy-draft")["settings"] == {"one_time_codes": 5})
    s.ask("POST", "/v1/events", {"events": [laptop.event("policy-enforced", {"version": 2})]})
    check("the laptop reports it enforced", admin.ask("GET", "/v1/devices/" + laptop.id)["policy_version"] == 2)


def recovered(server, org, laptop):
    key, credential = Signer(), new_id()
    cert = laptop.user_cert("", credential, "one-time-code", key)
    s = laptop.session(server)
    event = laptop.event("user-added", {"user": "", "credential": credential, "method": "one-time-code",
                                        "cert": cert})
    s.ask("POST", "/v1/events", {"events": [event]})
    proof = laptop.proof(s, key=key, user="", credential=credential, method="one-time-code")
    check("a code gives the scope recovered", s.confirm(proof)["scope"] == "recovered")
    check("… which may fetch the policy", s.code("GET", "/v1/policy")[0] == 200)
    gone = laptop.event("user-removed", {"user": "", "credential": credential})
    s.ask("POST", "/v1/events", {"events": [gone]})
    s.ask("POST", "/v1/events", {"events": [event]})
    late = laptop.session(server)
    late.confirm(laptop.proof(late, key=key, user="", credential=credential, method="one-time-code"), want=401)
    check("after its removal the credential proves nothing, even when the old event is sent again", True)


def escrow(server, org, laptop, admin):
    s = laptop.session(server)
    record = laptop.escrow("BCDFG-CODE", number=3)
    key = laptop.escrow("RECOVERY-KEY", kind="recovery-key", number=0)
    first = s.ask("POST", "/v1/escrow", {"records": [record, key]})["receipt"]
    check("the receipt covers both records", receipt_covers(first, org, laptop, [record, key]))
    time.sleep(1.1)
    again = s.ask("POST", "/v1/escrow", {"records": [record, key]})["receipt"]
    check("sent again: the very same receipt", first == again)
    other = laptop.escrow("BCDFG-CODE", number=3, id=ident_of(record))
    check("the same id with other bytes: refused", s.code("POST", "/v1/escrow", {"records": [other]}) == (409, "exists"))
    forged = Signer().sign("holdfast-escrow", json.loads('{"id":"%s"}' % new_id()))
    check("by another key: refused", s.code("POST", "/v1/escrow", {"records": [forged]}) == (422, "refused"))
    good = laptop.escrow("X", number=4)
    check("one bad record refuses all", s.code("POST", "/v1/escrow", {"records": [good, forged]})[0] == 422)
    listed = admin.ask("GET", f"/v1/devices/{laptop.name}/escrow")["records"]
    check("two records are listed", sorted(r["id"] for r in listed) == sorted([ident_of(record), ident_of(key)]))
    path = f"/v1/devices/{laptop.id[:8]}/escrow/{ident_of(record)}/release"
    check("without a reason: refused", admin.code("POST", path, {})[0] == 400)
    released = admin.ask("POST", path, {"reason": "forgot the password"})
    check("released with the attestation key", released == {"record": record, "attestation": laptop.attestation.public})
    token = jwe.JWE()
    token.deserialize(verify(record, released["attestation"], "holdfast-escrow")["sealed"], org.help_key)
    check("an officer opens it with JOSE alone", json.loads(token.payload)["secret"] == "BCDFG-CODE")
    newer = laptop.escrow("NEWER", number=3, created=int(time.time()) + 5)
    s.ask("POST", "/v1/escrow", {"records": [newer]})
    current = {r["id"] for r in admin.ask("GET", f"/v1/devices/{laptop.id}/escrow")["records"] if r["current"]}
    check("the newest of each number is current", current == {ident_of(newer), ident_of(key)})
    late = laptop.escrow("CLOCK-WAS-WRONG", number=3, created=1000)
    s.ask("POST", "/v1/escrow", {"records": [late]})
    current = {r["id"] for r in admin.ask("GET", f"/v1/devices/{laptop.id}/escrow")["records"] if r["current"]}
    check("… by the order of arrival: a laptop's clock may have been wrong", current == {ident_of(late), ident_of(key)})
    many = {new_id(): "00" * 32 for _ in range(60)}
    check("a record that names more keyslots than volumes can be: refused", s.code("POST", "/v1/escrow", {
        "records": [laptop.escrow("Z", kind="recovery-key", number=0, keyslots=many)]}) == (422, "refused"))
    entries = [json.loads(e["entry"]) for e in admin.ask("GET", "/v1/audit")["entries"]]
    asked = [e for e in entries if e["action"] == "release"]
    check("the release is on record, before and after",
          [e["outcome"] for e in asked][-2:] == ["asked", "ok"] and "forgot" in asked[-2]["detail"])
    event = laptop.event("status", {"state": "protected"})
    check("no receipt for an escrow record among events",
          s.code("POST", "/v1/events", {"events": [event, laptop.escrow("Y")]})[0] == 422)


def commands(server, org, laptop, admin):
    s, waiting = laptop.session(server), laptop.session(server)
    path = f"/v1/devices/{laptop.id}/commands"
    answers = []

    def wait():
        body = waiting.ask("GET", "/v1/commands?after=0&wait=30")
        answers.append((time.monotonic(), body))

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.3)
    text, payload = org.command(laptop, "lock", 1)
    start = time.monotonic()
    made = admin.ask("POST", path, {"command": text})
    thread.join(5)
    check(f"a waiting laptop has it at once ({(answers[0][0] - start) * 1000:.0f} ms)",
          answers[0][1]["commands"] == [{"command": text, "certs": [org.ada.cert]}])
    check("its state is delivered", made["state"] == "waiting" and
          admin.ask("GET", f"{path}/{payload['id']}") == {"state": "delivered", "result": None})
    check("it is offered until it is done", len(s.ask("GET", "/v1/commands")["commands"]) == 1)
    check("… but not behind `after`", s.ask("GET", "/v1/commands?after=1")["commands"] == [])
    for why, change, want in (("a sequence that was used", {"sequence": 1}, 409),
                              ("another enrolment", {"enrolment": new_id()}, 422),
                              ("another device", {"device": new_id()}, 422),
                              ("an expiry in the past", {"expires": 5}, 422),
                              ("an unknown command", {"command": "format"}, 403)):
        text, _ = org.command(laptop, "lock", 2, change=change)
        check(f"{why}: refused", admin.code("POST", path, {"command": text})[0] == want)
    text, _ = org.command(laptop, "lock", 2, officer=Signer())
    check("signed by nobody: refused", admin.code("POST", path, {"command": text})[0] == 422)
    text, _ = org.command(laptop, "lock", 2, officer=org.bob.signer)
    check("signed by another officer than who hands it in: refused", admin.code("POST", path, {"command": text})[0] == 422)
    result = []
    poller = org.ada.session(server, org)
    thread = threading.Thread(target=lambda: result.append(poller.ask("GET", f"{path}/{payload['id']}?wait=20")))
    thread.start()
    time.sleep(0.3)
    done = laptop.event("command-done", {"command": "lock", "id": payload["id"], "sequence": 1})
    s.ask("POST", "/v1/events", {"events": [done]})
    thread.join(5)
    check("the officer hears at once that it is done", result == [{"state": "done", "result": done}])
    check("a sync is signed by the server",
          admin.ask("POST", f"/v1/devices/{laptop.id}/sync", {})["sequence"] == 2)
    got = s.ask("GET", "/v1/commands")["commands"][0]
    sync = verify(got["command"], org.server_jwk, "holdfast-command")
    check("… and comes with its certificate", sync["command"] == "sync" and got["certs"] == [org.certs["server"]])
    refused = laptop.event("command-refused", {"command": "sync", "id": sync["id"], "sequence": 2, "reason": "test"})
    s.ask("POST", "/v1/events", {"events": [refused]})
    check("refused by the laptop", admin.ask("GET", f"{path}/{sync['id']}")["state"] == "refused")
    check("next sequences", admin.ask("GET", f"/v1/devices/{laptop.id}")["next_sequence"] == 3)


def events(server, org, laptop):
    s = laptop.session(server)
    batch = [laptop.event("status", {"n": n}) for n in range(3)]
    first = s.ask("POST", "/v1/events", {"events": batch})["receipt"]
    check("the receipt covers the events", receipt_covers(first, org, laptop, batch))
    check("sent again: the same receipt", s.ask("POST", "/v1/events", {"events": batch})["receipt"] == first)
    other = laptop.event("status", {}, id=ident_of(batch[0]))
    check("the same id with another body: refused", s.code("POST", "/v1/events", {"events": [other]}) == (409, "exists"))
    foreign = Laptop(org)
    foreign.enrolment = new_id()
    check("another device's event: refused",
          s.code("POST", "/v1/events", {"events": [foreign.event("status", {})]}) == (422, "refused"))
    check("too many at once: refused", s.code("POST", "/v1/events", {"events": batch * 30})[0] == 400)


def signed_time(server, org, laptop):
    s = laptop.session(server)
    said = verify(s.ask("GET", "/v1/time")["time"], org.server_jwk, "holdfast-time")
    check("the time, signed for this laptop in this enrolment",
          (said["device"], said["enrolment"]) == (laptop.id, laptop.enrolment) and abs(said["time"] - time.time()) < 5)


def listed_events(server, org, laptop, admin):
    s = laptop.session(server)
    path = f"/v1/devices/{laptop.id}/events"
    told = [laptop.event("test", {"n": n}, time=1000 + n) for n in range(128)]
    for n in (0, 64):
        s.ask("POST", "/v1/events", {"events": told[n:n + 64]})
    first = admin.ask("GET", path)
    check("events are listed, newest first, as they were signed",
          [e["event"] for e in first["events"]] == told[:27:-1] and first["more"])
    check("… with when they arrived", all(abs(e["received"] - time.time()) < 60 and e["kind"] == "test"
                                          for e in first["events"]))
    rest = admin.ask("GET", f"{path}?before={first['events'][-1]['n']}")
    check("… and go on before the last one", [e["event"] for e in rest["events"]][:28] == told[27::-1])
    large = [laptop.event("large", {"x": "x" * 100000}) for _ in range(3)]
    for one in large:
        s.ask("POST", "/v1/events", {"events": [one]})
    page = admin.ask("GET", path)
    check("a page is bounded in bytes, too", len(page["events"]) == 1 and page["more"])
    check("no number: refused", admin.code("GET", path + "?before=x") == (400, "bad-request"))


def kill(server, org, laptop, admin):
    path = f"/v1/devices/{laptop.id}/commands"
    text, payload = org.command(laptop, "kill", admin.ask("GET", "/v1/devices/" + laptop.id)["next_kill_sequence"])
    admin.ask("POST", path, {"command": text})
    check("restart: SIGTERM ends it cleanly", server.stop() == 0)
    server.start()
    s = laptop.session(server)
    check("after the restart the kill is still offered, whatever `after` says",
          [c["command"] for c in s.ask("GET", "/v1/commands?after=99")["commands"]] == [text])
    proof = laptop.event("command-done", {"command": "kill", "id": payload["id"], "sequence": 1,
                                          "digest": b64(sha256(text)), "volumes": []})
    s.ask("POST", "/v1/events", {"events": [proof]})
    admin = org.ada.session(server, org)
    shown = admin.ask("GET", "/v1/devices/" + laptop.id)
    check("the device is killed, and its proof is kept", shown["state"] == "killed" and shown["kill_proof"] == proof)
    Connection(server).send("POST", "/v1/enrol", laptop.request)
    check("its enrolment sent once more does not bring it back",
          admin.ask("GET", "/v1/devices/" + laptop.id)["state"] == "killed")


def main():
    server, org = claimed_server()
    with server:
        laptop, admin = enrolment(server, org)
        sessions(server, org, laptop)
        escrow(server, org, laptop, admin)
        commands(server, org, laptop, admin)
        events(server, org, laptop)
        policy(server, org, laptop, admin)
        recovered(server, org, laptop)
        signed_time(server, org, laptop)
        listed_events(server, org, laptop, admin)
        kill(server, org, laptop, admin)
        check("the log holds no failure of the server's own", "failed" not in server.log_text())


if __name__ == "__main__":
    main()
