// An echo bot with the QQ adapter of Satori. Its API host is a setting of it; the token's host stands in the middle of
// a function (src/bot/index.ts), and is set in a hook that the library gives for requests.

import { createRequire } from "node:module";

// The adapter requires the core: an import would bring a second one.
const require = createRequire(import.meta.url);
const { Context, h, HTTP, Logger } = require("@satorijs/core");
const { QQ, QQBot } = require("@satorijs/adapter-qq");
const { INTEROP_API, INTEROP_TOKEN_URL, INTEROP_APP_ID, INTEROP_SECRET, INTEROP_PICTURE } = process.env;

const ctx = new Context();
if (!ctx.get("http")) ctx.plugin(HTTP);
ctx.on("http/fetch-init", (url) => {
  if (url.href === "https://bots.qq.com/app/getAppAccessToken") url.href = INTEROP_TOKEN_URL;
});

const { Intents } = QQ;
ctx.plugin(QQBot, {
  id: INTEROP_APP_ID,
  secret: INTEROP_SECRET,
  type: "public",
  endpoint: INTEROP_API,
  authType: "bearer",
  protocol: "websocket",
  intents:
    Intents.GUILDS |
    Intents.GUILD_MEMBERS |
    Intents.GUILD_MESSAGE_REACTIONS |
    Intents.DIRECT_MESSAGES |
    Intents.USER_MESSAGE |
    Intents.INTERACTIONS |
    Intents.MESSAGE_AUDIT |
    Intents.PUBLIC_GUILD_MESSAGES,
  retryWhen: [],
});

// Markdown of one's own it cannot send: buttons make it use Markdown.
function answer(text) {
  if (text === "/markdown") return [h("p", "markdown"), h("button-group", h("button", { id: "yes" }, "Yes"))];
  if (text === "/media") return h.image(INTEROP_PICTURE);
  return `echo: ${text}`;
}

ctx.on("message", async (session) => {
  const text = h.select(session.elements, "text").map((element) => element.attrs.content).join("");
  console.log(`heard: ${text.trim()}`);
  try {
    await session.bot.sendMessage(session.channelId, answer(text.trim()), null, { session });
  } catch (error) {
    console.log(`FAILED: ${error.stack}`);
  }
});
process.on("unhandledRejection", (error) => console.log(`unhandled: ${error?.stack}`));
Logger.levels.base = 3;
await ctx.start();
