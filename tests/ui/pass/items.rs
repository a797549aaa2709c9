//! Items in unusual surroundings: traits, modules, function bodies, macros, conditions, odd names.

use outboard::{State, method, remoteable};
use serde::{Deserialize, Serialize};

mod shapes {
    #[derive(Debug, Clone, outboard::State, serde::Serialize, serde::Deserialize)]
    pub(crate) struct Grid<T: outboard::State>(pub(crate) Vec<T>);

    pub(crate) trait Scan {
        type Output;
        const STEPS: usize;
        fn scan(&mut self, from: Self::Output) -> Self::Output;
    }

    pub(crate) trait Count {
        fn scan(&self) -> usize;
    }

    #[outboard::remoteable]
    pub(crate) fn area(width: u32, height: u32) -> u32 {
        width * height
    }
}

use shapes::{Count, Scan};

// Two traits with a method of one name, for one type that is named by its path.
#[remoteable]
impl Scan for shapes::Grid<u8> {
    type Output = u8;
    const STEPS: usize = 2;

    fn scan(&mut self, from: Self::Output) -> <Self as Scan>::Output {
        self.0.push(from);
        from + 1
    }
}

#[remoteable]
impl Count for shapes::Grid<u8> {
    fn scan(&self) -> usize {
        self.0.len()
    }
}

#[remoteable]
impl shapes::Grid<u16> {
    fn sum(&self) -> u16
    where
        u16: Copy,
    {
        self.0.iter().sum()
    }
}

#[remoteable]
impl Count for [u32] {
    #[outboard::local]
    fn scan(&self) -> usize {
        self.len()
    }
}

macro_rules! adder {
    ($name:ident, $argument:ident, $body:block) => {
        #[remoteable]
        fn $name($argument: u32, hidden: u32) -> u32 {
            let more: u32 = $body;
            more + hidden
        }
    };
}
adder!(add_one, n, { n + 1 });

#[remoteable]
fn hides_names(grid: &Plain) -> u32 {
    // The items of a body are in scope in the whole body, and hide what the signature means.
    struct Plain;
    type Result = Plain;
    let _: Result = Plain;
    grid.frame
}

#[derive(State, Serialize, Deserialize)]
struct Plain {
    frame: u32,
}

// Names that the generated code might have used itself.
#[remoteable]
fn result(result: u32) -> u32 {
    result
}

#[remoteable]
fn frame(frame: u32, attempt: u32, schema: u32, shim: u32) -> u32 {
    frame + attempt + schema + shim
}

#[remoteable]
fn shim(r#type: u32) -> u32 {
    r#type
}

#[remoteable]
fn r#match(n: u32) -> u32 {
    n
}

#[cfg(not(any(unix, windows)))]
#[remoteable]
fn conditional(n: Missing) {}

#[cfg(any(unix, windows))]
#[remoteable]
fn conditional(n: u32) -> u32 {
    n
}

#[remoteable]
impl Plain {
    #[cfg(not(any(unix, windows)))]
    fn absent(&self, n: Missing) {}

    fn nested(&self) -> u32 {
        #[derive(Serialize, Deserialize)]
        struct Local(u32);

        #[remoteable]
        fn within(local: Local) -> Local {
            Local(local.0 + 1)
        }

        within(Local(self.frame)).0
    }
}

fn main() {
    let mut grid = shapes::Grid(vec![1_u8]);
    assert_eq!(Scan::scan(&mut grid, 4), 5);
    assert_eq!(Count::scan(&grid), <shapes::Grid<u8> as Scan>::STEPS);
    assert_eq!(shapes::Grid(vec![1_u16, 2]).sum(), 3);
    assert_eq!([1_u32, 2].as_slice().scan(), 2);
    assert_eq!(add_one(1, 2), 4);
    assert_eq!(hides_names(&Plain { frame: 5 }), 5);
    assert_eq!(result(1) + frame(1, 2, 3, 4) + shim(5) + r#match(6) + conditional(7), 29);
    assert_eq!(Plain { frame: 1 }.nested(), 2);
    assert_eq!(shapes::area(2, 3), 6);

    let methods: [&'static outboard::Method; 6] = [
        method!(shapes::area),
        method!(Plain::nested),
        method!(r#match),
        method!(<shapes::Grid<u8> as Scan>::scan),
        method!(<shapes::Grid<u8> as Count>::scan in crate),
        method!(<shapes::Grid<u16>>::sum),
    ];
    assert_eq!(methods.len(), 6);
}
