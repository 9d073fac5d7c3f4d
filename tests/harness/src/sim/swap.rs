//! Other builds are offered to the process while it runs: good ones, newer ones, and ones with a flaw.

use std::sync::Arc;

use prx_host::actor::{Candidate, Input, Swap, SwapRefused, Taken};
use prx_host::guest::Component;
use prx_host::limits::Limits;
use prx_host::vault::Hidden;

use super::process::{APP_SECRET, config};
use super::world::{SECRET, World};
use crate::mutant::{Flaw, Mutant};

/// A build that was offered, and what should come of it.
pub(super) struct Offered {
    /// It is to take over, whatever it does later.
    good: bool,
}

impl World {
    /// Offers a build of a kind that is drawn.
    pub(super) fn swap_at_random(&mut self) {
        let flaw = match self.rng.u32(0..8) {
            0 => Flaw::TrapsAtStart,
            1 => Flaw::Refuses,
            2 => Flaw::CountsOnATimer,
            // Soon enough that it is sent back, most of the time.
            3 => Flaw::TrapsAtEvent(self.rng.u32(1..20)),
            _ => Flaw::None,
        };
        let newer = self.rng.bool();
        self.offer(flaw, newer);
    }

    /// Offers a build with this flaw.
    pub(super) fn offer(&mut self, flaw: Flaw, newer: bool) {
        self.builds += 1;
        let build = Mutant::new(Arc::clone(&self.base), self.builds, self.trigger.clone());
        let build = if newer { build.newer() } else { build };
        let build: Arc<dyn Component> = Arc::new(build.with(flaw));
        let Some(egress) = self.process.egress() else {
            return;
        };
        let keys = config(build.as_ref(), &self.process.keys);
        let candidate = Candidate {
            component: build,
            limits: Limits::STANDARD,
            config: keys,
            secrets: vec![(APP_SECRET.to_owned(), Hidden::new(SECRET))],
            captured: std::collections::BTreeSet::from(["access_token".to_owned()]),
            egress,
        };
        self.process.offered = Some(Offered {
            good: matches!(flaw, Flaw::None | Flaw::TrapsAtEvent(_)),
        });
        let swap = Swap {
            ticket: self.builds,
            candidate,
        };
        self.step_process(self.process.number, Input::Swap(Box::new(swap)));
    }

    /// The core is done with an offer.
    pub(super) fn swapped(&mut self, outcome: Result<Taken, SwapRefused>) {
        let Some(offered) = self.process.offered.take() else {
            return;
        };
        match outcome {
            Ok(_) if !offered.good => self
                .findings
                .push("a build with a flaw took over".to_owned()),
            Ok(_) => self.swaps += 1,
            // A process that is starting, or down, has nothing to hand on.
            Err(SwapRefused::NotRunning) => {}
            Err(refused) if offered.good => self
                .findings
                .push(format!("a good build was refused: {refused}")),
            Err(_) => {}
        }
    }

    /// Before the next start: one that breaks at every start is not left installed.
    pub(super) fn put_back(&mut self) {
        self.process.offered = None;
        if let Some(proven) = self.process.proven() {
            self.process.component = proven;
        }
    }

    /// The build that had taken over was sent back.
    pub(super) fn rolled_back(&mut self) {
        self.rollbacks += 1;
    }
}
