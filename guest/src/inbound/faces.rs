//! QQ's own faces by their number, and emoji by theirs (`PROTOCOL.md`, "Text").

use crate::events::reaction::Reaction;

/// The kind of a reaction that is one of QQ's faces.
const FACE: u32 = 1;

/// The faces of type 1 that the documentation lists, as QQ calls them; ascending.
const FACES: &[(u32, &str)] = &[
    (4, "得意"),
    (5, "流泪"),
    (8, "睡"),
    (9, "大哭"),
    (10, "尴尬"),
    (12, "调皮"),
    (14, "微笑"),
    (16, "酷"),
    (21, "可爱"),
    (23, "傲慢"),
    (24, "饥饿"),
    (25, "困"),
    (26, "惊恐"),
    (27, "流汗"),
    (28, "憨笑"),
    (29, "悠闲"),
    (30, "奋斗"),
    (32, "疑问"),
    (33, "嘘"),
    (34, "晕"),
    (38, "敲打"),
    (39, "再见"),
    (41, "发抖"),
    (42, "爱情"),
    (43, "跳跳"),
    (49, "拥抱"),
    (53, "蛋糕"),
    (60, "咖啡"),
    (63, "玫瑰"),
    (66, "爱心"),
    (74, "太阳"),
    (75, "月亮"),
    (76, "赞"),
    (78, "握手"),
    (79, "胜利"),
    (85, "飞吻"),
    (89, "西瓜"),
    (96, "冷汗"),
    (97, "擦汗"),
    (98, "抠鼻"),
    (99, "鼓掌"),
    (100, "糗大了"),
    (101, "坏笑"),
    (102, "左哼哼"),
    (103, "右哼哼"),
    (104, "哈欠"),
    (106, "委屈"),
    (109, "左亲亲"),
    (111, "可怜"),
    (116, "示爱"),
    (118, "抱拳"),
    (120, "拳头"),
    (122, "爱你"),
    (123, "NO"),
    (124, "OK"),
    (125, "转圈"),
    (129, "挥手"),
    (144, "喝彩"),
    (147, "棒棒糖"),
    (171, "茶"),
    (173, "泪奔"),
    (174, "无奈"),
    (175, "卖萌"),
    (176, "小纠结"),
    (179, "doge"),
    (180, "惊喜"),
    (181, "骚扰"),
    (182, "笑哭"),
    (183, "我最美"),
    (201, "点赞"),
    (203, "托脸"),
    (212, "托腮"),
    (214, "啵啵"),
    (219, "蹭一蹭"),
    (222, "抱抱"),
    (227, "拍手"),
    (232, "佛系"),
    (240, "喷脸"),
    (243, "甩头"),
    (246, "加油抱抱"),
    (262, "脑阔疼"),
    (264, "捂脸"),
    (265, "辣眼睛"),
    (266, "哦哟"),
    (267, "头秃"),
    (268, "问号脸"),
    (269, "暗中观察"),
    (270, "emm"),
    (271, "吃瓜"),
    (272, "呵呵哒"),
    (273, "我酸了"),
    (277, "汪汪"),
    (278, "汗"),
    (281, "无眼笑"),
    (282, "敬礼"),
    (284, "面无表情"),
    (285, "摸鱼"),
    (287, "哦"),
    (289, "睁眼"),
    (290, "敲开心"),
    (293, "摸锦鲤"),
    (294, "期待"),
    (297, "拜谢"),
    (298, "元宝"),
    (299, "牛啊"),
    (305, "右亲亲"),
    (306, "牛气冲天"),
    (307, "喵喵"),
    (314, "仔细分析"),
    (315, "加油"),
    (318, "崇拜"),
    (319, "比心"),
    (320, "庆祝"),
    (322, "拒绝"),
    (324, "吃糖"),
    (326, "生气"),
];

/// A face as text, by its number as the platform writes it. Number 0 stands for none.
#[must_use]
pub fn face(id: &str) -> String {
    let number: u32 = match id.trim().parse() {
        Ok(0) | Err(_) => return "[表情]".to_owned(),
        Ok(number) => number,
    };
    match FACES.binary_search_by_key(&number, |(known, _)| *known) {
        Ok(at) => FACES
            .get(at)
            .map_or_else(String::new, |(_, name)| format!("[{name}]")),
        Err(_) => format!("[表情{number}]"),
    }
}

/// The emoji of a reaction as text: the name of a face, or the character itself.
#[must_use]
pub fn emoji(reaction: &Reaction) -> String {
    let id = reaction.emoji_id.as_str();
    if reaction.emoji_kind == FACE {
        return face(id);
    }
    let by_number = id.parse().ok().and_then(char::from_u32);
    match by_number {
        Some(character) if !character.is_control() => character.to_string(),
        // The prose of the documentation has the emoji itself in this place.
        None if !id.is_empty() && id.chars().count() <= 8 && !id.is_ascii() => id.to_owned(),
        _ => "[表情]".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::ids::{MessageId, OpenId};

    use super::*;

    #[test]
    fn the_table_is_sorted_as_its_search_needs_it() {
        assert!(FACES.is_sorted_by(|(one, _), (next, _)| one < next));
    }

    #[test]
    fn faces_have_names_and_the_others_their_number() {
        for (id, expected) in [
            ("4", "[得意]"),
            ("326", "[生气]"),
            ("7", "[表情7]"),
            ("0", "[表情]"),
            ("", "[表情]"),
            ("-1", "[表情]"),
            ("x>", "[表情]"),
        ] {
            assert_eq!(face(id), expected, "{id:?}");
        }
    }

    #[test]
    fn reactions_name_faces_or_show_characters() {
        for (emoji_kind, emoji_id, expected) in [
            (1, "277", "[汪汪]"),
            (2, "128077", "👍"),
            (2, "9749", "☕"),
            (2, "👀", "👀"),
            (2, "10", "[表情]"),
            (2, "55296", "[表情]"),
            (2, "", "[表情]"),
            (2, "<b>", "[表情]"),
        ] {
            let reaction = Reaction {
                added: true,
                user: OpenId("1".into()),
                guild: String::new(),
                channel: OpenId("2".into()),
                message_id: MessageId("08".into()),
                target: crate::events::reaction::Target::Message,
                emoji_kind,
                emoji_id: emoji_id.to_owned(),
            };
            assert_eq!(emoji(&reaction), expected, "{emoji_kind} {emoji_id:?}");
        }
    }
}
