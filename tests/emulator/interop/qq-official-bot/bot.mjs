// An echo bot with qq-official-bot. Its API host is the default of an HTTP client that it shows, and is set there;
// the token's host stands in the middle of a function (lib/core/auth.js), so it is met on its way.

import sdk from "qq-official-bot";

const { Bot, ReceiverMode, segment } = sdk;
const { INTEROP_API, INTEROP_TOKEN_URL, INTEROP_APP_ID, INTEROP_SECRET, INTEROP_PICTURE } = process.env;

const bot = new Bot({
  appid: INTEROP_APP_ID,
  secret: INTEROP_SECRET,
  logLevel: "debug",
  mode: ReceiverMode.WEBSOCKET,
  maxRetries: 10,
  reconnectDelay: 1000,
  intents: [
    "GUILDS",
    "GUILD_MEMBERS",
    "GUILD_MESSAGE_REACTIONS",
    "DIRECT_MESSAGE",
    "GROUP_AND_C2C_EVENT",
    "INTERACTION",
    "MESSAGE_AUDIT",
    "AUDIO_ACTION",
    "PUBLIC_GUILD_MESSAGES",
  ],
});
bot.request.defaults.baseURL = INTEROP_API;
bot.request.interceptors.request.use((config) => {
  if (config.url === "https://bots.qq.com/app/getAppAccessToken") config.url = INTEROP_TOKEN_URL;
  return config;
});

function answer(text) {
  if (text === "/markdown") return segment.markdown("# markdown\n**bold**");
  if (text === "/media") return segment.image(INTEROP_PICTURE);
  return `echo: ${text}`;
}

async function echo(event) {
  const texts = event.message.filter((part) => part.type === "text").map((part) => part.data.text);
  const text = texts.join("").trim();
  console.log(`heard: ${text}`);
  try {
    await event.reply(answer(text));
  } catch (error) {
    console.log(`FAILED: ${error.message}`);
  }
}

bot.on("message.private.friend", echo);
bot.on("message.private.direct", echo);
bot.on("message.group", echo);
bot.on("message.guild", echo);
process.on("unhandledRejection", (error) => console.log(`unhandled: ${error?.stack}`));
await bot.start();
