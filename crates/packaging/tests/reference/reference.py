"""Asks the reference implementation, `packaging` as pip carries it, what it makes of the questions in a JSON file.

Run as `python reference.py QUESTIONS PIP_DIRECTORY`; prints JSON. What is refused is answered with "invalid".
"""

import json
import os
import sys

sys.path.pop(0)
ENVIRONMENT_PATH = [entry for entry in sys.path if os.path.exists(entry)]
sys.path.insert(0, sys.argv[2])

import site

import pip
from pip._internal.locations import get_scheme
from pip._internal.metadata import _json
from pip._internal.utils.compatibility_tags import get_supported
from pip._internal.utils.virtualenv import virtualenv_no_global
from pip._vendor import packaging
from pip._vendor.packaging.markers import InvalidMarker, Marker, UndefinedComparison, default_environment
from pip._vendor.packaging.requirements import InvalidRequirement, Requirement
from pip._vendor.packaging.specifiers import InvalidSpecifier, SpecifierSet
from pip._vendor.packaging.tags import sys_tags
from pip._vendor.packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from pip._vendor.packaging.version import InvalidVersion, Version


def scheme(**options):
    found = get_scheme("Dist_Name", **options)
    return {key: getattr(found, key) for key in ("purelib", "platlib", "scripts", "data", "headers")}


def contains(version, specifier):
    try:
        parsed = Version(version)
    except InvalidVersion:
        return "invalid"
    try:
        return SpecifierSet(specifier).contains(parsed, prereleases=True)
    except InvalidSpecifier:
        return "invalid"


def evaluate(marker, environment):
    try:
        return Marker(marker).evaluate(environment)
    except UndefinedComparison:
        return False
    except InvalidMarker:
        return "invalid"


def requirement(text):
    try:
        parsed = Requirement(text)
    except InvalidRequirement:
        return "invalid"
    return [
        canonicalize_name(parsed.name),
        sorted(canonicalize_name(extra) for extra in parsed.extras),
        sorted(str(specifier) for specifier in parsed.specifier),
        parsed.url,
        parsed.marker is not None,
    ]


def wheel(filename):
    try:
        name, version, build, tags = parse_wheel_filename(filename)
    except (InvalidWheelFilename, InvalidVersion, ValueError):
        return "invalid"
    return [name, str(version), list(build), sorted(str(tag) for tag in tags)]


def metadata(text):
    import email

    message = email.message_from_string(text)
    if sys.version_info >= (3, 10):
        from importlib.metadata import _adapters

        message = _adapters.Message(message)
    return _json.msg_to_json(message)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        questions = json.load(file)
    targets = [[str(tag) for tag in get_supported(**target)] for target in questions["targets"]]
    answers = {
        "pip": pip.__version__,
        "packaging": packaging.__version__,
        "python": list(sys.version_info[:2]),
        "path": ENVIRONMENT_PATH,
        "sys_tags": [str(tag) for tag in sys_tags()],
        "targets": targets,
        "environment": default_environment(),
        "plain": scheme(),
        "user": scheme(user=True),
        "prefix": scheme(prefix="/a prefix"),
        "home": scheme(home="/a home"),
        "root": scheme(root="/a root"),
        "no_global": virtualenv_no_global(),
        "user_site": site.getusersitepackages(),
        "user_site_enabled": site.ENABLE_USER_SITE,
        "contains": [contains(*pair) for pair in questions["contains"]],
        "markers": [evaluate(marker, questions["environment"]) for marker in questions["markers"]],
        "requirements": [requirement(text) for text in questions["requirements"]],
        "wheels": [wheel(filename) for filename in questions["wheels"]],
        "metadata": [metadata(text) for text in questions["metadata"]],
    }
    json.dump(answers, sys.stdout)


main()
