#!/usr/bin/python3
"""Interoperability: what Holdfast signs and seals, an independent JOSE implementation (python3-jwcrypto) checks
and opens, and the other way round. A whole session is played by a client written here from docs/protocol.md."""
import hashlib
import hmac
import json
import os
import pathlib
import subprocess
import sys

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from jwcrypto import jwe, jwk, jws
from jwcrypto.common import base64url_decode, base64url_encode

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = pathlib.Path(os.environ.get("JOSE_TOOL", ROOT / "build/out/host/tests/jose_tool"))
DEVICE, ENROLMENT, RECORD = "01" * 16, "02" * 16, "03" * 16
CODE = "BCDEF-GHJKL-NPRST"


def tool(command, key, *args, data=""):
    done = subprocess.run([TOOL, command, key.hex(), *map(str, args)], input=data.encode(),
                          capture_output=True, check=False)
    assert done.returncode in (0, 1), f"{command}: ended with {done.returncode} {done.stderr.decode()}"
    return done.returncode, done.stdout.decode().rstrip("\n")


def good(command, key, *args, data=""):
    status, out = tool(command, key, *args, data=data)
    assert status == 0, f"{command}: {out}"
    return out


def refused(error, command, key, *args, data=""):
    status, out = tool(command, key, *args, data=data)
    assert (status, out) == (1, error), f"{command}: got {out}, want {error}"


class Key:
    """One secret of 32 bytes, as Ed25519 and X25519 keys on both sides."""

    def __init__(self, secret=None):
        self.bytes = secret or os.urandom(32)
        self.public = json.loads(good("public", self.bytes))
        d = base64url_encode(self.bytes)
        self.sign = jwk.JWK(**self.public["sign"], d=d)
        self.agree = jwk.JWK(**self.public["agree"], d=d)

    def hex(self, use):
        return base64url_decode(self.public[use]["x"]).hex()


def header_of(token):
    return json.loads(base64url_decode(token.split(".")[0]))


def sign(key, typ, payload, **header):
    token = jws.JWS(payload if isinstance(payload, str) else json.dumps(payload))
    protected = {"alg": "EdDSA", "kid": key.sign.thumbprint(), "typ": typ, **header}
    token.add_signature(key.sign, None, json.dumps(protected))
    return token.serialize(compact=True)


def verify(key, token):
    message = jws.JWS()
    message.deserialize(token)
    message.verify(jwk.JWK(**key.public["sign"]))
    return json.loads(message.payload)


def seal(key, plain, **header):
    token = jwe.JWE(plain.encode(), json.dumps({"alg": "ECDH-ES", "enc": "A256GCM", "typ": "holdfast-sealed",
                                                "kid": key.agree.thumbprint(), **header}))
    token.add_recipient(jwk.JWK(**key.public["agree"]))
    return token.serialize(compact=True)


def unseal(key, token):
    message = jwe.JWE()
    message.deserialize(token, key.agree)
    return message.payload.decode()


def test_thumbprints():
    """thumbprints are RFC 7638's"""
    for _ in range(20):
        key = Key()
        assert key.sign.thumbprint() == key.public["sign_kid"]
        assert key.agree.thumbprint() == key.public["agree_kid"]


def test_jws():
    """JWS EdDSA in both directions"""
    key, other = Key(), Key()
    payload = {"n": 1, "text": "Grüße"}
    ours = good("sign", key.bytes, "holdfast-event", data=json.dumps(payload))
    assert verify(key, ours) == payload
    assert header_of(ours) == {"alg": "EdDSA", "kid": key.public["sign_kid"], "typ": "holdfast-event"}
    try:
        verify(other, ours)
        raise AssertionError("jwcrypto accepts another key")
    except jws.InvalidJWSSignature:
        pass
    theirs = sign(key, "holdfast-event", payload)
    assert json.loads(good("verify", key.bytes, "holdfast-event", data=theirs)) == payload
    refused("ERR_SIGNATURE", "verify", other.bytes, "holdfast-event", data=theirs)
    refused("ERR_MISDIRECTED", "verify", key.bytes, "holdfast-command", data=theirs)
    refused("ERR_FORMAT", "verify", key.bytes, "holdfast-event",
            data=sign(key, "holdfast-event", payload, cty="json"))


