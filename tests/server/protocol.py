"""The protocol of docs/protocol.md once more, written from the document with python3-jwcrypto and nothing of
ours: what the server says must make sense to somebody who has only read it."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import signal
import ssl
import subprocess
import tempfile
import time

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwcrypto import jwe, jwk, jws

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SERVER = ROOT / "build/out/host/bin/holdfast-server"
PERMISSIONS = ["kill", "lock", "reset", "rotate-recovery", "policy", "escrow-help", "escrow-recovery", "officers",
               "tokens", "audit"]


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sha256(data):
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).digest()


def new_id():
    return os.urandom(16).hex()


def check(what, condition):
    if not condition:
        raise AssertionError(what)
    print("ok   " + what, flush=True)


class Signer:
    def __init__(self):
        self.key = jwk.JWK.generate(kty="OKP", crv="Ed25519")
        self.public = json.loads(self.key.export_public())
        self.kid = self.key.thumbprint()

    def sign(self, typ, payload):
        token = jws.JWS(json.dumps(payload).encode())
        token.add_signature(self.key, None, json.dumps({"alg": "EdDSA", "kid": self.kid, "typ": typ}))
        return token.serialize(compact=True)

    def cert(self, role, subject, public, enterprise="", **more):
        return self.sign("holdfast-cert", {"role": role, "subject": subject, "jwk": public, "enterprise": enterprise,
                                           "not_before": int(time.time()) - 60, "not_after": 0, **more})


def verify(text, public, typ):
    """Payload of a JWS that must be by this key and of this typ."""
    token = jws.JWS()
    token.deserialize(text, jwk.JWK(**public))
    if json.loads(token.objects["protected"])["typ"] != typ:
        raise AssertionError("typ is not " + typ)
    return json.loads(token.payload)


def sealing_pair():
    key = jwk.JWK.generate(kty="OKP", crv="X25519")
    return key, json.loads(key.export_public())


def seal(public, plain):
    key = jwk.JWK(**public)
    token = jwe.JWE(plain, json.dumps({"alg": "ECDH-ES", "enc": "A256GCM", "kid": key.thumbprint(),
                                       "typ": "holdfast-sealed"}))
    token.add_recipient(key)
    return token.serialize(compact=True)


class Server:
    """holdfast-server in a folder of its own."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory(prefix="holdfast-server-")
        os.chmod(self.folder.name, 0o711)  # two accounts have to pass
        self.state = pathlib.Path(self.folder.name) / "state"
        self.options = options
        self.port = 0
        self.start()

    def start(self):
        self.log = open(pathlib.Path(self.folder.name) / "log", "ab")
        self.process = subprocess.Popen(
            [SERVER, "--state", self.state, "--listen", f"127.0.0.1:{self.port}", *self.options],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if "listening" in line:
                break
        self.port = int((self.state / "port").read_text())

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.stdout.close()
        return self.process.wait(10)

    def log_text(self):
        return (pathlib.Path(self.folder.name) / "log").read_text()

    def claim_text(self):
        text = (self.state / "claim").read_text().strip()
        return json.loads(unb64(text.removeprefix("holdfast-claim:")))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        time.sleep(0.1)
        self.folder.cleanup()


class Connection:
    def __init__(self, server, pin=None, timeout=70, address="127.0.0.1"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.http = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=timeout,
                                                source_address=(address, 0))

    def send(self, method, path, body=None, headers=None):
        self.http.request(method, path, body, headers or {})
        answer = self.http.getresponse()
        return answer.status, answer.read().decode(), answer

    def json(self, method, path, body=None):
        status, text, _ = self.send(method, path, None if body is None else json.dumps(body))
        return status, json.loads(text)


class Session(Connection):
    """sub with its signer; certs as the protocol asks."""

    def __init__(self, server, server_jwk, sub, signer, certs, **options):
        super().__init__(server, **options)
        self.signer, self.server_jwk = signer, server_jwk
        self.token, self.counter = None, 0
        secret = X25519PrivateKey.generate()
        epk = {"kty": "OKP", "crv": "X25519", "x": b64(secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))}
        self.open = signer.sign("holdfast-session-open", {
            "sub": sub, "epk": epk, "nonce": b64(os.urandom(16)), "server": jwk.JWK(**server_jwk).thumbprint(),
            "certs": certs, "time": int(time.time())})
        self.status, text, _ = self.send("POST", "/v1/session", self.open, {"Content-Type": "application/jose"})
        self.refusal = None
        if self.status != 200:
            self.refusal = json.loads(text)["error"]["code"]
            return
        accept = verify(text, server_jwk, "holdfast-session-accept")
        if accept["open"] != b64(sha256(self.open)):
            raise AssertionError("accept names another open")
        self.id = accept["session"]
        self.transcript = sha256(self.open + "." + text)
        z = secret.exchange(X25519PublicKey.from_public_bytes(unb64(accept["epk"]["x"])))
        prk = hmac.new(self.transcript, z, "sha256").digest()
        self.c2s, self.s2c = (hmac.new(prk, f"holdfast/1 {way}".encode() + b"\1", "sha256").digest()
                              for way in ("client to server", "server to client"))

    def sealed(self, method, path, body=None, counter=None, token=None):
        if counter is None:
            self.counter += 1
            counter = self.counter
        header = b64(json.dumps({"alg": "dir", "enc": "A256GCM", "typ": "holdfast-request", "sid": self.id,
                                 "dir": "c2s", "ctr": counter, "method": method, "path": path}).encode())
        plain = {}
        if token or self.token:
            plain["token"] = token or self.token
        if body is not None:
            plain["body"] = body
        iv = counter.to_bytes(12, "big")
        both = AESGCM(self.c2s).encrypt(iv, json.dumps(plain).encode(), header.encode())
        return ".".join([header, "", b64(iv), b64(both[:-16]), b64(both[-16:])]), counter

    def unseal(self, text, counter, status):
        token = jwe.JWE()
        token.deserialize(text, jwk.JWK(kty="oct", k=b64(self.s2c)))
        header = json.loads(token.objects["protected"])
        want = {"alg": "dir", "enc": "A256GCM", "typ": "holdfast-response", "sid": self.id, "dir": "s2c",
                "ctr": counter, "status": status}
        if header != want:
            raise AssertionError(f"header of the answer: {header}")
        if unb64(text.split(".")[2]) != counter.to_bytes(12, "big"):
            raise AssertionError("IV of the answer is not its counter")
        return json.loads(token.payload)

    def raw(self, method, path, text):
        if method == "GET":
            return self.send(method, path, None, {"Authorization": "Holdfast " + text})
        return self.send(method, path, text, {"Content-Type": "application/jose"})

    def call(self, method, path, body=None, **how):
        """Status and body, or status and error; True as third when the answer was sealed."""
        text, counter = self.sealed(method, path, body, **how)
        status, answer, _ = self.raw(method, path, text)
        if answer.startswith("{"):
            return status, json.loads(answer)["error"], False
        plain = self.unseal(answer, counter, status)
        return status, plain["body"] if status < 300 else plain["error"], True

    def ask(self, method, path, body=None, want=(200, 201)):
        status, answer, _ = self.call(method, path, body)
        if status not in want:
            raise AssertionError(f"{method} {path}: {status} {answer}")
        return answer

    def code(self, method, path, body=None, **how):
        """Status and error code."""
        status, answer, _ = self.call(method, path, body, **how)
        return status, answer.get("code") if status >= 300 else None

    def confirm(self, user=None, policy_version=0, want=200):
        body = {"confirm": self.signer.sign("holdfast-session-confirm", {"transcript": b64(self.transcript)}),
                "policy_version": policy_version}
        if user:
            body["user"] = user
        status, answer, _ = self.call("POST", "/v1/session/confirm", body)
        if status == 200:
            self.token, self.scope = answer["token"], answer["scope"]
        if status != want:
            raise AssertionError(f"confirm: {status} {answer}")
        return answer


