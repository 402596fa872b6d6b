"""Tells an installer all it must know of the Python that runs this, as one JSON object on standard output.

Run as `python -I -S probe.py`, or with the text as `python -I -S -c TEXT`. Works on CPython and PyPy 3.8 and later.

`-I` keeps PYTHON* variables, the user's directory and the directory of this file out of `sys.path`; `-S` keeps `site` from
running what packages have put there: `.pth` lines that begin with "import", `sitecustomize`, `usercustomize`. So nothing but
the standard library is run. What `site` would have set is computed here without running anything of it: the prefix of a virtual
environment (before 3.14 only `site` reads `pyvenv.cfg`), and which directories of packages follow the standard library. What is
in these directories, and PYTHONPATH, is read by who asks, because it changes more often than this answer
(crates/installer/src/python/search_path.rs). PYTHONNOUSERSITE and PYTHONUSERBASE are read from the environment.

The object, with the type of each member; paths are absolute texts:

  probe_version        2: this description
  version              text, "3.11.7" (PEP 440, "3.15.0a1" for a pre-release, "3.13.0+local" for a build between releases)
  version_info         [major, minor, micro, release level, serial]
  cache_tag            text or null, "cpython-311": the name of byte code files
  executable           sys.executable
  prefix, exec_prefix, base_prefix, base_exec_prefix
  markers              the 11 variables of environment markers (PEP 508), each a text
  tag_facts            see TagFacts in crates/packaging/src/tags.rs
  paths                {purelib, platlib, scripts, data, headers, scheme}: where a plain install goes. Headers of a
                       distribution go to `headers` + "/" + the project name as the distribution writes it ("UNKNOWN"
                       when it has none, but only outside of virtual environments). `scheme` is the name of the sysconfig
                       scheme, for messages.
  user_paths           the same for --user; null where this Python has no such scheme
  prefix_paths         the same for --prefix, with "{prefix}" at the start of each path instead of the prefix
  home_paths           the same for a home (--target is made of it), with "{home}" likewise
  user_base, user_site text or null
  user_site_enabled    true: on; false: off by the user's wish (-s, PYTHONNOUSERSITE, or a virtual environment without
                       system packages); null: off for safety (other effective user or group)
  is_virtualenv        bool: prefix differs from base prefix
  system_site_packages bool: packages of the base installation are visible (outside of virtual environments: true)
  search_path          [{path, site}]: sys.path as `python script.py` has it, without the directory of the script and PYTHONPATH,
                       whether or not something is there. Where `site` is true, the .pth files in it add further directories
                       behind it
  stdlib               the directory which may hold EXTERNALLY-MANAGED
  externally_managed   null, or the text that tells why PEP 668 forbids to install here: the distributor's for the locale
                       or for any, else one of ours
  src_prefix           where editable checkouts go: null for the current directory + "/src"
  is_osx_framework     bool
"""

import os
import sys


def enter_virtualenv():
    """Sets what `site.venv()` sets: the prefix of the virtual environment. To be called before `sysconfig` is imported."""
    if sys.version_info >= (3, 14):
        return  # Done before the first line of Python code runs.
    executable = sys.executable
    if sys.platform == "darwin":
        executable = os.environ.get("__PYVENV_LAUNCHER__", executable)
    directory = os.path.dirname(os.path.abspath(executable))
    prefix = os.path.dirname(directory)
    for place in (directory, prefix):
        configuration = read_configuration(place)
        if configuration is not None:
            sys.prefix = sys.exec_prefix = prefix
            sys._home = configuration.get("home")
            return


def read_configuration(directory):
    """The values of `pyvenv.cfg`; null where there is none."""
    try:
        with open(os.path.join(directory, "pyvenv.cfg"), encoding="utf-8", errors="replace") as file:
            lines = [line.partition("=") for line in file]
    except OSError:
        return None
    return {name.strip().lower(): value.strip() for name, equals, value in lines if equals}


enter_virtualenv()

import sysconfig


