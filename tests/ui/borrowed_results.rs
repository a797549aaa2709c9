//! Results own what they are made of: what they would borrow from is on the other machine.

use std::borrow::Cow;

use outboard::remoteable;

struct Album {
    names: Vec<String>,
}

#[remoteable]
impl Album {
    fn first(&self) -> &str {
        &self.names[0]
    }

    fn find(&self, name: &str) -> Option<&String> {
        self.names.iter().find(|known| *known == name)
    }

    fn all(&self) -> Result<Vec<&str>, String> {
        Ok(self.names.iter().map(String::as_str).collect())
    }

    fn title(&self) -> Cow<'_, str> {
        Cow::Borrowed("album")
    }

    fn kind(&self) -> &'static str {
        "album"
    }
}

fn main() {}
