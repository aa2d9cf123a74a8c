//! The rate limit and the limit of time, kept on the device so that a host cannot reset them.

use privyseal_protocol::{MAX_BEHIND_SECONDS, Policy, Rate, Refusal};

/// The rate limit, as a debt of milliseconds: each assertion adds [`Rate::interval`], and time pays it
/// off. It is written with each event, and a start begins with what was written: switching off and on
/// forgives nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter {
    debt: u32,
    at: u64,
}

impl Meter {
    /// With the debt that was written last.
    pub(crate) const fn new(debt: u32, millis: u64) -> Self {
        Self { debt, at: millis }
    }

    /// What is owed now.
    pub(crate) fn debt(&self, millis: u64) -> u32 {
        let paid = millis.saturating_sub(self.at);
        self.debt
            .saturating_sub(u32::try_from(paid).unwrap_or(u32::MAX))
    }

    /// How many are possible at once now.
    pub(crate) fn left(&self, rate: Rate, millis: u64) -> u16 {
        let room = limit(rate).saturating_sub(self.debt(millis));
        let left = room.checked_div(rate.interval()).unwrap_or(0);
        u16::try_from(left).unwrap_or(u16::MAX)
    }

    /// The debt after one more, if there is room for it.
    pub(crate) fn one_more(&self, rate: Rate, millis: u64) -> Result<u32, Refusal> {
        let debt = self.debt(millis).saturating_add(rate.interval());
        match debt.checked_sub(limit(rate)) {
            None | Some(0) => Ok(debt),
            Some(wait) => Err(Refusal::Rate { wait }),
        }
    }
}

/// The most that may be owed.
pub(crate) fn limit(rate: Rate) -> u32 {
    rate.interval().saturating_mul(rate.assertions.into())
}

/// What the device knows of time: a moment that it believed, and the milliseconds since.
///
/// The host's clock may be ahead of this by the policy's `max_jump`, and not more by asking in small
/// steps: the moment stays what it was when the device started, until the authority names another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    moment: u64,
    at: u64,
}

impl Clock {
    /// It was `moment` (seconds since the epoch) when the board's clock showed `millis`.
    pub(crate) const fn new(moment: u64, millis: u64) -> Self {
        Self { moment, at: millis }
    }

    /// The latest time that is believed.
    pub(crate) fn ceiling(&self, policy: &Policy<'_>, millis: u64) -> u64 {
        let elapsed = millis.saturating_sub(self.at) / 1000;
        self.moment
            .saturating_add(elapsed)
            .saturating_add(policy.max_jump.into())
    }

    /// The time that is served: `now`, or the floor if that is a little later. Not before it, nor after the
    /// ceiling.
    pub(crate) fn served(
        &self,
        now: u64,
        floor: u64,
        policy: &Policy<'_>,
        millis: u64,
    ) -> Result<u64, Refusal> {
        if now < floor.saturating_sub(MAX_BEHIND_SECONDS) {
            return Err(Refusal::TimeBack { floor });
        }
        let ceiling = self.ceiling(policy, millis);
        if now > ceiling {
            return Err(Refusal::TimeAhead { ceiling });
        }
        Ok(now.max(floor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        assertions: 3,
        seconds: 6,
    };

    #[test]
    fn so_many_at_once_then_one_at_a_time() {
        let mut meter = Meter::new(0, 1_000);
        for left in (0..3).rev() {
            let debt = meter.one_more(RATE, 1_000).expect("room");
            meter = Meter::new(debt, 1_000);
            assert_eq!(meter.left(RATE, 1_000), left);
        }
        let wait = meter.one_more(RATE, 1_001);
        assert_eq!(wait, Err(Refusal::Rate { wait: 1_999 }));
        assert!(meter.one_more(RATE, 2_999).is_err());
        assert_eq!(meter.one_more(RATE, 3_000), Ok(6_000));
        assert_eq!(meter.left(RATE, u64::MAX), 3);
    }
}