def test_jws_of_other_algorithms():
    """the public key used as an HMAC secret, and no signature at all, are refused"""
    key = Key()
    secret = jwk.JWK(kty="oct", k=key.public["sign"]["x"])
    token = jws.JWS("{}")
    token.add_signature(secret, None, json.dumps({"alg": "HS256", "kid": key.public["sign_kid"],
                                                  "typ": "holdfast-event"}))
    refused("ERR_FORMAT", "verify", key.bytes, "holdfast-event", data=token.serialize(compact=True))
    none = base64url_encode(json.dumps({"alg": "none", "kid": key.public["sign_kid"],
                                        "typ": "holdfast-event"}))
    refused("ERR_FORMAT", "verify", key.bytes, "holdfast-event", data=f"{none}.{base64url_encode('{}')}.")


def test_jwe_sealed():
    """JWE ECDH-ES (X25519) with A256GCM in both directions"""
    key, other = Key(), Key()
    for plain in ("x", "hello", "y" * 5000):
        assert unseal(key, good("seal", key.bytes, data=plain)) == plain
        theirs = seal(key, plain)
        assert good("unseal", key.bytes, data=theirs) == plain
        refused("ERR_AUTH", "unseal", other.bytes, data=theirs)
    refused("ERR_FORMAT", "unseal", key.bytes, data=seal(key, "x", zip="DEF"))
    refused("ERR_FORMAT", "unseal", key.bytes, data=seal(key, "x", apu=base64url_encode("Alice")))


def test_jwe_dir():
    """JWE dir with A256GCM in both directions"""
    secret, iv = os.urandom(32), os.urandom(12)
    symmetric = jwk.JWK(kty="oct", k=base64url_encode(secret))
    ours = good("encrypt", secret, iv.hex(), '{"typ":"holdfast-request","ctr":1}', data="hello")
    message = jwe.JWE()
    message.deserialize(ours, symmetric)
    assert message.payload == b"hello"
    theirs = jwe.JWE(b"hello", json.dumps({"alg": "dir", "enc": "A256GCM", "ctr": 1}))
    theirs.add_recipient(symmetric)
    text = theirs.serialize(compact=True)
    used = base64url_decode(text.split(".")[2]).hex()
    assert good("decrypt", secret, used, data=text) == "hello"
    refused("ERR_AUTH", "decrypt", secret, iv.hex(), data=text)
    refused("ERR_AUTH", "decrypt", os.urandom(32), used, data=text)


def test_escrow():
    """an escrow record of ours is opened by jwcrypto, one of jwcrypto's by us"""
    laptop, officer = Key(), Key()
    inside = {"id": RECORD, "device": DEVICE, "enrolment": ENROLMENT, "kind": "one-time-code", "number": 7,
              "secret": CODE}
    ours = good("escrow", laptop.bytes, RECORD, DEVICE, ENROLMENT, 7, officer.hex("agree"), data=CODE)
    outside = verify(laptop, ours)
    assert outside["purpose"] == "help" and outside["number"] == 7
    assert json.loads(unseal(officer, outside["sealed"])) == inside

    def message(**change):
        record = {"id": RECORD, "purpose": "help", "kind": "one-time-code", "device": DEVICE,
                  "enrolment": ENROLMENT, "number": 7, "created": 1700000000,
                  "sealed": seal(officer, json.dumps(inside)), **change}
        return sign(laptop, "holdfast-escrow", record)
    assert good("open-escrow", officer.bytes, laptop.hex("sign"), data=message()) == CODE
    refused("ERR_CHANGED", "open-escrow", officer.bytes, laptop.hex("sign"), data=message(number=8))
    refused("ERR_CHANGED", "open-escrow", officer.bytes, laptop.hex("sign"), data=message(device="04" * 16))
    refused("ERR_SIGNATURE", "open-escrow", officer.bytes, officer.hex("sign"), data=message())
    refused("ERR_AUTH", "open-escrow", laptop.bytes, laptop.hex("sign"), data=message())


