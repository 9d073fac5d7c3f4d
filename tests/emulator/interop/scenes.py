"""The scenes: what users do, and what the bot must have done about it."""

import json
import queue
import re
import time

UUID = re.compile("[0-9a-f-]{36}")

# Seconds: for a bot to log in, to answer, and to come back after a cut.
LOGIN, ANSWER, RETURN = 60, 15, 45


class Red(Exception):
    """A scene did not go as it must; the first reason."""


class Play:
    """One client on one emulator."""

    def __init__(self, client, emulator, picture, events):
        self.client, self.emulator, self.events = client, emulator, events
        self.picture = picture
        self.seen = []
        self.scene_from = 0
        self.log_seen = 0
        self.note = ""

    # What has been told.

    def next(self, until):
        """Takes in one more event; false if none comes in time."""
        left = until - time.monotonic()
        try:
            source, event = self.events.get(timeout=max(left, 0.001))
        except queue.Empty:
            return False
        self.seen.append((source, event))
        if source == "log":
            self.log_seen = event.get("n", self.log_seen) + 1
        return True

    def wait(self, found, limit, what):
        """Waits until `found` gives something for an event of this scene."""
        until, at = time.monotonic() + limit, self.scene_from
        while True:
            while at < len(self.seen):
                source, event = self.seen[at]
                at += 1
                result = found(source, event)
                if result is not None:
                    return result
                if source == "bot" and event.startswith("FAILED"):
                    raise Red(self.refusal() or event)
            if not self.next(until):
                raise Red(self.refusal() or self.complaint() or f"{what} within {limit} s")

    def catch_up(self):
        """Takes in all of the emulator's log so far: it comes by a way of its own."""
        end = self.emulator.call("GET", "/state")["counts"]["log"]
        until = time.monotonic() + ANSWER
        while self.log_seen < end and self.next(until):
            pass

    def refusal(self):
        """The first request of this scene that the emulator refused, or the first broken rule."""
        self.catch_up()
        asked = {}
        for source, event in self.seen[self.scene_from :]:
            if source != "log":
                continue
            kind = event["kind"]
            if kind == "request":
                asked[event["ticket"]] = f"{event['method']} {shown(event['path'])}"
            elif kind == "response" and event["status"] >= 400:
                meaning = event.get("meaning", "")
                request = asked.get(event["ticket"], "a request")
                return f"{request}: {event['status']} {meaning}".strip()
            elif kind == "violation":
                return event["text"]
        return None

    def complaints(self):
        """What the client itself said against what it was sent in this scene."""
        found = []
        for source, event in self.seen[self.scene_from :]:
            match = source == "bot" and self.client.complaints.search(event)
            if match and match[match.lastindex or 0] not in found:
                found.append(match[match.lastindex or 0])
        return found

    def complaint(self):
        found = self.complaints()
        return f"the client does not take {', '.join(found)}" if found else None

    def begin(self):
        self.catch_up()
        self.scene_from = len(self.seen)
        self.note = ""

    # What users do.

    def say(self, action, text, **where):
        return self.emulator.user(action, text=text, **where)["message_id"]

    def answer_to(self, message):
        """The bot's answer to a message."""

        def found(source, event):
            if source == "said" and event.get("reply_to") == {"msg_id": message}:
                return event
            return None

        return self.wait(found, ANSWER, "no answer")

    def echo(self, action, text, **where):
        answer = self.answer_to(self.say(action, text, **where))
        expect(answer, "text", f"echo: {text}")

    def login(self):
        self.begin()
        self.wait(lambda source, event: dispatched(source, event, "READY"), LOGIN, "no READY")

    # The scenes.

    def c2c(self):
        self.echo("c2c", "one to one", user="alice")

    def group(self):
        self.echo("group_at", "in a group", group="friends", user="alice")

    def guild(self):
        self.echo("channel_at", "in a guild", guild="guild", channel="general", user="alice")

    def dm(self):
        self.echo("dm", "in private", guild="guild", user="alice")

    def old_shape(self):
        """The events of 2025, with a handful of fields."""
        for action, where in PLACES["v2"]:
            self.echo(action, "in few fields", shape="minimal", **where)

    def markdown(self):
        for action, where in PLACES["v2"]:
            answer = self.answer_to(self.say(action, "/markdown", **where))
            expect(answer, "markdown", "markdown")

    def media(self):
        file = {"file": self.picture, "content_type": "", "filename": "", "url": "", "size": 0}
        for action, where in PLACES["v2"] + PLACES["guild"]:
            message = self.say(action, "/media", attachments=[file], **where)
            answer = self.answer_to(message)
            if answer["form"] != "media" or answer["media"]["file_type"] != 1:
                raise Red(f"a {answer['form']} message in place of a picture")

    def events_parse(self):
        """Every event that the client may ask for reaches its parser, and the parser says nothing."""
        self.begin()
        channel = self.say("channel_at", "to be deleted", **ALICE_IN_GUILD)
        dm = self.say("dm", "to be deleted", guild="guild", user="alice")
        in_channel = self.answer_to(channel)
        self.answer_to(dm)
        in_c2c = self.answer_to(self.say("c2c", "hi", user="alice"))
        quotes = [
            {"action": "c2c", "user": "alice", "text": "why?", "quote": in_c2c["index"]},
            {"action": "channel_plain", "text": "why?", "reply": in_channel["id"], **ALICE_IN_GUILD},
        ]
        face = {"user": "bob", "emoji": {"type": 1, "id": "277"}, "message_id": in_channel["id"]}
        reactions = [{"action": "react", "remove": remove, **face} for remove in (False, True)]
        unheard, asked = set(), []
        for act in FULL_MODE + RICH + quotes + reactions + NOTICES:
            outcome = self.emulator.user(**act)
            if not outcome["sessions"] and act["action"] not in SILENT:
                unheard.add(act.get("name", act["action"]))
            if act in RICH + quotes and "message_id" in outcome:
                asked.append(outcome["message_id"])
        for message in asked:
            self.answer_to(message)
        for message in (channel, dm):
            self.emulator.user("delete_message", user="alice", message_id=message)
        self.echo("c2c", "still there", user="alice")
        # What it says against an event, it has said before this line.
        last = lambda source, line: source == "bot" and line == "heard: still there" or None
        self.wait(last, ANSWER, "it does not say what it heard")
        self.note = f"not asked for: {', '.join(sorted(unheard))}" if unheard else ""
        if self.complaint():
            raise Red(self.complaint())

    def resume(self):
        """The connection breaks; what is said meanwhile comes after the Resume, and is answered once."""
        self.emulator.call("POST", "/fault", {"fault": "drop"})
        cut = lambda source, event: source == "log" and event["kind"] == "socket_closed" or None
        self.wait(cut, ANSWER, "the socket was not cut")
        message = self.say("c2c", "while you were away", user="alice")

        def back(source, event):
            if source == "log" and event["kind"] == "frame_in" and op(event) == 2:
                raise Red("it identifies in place of resuming")
            if source == "log" and event["kind"] == "frame_out" and op(event) == 9:
                raise Red(f"its Resume is answered by op 9: {self.refusal() or 'unknown session'}")
            return dispatched(source, event, "RESUMED")

        self.wait(back, RETURN, "no Resume")
        answer = self.answer_to(message)
        expect(answer, "text", "echo: while you were away")

    def twice(self):
        """Messages that were answered twice."""
        messages = self.emulator.call("GET", "/ledger")["user_messages"]
        return [it["text"] for it in messages if len(it["replies"]) > 1]

    def broken_rules(self):
        """What the emulator has against the client, whether or not it refused it."""
        self.catch_up()
        entries = (event for source, event in self.seen if source == "log")
        return {UUID.sub("…", it["text"]) for it in entries if it["kind"] == "violation"}