class Officer:
    def __init__(self, root, name, enterprise, permissions):
        self.name, self.permissions = name, permissions
        self.signer, self.sign_in = Signer(), Signer()
        self.seal_key, seal_public = sealing_pair()
        self.cert = root.cert("officer", name, self.signer.public, enterprise, permissions=permissions)
        self.seal_cert = root.cert("officer-seal", name, seal_public, enterprise)
        self.sign_in_cert = self.signer.cert("officer-sign-in", name, self.sign_in.public, enterprise)
        self.seal_public = seal_public

    def object(self, escrow=None):
        wrapped = {n: seal(self.seal_public, json.dumps({"kind": "escrow-key"}).encode()) for n in escrow or {}}
        return {"name": self.name, "cert": self.cert, "seal_cert": self.seal_cert, "sign_in_cert": self.sign_in_cert,
                "salt": b64(os.urandom(16)), "kdf_memory_kib": 65536, "kdf_passes": 3,
                "wrapped_keys": {"opaque": b64(os.urandom(40))}, "wrapped_escrow_keys": wrapped}

    def session(self, server, organisation, **options):
        s = Session(server, organisation.server_jwk, "officer:" + self.name, self.sign_in,
                    [self.sign_in_cert, self.cert], **options)
        if s.status == 200:
            s.confirm()
        return s


