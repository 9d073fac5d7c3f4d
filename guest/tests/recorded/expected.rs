//! What is read of each recorded frame.

/// By file: what must be in what was read, and which of the frame's values are not, because they are changed on the way
/// (text loses its markup), said elsewhere too, or of no use to anybody here.
pub(crate) const EXPECTED: &[(&str, &[&str], &[&str])] = &[
    (
        "at_message",
        &[
            "scene: Channel",
            "addressed: true",
            r#"text: "hello & hi""#,
            r#"sender_name: "abc of the guild""#,
            r#"index: "08bb02""#,
            "kind: MediaKind::Image",
            r#"url: "https://gchat.qpic.cn/qmeetpic/1/2/0", size: 2000"#,
            "sent_ms: 1784601900000",
        ],
        &[
            "attachments.0.content_type",
            "attachments.0.height",
            "attachments.0.id",
            "attachments.0.width",
            "author.avatar",
            "content",
            "member.joined_at",
            "mentions.0.avatar",
            "mentions.0.id",
            "mentions.0.username",
            "seq",
            "seq_in_channel",
        ],
    ),
    (
        "audio_or_live_channel_member_enter",
        &[
            "Happening",
            r#"channel: "1661124", user: "144115218182563108""#,
        ],
        &[],
    ),
    (
        "audio_start",
        &["Happening", r#"channel: "100011", user: """#],
        &["audio_url", "text"],
    ),
    (
        "c2c_message_card",
        &[
            r#"text: "[card: location] [位置]People's Square\naddress: 1 Renmin Avenue""#,
            r#"index: "REFIDX_card==""#,
        ],
        &[
            "ark_data.ark_name",
            "ark_data.ark_type",
            "content",
            "message_scene.source",
            "message_type",
        ],
    ),
    (
        "c2c_message_forwarded",
        &[
            r#"text: "[forwarded messages]\n  === 消息 1 ===\n[消息内容] dinner?""#,
            "quoted: None",
        ],
        &[
            "message_scene.ext.0",
            "message_scene.source",
            "message_type",
        ],
    ),
    (
        "c2c_message_of_2023",
        &[
            "scene: C2c",
            r#"text: "123""#,
            r#"index: """#,
            "sent_ms: 1699249038000",
        ],
        &[],
    ),
    (
        "c2c_message_quote",
        &[
            r#"text: "why?""#,
            r#"Quoted { author: "demo-bot", text: "the earlier text", by_bot: true, index: "REFIDX_AAA==" }"#,
        ],
        &["content", "message_scene.source", "message_type"],
    ),
    (
        "c2c_message_voice",
        &[
            r#"text: """#,
            r#"kind: MediaKind::Voice, name: "c7b1.wav", transcript: "turn on the light""#,
            r#"url: "https://multimedia.nt.qq.com.cn/made/x.wav""#,
        ],
        &[
            "attachments.0.filename",
            "attachments.0.url",
            "message_scene.source",
        ],
    ),
    (
        "c2c_message_with_picture",
        &[
            r#"text: "look at this""#,
            r#"index: "REFIDX_AAECAwQFBgc==""#,
            r#"kind: MediaKind::Image, name: "A1B2.jpg""#,
            "size: 182044",
            r#"missing: """#,
        ],
        &[
            "attachments.0.content_type",
            "attachments.0.height",
            "attachments.0.width",
            "message_scene.ext.1",
            "message_scene.source",
        ],
    ),
    (
        "c2c_msg_receive",
        &[
            "what: ProactiveOn, scene: C2c",
            "at_ms: Some(1699240600000)",
        ],
        &[],
    ),
    (
        "c2c_msg_reject",
        &[
            "what: ProactiveOff, scene: C2c",
            "at_ms: Some(1699240599000)",
        ],
        &[],
    ),
    (
        "channel_create",
        &[
            r#"ChannelChange { change: Created, channel: "2943679""#,
            r#"name: "test", kind: 10007"#,
        ],
        &["owner_id"],
    ),
    (
        "channel_message_of_a_private_bot",
        &["addressed: false", r#"text: "just talking [得意]""#],
        &[
            "author.avatar",
            "content",
            "member.joined_at",
            "seq",
            "seq_in_channel",
        ],
    ),
    (
        "channel_update",
        &["change: Updated", r#"name: "renamed""#],
        &["owner_id"],
    ),
    (
        "direct_message",
        &[
            r#"scene: Dm, target: OpenId("4521387770001234567"), guild: "18700000000001""#,
            "addressed: true",
            r#"text: "hi""#,
        ],
        &["author.avatar", "channel_id", "member.joined_at"],
    ),
    (
        "direct_message_delete",
        &[
            r#"scene: Dm, target: OpenId("4521387770001234567"), guild: "18700000000001""#,
            r#"message_id: MessageId("08dd")"#,
        ],
        &[
            "message.author.username",
            "message.channel_id",
            "message.direct_message",
        ],
    ),
    (
        "enter_aio",
        &["what: ChatOpened, scene: C2c"],
        &["from_source"],
    ),
    (
        "forum_publish_audit_result",
        &[r#"Happening { guild: "18700000000001", channel: "1661124""#],
        &["thread_id"],
    ),
    (
        "forum_thread_create",
        &["Happening", r#"user: "144115218182563108""#],
        &[
            "thread_info.content",
            "thread_info.date_time",
            "thread_info.thread_id",
            "thread_info.title",
        ],
    ),
    (
        "friend_add",
        &[
            "what: BotAdded, scene: C2c",
            r#"source: 2003, param: "custom_data_123""#,
        ],
        &[],
    ),
    ("friend_del", &["what: BotRemoved, scene: C2c"], &[]),
    (
        "group_add_robot",
        &[
            "what: BotAdded, scene: Group",
            r#"target: OpenId("B2B2B2B2B2B2B2B2B2B2B2B2B2B2B2B2"), user: OpenId("C3C3C3C3C3C3C3C3C3C3C3C3C3C3C3C3")"#,
        ],
        &[],
    ),
    (
        "group_at_message",
        &[
            "scene: Group",
            "addressed: true",
            r#"sender_name: "Li", sender_role: "member""#,
            r#"text: "/weather beijing""#,
        ],
        &["content", "message_scene.source"],
    ),
    ("group_del_robot", &["what: BotRemoved, scene: Group"], &[]),
    (
        "group_join_request",
        &[
            "what: MemberAsks, scene: Group",
            r#"user_name: "Wang", at_ms: Some(1787198400000)"#,
            r#"param: "let me in", request: "jr_91""#,
        ],
        &["apply_source", "verify_info.method"],
    ),
    (
        "group_member_add",
        &["what: MemberJoined, scene: Group"],
        &[],
    ),
    (
        "group_member_remove",
        &["what: MemberLeft, scene: Group"],
        &[],
    ),
    (
        "group_message_of_full_mode",
        &[
            "addressed: true",
            r#"text: "hello [呲牙]""#,
            "sent_ms: 1728981195000",
        ],
        &[
            "content",
            "mentions.0.id",
            "mentions.0.member_openid",
            "mentions.0.scope",
            "mentions.0.username",
        ],
    ),
    (
        "group_msg_receive",
        &["what: ProactiveOn, scene: Group"],
        &[],
    ),
    (
        "group_msg_reject",
        &["what: ProactiveOff, scene: Group"],
        &[],
    ),
    (
        "guild_create",
        &[
            "GuildChange { change: Created",
            r#"name: "Demo guild""#,
            "members: 17, joined_ms: Some(1634786418000)",
        ],
        &["description", "icon", "max_members"],
    ),
    (
        "guild_delete",
        &["GuildChange { change: Deleted"],
        &["description", "icon", "max_members"],
    ),
    (
        "guild_member_add",
        &[
            "MemberChange { change: Created",
            r#"name: "newcomer""#,
            r#"roles: ["11"]"#,
        ],
        &["joined_at", "user.avatar"],
    ),
    (
        "guild_member_remove",
        &["MemberChange { change: Deleted", r#"name: "Nick""#],
        &["joined_at", "user.avatar", "user.username"],
    ),
    (
        "interaction_authorisation",
        &["kind: 18, scene: Some(C2c)", r#"action: "c2c_push""#],
        &["application_id", "data.resolved.authorize_data.opt_scene"],
    ),
    (
        "interaction_feedback",
        &[
            "kind: 13",
            r#"message_id: "ROBOT1.0_said", feedback: "LIKE", checked: true"#,
        ],
        &["application_id", "scene"],
    ),
    (
        "interaction_in_channel",
        &[
            r#"kind: 11, scene: Some(Channel), target: "100010""#,
            r#"user: "1234567890123456789", button_data: "yes", button_id: "2""#,
        ],
        &["application_id"],
    ),
    (
        "interaction_in_group",
        &[
            r#"id: "ad6ff5a5-d0bd-4d71-a6f8-5b3a4a0b2a44", event_id: "INTERACTION_CREATE:interaction_in_group-0001""#,
            r#"button_data: "approve:42""#,
        ],
        &["application_id"],
    ),
    (
        "interaction_menu_in_private",
        &["kind: 12, scene: Some(C2c)", r#"feature_id: "menu_7""#],
        &["application_id", "scene"],
    ),
    (
        "message_audit_pass",
        &[
            r#"passed: true, message_id: "08ff""#,
            "decided_ms: Some(1784602209000), created_ms: Some(1784602200000)",
        ],
        &["seq_in_channel"],
    ),
    (
        "message_audit_reject",
        &[
            r#"passed: false, message_id: """#,
            r#"group: "B2B2B2B2B2B2B2B2B2B2B2B2B2B2B2B2", user: "A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1""#,
        ],
        &["seq_in_channel"],
    ),
    (
        "message_reaction_add",
        &[
            "added: true",
            r#"target: Message, emoji_kind: 1, emoji_id: "277""#,
        ],
        &[],
    ),
    (
        "message_reaction_remove",
        &[
            "added: false",
            r#"target: Message, emoji_kind: 2, emoji_id: "128077""#,
        ],
        &["target.type"],
    ),
    ("open_forum_thread_create", &["Happening"], &[]),
    (
        "public_message_delete",
        &[
            r#"scene: Channel, target: OpenId("100010")"#,
            r#"message_id: MessageId("08cc"), author: "12345678", by: "87654321""#,
        ],
        &["message.author.username"],
    ),
    (
        "subscribe_message_status",
        &[
            "Subscription { scene: C2c",
            r#"Decision { template: "101993071_1658748972", wanted: true, subscription: "sub_1" }"#,
        ],
        &["result.0.template_id", "result.0.update_ts"],
    ),
];
