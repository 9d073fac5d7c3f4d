"""An echo bot with nonebot-adapter-qq. Its hosts are settings of it."""

import os

import nonebot
from nonebot.adapters.qq import Adapter, MessageSegment
from nonebot.adapters.qq.event import MessageEvent

PICTURE = os.environ["INTEROP_PICTURE"]
# Measured, not watched: nothing is printed for a message.
QUIET = "INTEROP_QUIET" in os.environ

nonebot.init(
    driver="~aiohttp",
    log_level="WARNING" if QUIET else "TRACE",
    qq_api_base=os.environ["INTEROP_API"],
    qq_auth_base=os.environ["INTEROP_TOKEN_URL"],
    qq_bots=[
        {
            "id": os.environ["INTEROP_APP_ID"],
            "secret": os.environ["INTEROP_SECRET"],
            "intent": {
                "direct_message": True,
                "open_forum_event": True,
                "audio_live_member": True,
                "group_members": True,
                "c2c_group_at_messages": True,
                "interaction": True,
                "audio_action": True,
            },
        }
    ],
)
nonebot.get_driver().register_adapter(Adapter)
echo = nonebot.on_message()


@echo.handle()
async def answer(event: MessageEvent):
    text = event.get_plaintext().strip()
    if not QUIET:
        print(f"heard: {text}", flush=True)
    if text == "/markdown":
        reply = MessageSegment.markdown("# markdown\n**bold**")
    elif text == "/media":
        reply = MessageSegment.image(PICTURE)
    else:
        reply = MessageSegment.text(f"echo: {text}")
    try:
        await echo.send(reply)
    except Exception as error:
        print(f"FAILED: {error!r}", flush=True)


nonebot.run()