def main():
    import json

    facts = {
        "probe_version": 2,
        "version_info": list(sys.version_info),
        "cache_tag": sys.implementation.cache_tag,
        "executable": sys.executable,
        "prefix": sys.prefix,
        "exec_prefix": sys.exec_prefix,
        "base_prefix": sys.base_prefix,
        "base_exec_prefix": sys.base_exec_prefix,
        "markers": markers(),
        "is_virtualenv": is_virtualenv(),
        "system_site_packages": not hides_system_packages(),
        "stdlib": sysconfig.get_path("stdlib"),
        "externally_managed": externally_managed(),
        "src_prefix": os.path.abspath(os.path.join(sys.prefix, "src")) if is_virtualenv() else None,
        "is_osx_framework": bool(sysconfig.get_config_var("PYTHONFRAMEWORK")),
    }
    facts["version"] = facts["markers"]["python_full_version"]
    facts["tag_facts"] = tag_facts(facts["markers"]["platform_system"])
    facts.update(user_site())
    facts["search_path"] = search_path(facts)
    facts.update(all_paths())
    text = json.dumps(facts)
    sys.stdout.write(text + "\n")


def is_virtualenv():
    return sys.prefix != sys.base_prefix


def markers():
    """PEP 508, environment markers."""
    import platform

    info = sys.implementation.version
    version = "%d.%d.%d" % (info[0], info[1], info[2])
    if info[3] != "final":
        version += info[3][0] + str(info[4])
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": version,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        # A build between releases ends in "+", which is no version.
        "python_full_version": platform.python_version() + ("local" if sys.version.split()[0].endswith("+") else ""),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


# Compatibility tags


def tag_facts(system):
    variable = sysconfig.get_config_var
    debug = variable("Py_DEBUG")
    if debug is None:
        # Windows does not say it: debug builds count references or load other extension modules.
        from importlib.machinery import EXTENSION_SUFFIXES

        debug = hasattr(sys, "gettotalrefcount") or "_d.pyd" in EXTENSION_SUFFIXES
    pymalloc = variable("WITH_PYMALLOC")
    nodot = variable("py_version_nodot")
    facts = {
        "implementation": sys.implementation.name,
        "version": list(sys.version_info[:2]),
        "version_nodot": str(nodot) if nodot else None,
        "pointer_size": 8 if sys.maxsize > 2**32 else 4,
        "debug": bool(debug),
        "free_threaded": bool(variable("Py_GIL_DISABLED")),
        "pymalloc": pymalloc is None or bool(pymalloc),
        "wide_unicode": variable("Py_UNICODE_SIZE") in (None, 4),
        "extension_suffix": variable("EXT_SUFFIX"),
        "platform": sysconfig.get_platform(),
        "system": system,
        "glibc": None,
        "musl": None,
        "elf": None,
        "os_version": None,
        "os_architecture": None,
        "pyemscripten": None,
    }
    if system == "Linux":
        facts["glibc"] = glibc_version()
        facts["elf"], loader = read_elf(sys.executable)
        facts["musl"] = musl_version(loader)
    elif system == "Darwin":
        facts["os_version"], facts["os_architecture"] = mac_version()
    elif system == "iOS":
        import platform

        facts["os_version"] = numbers(platform.ios_ver().release)
        facts["os_architecture"] = sys.implementation._multiarch
    elif system == "Android":
        import platform

        facts["os_version"] = [platform.android_ver().api_level, 0]
    elif system == "Emscripten":
        version = variable("PYEMSCRIPTEN_PLATFORM_VERSION")
        facts["pyemscripten"] = str(version) if version else None
    return facts


def numbers(version):
    """The first two numbers of a version; null when there are none."""
    fields = version.split(".")[:2] + ["0"]
    try:
        return [int(fields[0]), int(fields[1])]
    except ValueError:
        return None


def glibc_version():
    try:
        text = os.confstr("CS_GNU_LIBC_VERSION").split()[-1]
    except (AttributeError, OSError, ValueError, IndexError):
        text = glibc_version_of_process()
    # Some distributors append text: "2.20-2014.11".
    version = []
    for field in (text or "").split(".")[:2]:
        digits = field[: len(field) - len(field.lstrip("0123456789"))]
        if digits:
            version.append(int(digits))
    return version if len(version) == 2 else None