class Organisation:
    """What holdfast-ctl init makes."""

    def __init__(self, server):
        text = server.claim_text()
        self.server_jwk, self.secret, self.pin = text["server"], text["secret"], text["pin"]
        self.root, self.enterprise = Signer(), new_id()
        self.help_key, help_public = sealing_pair()
        self.recovery_key, recovery_public = sealing_pair()
        self.help_public, self.recovery_public = help_public, recovery_public
        self.ada = Officer(self.root, "ada", self.enterprise, PERMISSIONS)
        self.bob = Officer(self.root, "bob", self.enterprise, ["audit"])
        certs = {"server": ("server", self.enterprise, self.server_jwk),
                 "escrow_help": ("escrow-help", "default", help_public),
                 "escrow_recovery": ("escrow-recovery", "default", recovery_public)}
        self.certs = {n: self.root.cert(*v, self.enterprise) for n, v in certs.items()}

    def policy(self, version, signer=None, **settings):
        return (signer or self.ada.signer).sign("holdfast-policy", {
            "enterprise": self.enterprise, "version": version, "issued": int(time.time()), "settings": settings})

    def bundle(self, change=None):
        return {"enterprise": self.enterprise, "root": self.root.public, **self.certs,
                "officers": [self.bob.object(), self.ada.object({"help": 1, "recovery": 1})],
                "policy": self.policy(1, one_time_codes=4), "time": int(time.time())} | (change or {})

    def claim(self, server, secret=None, signer=None, change=None):
        text = (signer or self.root).sign("holdfast-claim", self.bundle(change))
        proof = hmac.new(unb64(secret or self.secret), text.encode(), "sha256").digest()
        return Connection(server).json("POST", "/v1/claim", {"bundle": text, "proof": b64(proof)})

    def command(self, device, name, sequence, officer=None, change=None):
        payload = {"id": new_id(), "command": name, "device": device.id, "enrolment": device.enrolment,
                   "sequence": sequence, "issued": int(time.time()), "expires": 0, "args": {}} | (change or {})
        return (officer or self.ada.signer).sign("holdfast-command", payload), payload


class Laptop:
    """A device made of nothing but its keys."""

    def __init__(self, organisation, name="laptop-1"):
        self.org, self.id, self.name = organisation, new_id(), name
        self.attestation, self.session_key, self.user_key = Signer(), Signer(), Signer()
        self.credential = new_id()
        self.session_cert = self.attestation.cert("session", self.id, self.session_key.public)

    def user_cert(self, user="ada", credential=None, method="password", key=None):
        return self.attestation.cert("user", f"{user}/{credential or self.credential}/{method}",
                                     (key or self.user_key).public)

    def enrol_request(self, token, **change):
        proof = hmac.new(unb64(token["secret"]), f"{self.attestation.kid}.{self.id}".encode(), "sha256").digest()
        return self.attestation.sign("holdfast-enrol", {
            "token": token["id"], "proof": b64(proof), "device": self.id, "name": self.name,
            "jwk": self.attestation.public, "session": self.session_cert, "users": [self.user_cert()],
            "time": int(time.time()), **change})

    def enrol(self, server, token, **change):
        request = self.enrol_request(token, **change)
        status, text, _ = Connection(server).send("POST", "/v1/enrol", request)
        if status != 200:
            return status, json.loads(text)["error"]["code"]
        self.enrolled = verify(text, self.org.server_jwk, "holdfast-enrolled")
        self.enrolment = self.enrolled["enrolment"]
        if self.enrolled["request"] != b64(sha256(request)):
            raise AssertionError("enrolled names another request")
        return status, text

    def session(self, server, user=False, confirm=True, **options):
        s = Session(server, self.org.server_jwk, "device:" + self.id, self.session_key, [self.session_cert], **options)
        if s.status == 200 and confirm:
            s.confirm(self.proof(s) if user else None)
        return s

    def proof(self, s, key=None, **change):
        return (key or self.user_key).sign("holdfast-user-proof", {
            "transcript": b64(s.transcript), "user": "ada", "credential": self.credential, "method": "password",
            "device": self.id, **change})

    def event(self, kind, detail, **change):
        return self.attestation.sign("holdfast-event", {
            "id": new_id(), "kind": kind, "device": self.id, "enrolment": self.enrolment, "time": int(time.time()),
            "detail": detail, **change})

    def escrow(self, secret, kind="one-time-code", number=1, **change):
        purpose = "help" if kind == "one-time-code" else "recovery"
        public = self.org.help_public if purpose == "help" else self.org.recovery_public
        ident = new_id()
        plain = {"id": ident, "device": self.id, "enrolment": self.enrolment, "kind": kind, "number": number,
                 "secret": secret}
        return self.attestation.sign("holdfast-escrow", {
            "id": ident, "purpose": purpose, "kind": kind, "device": self.id, "enrolment": self.enrolment,
            "number": number, "keyslots": {}, "created": int(time.time()),
            "sealed": seal(public, json.dumps(plain).encode()), **change})


def ident_of(text):
    return json.loads(unb64(text.split(".")[1]))["id"]


def claimed_server(*options):
    server = Server(*options)
    org = Organisation(server)
    status, body = org.claim(server)
    if status != 201:
        raise AssertionError(f"claim: {status} {body}")
    return server, org


def enrolled_laptop(server, org, name="laptop-1"):
    admin = org.ada.session(server, org)
    token = admin.ask("POST", "/v1/enrolment-tokens", {"expires_in": 3600, "uses": 1})
    laptop = Laptop(org, name)
    status, text = laptop.enrol(server, token)
    if status != 200:
        raise AssertionError(f"enrol: {status} {text}")
    return laptop, admin
