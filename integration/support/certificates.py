"""Certificates made for a play, by the openssl command."""

import ssl
import subprocess


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, timeout=20)


class Authority:
    """Vouches for certificates. All files are in one folder."""

    def __init__(self, folder, name="authority"):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.cert = folder / f"{name}.crt"
        self.key = folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.cert)  # fmt: skip

    def issue(self, file, *names, subject="", key="ec", days=2, more=""):
        """A certificate for these names or addresses; returns (certificate, key). `key="rsa"`: another kind; `more`:
        lines of further extensions."""
        cert, secret, request = (self.folder / f"{file}.{end}" for end in ("crt", "key", "csr"))
        kind = ["-newkey", "rsa:2048"] if key == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        openssl("req", "-new", *kind, "-nodes", "-subj", subject or f"/CN={file}", "-keyout", secret, "-out", request)
        alternatives = ",".join(("IP:" if name[0].isdigit() else "DNS:") + name for name in names)
        extensions = self.folder / f"{file}.ext"
        extensions.write_text((f"subjectAltName={alternatives}\n" if names else "") + more)
        openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", days,
                "-extfile", extensions, "-out", cert)  # fmt: skip
        return str(cert), str(secret)

    def ocsp(self, cert, days=1):
        """A file with a response that says that this certificate of ours is good."""
        about = subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-serial"], check=True, capture_output=True)
        serial = about.stdout.decode().strip().removeprefix("serial=")
        index, asked, said = (self.folder / f"{serial}.{end}" for end in ("index", "request", "ocsp"))
        index.write_text(f"V\t400101000000Z\t\t{serial}\tunknown\t/CN=somebody\n")
        openssl("ocsp", "-issuer", self.cert, "-cert", cert, "-reqout", asked)
        openssl("ocsp", "-index", index, "-CA", self.cert, "-rsigner", self.cert, "-rkey", self.key, "-reqin", asked,
                "-respout", said, "-ndays", days)  # fmt: skip
        return str(said)

    def trusted(self, **more):
        """What a client speaks TLS with that believes this authority; `more` are attributes of the context."""
        context = ssl.create_default_context(cafile=str(self.cert))
        for name, value in more.items():
            setattr(context, name, value)
        return context
