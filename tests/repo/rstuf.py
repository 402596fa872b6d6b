"""Signs an index in the way of RSTUF with python-tuf: DIRECTORY, which has PROJECT.html files, and beside it becomes a tree.

As RSTUF does it: an online RSA key for targets, snapshot, timestamp and bins; key ids that are the hash of a part of the key;
keys with names of their own; hashed bins in one line, named `bins`, delegated to by targets itself. As warehouse named its
pages: the target is the project, the file is named by its BLAKE2b hash.
"""

import datetime
import hashlib
import os
import sys

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
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

pages, tree = sys.argv[1:]
expires = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=30)
people = [CryptoSigner.generate_ed25519() for _ in range(2)]
online = CryptoSigner.generate_rsa()
for number, signer in enumerate(people):
    signer.public_key.unrecognized_fields["x-rstuf-key-name"] = "person %d" % number
online.public_key.unrecognized_fields["x-rstuf-online-key-uri"] = "fn:online"
os.makedirs(os.path.join(tree, "tuf"))


def write(name, metadata):
    metadata.to_file(os.path.join(tree, "tuf", name))


root = Root(expires=expires, consistent_snapshot=True)
for signer in people:
    root.add_key(signer.public_key, "root")
root.roles["root"].threshold = 2
for role in ["timestamp", "snapshot", "targets"]:
    root.add_key(online.public_key, role)
signed = Metadata(root)
for signer in people:
    signed.sign(signer, append=True)
write("1.root.json", signed)

bins = SuccinctRoles([online.public_key.keyid], 1, 4, "bins")
targets = Targets(expires=expires)
targets.delegations = Delegations({online.public_key.keyid: online.public_key}, None, bins)
contents = {name: Targets(expires=expires) for name in bins.get_roles()}
for name in sorted(os.listdir(pages)):
    project = name[: -len(".html")]
    with open(os.path.join(pages, name), "rb") as file:
        page = file.read()
    target = TargetFile.from_data(project, page, ["blake2b-256"])
    contents[bins.get_role_for_target(project)].targets[project] = target
    digest = hashlib.blake2b(page, digest_size=32).hexdigest()
    os.makedirs(os.path.join(tree, "simple", project))
    with open(os.path.join(tree, "simple", project, digest + "." + project + ".html"), "wb") as file:
        file.write(page)

snapshot = Snapshot(expires=expires)
for name, content in contents.items():
    metadata = Metadata(content)
    metadata.sign(online)
    write("1." + name + ".json", metadata)
    with open(os.path.join(tree, "tuf", "1." + name + ".json"), "rb") as file:
        snapshot.meta[name + ".json"] = MetaFile.from_data(1, file.read(), ["sha256"])
for name, content in [("1.targets.json", targets), ("1.snapshot.json", snapshot), ("timestamp.json", Timestamp(expires=expires))]:
    metadata = Metadata(content)
    metadata.sign(online)
    write(name, metadata)
