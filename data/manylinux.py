"""Asks the module `_manylinux` which manylinux tags it refuses (PEP 600). Runs code of the environment: see
docs/decisions/what-an-interpreter-runs.md.

Run as `python -I -S -B -c TEXT`. Standard input is a JSON object: `path`, the sys.path to find the module on; `platform`,
`pointer_size` and `glibc` as the probe gives them. Prints a JSON list of tags.
"""

import json
import os
import sys


def main():
    facts = json.load(sys.stdin)
    # What the module prints is no answer.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    sys.path[:] = facts["path"]
    try:
        import _manylinux
    except ImportError:
        refused = []
    else:
        refused = refused_by(_manylinux, facts)
    json.dump(refused, answer)
    answer.flush()


def refused_by(module, facts):
    machine = facts["platform"].split("-", 1)[-1].replace("-", "_").replace(".", "_")
    if facts["pointer_size"] == 4:
        machine = {"x86_64": "i686", "aarch64": "armv8l"}.get(machine, machine)
    machines = ["armv8l", "armv7l"] if machine == "armv8l" else [machine]
    legacy = {(2, 5): "manylinux1", (2, 12): "manylinux2010", (2, 17): "manylinux2014"}
    major, last = facts["glibc"] or (0, 0)
    versions = [(major, minor) for minor in range(last + 1)]
    versions += [(older, minor) for older in range(2, major) for minor in range(51)]
    refused = []
    for version in versions:
        for machine in machines:
            if hasattr(module, "manylinux_compatible"):
                answer = module.manylinux_compatible(version[0], version[1], machine)
            else:
                answer = getattr(module, legacy.get(version, "") + "_compatible", None)
            if answer is not None and not answer:
                refused.append("manylinux_%d_%d_%s" % (version[0], version[1], machine))
    return refused


main()
