"""What testssl.sh finds, which looks for everything that was ever wrong with TLS."""

import json
import subprocess

import pytest


@pytest.mark.long
def test_nothing_above_low(stage, authority, tmp_path):
    cert, key = authority.issue("audited", "localhost", days=90, more="crlDistributionPoints=URI:http://crl.test/crl\n")
    door = stage.start(server={"tls": [{"cert": cert, "key": key}], "hsts": {"max_age": "365d"}})
    findings = tmp_path / "findings.json"
    port = door.address.rpartition(":")[2]
    subprocess.run(["testssl", "--quiet", "--color", "0", "--warnings", "batch", "--add-ca", authority.cert,
                    "--jsonfile", findings, f"localhost:{port}"], stdout=subprocess.DEVNULL, timeout=600)  # fmt: skip
    found = json.loads(findings.read_text())
    assert len(found) > 100, "it did look"
    above = [f"{f['severity']} {f['id']}: {f['finding']}" for f in found if f["severity"] in ("MEDIUM", "HIGH", "CRITICAL", "FATAL")]
    assert above == []
