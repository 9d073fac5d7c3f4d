//! Taking messages back, in every scene.

use crate::actions::Role;
use crate::ids::{AppId, MessageId};
use crate::ledger::Scene;
use crate::platform::Platform;
use crate::platform::routes::{Answer, Call};

impl Platform {
    /// `DELETE …/messages/{id}`; the path's ids stand at different places in the two families.
    pub(in crate::platform) fn recall(&mut self, call: &Call, app: &AppId, scene: Scene) -> Answer {
        let (target, id) = match scene {
            Scene::C2c | Scene::Group => (call.segment(2), call.segment(4)),
            Scene::Channel | Scene::Dm => (call.segment(1), call.segment(3)),
        };
        let hide = call.request.query.as_deref().unwrap_or_default();
        let bad_flag = hide
            .split('&')
            .filter_map(|pair| pair.strip_prefix("hidetip="))
            .any(|flag| flag != "true" && flag != "false");
        if scene.is_guild() && bad_flag {
            return Answer::error(306_001);
        }
        match self.try_recall(app, scene, target, id) {
            Ok(()) => Answer::Json("{}".to_owned()),
            Err(code) => Answer::error(code),
        }
    }

    fn try_recall(&mut self, app: &AppId, scene: Scene, target: &str, id: &str) -> Result<(), u32> {
        let now = self.now;
        let bot = self.bots.get_mut(app).ok_or(10_001_u32)?;
        let group = bot.world.group_by_openid(target);
        let admin = group.is_some_and(|(_, group)| group.bot_role != Role::Member);
        let private = bot.settings.is_private();
        let window = bot.settings.messages.recall_window;
        let guild = scene.is_guild();
        let post = bot.posts.any_mut(id).filter(|post| !post.recalled);
        let unknown = if guild { 306_002 } else { 40_061_002 };
        let post = post.ok_or(unknown)?;
        if post.spot.scene != scene || post.spot.target.as_str() != target {
            return Err(unknown);
        }
        match scene {
            Scene::Channel if !private => return Err(306_004),
            Scene::Dm if !private || !post.by_bot => return Err(306_004),
            Scene::C2c if !post.by_bot => return Err(40_062_003),
            Scene::Group if !post.by_bot && !admin => return Err(40_062_003),
            _ => {}
        }
        if !guild && post.by_bot && now.since(post.at) > window {
            return Err(40_064_004);
        }
        post.recalled = true;
        self.ledger.mark_mut(&MessageId::from(id)).recalled = Some(now);
        Ok(())
    }
}