def test_receipt():
    """a receipt of ours is checked by jwcrypto, one of jwcrypto's by us"""
    server = Key()
    digest = base64url_encode(hashlib.sha256(b"message").digest())
    ours = verify(server, good("receipt", server.bytes, DEVICE, ENROLMENT, RECORD, data="message"))
    assert ours == {"items": [{"id": RECORD, "digest": digest}], "device": DEVICE, "enrolment": ENROLMENT,
                    "time": 1700000000}
    theirs = sign(server, "holdfast-receipt", ours)
    good("receipt-check", server.bytes, DEVICE, ENROLMENT, RECORD, "message", data=theirs)
    refused("ERR_CHANGED", "receipt-check", server.bytes, DEVICE, ENROLMENT, RECORD, "massage", data=theirs)
    refused("ERR_NOT_FOUND", "receipt-check", server.bytes, DEVICE, ENROLMENT, "05" * 16, "message",
            data=theirs)


def exchange(mine, theirs):
    private = X25519PrivateKey.from_private_bytes(mine.bytes)
    return private.exchange(X25519PublicKey.from_public_bytes(base64url_decode(theirs["x"])))


def hkdf(salt, z, info):
    prk = hmac.new(salt, z, hashlib.sha256).digest()
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()


def sealed_request(key, sid, counter, method, path, body):
    header = base64url_encode(json.dumps({"alg": "dir", "enc": "A256GCM", "typ": "holdfast-request", "sid": sid,
                                          "dir": "c2s", "ctr": counter, "method": method, "path": path}))
    iv = counter.to_bytes(12, "big")
    sealed = AESGCM(key).encrypt(iv, json.dumps(body).encode(), header.encode())
    return ".".join([header, "", *map(base64url_encode, (iv, sealed[:-16], sealed[-16:]))])


def test_session():
    """a client written from the protocol's description talks to our server side"""
    client, server, ephemeral = Key(), Key(), Key()
    opening = sign(client, "holdfast-session-open",
                   {"sub": f"device:{DEVICE}", "epk": ephemeral.public["agree"], "certs": [], "time": 1700000000,
                    "nonce": base64url_encode(os.urandom(16)), "server": server.public["sign_kid"]})
    theirs = json.loads(good("accept-session", server.bytes, client.hex("sign"), data=opening))
    accept = verify(server, theirs["accept"])
    assert accept["open"] == base64url_encode(hashlib.sha256(opening.encode()).digest())
    assert accept["session"] == theirs["sid"]
    transcript = hashlib.sha256(f"{opening}.{theirs['accept']}".encode()).digest()
    assert transcript.hex() == theirs["transcript"]
    z = exchange(ephemeral, accept["epk"])
    c2s = hkdf(transcript, z, b"holdfast/1 client to server")
    s2c = hkdf(transcript, z, b"holdfast/1 server to client")
    assert (c2s.hex(), s2c.hex()) == (theirs["c2s"], theirs["s2c"])

    path = "/v1/commands?after=0&wait=1"
    request = sealed_request(c2s, theirs["sid"], 1, "GET", path, {"token": "t", "body": {"n": 1}})
    got = json.loads(good("open-request", c2s, theirs["sid"], "GET", path, data=request))
    assert got == {"body": {"n": 1}, "token": "t", "ctr": 1}
    refused("ERR_MISDIRECTED", "open-request", c2s, theirs["sid"], "GET", "/v1/policy", data=request)
    answer = good("answer", s2c, theirs["sid"], 1, 200, data='{"commands":[]}')
    header = header_of(answer)
    assert (header["typ"], header["dir"], header["ctr"], header["status"]) == ("holdfast-response", "s2c", 1, 200)
    message = jwe.JWE()
    message.deserialize(answer, jwk.JWK(kty="oct", k=base64url_encode(s2c)))
    assert json.loads(message.payload) == {"body": {"commands": []}}


def main():
    if not TOOL.exists():
        sys.exit(f"{TOOL} is missing: run make first")
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print(f"ok: {test.__doc__}")


if __name__ == "__main__":
    main()
