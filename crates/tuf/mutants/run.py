#!/usr/bin/env python3
"""Switches off one check of crates/tuf after the other and shows which test notices.

    python3 crates/tuf/mutants/run.py [NAME-PART ...]     from the root of the repository

Each entry of mutants.toml replaces one piece of the source. The crate is built with it in a copy of the workspace and its
tests are run; a mutant that all of them pass with has survived, and that is a failure. Writes docs/tuf-mutants.md when all
entries were run. Needs CPython 3.11 and cargo; takes about half a minute for each entry.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[3]
CRATE = pathlib.Path("crates/tuf")
# Tests beyond this time go round in circles, which is noticing too.
SECONDS = 300
# Which tests to run, in this order, until one fails: those that are most likely to notice come first.
PROGRAMS = [
    ["--test", "integration", "--", "client::"],
    ["--test", "integration", "--", "metadata::", "--skip", "real_metadata::"],
    ["--lib"],
    ["--test", "integration", "--", "hashes::"],
    ["--test", "hostile_sizes"],
    ["--test", "integration", "--", "json::"],
    ["--tests"],
]
# For these files the tests beside them are.
UNIT_TESTED = ("key/", "json/", "time.rs", "hashes.rs", "verifier.rs")


def main() -> int:
    wanted = sys.argv[1:]
    mutants = tomllib.loads((ROOT / CRATE / "mutants/mutants.toml").read_text())["mutant"]
    chosen = [m for m in mutants if not wanted or any(part in m["name"] for part in wanted)]
    with tempfile.TemporaryDirectory(prefix="tuf-mutants-") as scratch:
        workspace = pathlib.Path(scratch) / "workspace"
        ignored = shutil.ignore_patterns("target", ".git", "fuzz")
        shutil.copytree(ROOT, workspace, ignore=ignored)
        target = os.environ.get("CARGO_TARGET_DIR", str(pathlib.Path(scratch) / "target"))
        caught = run_tests(workspace, target, [["--lib", "--tests"]])
        if caught:
            print("tests fail without any change:", *caught, sep="\n  ")
            return 1
        results = [(mutant, with_mutant(mutant, workspace, target)) for mutant in chosen]
    survivors = [mutant["name"] for mutant, tests in results if not tests]
    if not wanted:
        (ROOT / "docs/tuf-mutants.md").write_text(page(results))
    print(f"{len(results) - len(survivors)} of {len(results)} caught")
    for name in survivors:
        print("survived:", name)
    return 1 if survivors else 0


def with_mutant(mutant: dict, workspace: pathlib.Path, target: str) -> list[str]:
    path = workspace / CRATE / "src" / mutant["file"]
    honest = path.read_text()
    if honest.count(mutant["find"]) != 1:
        raise SystemExit(f"{mutant['name']}: its text is not exactly once in {mutant['file']}")
    path.write_text(honest.replace(mutant["find"], mutant["replace"]))
    first = [["--lib"], ["--test", "integration", "--", "hashes::", "json::"]]
    programs = [*first, *PROGRAMS] if mutant["file"].startswith(UNIT_TESTED) else PROGRAMS
    try:
        tests = run_tests(workspace, target, programs)
    finally:
        path.write_text(honest)
    print(mutant["name"], "->", ", ".join(tests) or "SURVIVED", flush=True)
    return tests


def run_tests(workspace: pathlib.Path, target: str, programs: list[list[str]]) -> list[str]:
    """The tests that fail: all of the first group in which any does."""
    for selection in programs:
        failed = run_programs(workspace, target, selection)
        if failed:
            return failed
    return []


def run_programs(workspace: pathlib.Path, target: str, selection: list[str]) -> list[str]:
    command = ["cargo", "test", "--offline", "-p", "tuf", *selection]
    environment = {**os.environ, "CARGO_TARGET_DIR": target, "CARGO_INCREMENTAL": "1", "CARGO_PROFILE_DEV_DEBUG": "0"}
    # In a session of its own, so that the test programs end with cargo.
    process = subprocess.Popen(
        command, cwd=workspace, env=environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
        return ["(does not end)"]
    if process.returncode == 0:
        return []
    if "error: could not compile" in output:
        raise SystemExit("a mutant must compile:\n" + output[-3000:])
    program = re.findall(r"Running (?:unittests )?(\S+)", output)[-1].removesuffix("/main.rs").removesuffix(".rs")
    failed = re.findall(r"^test (\S+)(?: - should panic)? \.\.\. FAILED$", output, re.MULTILINE)
    return [f"{program}: {name}" for name in failed] or [f"{program}: (stopped)"]


def page(results: list[tuple[dict, list[str]]]) -> str:
    lines = [
        "# Which test notices a missing check",
        "",
        "`crates/tuf/mutants/run.py` takes the checks of `crates/tuf` out, one at a time, and runs the crate's tests.",
        "This is what it found. The list of mutants is `crates/tuf/mutants/mutants.toml`; a test of the crate makes sure",
        "that each of them still stands in the source. Tests are those of the first group that failed, at most three.",
        "",
        f"{sum(bool(tests) for _, tests in results)} of {len(results)} caught.",
        "",
        "| without it | an attacker could | noticed by |",
        "|---|---|---|",
    ]
    for mutant, tests in results:
        shown = "<br>".join(f"`{test}`" for test in tests[:3]) + (f" and {len(tests) - 3} more" if len(tests) > 3 else "")
        lines.append(f"| {mutant['removes']} | {mutant['opens']} | {shown or '**nothing**'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
