"""Fetches targets of a published index with python-tuf's client: METADATA_URL BASE_URL ROOT DIRECTORY TARGET...

Pages are fetched under the names that consistent snapshots give them. Distributions are not; where they are is read from the
verified page. Prints one line for each target: its path and its length, or `absent`.
"""

import json
import os
import sys
from urllib.parse import urljoin

from tuf.ngclient import Updater
from tuf.ngclient.config import UpdaterConfig

metadata_url, base_url, root, directory, *paths = sys.argv[1:]
with open(root, "rb") as file:
    bootstrap = file.read()


def updater(prefixed):
    memory = os.path.join(directory, "metadata-" + str(prefixed))
    downloads = os.path.join(directory, "downloads")
    os.makedirs(memory, exist_ok=True)
    os.makedirs(downloads, exist_ok=True)
    return Updater(
        metadata_dir=memory,
        metadata_base_url=metadata_url,
        target_base_url=base_url,
        target_dir=downloads,
        config=UpdaterConfig(prefix_targets_with_hash=prefixed),
        bootstrap=bootstrap,
    )


pages, files = updater(True), updater(False)
links = {}
for path in paths:
    is_page = path.startswith("simple/")
    client = pages if is_page else files
    info = client.get_targetinfo(path)
    if info is None:
        print(path, "absent")
        continue
    if is_page:
        local = client.download_target(info)
        with open(local, encoding="utf-8") as file:
            page = json.load(file)
        for link in page["files"]:
            url = urljoin(base_url + "simple/" + page["name"] + "/", link["url"])
            links["dist/" + page["name"] + "/" + link["filename"]] = url
            links["dist/" + page["name"] + "/" + link["filename"] + ".metadata"] = url + ".metadata"
    else:
        where = links[path]
        start, name = where.rsplit("/", 1)
        # The path of the target is a name only: the file is where the page says.
        info.path = name
        local = client.download_target(info, target_base_url=start + "/")
    print(path, os.path.getsize(local))
