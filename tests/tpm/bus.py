"""What the tests of the TPM's client do to a TPM (tests/lib/swtpm.py): seal with tpm2-tools, and sit on its bus,
listen and interfere."""
import pathlib
import re
import shutil
import socket
import struct
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import swtpm  # noqa: E402

PARENT = "0x81000001"
PARENT_ATTRIBUTES = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt"
LOADED = [kind << 24 | i for kind in (0x80, 0x02, 0x03) for i in range(3)]
FLUSH = 0x165
ECC_BYTES_MAX = 128  # of tpm2-tss: "-u" takes its structure as it is in memory


class Tpm(swtpm.Tpm):
    """With a folder for the files of tpm2-tools."""

    def __enter__(self):
        self.files = pathlib.Path(tempfile.mkdtemp(prefix="hf-tpm-files-"))
        return super().__enter__()

    def __exit__(self, *problem):
        super().__exit__(*problem)
        shutil.rmtree(self.files)

    def path(self, name):
        return self.files / name

    def power_cut(self):
        """Off and on without telling the TPM before."""
        self.off()
        self.on()

    def make_parent(self):
        """The storage root key by the template, made by tpm2-tools. Its point, x then y, in hexadecimal."""
        self.path("unique").write_bytes(2 * (struct.pack("=H", 32) + bytes(ECC_BYTES_MAX)))
        self.tool("createprimary", "-Q", "-C", "o", "-G", "ecc256:aes128cfb", "-g", "sha256", "-a", PARENT_ATTRIBUTES,
                  "-u", self.path("unique"), "-c", self.path("parent"))
        self.tool("readpublic", "-Q", "-c", self.path("parent"), "-o", self.path("parent.pub"),
                  "-n", self.path("parent.name"))
        self.tool("evictcontrol", "-Q", "-C", "o", "-c", self.path("parent"), PARENT)
        self.tool("flushcontext", "-t")
        public = self.path("parent.pub").read_bytes()
        return (public[-66:-34] + public[-32:]).hex()

    def seal(self, secret, auth=None):
        """Into object.pub and object.priv, to the PCRs as they are now; the policy is left in a file, too."""
        self.path("secret").write_bytes(secret)
        session, policy = self.path("session"), self.path("policy")
        self.tool("startauthsession", "-S", session)
        self.tool("policypcr", "-Q", "-S", session, "-l", "sha256:7,11", "-L", policy)
        if auth:
            self.tool("policyauthvalue", "-Q", "-S", session, "-L", policy)
        self.tool("flushcontext", session)
        self.tool("create", "-Q", "-C", PARENT, "-g", "sha256", "-i", self.path("secret"), "-L", policy,
                  "-a", "fixedtpm|fixedparent", "-u", self.path("object.pub"), "-r", self.path("object.priv"),
                  *(["-p", f"hex:{auth.hex()}"] if auth else []))
        self.tool("flushcontext", "-t")
        self.path("secret").unlink()

    def loaded(self):
        return re.findall(r"0x\w+", "".join(self.tool("getcap", f"handles-{k}") for k in ("transient", "loaded-session")))


def _receive(connection, count):
    got = b""
    while len(got) < count:
        more = connection.recv(count - len(got))
        if not more:
            return b""
        got += more
    return got


def _message(connection):
    head = _receive(connection, 10)
    return head and head + _receive(connection, int.from_bytes(head[2:6], "big") - 10)


class Bus:
    """Between whoever uses `port` and the TPM. `log` is all that went over it; `change(n, answer)` gives what becomes
    of the n-th answer of a connection (None: it is lost)."""

    def __init__(self, tpm):
        self.tpm, self.log, self.change, self.answers = tpm, b"", None, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.idle = threading.Event()
        self.idle.set()
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.idle.clear()
            with client, socket.create_connection(("127.0.0.1", self.tpm.port)) as tpm:
                try:
                    self._carry(client, tpm)
                except OSError:
                    pass
                self._flush(tpm)
            self.idle.set()

    def _carry(self, client, tpm):
        self.answers = []
        while command := _message(client):
            tpm.sendall(command)
            answer = _message(tpm)
            self.log += command + answer
            changed = self.change(len(self.answers), answer) if self.change else answer
            self.answers.append(answer)
            if changed is None:
                return
            client.sendall(changed)

    def _flush(self, tpm):
        """Handles that were changed on their way are flushed by nobody else. Only where somebody changes any."""
        for handle in LOADED if self.change else []:
            tpm.sendall(struct.pack(">HIII", 0x8001, 14, FLUSH, handle))
            _message(tpm)