SCENES = {
    "c2c": Play.c2c,
    "group": Play.group,
    "guild": Play.guild,
    "dm": Play.dm,
    "old shape": Play.old_shape,
    "markdown": Play.markdown,
    "media": Play.media,
    "events": Play.events_parse,
    "drop+resume": Play.resume,
}

ALICE_IN_GUILD = {"guild": "guild", "channel": "general", "user": "alice"}

PLACES = {
    "v2": [("c2c", {"user": "alice"}), ("group_at", {"group": "friends", "user": "alice"})],
    "guild": [("channel_at", ALICE_IN_GUILD), ("dm", {"guild": "guild", "user": "alice"})],
}

BOB = {"guild": "other", "user": "bob"}
BOB_IN_GUILD = {"guild": "guild", "user": "bob"}
NEWS = {"guild": "guild", "channel": "news", "user": "bob"}
CLUB = {"group": "club", "user": "bob"}

LOUD = {"group": "loud", "user": "alice"}
MEDIA = [
    {"content_type": "image/jpeg", "filename": "a.jpg", "width": 1080, "height": 810},
    {"content_type": "voice", "filename": "a.amr", "asr_refer_text": "hello"},
    {"content_type": "video/mp4", "filename": "a.mp4"},
    {"content_type": "file", "filename": "notes.txt"},
]
for item in MEDIA:
    item.update(url="https://example.com/download?fileid=1", size=182044)
MEDIA[1]["voice_wav_url"] = "https://example.com/download?fileid=2"
MAP = {
    "ark_type": "map",
    "ark_name": "位置卡片",
    "prompt": "[位置]People's Square",
    "fields": {"address": "…", "desc": "People's Square"},
}

