#!/usr/bin/env python3
"""Times whole commands of tufpip next to uv and pip, in turn on one machine, and prints medians and ratios.

    bench/compare.py --index-url URL --tufpip target/release/tufpip [--uv uv] [--pip] [--root FILE] [-r FILE] REQUIREMENT...

Every tool installs the same requirements from the same index into a fresh environment of the running Python:

    cold     empty cache
    warm     everything in the cache, fresh environment
    noop     everything installed already
    resolve  empty cache, --dry-run

tufpip and pip compile to bytecode by default and uv does not, so that two more lines compare like with like: `tufpip
--no-compile` and `uv --compile-bytecode`. With `--no-compile` only the lines that do not compile are run.

With `--root`, a trusted root of the index, tufpip installs from it verified as well (`signed`): cold and resolve as a user who has
never seen the index, warm and noop as one who has. All others take the same files from the same server without verification, so
that the difference is what verification costs. To sign an index: `crates/testkit/examples/sign_index.rs`.

Preparing an environment or a cache is not timed. Wall time says what a person waits,
CPU time (user and system, children included) what it costs; on a noisy machine trust the ratios of one run, not seconds.

A local index (any static server with PEP 691 pages) makes the figures those of the tools and not of the network.
"""

import argparse
import hashlib
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv

SCENARIOS = ["cold", "warm", "noop", "resolve"]


def commands(options):
    """Name, command line and whether it verifies, of each tool, with {cache}, {python} and {dry} to be filled in."""
    index = ["--index-url", options.index_url, "--only-binary", ":all:"]
    tufpip = [options.tufpip, "install", "-q", "{dry}", "--cache-dir", "{cache}", *index, "--python", "{python}"]
    verifies = [False, True] if options.root else [False]
    for name, more in [("tufpip", []), ("tufpip --no-compile", ["--no-compile"])]:
        for signed in verifies:
            if more or not options.no_compile:
                yield f"{name} signed" if signed else name, [*tufpip, *more], signed
    if options.uv:
        uv = [options.uv, "pip", "install", "-q", "{dry}", "--cache-dir", "{cache}", *index, "--python", "{python}"]
        yield "uv", uv, False
        if not options.no_compile:
            yield "uv --compile-bytecode", [*uv, "--compile-bytecode"], False
    if options.pip:
        # The pip of this Python works on the environment, which has none.
        pip = [sys.executable, "-m", "pip", "--python", "{python}", "install", "-q", "{dry}"]
        yield "pip", [*pip, "--cache-dir", "{cache}", *index], False


def main():
    options = arguments()
    work = pathlib.Path(tempfile.mkdtemp(prefix="compare-", dir=options.work))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "TUFPIP_"))}
    clean.update(PIP_CONFIG_FILE=os.devnull, UV_NO_CONFIG="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
    trust = trust_in(options.root, options.index_url, work) if options.root else {}
    try:
        for scenario in options.scenario:
            place = work / scenario
            tools = [
                Tool(name, line, place / str(number), options, {**clean, **(trust if signed else {})})
                for number, (name, line, signed) in enumerate(commands(options))
            ]
            for tool in tools:
                tool.prepare_scenario(scenario)
            for _ in range(options.runs + 1):
                for tool in tools:
                    tool.run(scenario)
            report(scenario, tools)
    finally:
        shutil.rmtree(work)


def trust_in(root, index_url, work):
    """The setting by which tufpip trusts a root for the index: a directory of anchors, each named by the SHA-224 of its index."""
    name = hashlib.sha224((index_url.rstrip("/") + "/").encode()).hexdigest()
    (work / "anchors" / name).mkdir(parents=True)
    shutil.copyfile(root, work / "anchors" / name / "root.json")
    return {"TUFPIP_TRUST": str(work / "anchors")}


class Tool:
    """One tool with an environment, a cache and a memory of indexes of its own."""

    def __init__(self, name, line, place, options, environment):
        self.name, self.line, self.place = name, line, place
        self.requirements = options.requirements
        self.environment = {**environment, "XDG_DATA_HOME": str(place / "data")}
        self.discarded = 0
        self.runs = []
        place.mkdir(parents=True, exist_ok=True)

    def prepare_scenario(self, scenario):
        self.fresh("environment")
        self.fresh("cache")
        self.fresh("data")
        if scenario in ("warm", "noop"):
            self.command(dry=False)

    def run(self, scenario):
        if scenario in ("cold", "resolve"):
            self.fresh("cache")
            self.fresh("data")
        if scenario != "noop":
            self.fresh("environment")
        before, start = os.times(), time.monotonic()
        self.command(dry=scenario == "resolve")
        wall, after = time.monotonic() - start, os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        self.runs.append((wall, cpu))

    def fresh(self, what):
        """An empty cache, environment or memory. The old one is only moved away: deleting it would disturb what is timed next."""
        path = self.place / what
        if path.exists():
            self.discarded += 1
            path.rename(self.place / f"discarded-{self.discarded}")
        if what == "environment":
            venv.create(path, with_pip=False, symlinks=True)
        else:
            path.mkdir()

    def command(self, dry):
        filled = {"{cache}": str(self.place / "cache"), "{python}": str(self.place / "environment/bin/python")}
        filled["{dry}"] = "--dry-run" if dry else None
        line = [filled.get(word, word) for word in self.line] + self.requirements
        done = subprocess.run([word for word in line if word], env=self.environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{self.name} failed:\n{done.stdout}{done.stderr}")


def report(scenario, tools):
    # The first run of each tool warms the machine up.
    timed = {tool.name: tool.runs[1:] for tool in tools}
    base = [wall for wall, _ in timed[tools[0].name]]
    for name, runs in timed.items():
        walls = [wall for wall, _ in runs]
        ratio = statistics.median(wall / of for wall, of in zip(walls, base))
        print(
            f"{scenario:8} {name:27} wall {statistics.median(walls):8.3f} s [{min(walls):.3f}-{max(walls):.3f}]"
            f"  CPU {statistics.median(cpu for _, cpu in runs):8.3f} s  {ratio:6.2f} x {tools[0].name}",
            flush=True,
        )


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index-url", required=True)
    parser.add_argument("--tufpip", default="target/release/tufpip")
    parser.add_argument("--uv", default=shutil.which("uv"), help="the uv executable; left out when there is none")
    parser.add_argument("--pip", action="store_true", help="also time pip, which takes long")
    parser.add_argument("--root", help="a root to trust for the index: also time verified installations")
    parser.add_argument("--no-compile", action="store_true", help="only the lines that make no bytecode")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scenario", action="append", choices=SCENARIOS)
    parser.add_argument("--work", default=None, help="where environments and caches are made: one file system for all")
    parser.add_argument("-r", "--requirement", action="append", default=[], help="a requirements file")
    parser.add_argument("requirements", nargs="*", metavar="REQUIREMENT")
    options = parser.parse_args()
    options.requirements += [word for path in options.requirement for word in ("-r", os.path.abspath(path))]
    options.scenario = options.scenario or SCENARIOS
    options.tufpip = str(pathlib.Path(options.tufpip).resolve())
    return options


if __name__ == "__main__":
    main()
