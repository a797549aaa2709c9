//! What the compiler tells the users of the attributes, by category, and that sound items of every form pass.
//!
//! After a change of wording, `TRYBUILD=overwrite cargo test -p outboard-tests --test diagnostics` writes the expected
//! messages anew; read them before they are committed.

// Also compiled here, so that clippy sees what we generate for a user with strict lints.
#[path = "../ui/pass/lints.rs"]
pub mod lints;

#[test]
fn mistakes_are_told_where_they_are_and_sound_items_run() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/*.rs");
}

#[test]
fn strict_lints_accept_what_is_generated() {
    lints::main();
}
