// What each fault does, in Chinese; in English the emulator says it itself.

export const faultsZh = {
  drop: '连接立刻断开', 'drop-before-event': '下一个事件留在会话里，发送前断线', 'drop-after-event': '下一个事件发出后立刻断线', 'lost-ack': '下一次心跳没有确认',
  op7: '服务器要求重连，稍后以 4009 关闭', 'op9 true|false|missing': '会话被判无效', 'close CODE': '以某个关闭码断开', 'login-close CODE': '下一次登录或恢复被关闭码拒绝',
  'login-op9 true|false|missing': '下一次登录或恢复得到 op 9', 'no-hello': '下一次连接收不到 Hello', 'forget-sessions': '所有会话都不能再恢复', 'quiet SPAN': '事件暂缓一段时间',
  double: '下一条消息推送两次', triple: '下一条消息推送三次', 'deliver N': '下一条消息推送 N 次', 'double-new-id': '下一条消息以两个 id 推送两次', 'replay-extra N': '下一次恢复多补发 N 个事件',
  'garbage [KIND]': '一个谁也想不到的帧', 'ask-heartbeat': '服务器要求一次心跳', 'token-death': '所有访问令牌立刻失效', 401: '下一个请求被拒：令牌校验不通过（11243）',
  429: '下一个请求被拒：太频繁', 500: '下一个请求被拒：内部错误', '502-html': '下一个请求得到网关的 HTML', 'status CODE': '下一个请求得到这个 HTTP 状态', 'refuse CODE': '下一个请求得到这个业务码',
  'slow SPAN': '下一个请求很晚才处理', 'slow-after-delivery SPAN': '下一个请求已处理，回答很晚', 'cut-after-delivery': '下一个请求已处理，连接断开没有回答',
  'reset-on-next-post': '下一个请求的连接断开，什么也没做', 'fail-after-delivery': '下一个请求已处理，却回答 500', 'answer-not-json': '下一个请求已处理，回答不是 JSON',
};
