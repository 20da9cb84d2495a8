//! One time out of many: the watermark and idleness of a node with several inputs. Pure.
//!
//! ```text
//!  input 0   ──w=5────────w=9───────────final         out  5 ─▶ 7 ─▶ 8 ─▶ final
//!  input 1   ──w=7──idle──────active────w=8──final    (idle inputs are left out of the minimum)
//! ```
//!
//! Laws, each held by a test:
//!
//! 1. the watermark is the minimum over inputs that are neither idle nor final; it never goes
//!    back, also when an idle input returns behind it;
//! 2. it is final exactly when every input is: an input that ended without a final watermark (its
//!    source was stopped) holds the end back for good, so no window fires as if complete;
//! 3. the output is idle when all inputs that are not final are idle. Its watermark is then the
//!    highest of theirs, whichever fell idle first: results do not depend on who was quicker.

use millstream_state::EventTime;

#[derive(Clone, Debug)]
struct InputTime {
    watermark: EventTime,
    idle: bool,
    ended: bool,
}

impl InputTime {
    fn is_final(&self) -> bool {
        self.watermark == EventTime::MAX
    }
}

/// What changed for the outputs, in the order in which they must hear of it: a return from
/// idleness before the watermark, a fall into it after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advance {
    /// The new watermark, if it moved.
    pub watermark: Option<EventTime>,
    /// The new idleness, if it changed.
    pub idle: Option<bool>,
}

/// Merges the time of a node's inputs.
#[derive(Clone, Debug)]
pub struct Align {
    inputs: Vec<InputTime>,
    watermark: EventTime,
    idle: bool,
}

impl Align {
    /// Inputs that have said nothing yet: active, at [`EventTime::MIN`].
    pub fn new(inputs: usize) -> Self {
        let input = InputTime { watermark: EventTime::MIN, idle: false, ended: false };
        Align { inputs: vec![input; inputs], watermark: EventTime::MIN, idle: false }
    }

    /// Input `input` has passed on this watermark.
    ///
    /// # Panics
    /// If it went back, or if the input has ended.
    pub fn watermark(&mut self, input: usize, watermark: EventTime) -> Advance {
        let time = &mut self.inputs[input];
        assert!(!time.ended, "input {input} spoke after its end");
        assert!(watermark >= time.watermark, "watermark of input {input} went back to {watermark}");
        time.watermark = watermark;
        self.advance()
    }

    /// Input `input` has fallen idle or come back.
    ///
    /// # Panics
    /// If the input has ended.
    pub fn set_idle(&mut self, input: usize, idle: bool) -> Advance {
        let time = &mut self.inputs[input];
        assert!(!time.ended, "input {input} spoke after its end");
        time.idle = idle;
        self.advance()
    }

    /// Input `input` has ended. This moves no time: the final watermark came before, or never.
    pub fn end(&mut self, input: usize) {
        self.inputs[input].ended = true;
    }

    /// True while input `input` is idle: then it must not bring rows.
    pub fn is_idle(&self, input: usize) -> bool {
        self.inputs[input].idle
    }

    /// True once input `input` has ended.
    pub fn has_ended(&self, input: usize) -> bool {
        self.inputs[input].ended
    }

    /// True once nothing more can come.
    pub fn all_ended(&self) -> bool {
        self.inputs.iter().all(|input| input.ended)
    }

    /// The watermark of the output.
    pub fn current(&self) -> EventTime {
        self.watermark
    }

    /// What has changed since the last call; for an `Align` without inputs, the end of time.
    pub fn advance(&mut self) -> Advance {
        let open = || self.inputs.iter().filter(|input| !input.is_final());
        let idle = open().next().is_some() && open().all(|input| input.idle);
        let candidate = if idle {
            open().map(|input| input.watermark).max()
        } else {
            open().filter(|input| !input.idle).map(|input| input.watermark).min()
        };
        let watermark = candidate.unwrap_or(EventTime::MAX).max(self.watermark);
        let advance = Advance {
            watermark: (watermark > self.watermark).then_some(watermark),
            idle: (idle != self.idle).then_some(idle),
        };
        (self.watermark, self.idle) = (watermark, idle);
        advance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: EventTime = EventTime::MAX;

    fn ms(ms: i64) -> EventTime {
        EventTime::from_ms(ms)
    }

    #[test]
    fn the_picture_in_the_head() {
        let mut align = Align::new(2);
        assert_eq!(align.watermark(0, ms(5)).watermark, None);
        assert_eq!(align.watermark(1, ms(7)).watermark, Some(ms(5)));
        assert_eq!(align.set_idle(1, true), Advance::default());
        assert_eq!(align.watermark(0, ms(9)).watermark, Some(ms(9)));
        assert_eq!(align.set_idle(1, false).watermark, None);
        assert_eq!(align.watermark(1, ms(8)).watermark, None, "back behind: does not go back");
        assert_eq!(align.watermark(0, MAX).watermark, None);
        assert_eq!(align.watermark(1, MAX).watermark, Some(MAX));
    }

    #[test]
    fn no_inputs_means_the_end_of_time() {
        let mut align = Align::new(0);
        assert!(align.all_ended());
        assert_eq!(align.advance().watermark, Some(MAX));
    }

    #[test]
    fn a_stopped_input_never_lets_the_end_pass() {
        let mut align = Align::new(2);
        align.watermark(0, ms(3));
        align.end(0);
        assert_eq!(align.watermark(1, MAX).watermark, Some(ms(3)));
        align.end(1);
        assert!(align.all_ended());
        assert_eq!(align.current(), ms(3));
    }

    #[test]
    fn an_idle_input_does_not_let_the_end_pass_either() {
        let mut align = Align::new(2);
        align.watermark(0, ms(3));
        align.set_idle(0, true);
        align.watermark(1, ms(8));
        assert_eq!(align.watermark(1, MAX), Advance { watermark: None, idle: Some(true) });
        assert_eq!(align.current(), ms(8));
    }

    /// All sequences of a few events on two inputs against the laws, stated without the code's
    /// own shortcuts.
    #[test]
    fn every_short_history_obeys_the_laws() {
        #[derive(Clone, Copy)]
        enum Event {
            Watermark(EventTime),
            Idle(bool),
        }
        let events = [Event::Watermark(ms(1)), Event::Watermark(ms(2)), Event::Watermark(MAX)]
            .into_iter()
            .chain([Event::Idle(true), Event::Idle(false)])
            .flat_map(|event| [(0, event), (1, event)])
            .collect::<Vec<_>>();
        let depth = 5;
        for history in 0..events.len().pow(depth) {
            let (mut align, mut inputs) = (Align::new(2), [(EventTime::MIN, false); 2]);
            let mut last = EventTime::MIN;
            for step in 0..depth {
                let (input, event) = events[history / events.len().pow(step) % events.len()];
                match event {
                    Event::Watermark(watermark) if watermark >= inputs[input].0 => {
                        inputs[input].0 = watermark;
                        align.watermark(input, watermark);
                    }
                    Event::Watermark(_) => continue,
                    Event::Idle(idle) => {
                        inputs[input].1 = idle;
                        align.set_idle(input, idle);
                    }
                }
                let current = align.current();
                assert!(current >= last, "never goes back");
                assert_eq!(current == MAX, inputs.iter().all(|input| input.0 == MAX));
                let active = inputs.iter().filter(|input| !input.1 && input.0 != MAX);
                if let Some(minimum) = active.map(|input| input.0).min() {
                    assert_eq!(current, minimum.max(last), "minimum of the active inputs");
                }
                last = current;
            }
        }
    }
}
