"""Asks `packaging`, or the one in pip, about pairs of versions and specifiers.

Run as `python grid.py QUESTIONS OLDEST_VERSION [DIRECTORY_OF_PIP]`; prints JSON, `null` where no packaging is new enough.
"""

import importlib
import json
import sys

if sys.argv[3]:
    sys.path.insert(0, sys.argv[3])


def modules():
    for prefix in ("packaging", "pip._vendor.packaging"):
        try:
            found = importlib.import_module(prefix)
            parts = [importlib.import_module(prefix + "." + name) for name in ("markers", "specifiers", "version")]
        except ImportError:
            continue
        if int(found.__version__.split(".")[0]) >= int(sys.argv[2]):
            return [found] + parts
    return None


def main():
    found = modules()
    if found is None:
        print("null")
        return
    packaging, markers, specifiers, version = found

    def pair(text, wanted):
        try:
            parsed = version.Version(text)
            wanted = specifiers.SpecifierSet(wanted)
        except (version.InvalidVersion, specifiers.InvalidSpecifier):
            return "invalid"
        answers = [wanted.contains(parsed, prereleases=prereleases) for prereleases in (True, False)]
        return answers + [wanted.prereleases is True]

    def marker(text, condition):
        environment = dict(questions["environment"])
        environment.update(dict.fromkeys(["python_full_version", "python_version", "implementation_version"], text))
        environment["extra"] = ""
        try:
            return markers.Marker(condition).evaluate(environment)
        except markers.UndefinedComparison:
            return False
        except markers.InvalidMarker:
            return "invalid"

    with open(sys.argv[1], encoding="utf-8") as file:
        questions = json.load(file)
    answers = {
        "packaging": packaging.__version__,
        "pairs": [pair(*question) for question in questions["pairs"]],
        "markers": [marker(*question) for question in questions["markers"]],
    }
    json.dump(answers, sys.stdout)


main()
