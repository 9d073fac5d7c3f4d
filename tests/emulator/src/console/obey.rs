//! What a plain line and each command come to at a place.

use super::{Command, Console, Do, Place};
use crate::actions::{Act, Draft, InChannel, InGuild};
use crate::ids::UserName;

impl Console {
    pub(super) fn say(&self, text: &str, mention: bool) -> Act {
        let message = Draft::from(text);
        match (&self.place, mention) {
            (Place::C2c { user }, _) => Act::C2c {
                user: user.clone(),
                message,
            },
            (Place::Group { group, user }, true) => Act::GroupAt {
                group: group.clone(),
                user: user.clone(),
                message,
            },
            (Place::Group { group, user }, false) => Act::GroupPlain {
                group: group.clone(),
                user: user.clone(),
                message,
            },
            (Place::Channel(at), true) => Act::ChannelAt {
                at: at.clone(),
                message,
            },
            (Place::Channel(at), false) => Act::ChannelPlain {
                at: at.clone(),
                message,
            },
            (Place::Dm(at), _) => Act::Dm {
                at: at.clone(),
                message,
            },
        }
    }

    pub(super) fn obey(&mut self, command: Command) -> Do {
        let user = self.place.user().clone();
        match command {
            Command::AsC2c(user) => self.go(Place::C2c { user }),
            Command::AsGroup(group, other) => self.go(Place::Group {
                group,
                user: other.unwrap_or(user),
            }),
            Command::AsChannel(guild, channel, other) => self.go(Place::Channel(InChannel {
                guild,
                channel,
                user: other.unwrap_or(user),
            })),
            Command::AsDm(user, guild) => self.go(Place::Dm(InGuild { guild, user })),
            Command::Aside(text) => Do::Act(self.say(&text, false)),
            Command::Attach(path, text) => Do::Attach {
                path,
                act: self.say(&text, true),
            },
            Command::Press(button) => Do::Act(Act::Press {
                user,
                message_id: None,
                button,
            }),
            Command::React(emoji) => Do::Act(Act::React {
                user,
                message_id: None,
                emoji,
                remove: false,
            }),
            Command::Judge(pass) => Do::Act(Act::Judge {
                audit_id: None,
                pass,
            }),
            Command::Fault(orders) => Do::Fault(orders),
            Command::Faults => Do::ShowFaults,
            Command::ClearFaults => Do::ClearFaults,
            Command::Clock(span) => Do::Advance(span),
            Command::Wait(span) => Do::Wait(span),
            Command::Log(count) => Do::ShowLog(count),
            Command::State => Do::ShowState,
            Command::Violations => Do::ShowViolations,
            Command::Help => Do::Print(self.language.help().to_owned()),
            Command::Restart => Do::RestartBot,
            Command::Quit => Do::Quit,
            relation => self.relate(&relation, user),
        }
    }

    fn go(&mut self, place: Place) -> Do {
        self.place = place;
        Do::Nothing
    }

    /// The commands about the bot's being there, which follow the place.
    fn relate(&self, command: &Command, user: UserName) -> Do {
        if let Place::Group { group, .. } = &self.place {
            let group = group.clone();
            return Do::Act(match command {
                Command::Add => Act::AddToGroup { group, user },
                Command::Remove => Act::RemoveFromGroup { group, user },
                Command::Reject => Act::GroupRejectMessages { group, user },
                Command::Accept => Act::GroupAcceptMessages { group, user },
                Command::Mute(muted) => Act::MuteBot {
                    group,
                    muted: *muted,
                },
                Command::Mode(mode) => Act::SetGroupMode { group, mode: *mode },
                _ => return Do::Nothing,
            });
        }
        let guild = match &self.place {
            Place::Channel(at) => Some(at.guild.clone()),
            Place::Dm(at) => Some(at.guild.clone()),
            Place::C2c { .. } | Place::Group { .. } => None,
        };
        match (command, guild) {
            (Command::Add, Some(guild)) => Do::Act(Act::AddToGuild(InGuild { guild, user })),
            (Command::Remove, Some(guild)) => {
                Do::Act(Act::RemoveFromGuild(InGuild { guild, user }))
            }
            (Command::Add, None) => Do::Act(Act::AddFriend { user }),
            (Command::Remove, None) => Do::Act(Act::RemoveFriend { user }),
            (Command::Reject, None) => Do::Act(Act::RejectMessages { user }),
            (Command::Accept, None) => Do::Act(Act::AcceptMessages { user }),
            _ => Do::Print(self.language.only_in_groups().to_owned()),
        }
    }
}
