//! The worked example of `docs/guides/losses.md` is what happens.

use crate::worked;

#[test]
fn the_worked_example_is_what_happens() {
    worked::example_holds("docs/guides/losses.md");
}
