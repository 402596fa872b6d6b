"""What python-tuf says to the scenarios of a directory, and scenarios that python-tuf's own side signs.

    reference.py judge DIRECTORY    runs ngclient through each scenario, writes verdicts.json
    reference.py sign DIRECTORY     writes scenarios

The form of a scenario is described in scenario.rs.
"""

import json
import random
import sys
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.exceptions import DownloadHTTPError
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

BASE = "https://pkgs.example.org/metadata/"


# ---- judging ----


class Directory(FetcherInterface):
    """Serves the files of one step."""

    def __init__(self, path):
        self.path = path

    def _fetch(self, url):
        assert url.startswith(BASE), url
        name = url[len(BASE) :]
        file = self.path / name
        if "/" in name or not file.is_file():
            raise DownloadHTTPError(f"no {name}", 404)
        return iter([file.read_bytes()])


def judge_step(root, served, step, store):
    why = []
    try:
        # The limits of ours, where it matters.
        config = UpdaterConfig(snapshot_max_length=8 << 20, targets_max_length=16 << 20)
        updater = Updater(store, BASE, fetcher=Directory(served), config=config, bootstrap=root)
        now = datetime.strptime(step["now"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        updater._trusted_set.reference_time = now
        updater.refresh()
    except Exception as error:
        return {"updated": False, "look_ups": [], "why": [f"{type(error).__name__}: {error}"]}
    look_ups = []
    for path in step["paths"]:
        try:
            target = updater.get_targetinfo(path)
            look_ups.append(target and {"length": target.length, "hashes": target.hashes})
        except Exception as error:
            look_ups.append("refused")
            why.append(f"{type(error).__name__}: {error}")
    return {"updated": True, "look_ups": look_ups, "why": why}


def judge(directory):
    verdicts = {}
    for scenario in directory.iterdir():
        if not scenario.is_dir():
            continue
        root = (scenario / "root.json").read_bytes()
        steps = json.loads((scenario / "scenario.json").read_bytes())
        with TemporaryDirectory() as store:
            verdicts[scenario.name] = [
                judge_step(root, scenario / str(number), step, store) for number, step in enumerate(steps)
            ]
    (directory / "verdicts.json").write_text(json.dumps(verdicts))


# ---- signing ----

START = datetime(2030, 6, 1, tzinfo=timezone.utc)
PATHS = ["a.txt", "dir/b.txt", "dir/sub/c.whl", "größe/名前.json", "😀", 'quote"back\\slash', "[x]", "no such thing"]


class Repository:
    """One of random shape, signed by python-tuf."""

    def __init__(self, seed, keys):
        self.random = random.Random(seed)
        self.keys = keys
        self.signers = {}
        self.served = {}
        self.roles = {"targets": Targets(version=3, expires=self.later(300))}
        self.root = Root(version=1, expires=self.later(300), consistent_snapshot=self.random.choice([True, True, False]))
        for role in ["root", "timestamp", "snapshot", "targets"]:
            self.renew(role)
        self.timestamp = Timestamp(version=4, expires=self.later(30))
        self.snapshot = Snapshot(version=4, expires=self.later(30))
        self.fill("targets")
        self.delegate("targets", 2)
        difficult = {"\uffff": 1, "😀": "\0\x1f\x7f\u2028\"\\/\n", "e\u0301": [None, True, -(2**63), 2**64 - 1]}
        self.roles["targets"].unrecognized_fields["x-tést"] = difficult

    @staticmethod
    def later(days):
        return START + timedelta(days=days)

    def some_keys(self):
        return self.random.sample(self.keys, self.random.randint(1, 4))

    def renew(self, role):
        for keyid in list(self.root.roles[role].keyids):
            self.root.revoke_key(keyid, role)
        self.signers[role] = self.some_keys()
        for signer in self.signers[role]:
            self.root.add_key(deepcopy(signer.public_key), role)
        self.root.roles[role].threshold = self.random.randint(1, len(self.signers[role]))

    def fill(self, role):
        for path in PATHS[:-1]:
            if self.random.random() < 0.25:
                algorithms = self.random.choice([["sha256"], ["sha512", "sha256"], ["blake2b-256"], ["sha384"]])
                content = f"{role} {path} {self.random.random()}".encode()
                self.roles[role].targets[path] = TargetFile.from_data(path, content, algorithms)

    def delegate(self, role, levels):
        kind = self.random.choice(["patterns", "patterns", "prefixes", "succinct"])
        signers = self.some_keys()
        keys = {signer.public_key.keyid: deepcopy(signer.public_key) for signer in signers}
        threshold = self.random.randint(1, len(signers))
        if kind == "succinct":
            bins = SuccinctRoles(list(keys), threshold, self.random.randint(1, 5), f"{role}.bin")
            self.roles[role].delegations = Delegations(keys, succinct_roles=bins)
            names = list(bins.get_roles())
        else:
            roles = {}
            for number in range(self.random.randint(1, 4)):
                name = f"{role}/ü{number}"
                patterns = self.random.choice([["*", "*/*", "*/*/*"], ["*.txt", "dir/*"], ["*/*", "?"], ["[[]x]", "*/*/*"]])
                prefixes = [f"{digit:x}" for digit in range(16) if self.random.random() < 0.5]
                only = {"paths": patterns} if kind == "patterns" else {"path_hash_prefixes": prefixes}
                roles[name] = DelegatedRole(name, list(keys), threshold, self.random.random() < 0.3, **only)
            self.roles[role].delegations = Delegations(keys, roles=roles)
            names = list(roles)
        for name in names:
            self.roles[name] = Targets(version=self.random.randint(1, 9), expires=self.later(300))
            self.signers[name] = signers
            self.fill(name)
        if kind != "succinct" and levels > 1:
            self.delegate(names[0], levels - 1)

    def sign(self, signed, signers):
        metadata = Metadata(signed)
        for signer in signers:
            metadata.sign(signer, append=True)
        return metadata.to_bytes()

    def name(self, role, version):
        return f"{version}.{quote(role, '')}.json" if self.root.consistent_snapshot else f"{quote(role, '')}.json"

    def describe(self, version, data):
        if self.random.random() < 0.5:
            return MetaFile(version)
        return MetaFile.from_data(version, data, self.random.choice([["sha256"], ["sha512", "blake2b-256"]]))

    def publish_root(self, earlier=()):
        signers = self.signers["root"] + [signer for signer in earlier if signer not in self.signers["root"]]
        self.served[f"{self.root.version}.root.json"] = self.sign(self.root, signers)

    def publish(self):
        for role, signed in self.roles.items():
            data = self.sign(signed, self.signers[role])
            self.served[self.name(role, signed.version)] = data
            self.snapshot.meta[f"{role}.json"] = self.describe(signed.version, data)
        data = self.sign(self.snapshot, self.signers["snapshot"])
        self.served[self.name("snapshot", self.snapshot.version)] = data
        self.timestamp.snapshot_meta = self.describe(self.snapshot.version, data)
        self.served["timestamp.json"] = self.sign(self.timestamp, self.signers["timestamp"])

    def progress(self):
        for signed in [self.timestamp, self.snapshot, *self.roles.values()]:
            signed.version += 1
        if self.random.random() < 0.5:
            earlier = self.signers["root"]
            self.renew(self.random.choice(["root", "timestamp", "snapshot", "targets"]))
            self.root.version += 1
            self.publish_root(earlier)
        self.publish()


def sign(directory):
    keys = [CryptoSigner.generate_rsa() for _ in range(3)]
    keys += [CryptoSigner.generate_ed25519() for _ in range(4)]
    keys += [CryptoSigner.generate_ecdsa() for _ in range(4)]
    # An id that is not the hash of the key, and a field of its own.
    private = Ed25519PrivateKey.generate()
    public = SSlibKey.from_crypto(private.public_key(), keyid="a name: größe")
    public.unrecognized_fields["x-key-name"] = "名前"
    keys.append(CryptoSigner(private, public))
    for seed in range(60):
        repository = Repository(seed, keys)
        repository.publish_root()
        repository.publish()
        scenario = directory / f"{seed:03}"
        scenario.mkdir(parents=True)
        (scenario / "root.json").write_bytes(repository.served["1.root.json"])
        steps = []
        for number in range(3):
            served = scenario / str(number)
            served.mkdir()
            for name, data in repository.served.items():
                (served / name).write_bytes(data)
            now = (START + timedelta(days=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
            steps.append({"now": now, "paths": PATHS})
            repository.progress()
        (scenario / "scenario.json").write_text(json.dumps(steps))


if __name__ == "__main__":
    {"judge": judge, "sign": sign}[sys.argv[1]](Path(sys.argv[2]))
