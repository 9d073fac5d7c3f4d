"""An echo bot with qq-botpy. Its hosts are constants: they are set to the emulator at run time."""

import logging
import os
from urllib.parse import urlsplit

import aiohttp
import botpy
from botpy.http import Route

PICTURE = os.environ["INTEROP_PICTURE"]
# Measured, not watched: nothing is printed for a message.
QUIET = "INTEROP_QUIET" in os.environ
MARKDOWN = {"content": "# markdown\n**bold**"}

api = urlsplit(os.environ["INTEROP_API"])
Route.SCHEME, Route.DOMAIN = api.scheme, api.netloc

# The token's host stands in the middle of a function (botpy/robot.py), so it is met on its way.
request = aiohttp.ClientSession._request


async def redirected(self, method, url, **options):
    if str(url) == "https://bots.qq.com/app/getAppAccessToken":
        url = os.environ["INTEROP_TOKEN_URL"]
    return await request(self, method, url, **options)


aiohttp.ClientSession._request = redirected


class Echo(botpy.Client):
    async def on_error(self, event_method, *args, **kwargs):
        await super().on_error(event_method, *args, **kwargs)
        print(f"FAILED: {event_method}", flush=True)

    async def on_c2c_message_create(self, message):
        await self.answer_v2(message, self.api.post_c2c_file, openid=message.author.user_openid)

    async def on_group_at_message_create(self, message):
        await self.answer_v2(message, self.api.post_group_file, group_openid=message.group_openid)

    async def on_at_message_create(self, message):
        text = message.content.split(">", 1)[-1].strip()
        await self.answer_guild(message, text)

    async def on_direct_message_create(self, message):
        await self.answer_guild(message, message.content.strip())

    async def answer_v2(self, message, upload, **target):
        text = message.content.strip()
        if not QUIET:
            print(f"heard: {text}", flush=True)
        if text == "/media":
            media = await upload(file_type=1, url=PICTURE, **target)
            await message.reply(msg_type=7, media=media)
        elif text == "/markdown":
            await message.reply(msg_type=2, markdown=MARKDOWN)
        else:
            await message.reply(content=f"echo: {text}")

    async def answer_guild(self, message, text):
        if text == "/media":
            await message.reply(image=PICTURE)
        else:
            await message.reply(content=f"echo: {text}")


intents = botpy.Intents(
    guilds=True,
    guild_members=True,
    guild_message_reactions=True,
    direct_message=True,
    interaction=True,
    message_audit=True,
    public_guild_messages=True,
    public_messages=True,
    audio_action=True,
    audio_or_live_channel_member=True,
    open_forum_event=True,
)
level = logging.WARNING if QUIET else logging.INFO
client = Echo(intents=intents, ext_handlers=False, log_level=level)
client.run(appid=os.environ["INTEROP_APP_ID"], secret=os.environ["INTEROP_SECRET"])
