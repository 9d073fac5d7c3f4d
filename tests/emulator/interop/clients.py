"""The clients: what each folder's `client.json` says, how it is installed, and how it is started."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent


class NotInstalled(Exception):
    """A registry or a tool is out of reach: loud, but nobody's fault."""


class DoesNotBuild(Exception):
    """It was fetched, and cannot be used: somebody's fault."""


class Client:
    def __init__(self, folder, target):
        self.folder = folder
        self.name = folder.name
        self.target = target / folder.name
        self.log = target / "logs" / f"{folder.name}.log"
        about = json.loads((folder / "client.json").read_text())
        self.kind, self.package = about["kind"], about["package"]
        self.version, self.settings = about["version"], about.get("settings")
        self.complaints = re.compile("|".join(about["complaints"]))
        self.command, self.source = None, None
        self.profile = "debug"

    def install(self, release=False):
        """Brings the pinned version into the target folder; does nothing if it is there."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        stamp, wanted = self.target / "stamp", self._hash()
        if release and self.kind == "cargo":
            stamp, self.profile = self.target / "stamp-release", "release"
        getattr(self, f"_prepare_{self.kind}")()
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        stamp.unlink(missing_ok=True)
        getattr(self, f"_install_{self.kind}")()
        stamp.write_text(wanted)

    def _hash(self):
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        digest = hashlib.sha256()
        for path in files:
            digest.update(path.name.encode() + path.read_bytes())
        return digest.hexdigest()

    # Python: a virtual environment.

    def _prepare_python(self):
        python = self.target / "bin" / "python"
        self.command = [str(python), "-u", str(self.folder / "bot.py")]
        found = list(self.target.glob("lib/python3*/site-packages"))
        self.source = found[0] if found else self.target

    def _install_python(self):
        need("python3", "python3")
        venv = ["python3", "-m", "venv", "--clear", str(self.target)]
        try:
            self._step(venv)
        except NotInstalled:
            apt("python3-venv")
            self._step(venv)
        pip = [str(self.target / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        pip += ["--disable-pip-version-check", "--no-deps", "--requirement"]
        self._step([*pip, str(self.folder / "requirements.txt")])
        self._prepare_python()

    # Node: a copy of the folder, since modules are looked for beside the script.

    def _prepare_node(self):
        self.command = ["node", str(self.target / "bot.mjs")]
        self.source = self.target / "node_modules"

    def _install_node(self):
        need("npm", "nodejs", "npm")
        shutil.rmtree(self.target, ignore_errors=True)
        shutil.copytree(self.folder, self.target)
        npm = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        self._step(npm, cwd=self.target)

    # Cargo: a copy of the package, beside a copy of the client whose fixed hosts are http: the
    # emulator is its proxy then, and what it sends is as it was.

    def _prepare_cargo(self):
        self.command = [str(self.target / "build" / self.profile / f"interop-{self.package}")]
        self.source = self.target

    def _install_cargo(self):
        project, crate = self.target / "project", self.target / self.package
        for folder in (project, crate):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, project)
        manifest = ["--manifest-path", str(project / "Cargo.toml")]
        self._step(["cargo", "fetch", "--locked", *manifest])
        metadata = ["cargo", "metadata", "--offline", "--locked", "--format-version", "1"]
        packages = json.loads(
            subprocess.run(
                metadata + manifest, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            ).stdout
        )["packages"]
        found = next(it for it in packages if it["name"] == self.package)
        shutil.copytree(Path(found["manifest_path"]).parent, crate)
        about = json.loads((self.folder / "client.json").read_text())
        for name, (there, here) in about["patched_constants"].items():
            path = crate / name
            text = path.read_text()
            if there not in text:
                raise DoesNotBuild(f"{name} has no {there!r} any more")
            path.write_text(text.replace(there, here))
        with (project / "Cargo.toml").open("a") as file:
            file.write(f'\n[patch.crates-io]\n{self.package} = {{ path = "../{self.package}" }}\n')
        build = ["cargo", "build", "--offline", "--quiet", *manifest]
        build += ["--release"] if self.profile == "release" else []
        try:
            self._step([*build, "--target-dir", str(self.target / "build")])
        except NotInstalled as error:
            raise DoesNotBuild(str(error)) from error

    def _step(self, command, cwd=None):
        path = self.log.with_name(f"{self.name}-install.log")
        with path.open("a") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            done = subprocess.run(command, cwd=cwd, stdout=log, stderr=subprocess.STDOUT)
        if done.returncode:
            said = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
            raise NotInstalled(f"{Path(command[0]).name} {command[1]} … said: {said[-1]} ({path})")

    def start(self, emulator, picture, events):
        """Starts the bot; its lines go to its log and to `events`."""
        env = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        env.update(
            INTEROP_API=emulator.api,
            INTEROP_TOKEN_URL=emulator.token_url,
            INTEROP_APP_ID=emulator.app_id,
            INTEROP_SECRET=emulator.secret,
            INTEROP_PICTURE=picture,
        )
        if self.kind == "cargo":
            env.update(http_proxy=emulator.api)
        process = subprocess.Popen(
            self.command,
            cwd=self.target,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        threading.Thread(target=self._follow, args=(process, events), daemon=True).start()
        return process

    def _follow(self, process, events):
        last = "nothing"
        with self.log.open("w") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                last = line.strip() or last
                events.put(("bot", line.rstrip()))
        events.put(("bot", f"FAILED: the bot has ended; it said {last}"))

    def cited(self, citation):
        """Whether `file:line: text` stands in what was installed."""
        name, line, text = citation.split(":", 2)
        path = self.source / name
        if not path.is_file():
            return False
        lines = path.read_text(errors="replace").splitlines()
        return int(line) <= len(lines) and text.strip() in lines[int(line) - 1]


def need(tool, *packages):
    """Makes sure that a program is there, with the system's package manager if it must."""
    if not shutil.which(tool):
        apt(*packages)
    if not shutil.which(tool):
        raise NotInstalled(f"there is no {tool}")


def apt(*packages):
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise NotInstalled(f"install {' '.join(packages)} first: this is not root with apt-get")
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        if subprocess.run(["apt-get", "--quiet", *words], stdout=subprocess.DEVNULL).returncode:
            raise NotInstalled(f"apt-get {words[0]} failed")


def all_clients(target):
    folders = sorted(path.parent for path in HERE.glob("*/client.json"))
    return [Client(folder, target) for folder in folders]
