#!/usr/bin/env python3
"""Sets real clients against the emulator and prints a table: client by scene. See README.md."""

import argparse
import json
import queue
import shutil
import sys
from pathlib import Path

from clients import HERE, DoesNotBuild, NotInstalled, all_clients
from control import Emulator, Trouble
from scenes import SCENES, Play, Red

MARKS = ("<!-- table: generated from expected.json by run.py --readme -->", "<!-- /table -->")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clients", nargs="*", help="names of folders; none means all of them")
    parser.add_argument("--emulator", type=Path, help="the emulator's program")
    parser.add_argument("--target", type=Path, help="the folder for all that is made")
    parser.add_argument("--readme", action="store_true", help="write the table into README.md")
    args = parser.parse_args()
    expected = json.loads((HERE / "expected.json").read_text())
    if args.readme:
        readme(expected, write=True)
        return 0
    root = HERE.parents[2]
    target = (args.target or root / "target" / "interop").resolve()
    target.mkdir(parents=True, exist_ok=True)
    # A copy: a build meanwhile may replace the program.
    program = target / "qq-emulator"
    shutil.copy(args.emulator or root / "target" / "debug" / "qq-emulator", program)
    known = all_clients(target)
    strangers = set(args.clients) - {client.name for client in known}
    if strangers:
        parser.error(f"no client is called {', '.join(sorted(strangers))}")
    wanted = [it for it in known if not args.clients or it.name in args.clients]
    seen, absent = {}, {}
    for client in wanted:
        print(f"== {client.name}: {client.package} {client.version}", flush=True)
        try:
            client.install()
        except NotInstalled as error:
            absent[client.name] = str(error)
            continue
        except DoesNotBuild as error:
            seen[client.name] = {scene: str(error) for scene in SCENES}
            continue
        seen[client.name] = play(client, program)
    table(seen)
    failures = compare(wanted, seen, expected) + readme(expected, write=False)
    for failure in failures:
        print(f"FAILED {failure}")
    for name, why in absent.items():
        print("!" * 78)
        print(f"!! NOT INSTALLED, SO NOT TRIED: {name}: {why}")
        print("!" * 78)
    tried = len(seen) * len(SCENES)
    failed = min(len(failures), tried) if tried else len(failures)
    print(f"{max(tried - failed, 0)} passed, {failed} failed")
    return 1 if failures else 0


def play(client, program):
    """All scenes of one client: "ok", or the first reason."""
    events = queue.SimpleQueue()
    emulator = Emulator(program, client.folder / client.settings if client.settings else None, events)
    bot = None
    try:
        picture = emulator.picture()
        bot = client.start(emulator, picture["url"], events)
        stage = Play(client, emulator, picture["file"], events)
        try:
            stage.login()
        except Red as red:
            return {scene: f"login: {red}" for scene in SCENES}
        cells = {}
        for name, scene in SCENES.items():
            stage.begin()
            try:
                scene(stage)
                cells[name] = "ok"
            except (Red, Trouble) as red:
                cells[name] = str(red)
            note = f" ({stage.note})" if stage.note else ""
            print(f"   {name}: {cells[name]}{note}", flush=True)
        for text in stage.twice():
            cells["drop+resume"] = f"{text!r} is answered twice"
        for rule in sorted(stage.broken_rules()):
            print(f"   rule broken: {rule}", flush=True)
        return cells
    finally:
        if bot:
            bot.kill()
            bot.wait()
        emulator.stop()


def table(seen):
    """Client by scene, and below it the reasons of all that is red."""
    width = max([len(name) for name in seen] + [6])
    print("\n" + " " * width, *SCENES, sep="  ")
    for name, cells in seen.items():
        row = [("ok" if cells[scene] == "ok" else "red").ljust(len(scene)) for scene in SCENES]
        print(name.ljust(width), *row, sep="  ")
    for name, cells in seen.items():
        for scene, cell in cells.items():
            if cell != "ok":
                print(f"{name}, {scene}: {cell}")
    print()


def compare(clients, seen, expected):
    """Where the table differs from what is committed, and where a citation does not hold."""
    failures = []
    for client in clients:
        if client.name not in seen:
            continue
        wanted = expected.get(client.name, {})
        for scene, cell in seen[client.name].items():
            red = wanted.get("red", {}).get(scene)
            where = f"{client.name}, {scene}"
            if red is None:
                if cell != "ok":
                    failures.append(f"{where}: {cell}")
            elif cell == "ok":
                failures.append(f"{where}: it is ok now: take it out of expected.json")
            elif red["reason"] != cell:
                failures.append(f"{where}: {cell!r} in place of {red['reason']!r}")
            elif not client.cited(red["cause"]):
                failures.append(f"{where}: {red['cause']!r} does not stand in {client.version}")
        if wanted.get("version") != client.version:
            failures.append(f"{client.name}: expected.json is of version {wanted.get('version')}")
    return failures


def readme(expected, write):
    """The table of README.md is that of expected.json."""
    lines = ["| client | version | " + " | ".join(SCENES) + " |", "|---" * (len(SCENES) + 2) + "|"]
    notes = []
    for name, wanted in expected.items():
        cells = []
        for scene in SCENES:
            red = wanted.get("red", {}).get(scene)
            if red is None:
                cells.append("ok")
                continue
            file, line, text = red["cause"].split(":", 2)
            note = f"`{name}`, {red['reason']}: `{file}:{line}` has `{text.strip()}`. {red['note']}"
            if note not in notes:
                notes.append(note)
            cells.append(f"red ({notes.index(note) + 1})")
        lines.append(f"| `{name}` | {wanted['version']} | " + " | ".join(cells) + " |")
    lines += ["", *(f"{n}. {note}" for n, note in enumerate(notes, 1))]
    path = HERE / "README.md"
    before, rest = path.read_text().split(MARKS[0])
    old, after = rest.split(MARKS[1])
    new = "\n" + "\n".join(lines).rstrip() + "\n"
    if old == new:
        return []
    if not write:
        return ["README.md: its table is not that of expected.json; run run.py --readme"]
    path.write_text(before + MARKS[0] + new + MARKS[1] + after)
    return []


if __name__ == "__main__":
    sys.exit(main())
