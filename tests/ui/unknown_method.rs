//! `method!` finds annotated methods only.

use outboard::method;

fn plain() {}

struct Album;

impl Album {
    fn count(&self) -> u32 {
        1
    }
}

fn main() {
    plain();
    Album.count();
    let _ = method!(plain);
    let _ = method!(Album::count);
    let _ = method!(Self::count);
    let _ = method!(plain::<u8>);
}