def glibc_version_of_process():
    try:
        import ctypes

        function = ctypes.CDLL(None).gnu_get_libc_version
    except (ImportError, OSError, AttributeError):
        return None
    function.restype = ctypes.c_char_p
    return function().decode("ascii", "replace")


def read_elf(path):
    """Facts of the header of an executable, and the loader it asks for; each may be null."""
    import struct

    try:
        with open(path, "rb") as file:
            start = file.read(16)
            bits, order = {1: 32, 2: 64}[start[4]], {1: "<", 2: ">"}[start[5]]
            if start[:4] != b"\x7fELF":
                return None, None
            header = order + ("HHIIIIIHHH" if bits == 32 else "HHIQQQIHHH")
            values = struct.unpack(header, file.read(struct.calcsize(header)))
            elf = {"bits": bits, "little_endian": order == "<", "machine": values[1], "flags": values[6]}
            segments, size, count = values[4], values[8], values[9]
            segment = order + ("IIIIIIII" if bits == 32 else "IIQQQQQQ")
            for index in range(count):
                file.seek(segments + size * index)
                entry = file.read(struct.calcsize(segment))
                if len(entry) < struct.calcsize(segment):
                    continue
                entry = struct.unpack(segment, entry)
                if entry[0] == 3:  # PT_INTERP
                    offset, length = (entry[1], entry[4]) if bits == 32 else (entry[2], entry[5])
                    file.seek(offset)
                    return elf, os.fsdecode(file.read(min(length, 4096))).strip("\0")
            return elf, None
    except (OSError, TypeError, ValueError, LookupError, struct.error):
        return None, None


def musl_version(loader):
    """The loader of musl, run without a program, tells its version."""
    if not loader or "musl" not in loader:
        return None
    import subprocess

    try:
        output = subprocess.run([loader], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False).stderr
    except OSError:
        return None
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    if len(lines) < 2 or not lines[0].startswith("musl") or not lines[1].startswith("Version "):
        return None
    return numbers(lines[1][len("Version ") :])


def mac_version():
    import platform

    release, _, machine = platform.mac_ver()
    version = numbers(release)
    if version == [10, 16]:
        # A Python built with an old SDK is told a compatible version unless it asks not to be.
        import subprocess

        code = "import platform; print(platform.mac_ver()[0])"
        environment = {"SYSTEM_VERSION_COMPAT": "0"}
        command = [sys.executable, "-I", "-S", "-c", code]
        output = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE).stdout
        version = numbers(output.decode())
    return version, machine


# Paths


def all_paths():
    names = sysconfig.get_scheme_names()
    keys = ["installed_base", "base", "installed_platbase", "platbase", "prefix", "exec_prefix"]
    if sysconfig.get_config_var("userbase") is not None:
        keys.append("userbase")
    prefix_scheme = preferred_scheme("prefix", names)
    redirected = prefix_scheme
    if prefix_scheme in ("posix_local", "osx_framework_library"):
        # These schemes are for installs into the system's own prefix only.
        redirected = "posix_prefix"
    user_scheme = preferred_scheme("user", names)
    home_scheme = preferred_scheme("home", names)
    return {
        "paths": scheme_paths(prefix_scheme, {}),
        "user_paths": scheme_paths(user_scheme, {}, user=True) if user_scheme in names else None,
        "prefix_paths": scheme_paths(redirected, dict.fromkeys(keys, "{prefix}")),
        "home_paths": scheme_paths(home_scheme, dict.fromkeys(keys, "{home}")),
    }


