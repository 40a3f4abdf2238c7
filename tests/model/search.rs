//! A breadth-first search through everything that can happen: the first trace to a fault is a shortest one.

use std::collections::{HashSet, VecDeque};
use std::fmt::{Display, Write as _};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};

/// Something that can be searched.
pub trait World {
    type State: Clone + Hash + Display;
    type Step: Display;
    type Fault: Display;

    fn beginning(&self) -> Self::State;
    /// Everything that can happen next, always in the same order.
    fn next(&self, state: &Self::State) -> Vec<(Self::Step, Self::State)>;
    /// What is wrong with a state.
    fn fault(&self, state: &Self::State) -> Option<Self::Fault>;
}

/// What a search found.
pub struct Found<F> {
    /// Different states that were looked at.
    pub states: usize,
    /// The first fault.
    pub fault: Option<F>,
    /// What led to it, a line a step.
    pub trace: String,
}

/// Looks at every state that can be reached, until one is at fault.
pub fn search<W: World>(world: &W) -> Found<W::Fault> {
    // A state is known by 64 bits of it: among a million states, two are taken for one with a chance of 1 to 37
    // million.
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let beginning = world.beginning();
    let mut seen = HashSet::from([hasher.hash_one(&beginning)]);
    // From which state each was reached, and as which of its next ones.
    let mut steps = vec![(0, 0)];
    let mut waiting = VecDeque::from([(0, beginning)]);
    while let Some((at, state)) = waiting.pop_front() {
        if let Some(fault) = world.fault(&state) {
            return Found { states: seen.len(), fault: Some(fault), trace: trace(world, &steps, at) };
        }
        for (choice, (_, state)) in world.next(&state).into_iter().enumerate() {
            if seen.insert(hasher.hash_one(&state)) {
                waiting.push_back((steps.len(), state));
                steps.push((at, choice));
            }
        }
    }
    Found { states: seen.len(), fault: None, trace: String::new() }
}

/// The way to a state, walked once more.
fn trace<W: World>(world: &W, steps: &[(usize, usize)], mut at: usize) -> String {
    let mut choices = Vec::new();
    while at != 0 {
        choices.push(steps[at].1);
        at = steps[at].0;
    }
    let (mut state, mut trace) = (world.beginning(), String::new());
    let _ = writeln!(trace, "   0. {:<72} {state}", "");
    for (number, choice) in (1..).zip(choices.into_iter().rev()) {
        let (step, next) = world.next(&state).swap_remove(choice);
        let _ = writeln!(trace, "  {number:>2}. {:<72} {next}", step.to_string());
        state = next;
    }
    trace
}
