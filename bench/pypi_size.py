#!/usr/bin/env python3
"""What an installation from a signed index of PyPI's size costs a client in bytes, requests, time and memory.

    bench/pypi_size.py DIRECTORY --tufpip target/release/tufpip -r THIRTY -r OTHER_THIRTY

DIRECTORY is a copy of an index (`simple/PROJECT/index.json`, files) that was signed with as many made-up pages as PyPI has:

    cargo run --release -p testkit --example sign_index -- DIRECTORY --profile pep458 --bit-length 14 --trust page --gzip \\
        --synthetic 885881 --changed 10000 --no-snapshot-hashes

A server in this process sends `.gz` files to whoever accepts them, as nginx does with `gzip_static`, and counts what it sends:
bodies only. A new user has nothing; a returning one has installed OTHER_THIRTY from the same snapshot, or from one before it, in
which 10,000 other pages were different. The requirements files should be pinned and complete, so that nothing else is looked for.
Everything is done again without verification, from the same server.
"""

import argparse
import collections
import hashlib
import http.server
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import venv


class Server(http.server.ThreadingHTTPServer):
    """Serves the directory, of the newest snapshot or of the one before it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, directory):
        super().__init__(("127.0.0.1", 0), Handler)
        self.directory, self.timestamp = directory, "timestamp.json"
        self.lock, self.sent = threading.Lock(), collections.Counter()

    def index_url(self):
        return f"http://127.0.0.1:{self.server_port}/simple/"

    def count(self, kind, body):
        with self.lock:
            self.sent[kind, "requests"] += 1
            self.sent[kind, "bytes"] += body


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        name = self.path.lstrip("/")
        if name == "tuf/timestamp.json":
            name = "tuf/" + self.server.timestamp
        path = self.server.directory / name
        if name.endswith("/"):
            path = path / "index.json"
        packed = path.with_name(path.name + ".gz")
        encoded = "gzip" in self.headers.get("Accept-Encoding", "") and packed.exists()
        exists = ".." not in name.split("/") and path.is_file()
        body = (packed if encoded else path).read_bytes() if exists else b""
        self.send_response(200 if exists else 404)
        if encoded:
            self.send_header("Content-Encoding", "gzip")
        if path.name.endswith(".json") and name.startswith("simple/"):
            self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.server.count(kind(name), len(body))

    def log_message(self, *_):
        pass


def kind(name):
    if name.startswith("tuf/"):
        return "tuf"
    if name.startswith("simple/"):
        return "pages"
    return "metadata" if name.endswith(".metadata") else "wheels"


def main():
    options = arguments()
    server = Server(options.directory.resolve())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"{'':34}{'TUF':>9}{'':>14}{'pages':>9}{'metadata':>10}{'wheels':>12}{'wall':>9}{'CPU':>9}{'memory':>10}")
    with tempfile.TemporaryDirectory() as work:
        user = User(options, server, pathlib.Path(work))
        user.fresh()
        user.install("unsigned, new", options.requirement[0], signed=False)
        user.fresh()
        user.install("signed, new user", options.requirement[0])
        user.install("returning, same projects", options.requirement[0])
        user.fresh()
        user.install(None, options.requirement[1])
        user.install("returning, other projects", options.requirement[0])
        user.fresh()
        server.timestamp = "1.timestamp.json"
        user.install(None, options.requirement[1])
        server.timestamp = "timestamp.json"
        user.install("new snapshot, other projects", options.requirement[0])
        user.fresh()
        server.timestamp = "1.timestamp.json"
        user.install(None, options.requirement[0])
        server.timestamp = "timestamp.json"
        user.install("new snapshot, same projects", options.requirement[0])


class User:
    """Somebody with a cache, a memory of indexes, and an environment that is new each time."""

    def __init__(self, options, server, work):
        self.options, self.server, self.work, self.number = options, server, work, 0
        name = hashlib.sha224(server.index_url().encode()).hexdigest()
        self.anchors = work / "anchors"
        (self.anchors / name).mkdir(parents=True)
        shutil.copyfile(options.directory / "tuf/1.root.json", self.anchors / name / "root.json")

    def fresh(self):
        self.number += 1
        self.home = self.work / str(self.number)
        self.home.mkdir()

    def install(self, title, requirements, signed=True):
        environment = self.work / "environment"
        shutil.rmtree(environment, ignore_errors=True)
        venv.create(environment, with_pip=False, symlinks=True)
        line = [self.options.tufpip, "install", "-q", "--no-compile", "--cache-dir", str(self.home / "cache")]
        line += ["--index-url", self.server.index_url(), "--only-binary", ":all:", "--no-deps", "-r", requirements]
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "TUFPIP_"))}
        variables.update(PIP_CONFIG_FILE=os.devnull, XDG_DATA_HOME=str(self.home / "data"))
        if signed:
            variables["TUFPIP_TRUST"] = str(self.anchors)
        self.server.sent.clear()
        start = time.monotonic()
        process = subprocess.Popen([*line, "--python", str(environment / "bin/python")], env=variables)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{title}: tufpip failed")
        if title:
            print_line(title, self.server.sent, wall, usage)


def print_line(title, sent, wall, usage):
    size = {of: sent[of, "bytes"] / 1000 for of in ("tuf", "pages", "metadata", "wheels")}
    cpu = usage.ru_utime + usage.ru_stime
    print(
        f"{title:34}{size['tuf']:6.0f} kB in{sent['tuf', 'requests']:4} req {size['pages']:9.0f}{size['metadata']:10.0f}"
        f"{size['wheels']:9.0f} kB{wall:7.2f} s{cpu:7.2f} s{usage.ru_maxrss / 1024:7.0f} MB",
        flush=True,
    )


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--tufpip", default="target/release/tufpip")
    parser.add_argument("-r", "--requirement", action="append", required=True, help="two files of pinned requirements")
    options = parser.parse_args()
    if len(options.requirement) != 2:
        parser.error("two requirements files are needed")
    return options


if __name__ == "__main__":
    main()
