"""sigstore's own verifier for JavaScript takes our bundles by the key, and no others.

It is installed by npm, and skipped with words where that does not work.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from statement_fixture import STATED

from bot.core.statement import bundle, envelope, payloads
from bot.statement_key import StatementKey, new_key

pytestmark = pytest.mark.packaging
PACKAGES = ("@sigstore/verify@3.1.1", "@sigstore/bundle@4.0.0")
SCRIPT = """
const crypto = require('crypto'), fs = require('fs');
const { bundleFromJSON } = require('@sigstore/bundle');
const { Verifier, toTrustMaterial, toSignedEntity } = require('@sigstore/verify');
const publicKey = crypto.createPublicKey(fs.readFileSync('key.pub'));
const none = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const trusted = toTrustMaterial(none, () => ({ publicKey, validFor: () => true }));
const asked = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };
const verifier = new Verifier(trusted, asked);
const told = JSON.parse(fs.readFileSync('bundles.json')).map((each) => {
  try { verifier.verify(toSignedEntity(bundleFromJSON(each))); return 'good'; }
  catch (error) { return error.code || String(error); }
});
console.log(JSON.stringify(told));
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("npm")
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("there is no npm")
    install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", *PACKAGES]
    done = subprocess.run(
        install, cwd=made, capture_output=True, text=True, timeout=90, check=False
    )
    if done.returncode:
        pytest.skip(f"npm cannot install it: {done.stderr.strip()[-200:]}")
    return made


def bundles(key: StatementKey) -> list[dict[str, object]]:
    made = [bundle(envelope(each, key.sign), key.name) for each in payloads(STATED)]
    return [json.loads(each) for each in made]


def test_our_bundles_are_good_and_others_are_not(folder: Path) -> None:
    key = new_key()
    good, other = bundles(key), bundles(new_key())
    changed = json.loads(json.dumps(good[0]).replace('"payload": "', '"payload": "AAAA'))
    (folder / "key.pub").write_text(key.public)
    (folder / "bundles.json").write_text(json.dumps([*good, other[0], changed]))
    done = subprocess.run(
        ["node", "-e", SCRIPT],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.stderr == ""
    assert json.loads(done.stdout) == ["good", "good", "SIGNATURE_ERROR", "SIGNATURE_ERROR"]
