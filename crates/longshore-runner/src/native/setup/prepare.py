# Makes a Python of the job's own in the directory that is the argument, unless Python itself can be written to; prints the
# directory that is to be used. It runs in any Python from 2.7 on.
#
# It is an installation like the one it is made of, as on a hosted runner: a copy of the program, links to the standard
# library, and packages of its own. uv, tox and others pass over virtual environments when they look for a Python. Only a
# Python whose packages are elsewhere than usual (a distribution's) gets a virtual environment.
import os, shutil, subprocess, sys
target = sys.argv[1]
short = "%d.%d" % sys.version_info[:2]
lib = os.path.join("lib", "python" + short)

def done(place):
    sys.stdout.write(place + "\n")
    sys.exit(0)

def link_all(place, besides):
    source = os.path.join(sys.prefix, place)
    made = os.path.join(target, place)
    os.makedirs(made)
    for name in os.listdir(source) if os.path.isdir(source) else []:
        if name not in besides:
            os.symlink(os.path.join(source, name), os.path.join(made, name))

def install():
    link_all("", ("bin", "lib", "conda-meta"))
    link_all("lib", ("python" + short,))
    link_all(lib, ("site-packages", "EXTERNALLY-MANAGED", "__pycache__"))
    os.mkdir(os.path.join(target, lib, "site-packages"))
    os.mkdir(os.path.join(target, "bin"))
    program = os.path.join(target, "bin", "python" + short)
    shutil.copy2(os.path.realpath(sys.executable), program)
    for name in ("python%s-config" % short, "pydoc" + short, "2to3-" + short):
        script = os.path.join(sys.prefix, "bin", name)
        if os.path.exists(script):
            os.symlink(script, os.path.join(target, "bin", name))
    check = "import sys, encodings, zlib; sys.exit(sys.prefix != sys.argv[1])"
    return subprocess.call([program, "-I", "-c", check, target], stderr=subprocess.DEVNULL) == 0

def is_usual():
    if sys.prefix == "/usr" or sys.prefix != sys.base_prefix:
        return False
    usual = os.path.join(sys.prefix, lib, "site-packages")
    return sysconfig.get_paths()["purelib"] == usual and os.path.isdir(os.path.join(sys.prefix, lib))

def names():
    for name in ("python", "python3", "python" + short):
        path = os.path.join(target, "bin", name)
        if not os.path.lexists(path):
            os.symlink("python" + short if os.path.exists(os.path.join(target, "bin", "python" + short)) else "python", path)

def pip(wheels):
    site = os.path.join(target, lib, "site-packages")
    if wheels:
        with open(os.path.join(site, "pip-of-python.pth"), "w") as f:
            f.write("".join(w + "\n" for w in wheels))
    code = "#!%s\nimport sys\ntry:\n    from pip._internal.cli.main import main\nexcept ImportError:\n    from pip._internal import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
    for name in ("pip", "pip3", "pip" + short):
        path = os.path.join(target, "bin", name)
        with open(path, "w") as f:
            f.write(code % os.path.join(target, "bin", "python"))
        os.chmod(path, 0o755)

if os.path.exists(os.path.join(target, "bin", "python")):
    done(target)
try:
    import sysconfig, venv
except ImportError:
    done(sys.prefix)
paths = sysconfig.get_paths()
if sys.prefix != "/usr" and os.access(paths["purelib"], os.W_OK) and os.path.exists(os.path.join(sys.prefix, "bin", "python")):
    done(sys.prefix)
wheels = []
for place in (os.path.join(paths["stdlib"], "ensurepip", "_bundled"), "/usr/share/python-wheels"):
    if not wheels and os.path.isdir(place):
        wheels = [os.path.join(place, n) for n in sorted(os.listdir(place)) if n.endswith(".whl") and n.split("-")[0] in ("pip", "setuptools")]
made = False
try:
    made = bool(wheels) and is_usual() and install()
except OSError:
    pass
if not made:
    shutil.rmtree(target, ignore_errors=True)
    venv.EnvBuilder(system_site_packages=not wheels, symlinks=True, with_pip=False).create(target)
names()
pip(wheels)
done(target)
