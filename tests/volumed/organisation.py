"""An organisation for the tests: officer root, officers, server and escrow keys, in python3-jwcrypto, so that
what volumed makes and checks is held against another JOSE implementation."""
import base64
import hashlib
import hmac
import json
import os
import time

from jwcrypto import jwe, jwk, jws


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sign_key():
    return jwk.JWK.generate(kty="OKP", crv="Ed25519")


def agree_key():
    return jwk.JWK.generate(kty="OKP", crv="X25519")


def public(key):
    return {k: v for k, v in key.export_public(as_dict=True).items() if k in ("kty", "crv", "x")}


def sign(typ, payload, key):
    token = jws.JWS(json.dumps(payload).encode())
    head = {"alg": "EdDSA", "kid": key.thumbprint(), "typ": typ}
    token.add_signature(key, None, json.dumps(head), None)
    return token.serialize(compact=True)


def payload_of(text):
    return json.loads(unb64(text.split(".")[1]))


def verify(typ, text, key):
    token = jws.JWS()
    token.allowed_algs = ["EdDSA"]
    token.deserialize(text, key)
    assert json.loads(unb64(text.split(".")[0]))["typ"] == typ
    return json.loads(token.payload)


class Organisation:
    def __init__(self):
        self.enterprise = os.urandom(16).hex()
        self.root, self.server, self.officer = sign_key(), sign_key(), sign_key()
        self.help, self.recovery = agree_key(), agree_key()
        self.secret, self.token_id = os.urandom(32), os.urandom(8).hex()
        self.sequence, self.kill_sequence = 0, 0
        self.enrolment = os.urandom(16).hex()
        self.every = "kill lock reset rotate-recovery policy escrow-help escrow-recovery".split()

    def cert(self, role, subject, key, issuer=None, permissions=None, **more):
        body = {"role": role, "subject": subject, "jwk": public(key), "enterprise": self.enterprise,
                "not_before": 0, "not_after": 0}
        if permissions is not None:
            body["permissions"] = permissions
        body.update(more)
        return sign("holdfast-cert", body, issuer or self.root)

    def officer_cert(self, permissions=None, key=None, **more):
        return self.cert("officer", "olga", key or self.officer, permissions=permissions or self.every, **more)

    def token(self, **more):
        body = {"url": "https://localhost", "root": self.root.thumbprint(), "id": self.token_id,
                "secret": b64(self.secret), "pin": "sha256//", "enterprise": self.enterprise}
        body.update(more)
        return "holdfast-enrol:" + b64(json.dumps(body).encode())

    def policy(self, version=1, settings=None, key=None):
        body = {"enterprise": self.enterprise, "version": version, "issued": int(time.time()),
                "settings": settings or {}}
        return sign("holdfast-policy", body, key or self.officer)

    def take_enrol(self, text):
        """The server's side of enrolment: check, and remember the device."""
        hint = payload_of(text)
        self.attestation = jwk.JWK(**hint["jwk"])
        body = verify("holdfast-enrol", text, self.attestation)
        self.device = body["device"]
        said = f"{self.attestation.thumbprint()}.{self.device}".encode()
        assert unb64(body["proof"]) == hmac.new(self.secret, said, hashlib.sha256).digest()
        session = verify("holdfast-cert", body["session"], self.attestation)
        assert session["role"] == "session" and session["subject"] == self.device
        self.users = [verify("holdfast-cert", c, self.attestation) for c in body["users"]]
        return body

    def enrolled(self, request, settings=None, **more):
        body = {"device": self.device, "enrolment": self.enrolment, "enterprise": self.enterprise,
                "root": public(self.root),
                "server": self.cert("server", self.enterprise, self.server),
                "escrow_help": self.cert("escrow-help", "default", self.help),
                "escrow_recovery": self.cert("escrow-recovery", "default", self.recovery),
                "policy": self.policy(1, settings), "officer": self.officer_cert(),
                "time": int(time.time()), "request": b64(hashlib.sha256(request.encode()).digest())}
        body.update(more)
        return sign("holdfast-enrolled", body, more.pop("signer", None) or self.server)

    def receipt(self, records, key=None, **more):
        items = [{"id": payload_of(r)["id"], "digest": b64(hashlib.sha256(r.encode()).digest())}
                 for r in records]
        body = {"items": items, "device": self.device, "enrolment": self.enrolment,
                "time": int(time.time())}
        body.update(more)
        return sign("holdfast-receipt", body, key or self.server)

    def time(self, when=None, key=None, **more):
        body = {"device": self.device, "enrolment": self.enrolment, "time": when or int(time.time())}
        body.update(more)
        return sign("holdfast-time", body, key or self.server)

    def command(self, name, key=None, **more):
        if name == "kill":
            self.kill_sequence += 1
        else:
            self.sequence += 1
        body = {"id": os.urandom(16).hex(), "command": name, "device": self.device,
                "enrolment": self.enrolment,
                "sequence": self.kill_sequence if name == "kill" else self.sequence,
                "issued": int(time.time()), "expires": 0, "args": {}}
        body.update(more)
        return sign("holdfast-command", body, key or self.officer)

    def certs(self, *more):
        return json.dumps(list(more) or [self.officer_cert()])

    def open_escrow(self, text):
        """The officer's side: verify the message, unseal, and compare inside with outside."""
        body = verify("holdfast-escrow", text, self.attestation)
        box = jwe.JWE()
        box.deserialize(body["sealed"], self.help if body["purpose"] == "help" else self.recovery)
        inside = json.loads(box.payload)
        for member in ("id", "device", "enrolment", "kind", "number"):
            assert inside[member] == body[member], member
        return body, inside["secret"]
