//! Running a call on the device while a server runs it too.

/// When a call that is under way to a server is also run on the device. The first whole result is the call's; both runs
/// are charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hedge {
    /// Never: an attempt whose bound passes is given up first.
    Never,
    /// When its bound passes: a server that is only a little late is still of use. The device runs the call then in any
    /// case.
    #[default]
    Late,
    /// From the start: the call takes as long as the faster of the two, and the device spends both.
    Always,
}
