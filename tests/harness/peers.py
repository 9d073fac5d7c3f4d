"""Installs clients by name into a folder, as `cargo xtask interop` does, and what is compiled as a release build."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "emulator" / "interop"))

from clients import DoesNotBuild, NotInstalled, all_clients  # noqa: E402


def main():
    target = Path(sys.argv[1]).resolve()
    target.mkdir(parents=True, exist_ok=True)
    missing = False
    for client in all_clients(target):
        if client.name not in sys.argv[2:]:
            continue
        try:
            client.install(release=True)
            print(f"{client.package} {client.version} is there", flush=True)
        except (NotInstalled, DoesNotBuild) as error:
            print(f"{client.package} {client.version} is missing: {error}", flush=True)
            missing = True
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