def preferred_scheme(kind, names):
    if hasattr(sysconfig, "get_preferred_scheme"):
        return sysconfig.get_preferred_scheme(kind)
    # Before 3.10 only names tell what a scheme is for.
    framework = bool(sysconfig.get_config_var("PYTHONFRAMEWORK")) and not is_virtualenv()
    if kind == "prefix":
        implementation = sys.implementation.name
        wanted = ["osx_framework_library"] if framework else []
        wanted += [implementation + "_" + os.name, implementation, os.name + "_prefix", os.name, "posix_prefix"]
    elif kind == "user":
        wanted = ["osx_framework_user" if framework else os.name + "_user", "posix_user"]
    else:
        wanted = [os.name + "_home", "posix_home"]
    for name in wanted:
        if name in names:
            return name
    return wanted[-1]


def scheme_paths(scheme, variables, user=False):
    # sysconfig before 3.14 adds its own variables to the given ones, and pip reads them from there.
    paths = sysconfig.get_paths(scheme=scheme, vars=variables)
    headers = paths["include"]
    if is_virtualenv():
        # The include directory of a virtual environment's Python is the system's.
        base = variables.get("userbase" if user else "base", sys.prefix)
        headers = os.path.join(base, "include", "site", "python%d.%d" % sys.version_info[:2])
    return {
        "purelib": paths["purelib"],
        "platlib": paths["platlib"],
        "scripts": paths["scripts"],
        "data": paths["data"],
        "headers": headers,
        "scheme": scheme,
    }


# Site


def hides_system_packages():
    if not is_virtualenv():
        return False
    try:
        with open(os.path.join(sys.prefix, "pyvenv.cfg"), encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return True
    for line in lines:
        name, _, value = line.partition("=")
        if name.rstrip() == "include-system-site-packages" and value.lstrip().startswith("false"):
            return True
    return False


def user_site():
    """What `site` would tell without `-I` and `-S`."""
    try:
        import site

        base, directory = site.getuserbase(), site.getusersitepackages()
    except (ImportError, AttributeError):
        return {"user_base": None, "user_site": None, "user_site_enabled": False}
    if hides_system_packages() or os.environ.get("PYTHONNOUSERSITE"):
        enabled = False
    elif hasattr(os, "getuid") and (os.geteuid() != os.getuid() or os.getegid() != os.getgid()):
        enabled = None
    else:
        enabled = True
    return {"user_base": base, "user_site": directory, "user_site_enabled": enabled}


def search_path(facts):
    """What `site.main()` makes of sys.path, without reading the directories."""
    import site

    found = [(entry, False) for entry in sys.path if entry]
    shows_base = True
    if is_virtualenv():
        found += [(entry, True) for entry in site.getsitepackages([sys.prefix])]
        configuration = read_configuration(os.path.dirname(sys.executable)) or read_configuration(sys.prefix) or {}
        shows_base = configuration.get("include-system-site-packages", "true").lower() == "true"
    if facts["user_site_enabled"] and shows_base:
        found.append((facts["user_site"], True))
    if shows_base:
        found += [(entry, True) for entry in site.getsitepackages([sys.base_prefix, sys.base_exec_prefix])]
    found = [(os.path.abspath(entry), is_site) for entry, is_site in found]
    return [{"path": entry, "site": is_site} for entry, is_site in found if is_text(entry)]


def is_text(path):
    """Whether a path can be told in JSON: its bytes may be no text."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


# PEP 668


def externally_managed():
    if is_virtualenv():
        return None
    path = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    if not os.path.isfile(path):
        return None
    import configparser
    import locale

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
        section = parser["externally-managed"]
    except (KeyError, OSError, UnicodeDecodeError, configparser.Error):
        section = {}
    language = None
    if hasattr(locale, "LC_MESSAGES"):
        try:
            locale.setlocale(locale.LC_MESSAGES, "")
            language = locale.getlocale(locale.LC_MESSAGES)[0]
        except (locale.Error, ValueError):
            pass
    keys = ["Error"]
    if language:
        short = [language.split(separator)[0] for separator in "-_" if separator in language]
        keys[:0] = ["Error-" + name for name in [language] + short]
    for key in keys:
        if key in section:
            return section[key]
    return "Something else manages the packages in %s: see the manual of the system." % sys.prefix


if __name__ == "__main__":
    main()
