//! What pays for a message: a reply, one that another message of the place lends, or the bot's own accord.

use crate::capabilities::Feature;
use crate::env::Env;
use crate::ids::{OpenId, TurnId};
use crate::scene::Scene;
use crate::turns::{Turn, Turns};

use super::budget::{Paid, Via};

impl Turns {
    /// Where a turn's answer goes.
    pub(crate) fn place(&self, id: TurnId) -> Option<(Scene, OpenId)> {
        let turn = self.open.get(&id)?;
        Some((turn.inbound.scene, turn.inbound.target.clone()))
    }

    /// How many replies one message of a place pays for.
    pub(crate) fn cap(&self, env: &Env, scene: Scene, target: &OpenId) -> u32 {
        self.caps
            .at_most(env, scene, target, Feature::Slots, scene.slots(&env.config))
    }

    /// Replies left in a turn's own account.
    pub(crate) fn own_left(&self, env: &Env, turn: &Turn) -> u32 {
        let cap = self.cap(env, turn.inbound.scene, &turn.inbound.target);
        self.budget.own_left(env, turn.id, cap)
    }

    /// Replies left to a turn, those that others can lend included.
    pub(crate) fn left(&self, env: &Env, id: TurnId) -> u32 {
        let Some((scene, target)) = self.place(id) else {
            return 0;
        };
        let cap = self.cap(env, scene, &target);
        self.budget
            .left(env, id, cap, &|other| self.open.contains_key(&other))
    }

    pub(super) fn can_pay_with_a_reply(&self, env: &Env, id: TurnId) -> bool {
        let Some((scene, target)) = self.place(id) else {
            return false;
        };
        let cap = self.cap(env, scene, &target);
        self.budget
            .can_pay(env, id, cap, &|other| self.open.contains_key(&other))
    }

    /// True when something can pay for another message: a reply, or the bot's own accord.
    pub(super) fn can_pay(&self, env: &Env, id: TurnId) -> bool {
        self.can_pay_with_a_reply(env, id) || self.may_speak_up(env, id)
    }

    fn may_speak_up(&self, env: &Env, id: TurnId) -> bool {
        let Some(turn) = self.open.get(&id) else {
            return false;
        };
        let (scene, target) = (turn.inbound.scene, &turn.inbound.target);
        let switched = self.places.proactive(scene, target.as_str());
        Self::is_unasked(turn)
            || switched == Some(true)
            || (switched.is_none() && self.caps.works(env, scene, target, Feature::Proactive))
    }

    /// Pays for a message of this turn.
    pub(super) fn pay(&mut self, env: &mut Env, id: TurnId) -> Option<Paid> {
        let (scene, target) = self.place(id)?;
        let cap = self.cap(env, scene, &target);
        let open = &self.open;
        if let Some(paid) = self
            .budget
            .pay(env, id, cap, &|other| open.contains_key(&other))
        {
            return Some(paid);
        }
        let wakes = self.open.get(&id).is_some_and(|turn| turn.wakes);
        let via = if wakes { Via::WakeUp } else { Via::Proactive };
        let paid = Paid {
            account: None,
            via,
            seq: 1,
        };
        self.may_speak_up(env, id).then_some(paid)
    }
}
