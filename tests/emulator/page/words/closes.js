// Close codes of the gateway: what each means in Chinese (in English the emulator says it), and what
// a client may do after it.

export const closes = {
  1000: ['正常关闭', 'resume'],
  1001: ['服务器离开', 'resume'],
  4000: ['后端未知错误', 'resume'],
  4001: ['无效的 opcode', 'stop'],
  4002: ['无效的 payload', 'stop'],
  4003: ['没有登录', 'identify'],
  4004: ['鉴权失败', 'resume'],
  4005: ['重复登录', 'resume'],
  4006: ['会话 id 无效', 'identify'],
  4007: ['seq 错误', 'identify'],
  4008: ['发送过快', 'resume'],
  4009: ['连接过期', 'resume'],
  4010: ['无效的 shard', 'stop'],
  4011: ['一个 shard 的频道太多', 'stop'],
  4012: ['无效的版本', 'stop'],
  4013: ['无效的 intents', 'stop'],
  4014: ['intents 没有权限', 'stop'],
  4914: ['机器人已下线，只能连沙箱', 'stop'],
  4915: ['机器人已封禁', 'stop'],
};

/// 4900 to 4913 share one meaning.
export const closeOf = (code) =>
  closes[code] || (code >= 4900 && code <= 4913 ? ['内部错误', 'identify'] : null);
