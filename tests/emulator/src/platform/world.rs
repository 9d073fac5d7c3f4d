//! The people and groups around one bot: who they are to it, and what they allow.

use std::collections::{BTreeMap, VecDeque};

use super::guilds::Guilds;
use super::place::Spot;
use crate::actions::{Attachment, Role};
use crate::ids::{AppId, GroupName, Openid, RefIdx, UserName};
use crate::random::{IdSource, OpenidKind};
use crate::settings::{GroupMode, MemberIds};
use crate::time::Millis;

/// Messages of a group kept as context for the mode that sends it along.
const CONTEXT: usize = 10;

/// Messages that can still be quoted.
const QUOTABLE: usize = 10_000;

/// A user as one bot knows them.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) openid: Openid,
    /// Whether they can write to each other at all.
    pub(crate) friend: bool,
    /// Whether the user has switched proactive messages off.
    pub(crate) rejects: bool,
    /// When they last wrote to the bot.
    pub(crate) spoke: Option<Millis>,
    /// The periods after that in which a wake-up message was sent, as bits.
    pub(crate) woken: u8,
}

/// A group as one bot knows it.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) openid: Openid,
    /// Whether the bot is in it.
    pub(crate) joined: bool,
    /// Whether proactive messages are switched off.
    pub(crate) rejects: bool,
    /// None: as the settings say.
    pub(crate) mode: Option<GroupMode>,
    pub(crate) recent: VecDeque<Said>,
    /// Who was seen in it, with their roles.
    pub(crate) members: BTreeMap<UserName, Role>,
    pub(crate) bot_role: Role,
    /// Whether the bot is muted.
    pub(crate) muted: bool,
    pub(crate) joined_at: Millis,
}

/// Something said, for context and quotes.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) index: RefIdx,
    pub(crate) text: String,
    pub(crate) by: String,
    pub(crate) by_bot: bool,
    pub(crate) attachments: Vec<Attachment>,
}

/// Everyone that a bot has met.
#[derive(Debug, Default)]
pub(crate) struct World {
    users: BTreeMap<UserName, User>,
    groups: BTreeMap<GroupName, Group>,
    user_openids: BTreeMap<Openid, UserName>,
    group_openids: BTreeMap<Openid, GroupName>,
    quotable: BTreeMap<RefIdx, Said>,
    quotable_order: VecDeque<RefIdx>,
    pub(crate) guilds: Guilds,
}

impl World {
    /// The user of this name, who comes into being as a friend if nobody knows them.
    pub(crate) fn user(&mut self, app: &AppId, name: &UserName, ids: &IdSource) -> &mut User {
        let openids = &mut self.user_openids;
        self.users.entry(name.clone()).or_insert_with(|| {
            let openid = ids.openid(app, OpenidKind::User, name.as_str());
            openids.insert(openid.clone(), name.clone());
            User {
                openid,
                friend: true,
                rejects: false,
                spoke: None,
                woken: 0,
            }
        })
    }

    /// The group of this name, which comes into being with the bot in it.
    pub(crate) fn group(&mut self, app: &AppId, name: &GroupName, ids: &IdSource) -> &mut Group {
        let openids = &mut self.group_openids;
        self.groups.entry(name.clone()).or_insert_with(|| {
            let openid = ids.openid(app, OpenidKind::Group, name.as_str());
            openids.insert(openid.clone(), name.clone());
            let recent = VecDeque::new();
            Group {
                openid,
                joined: true,
                rejects: false,
                mode: None,
                recent,
                members: BTreeMap::new(),
                bot_role: Role::Member,
                muted: false,
                joined_at: Millis(0),
            }
        })
    }

    /// A user who is known already.
    pub(crate) fn known_user(&mut self, name: &UserName) -> Option<&mut User> {
        self.users.get_mut(name)
    }

    /// A group that is known already.
    pub(crate) fn known_group(&self, name: &GroupName) -> Option<&Group> {
        self.groups.get(name)
    }

    /// Every user, by name.
    pub(crate) fn users(&self) -> impl Iterator<Item = (&UserName, &User)> {
        self.users.iter()
    }

    /// Every group, by name.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (&GroupName, &Group)> {
        self.groups.iter()
    }

    /// Whether a chat has switched proactive messages off.
    pub(crate) fn rejects(&self, spot: &Spot) -> bool {
        let user = spot.user.as_ref().and_then(|name| self.users.get(name));
        let group = spot.group.as_ref().and_then(|name| self.groups.get(name));
        user.is_some_and(|user| user.rejects) || group.is_some_and(|group| group.rejects)
    }

    pub(crate) fn user_by_openid(&self, openid: &str) -> Option<(&UserName, &User)> {
        let name = self.user_openids.get(openid)?;
        self.users.get_key_value(name)
    }

    pub(crate) fn group_by_openid(&self, openid: &str) -> Option<(&GroupName, &Group)> {
        let name = self.group_openids.get(openid)?;
        self.groups.get_key_value(name)
    }

    /// Remembers something said, so that it can be quoted.
    pub(crate) fn remember(&mut self, said: Said) {
        self.quotable_order.push_back(said.index.clone());
        self.quotable.insert(said.index.clone(), said);
        while self.quotable_order.len() > QUOTABLE {
            if let Some(old) = self.quotable_order.pop_front() {
                self.quotable.remove(&old);
            }
        }
    }

    pub(crate) fn quoted(&self, index: &RefIdx) -> Option<&Said> {
        self.quotable.get(index)
    }
}

impl Group {
    /// Remembers something said in the group as context.
    pub(crate) fn hear(&mut self, said: Said) {
        self.recent.push_back(said);
        while self.recent.len() > CONTEXT {
            self.recent.pop_front();
        }
    }
}

/// A member's openid, by the rule of the settings.
pub(crate) fn member_openid(
    ids: &IdSource,
    app: &AppId,
    group: &GroupName,
    user: &UserName,
    rule: MemberIds,
) -> Openid {
    match rule {
        MemberIds::SameAsUser => ids.openid(app, OpenidKind::User, user.as_str()),
        MemberIds::PerGroup => ids.openid(app, OpenidKind::Member(group.as_str()), user.as_str()),
    }
}
