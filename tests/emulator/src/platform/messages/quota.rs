//! Counters of proactive messages, and the quotas that they are held against.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Refusal;
use crate::ids::AppId;
use crate::ledger::Scene;
use crate::platform::Platform;
use crate::platform::place::Spot;
use crate::time::Millis;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// Names counted before those that are over are forgotten.
const NAMES: usize = 10_000;

/// When things happened, by name.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    hits: BTreeMap<String, VecDeque<Millis>>,
}

/// One limit: a name, a span, and how often at most (0: any number).
type Limit = (String, Duration, u32);

impl Counters {
    /// Counts a hit on every name, unless one of them is used up: then the first such is given.
    pub(crate) fn hit(&mut self, now: Millis, limits: &[Limit]) -> Result<(), usize> {
        let mut longest: BTreeMap<&str, Duration> = BTreeMap::new();
        for (at, (name, span, most)) in limits.iter().enumerate() {
            let span_of = longest.entry(name).or_default();
            *span_of = (*span_of).max(*span);
            let recent = self.hits.get(name).map_or(0, |hits| {
                hits.iter().filter(|at| now.since(**at) < *span).count()
            });
            if *most > 0 && recent >= usize::try_from(*most).unwrap_or(usize::MAX) {
                return Err(at);
            }
        }
        for (name, span) in longest {
            let hits = self.hits.entry(name.to_owned()).or_default();
            hits.retain(|at| now.since(*at) < span);
            hits.push_back(now);
        }
        if self.hits.len() > NAMES {
            self.hits
                .retain(|_, hits| hits.back().is_some_and(|at| now.since(*at) < DAY));
        }
        Ok(())
    }

    /// Names that begin so and were hit within a day.
    pub(crate) fn names<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a str> {
        let all = self.hits.keys().map(String::as_str);
        all.filter(move |name| name.starts_with(start))
    }
}

/// The number of the day in China.
fn day(now: Millis) -> u64 {
    (now.0 + 8 * 3_600_000) / 86_400_000
}

impl Platform {
    /// Holds a proactive message of C2C or a group against the quotas.
    pub(super) fn count_proactive(&mut self, app: &AppId, spot: &Spot) -> Result<(), Refusal> {
        let now = self.now;
        let Some(bot) = self.bots.get_mut(app) else {
            return Ok(());
        };
        let quotas = &bot.settings.quotas;
        let (chat, today) = (&spot.target, day(now));
        let limits: Vec<Limit> = if spot.scene == Scene::Group {
            vec![
                ("groups".to_owned(), MINUTE, quotas.group_bot_per_minute),
                (format!("{chat}"), MINUTE, quotas.group_per_minute),
                (format!("{chat}/{today}"), DAY, quotas.group_per_day),
            ]
        } else {
            vec![
                ("users".to_owned(), SECOND, quotas.c2c_per_second),
                ("users".to_owned(), MINUTE, quotas.c2c_per_minute),
                (format!("{chat}"), MINUTE, quotas.user_per_minute),
                (format!("{chat}/{today}"), DAY, quotas.user_per_day),
            ]
        };
        let counted = bot.counters.hit(now, &limits);
        counted.map_err(|_| Refusal::code(40_034_100))
    }

    /// A wake-up message: one per period after the user's last word.
    pub(super) fn check_wakeup(&mut self, app: &AppId, spot: &Spot) -> Result<(), Refusal> {
        let now = self.now;
        let bot = self.bots.get_mut(app);
        let bot = bot.ok_or_else(|| Refusal::code(10_001))?;
        let name = spot.user.as_ref().filter(|_| bot.settings.quotas.wakeup);
        let name = name.ok_or_else(|| Refusal::code(40_034_123))?;
        let user = bot.world.known_user(name);
        let user = user.ok_or_else(|| Refusal::code(40_034_122))?;
        let spoke = user.spoke.ok_or_else(|| Refusal::code(40_034_122))?;
        let days = now.since(spoke).as_secs() / 86_400;
        let period: u8 = match days {
            _ if day(now) == day(spoke) => 0,
            0..=2 => 1,
            3..=6 => 2,
            7..=29 => 3,
            _ => return Err(Refusal::code(40_034_122)),
        };
        if user.woken & (1 << period) != 0 {
            return Err(Refusal::code(40_034_122));
        }
        user.woken |= 1 << period;
        Ok(())
    }

    /// The rate of a channel: every message counts, replies too.
    pub(super) fn count_channel_rate(&mut self, app: &AppId, spot: &Spot) -> Result<(), Refusal> {
        let now = self.now;
        let Some(bot) = self.bots.get_mut(app) else {
            return Ok(());
        };
        let most = bot.settings.guilds.per_second;
        let limit = (format!("rate {}", spot.target), SECOND, most);
        let counted = bot.counters.hit(now, &[limit]);
        counted.map_err(|_| Refusal::code(20_028))
    }

    /// Holds a proactive message of a guild scene against the daily quotas.
    pub(super) fn count_guild_proactive(
        &mut self,
        app: &AppId,
        spot: &Spot,
    ) -> Result<(), Refusal> {
        let now = self.now;
        let Some(bot) = self.bots.get_mut(app) else {
            return Ok(());
        };
        let settings = &bot.settings.guilds;
        if !settings.proactive {
            return Err(Refusal::code(304_048));
        }
        let (chat, today) = (&spot.target, day(now));
        if spot.scene == Scene::Dm {
            let limits = [
                (format!("dm {today} {chat}"), DAY, settings.dm_user_daily),
                (format!("dms {today}"), DAY, settings.dm_daily),
            ];
            let codes = [304_049, 304_050];
            let counted = bot.counters.hit(now, &limits);
            return counted.map_err(|at| Refusal::code(codes.get(at).copied().unwrap_or(304_050)));
        }
        let guild = spot.guild.as_ref().map_or("", |guild| guild.as_str());
        let start = format!("guild {today} {guild} ");
        let name = format!("{start}{chat}");
        let others = bot.counters.names(&start).filter(|it| *it != name).count();
        let most = usize::try_from(settings.channels_daily).unwrap_or(usize::MAX);
        if most > 0 && others >= most {
            return Err(Refusal::code(304_047));
        }
        let counted = bot
            .counters
            .hit(now, &[(name, DAY, settings.channel_daily)]);
        counted.map_err(|_| Refusal::code(304_045))
    }
}
