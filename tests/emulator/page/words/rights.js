// Names of settings in Chinese; in English they are called as in the settings file.

export const rightsZh = {
  standing: '状态', sandbox: '沙箱', c2c_window: '单聊回复窗口', c2c_slots: '单聊回复次数', group_window: '群聊回复窗口', group_slots: '群聊回复次数', typing_counts: '输入状态占回复次数',
  dedup_memory: '去重记忆', late_is_exhausted: '超时按次数用尽报错', max_chars: '最多字符', markdown: 'Markdown', markdown_refusal: 'Markdown 拒绝码', keyboard: '自定义按钮', urls_in_groups: '群消息可含链接',
  proactive: '主动消息', event_id_lag: 'event_id 延迟可用', recall_window: '撤回时限', check_quotes: '检查引用', nulls: 'null 字段', timestamp: '时间格式',
  guild_markdown: '频道 Markdown', guild_keyboard: '频道按钮', guild_ark: '频道卡片', ark: '单聊和群卡片', embed: 'Embed', at_everyone: '@全体成员', ark_templates: '卡片模板',
  markdown_templates: 'Markdown 模板', keyboard_templates: '按钮模板', group_management: '群管理接口', denied: '禁止的接口',
  c2c_per_second: '单聊每秒', c2c_per_minute: '单聊每分钟', user_per_minute: '每用户每分钟', user_per_day: '每用户每天', group_bot_per_minute: '群消息每分钟', group_per_minute: '每群每分钟', group_per_day: '每群每天', wakeup: '互动召回消息',
  verdict: '审核结论', words: '关键词', audit_takes: '审核耗时', audit_passes: '自动审核通过', audit_status: '待审核的 HTTP 状态',
  'guilds.window': '回复窗口', needs_gateway: '须保持网关连接', check_urls: '检查链接域名', hosts: '已备案域名', wrapped_message: '消息详情套一层', per_second: '每子频道每秒', 'guilds.proactive': '允许主动消息',
  channel_daily: '每子频道每天', channels_daily: '每天子频道数', dm_user_daily: '私信每用户每天', dm_daily: '私信每天', reaction_target: '表情目标格式', own_reactions: '推送机器人自己的表情', embed_chars: 'Embed 字符', image_bytes: '图片字节上限',
  enabled: '开放', least_gap: '最短间隔', patience: '无后续视为未完成', deadline: '回应时限', refuse_late: '拒绝迟到的回应',
  ttl: 'file_info 有效期', base64: '接受 base64', files: '可发任意文件', formats: '格式', soft: '软上限', hard: '硬上限', foreign_urls: '外部链接', caption_needed: '须有文字', part_bytes: '分片字节', first_part_c2c: '单聊首片序号', first_part_group: '群聊首片序号',
  sizes: '大小格式', config_nested: '上传配置嵌套', part_lag: '分片延迟可见', daily_bytes: '每天字节', rkey_life: 'rkey 有效期', urls: '附件地址', guild_urls: '频道附件地址',
  shape: '消息体', relation_timestamp: '关系事件时间', leading_space: '@消息前有空格', member_ids: '成员 openid', group_mode: '默认群推送', at_in_full_mode: '全量模式的 @ 消息', full_mode_keeps_tags: '全量模式保留 @ 标签',
  start_total: '会话启动次数', start_period: '启动周期', max_concurrency: '并发登录', enforce_concurrency: '限制并发登录', replay_keep: '断线后保留', replay_events: '保留事件数', resumable: '可恢复会话数',
  lifetime: '有效期', overlap: '重叠期', expires_in: 'expires_in 格式', latency: '耗时', per_minute: '每分钟次数', users: '用户', groups: '群', guilds: '频道',
};