# A group that lets the bot hear everything: whether it answers is its own affair.
FULL_MODE = [
    {"action": "set_group_mode", "group": "loud", "mode": "all"},
    {"action": "group_at", "text": "to you", "mentions": ["carol"], **LOUD},
    {"action": "group_plain", "text": "to nobody", **LOUD},
    {"action": "set_group_mode", "group": "loud", "mode": "mention_and_context"},
]

# Messages that are more than text; each is answered.
RICH = [
    {"action": "c2c", "user": "alice", "text": "look", "attachments": MEDIA},
    {"action": "c2c", "user": "alice", "forward": ["one", "two"]},
    {"action": "c2c", "user": "alice", "ark": MAP},
    {"action": "group_at", "text": "and you", "mentions": ["carol"], "attachments": MEDIA, **LOUD},
    {"action": "channel_at", "text": "look", "mentions": ["carol"], **ALICE_IN_GUILD},
]

# Acts of which no bot is told, at least not always.
SILENT = {"set_role", "set_group_mode", "group_plain"}
BUTTON = {"button_data": "approve:42", "button_id": "1"}
VOICE = {"guild_id": "18700000000001", "channel_id": "100011"}
AUDIT = {
    "audit_id": "ab9bd72f-19e8-4394-b09e-66caca0d64e4",
    "audit_time": "2026-07-21T10:50:09+08:00",
    "create_time": "2026-07-21T10:50:00+08:00",
    "seq_in_channel": "118",
    **VOICE,
}


def event(name, **body):
    return {"action": "event", "name": name, "body": body}


# What users do beside talking, in an order that makes sense.
NOTICES = [
    {"action": "add_friend", "user": "bob"},
    {"action": "reject_messages", "user": "bob"},
    {"action": "accept_messages", "user": "bob"},
    {"action": "remove_friend", "user": "bob"},
    {"action": "add_to_group", **CLUB},
    {"action": "group_reject_messages", **CLUB},
    {"action": "group_accept_messages", **CLUB},
    {"action": "remove_from_group", **CLUB},
    {"action": "add_to_guild", **BOB},
    {"action": "update_guild", **BOB},
    {"action": "remove_from_guild", **BOB},
    {"action": "add_channel", **NEWS},
    {"action": "update_channel", **NEWS},
    {"action": "join_guild", **BOB_IN_GUILD},
    {"action": "update_member", **BOB_IN_GUILD},
    {"action": "leave_guild", **BOB_IN_GUILD},
    {"action": "delete_channel", **NEWS},
    {"action": "interact", "user": "alice", "kind": 12, "resolved": {"feature_id": "1"}},
    {"action": "interact", "user": "alice", "kind": 11, "resolved": BUTTON},
    {"action": "interact", "user": "alice", "group": "friends", "kind": 11, "resolved": BUTTON},
    {"action": "join_group", "group": "friends", "user": "carol"},
    {"action": "leave_group", "group": "friends", "user": "carol"},
    {"action": "set_role", "group": "friends", "role": "admin"},
    {"action": "request_to_join", "group": "friends", "user": "dave", "text": "hi"},
    # What has no act of its own, as the documentation shows it.
    event("MESSAGE_AUDIT_PASS", message_id="08a1", **AUDIT),
    event("MESSAGE_AUDIT_REJECT", **AUDIT),
    event("AUDIO_START", audio_url="https://example.com/a.mp3", text="song title", **VOICE),
    event("AUDIO_FINISH", audio_url="https://example.com/a.mp3", text="song title", **VOICE),
    event("AUDIO_ON_MIC", **VOICE),
    event("AUDIO_OFF_MIC", **VOICE),
    event("AUDIO_OR_LIVE_CHANNEL_MEMBER_ENTER", channel_type=2, user_id="1441", **VOICE),
    event("AUDIO_OR_LIVE_CHANNEL_MEMBER_EXIT", channel_type=2, user_id="1441", **VOICE),
    event("OPEN_FORUM_THREAD_CREATE", author_id="1441", **VOICE),
]


def expect(answer, form, text):
    if answer["form"] != form:
        raise Red(f"a {answer['form']} message in place of {form}")
    same = answer["text"] == text if form == "text" else text in answer["text"]
    if not same:
        raise Red(f"it says {answer['text']!r} in place of {text!r}")


def op(event):
    return json.loads(event["text"]).get("op")


def dispatched(source, event, name):
    if source != "log" or event["kind"] != "frame_out":
        return None
    return json.loads(event["text"]).get("t") == name or None


def shown(path):
    """A path without what differs each time."""
    return "/".join("…" if len(part) > 16 else part for part in path.split("/"))
